//! The rules that ship, written out for the user's names.

use std::{fs, path::PathBuf};

use serde::Serialize;

use super::{LogSource, replace};
use crate::{
    app::{AppError, variable},
    config::Plan,
    rules::customize::{CustomFile, Customization, customize},
};

/// The type of sink whose options name vendor and product.
const HOST: &str = "chronicle";

/// How the shipped rules are to be written.
#[derive(Debug, Clone, Default)]
pub struct ExportRequest {
    /// The folder to write into.
    pub out: PathBuf,
    /// Over files that are there and different.
    pub force: bool,
    /// The sink whose names of vendor and product count; without it, the one there is.
    pub sink: Option<String>,
    /// What is to be different; what is given here goes before the configuration.
    pub wanted: RuleChanges,
}

/// What is to be different from what ships.
#[derive(Debug, Clone, Default)]
pub struct RuleChanges {
    /// `metadata.product_name` of the events.
    pub product_name: Option<String>,
    /// `metadata.vendor_name` of the events.
    pub vendor_name: Option<String>,
    /// Only events of this source.
    pub log_source: Option<LogSource>,
    /// Only findings of this severity or above.
    pub min_severity: Option<crate::sink::Severity>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The folder.
    pub folder: PathBuf,
    /// Files that are new or changed.
    pub written: usize,
    /// Files that were there just so.
    pub unchanged: usize,
    /// The names that the rules ask for: vendor and product.
    pub names: (String, String),
}

/// Writes the shipped rules, their deployment and their tests into a folder.
///
/// # Errors
/// When files there are different and it is not forced (then nothing is written), or can't be written.
pub fn export_rules(plan: &Plan, request: &ExportRequest) -> Result<Exported, AppError> {
    let configured = configured_names(plan, request.sink.as_deref())?;
    let changes = &request.wanted;
    let wanted = Customization {
        vendor_name: changes.vendor_name.clone().or(configured.0),
        product_name: changes.product_name.clone().or(configured.1),
        log_source: changes.log_source.clone(),
        min_severity: changes.min_severity,
    };
    let files = customize(&wanted).map_err(|error| AppError::RuleTexts(error.to_string()))?;
    let is_same =
        |file: &CustomFile| fs::read_to_string(request.out.join(&file.path)).is_ok_and(|text| text == file.text);
    let (unchanged, different): (Vec<_>, Vec<_>) = files.iter().partition(|file| is_same(file));
    let in_the_way: Vec<&str> = different
        .iter()
        .filter(|file| request.out.join(&file.path).symlink_metadata().is_ok())
        .map(|file| file.path.as_str())
        .collect();
    if !in_the_way.is_empty() && !request.force {
        return Err(AppError::RuleTexts(format!(
            "{} files in {} are different: {}; nothing was written, --force writes over them",
            in_the_way.len(),
            request.out.display(),
            in_the_way.join(", ")
        )));
    }
    for file in &different {
        replace(&request.out.join(&file.path), &file.text)?;
    }
    let name = |name: Option<String>| name.unwrap_or_else(|| "Watchbell".to_owned());
    Ok(Exported {
        folder: request.out.clone(),
        written: different.len(),
        unchanged: unchanged.len(),
        names: (name(wanted.vendor_name), name(wanted.product_name)),
    })
}

/// Vendor and product as the configured sink sends them.
pub(in crate::app) fn configured_names(
    plan: &Plan,
    wanted: Option<&str>,
) -> Result<(Option<String>, Option<String>), AppError> {
    let mut names = Vec::new();
    for table in &plan.sinks.tables {
        let text = |key: &str| table.text_of(key, &variable);
        if text("type").as_deref() == Some(HOST) && wanted.is_none_or(|wanted| wanted == table.name) {
            names.push((table.name.as_str(), (text("vendor_name"), text("product_name"))));
        }
    }
    match (names.as_slice(), wanted) {
        ([], Some(wanted)) => {
            let known: Vec<&str> = plan.sinks.tables.iter().map(|table| table.name.as_str()).collect();
            Err(AppError::NoSuchSink { name: wanted.to_owned(), known: known.join(", ") })
        }
        ([], None) => Ok((None, None)),
        ([(_, first), rest @ ..], _) if rest.iter().all(|(_, other)| other == first) => Ok(first.clone()),
        (several, _) => {
            let several: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
            let told =
                format!("the sinks {} send different names; say with --sink which one counts", several.join(", "));
            Err(AppError::RuleTexts(told))
        }
    }
}
