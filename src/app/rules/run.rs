//! A rule run over files of events.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use watchbell_yaral::Diagnostic;

use super::{placed, read, stdin};
use crate::{
    app::AppError,
    rules::{
        execute::{self, Detection, Inputs, Prepared, RecordKind},
        folder::plain,
        inspect,
    },
};

/// What a rule is to be run over, as files.
#[derive(Debug, Clone, Default)]
pub struct RunRequest {
    /// The rule's file.
    pub rule: PathBuf,
    /// Files with events; `-` is standard input.
    pub events: Vec<PathBuf>,
    /// Files with entities.
    pub entities: Vec<PathBuf>,
    /// Files with detections of other rules.
    pub detections: Vec<PathBuf>,
    /// Reference lists: name and file.
    pub lists: Vec<(String, PathBuf)>,
    /// Data tables: name and file.
    pub tables: Vec<(String, PathBuf)>,
    /// What `timestamp.now()` gives.
    pub now: Option<Timestamp>,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleRun {
    /// The rule.
    pub rule: String,
    /// How many events, entities and detections were read.
    pub records: usize,
    /// The detections.
    pub detections: Vec<RuleDetection>,
    /// What could not be read or computed.
    pub problems: Vec<String>,
}

/// A detection with the records behind it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleDetection {
    /// When, why, of whom.
    #[serde(flatten)]
    pub detection: Detection,
    /// The records behind it.
    pub records: Vec<RecordAt>,
}

/// A record, by where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordAt {
    /// The variable that it stands for.
    pub variable: String,
    /// The file, line, and place within the line where there are several.
    pub place: String,
    /// `metadata.product_log_id`, the id of a finding; of a detection its own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it says about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// Runs a rule over files of records.
///
/// # Errors
/// When something can't be read, the rule has errors, or can't be run here.
pub fn run_rule(request: &RunRequest) -> Result<RuleRun, AppError> {
    let text = plain(&read(&request.rule)?);
    let file = request.rule.display();
    if let Some(wrong) = inspect::diagnostics(&text).into_iter().find(Diagnostic::is_error) {
        let place = placed(&file.to_string(), &text, &wrong);
        return Err(AppError::RuleTexts(format!("{place}: {}; `watchbell rules check` says more", wrong.message)));
    }
    let parsed = watchbell_yaral::parse(&text).file;
    let [rule] = parsed.rules.as_slice() else {
        return Err(AppError::RuleTexts(format!("{file}: {} rules, expected one", parsed.rules.len())));
    };
    let mut problems = Vec::new();
    let mut records = |kind, paths: &[PathBuf]| Records::read(kind, paths, &mut problems);
    let events = records(RecordKind::Event, &request.events)?;
    let entities = records(RecordKind::Entity, &request.entities)?;
    let detections = records(RecordKind::Detection, &request.detections)?;
    let texts = |named: &[(String, PathBuf)]| -> Result<BTreeMap<String, String>, AppError> {
        named.iter().map(|(name, path)| Ok((name.trim_start_matches('%').to_owned(), read(path)?))).collect()
    };
    let inputs = Inputs {
        events: events.values.clone(),
        entities: entities.values.clone(),
        detections: detections.values.clone(),
        lists: texts(&request.lists)?,
        tables: texts(&request.tables)?,
        now: request.now,
    };
    let ran = Prepared::of(inputs, rule).and_then(|inputs| execute::run(rule, &inputs)).map_err(AppError::RuleTexts)?;
    problems.extend(ran.problems);
    let told = ran.detections.into_iter().map(|detection| {
        let records = detection.references.iter().map(|reference| {
            let of = match reference.kind {
                RecordKind::Event => &events,
                RecordKind::Entity => &entities,
                RecordKind::Detection => &detections,
            };
            of.at(&reference.variable, reference.position)
        });
        RuleDetection { records: records.collect(), detection }
    });
    let found = told.collect();
    let records = [&events, &entities, &detections].into_iter().map(|records| records.values.len()).sum();
    Ok(RuleRun { rule: rule.name.text.clone(), records, detections: found, problems })
}

/// Records with where each stands.
struct Records {
    values: Vec<serde_json::Value>,
    places: Vec<String>,
}

impl Records {
    /// Reads the records of files; one that can't be used is told with its place and left out.
    fn read(kind: RecordKind, paths: &[PathBuf], problems: &mut Vec<String>) -> Result<Self, AppError> {
        let mut records = Self { values: Vec::new(), places: Vec::new() };
        for path in paths {
            let text = if path.as_os_str() == "-" { stdin()? } else { read(path)? };
            for event in watchbell_udm::lint::events(&text) {
                match event {
                    Ok((place, value)) => {
                        let within = place.pointer.trim_end_matches("/udm");
                        let place = format!("{}:{}{within}", path.display(), place.line);
                        match execute::fault(kind, &value) {
                            Some(fault) => problems.push(format!("{place}: left out: {fault}")),
                            None => {
                                records.places.push(place);
                                records.values.push(value);
                            }
                        }
                    }
                    Err(broken) => problems.push(format!("{}: {broken}", path.display())),
                }
            }
        }
        Ok(records)
    }

    fn at(&self, variable: &str, position: usize) -> RecordAt {
        let value = self.values.get(position);
        let text = |pointer: &str| value?.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        RecordAt {
            variable: variable.to_owned(),
            place: self.places.get(position).cloned().unwrap_or_default(),
            id: text("/metadata/product_log_id").or_else(|| text("/metadata/id")).or_else(|| text("/id")),
            summary: text("/metadata/description").or_else(|| text("/metadata/event_type")),
        }
    }
}
