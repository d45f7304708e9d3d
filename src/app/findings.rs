//! Findings read back: from reports, from directories of reports, and from files of nothing but findings.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde_json::{Deserializer, Value};

use super::{
    AppError,
    kept::{Bounds, Kept},
};
use crate::{
    report::{BatchSummary, Choice, FileReport, ReportError, each_once, load_reports},
    sink::Finding,
};

/// Findings, and what could not be read beside them.
#[derive(Debug, Default)]
pub struct Findings {
    /// The findings, each once, in its gravest version.
    pub findings: Vec<Finding>,
    /// Reports that are damaged, with place and reason.
    pub problems: Vec<String>,
}

/// The same, held by somebody else: what is asked about them copies only what it answers.
#[derive(Debug, Clone)]
pub(super) struct Pool<'a> {
    /// The findings, each once.
    pub(super) findings: Vec<&'a Finding>,
    /// What could not be read beside them.
    pub(super) problems: &'a [String],
}

impl Findings {
    pub(super) fn pool(&self) -> Pool<'_> {
        Pool { findings: self.findings.iter().collect(), problems: &self.problems }
    }
}

/// Reads the findings of reports, of directories with reports, and of files with findings as JSON: one, an array, or
/// one after another. `-` is standard input.
///
/// # Errors
/// When a path that was named can't be read at all.
pub fn read_findings(paths: &[PathBuf]) -> Result<Findings, AppError> {
    let mut found = Findings::default();
    for path in paths {
        if path.is_dir() {
            of_directory(path, &mut found)?;
        } else {
            found.findings.extend(of_file(path)?);
        }
    }
    found.findings = each_once(found.findings, |finding| finding);
    Ok(found)
}

fn of_directory(path: &Path, found: &mut Findings) -> Result<(), AppError> {
    let directory = Directory::load(path, Choice::All)?;
    found.problems.extend(directory.problems);
    found.findings.extend(directory.reports.into_iter().flat_map(|report| report.findings));
    Ok(())
}

/// What an output directory holds.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// The reports of the batch, and behind them what analyses left.
    pub(super) reports: Vec<FileReport>,
    /// The newest summary of a batch.
    pub(super) summary: Option<BatchSummary>,
    /// What can't be read, with its place.
    pub(super) problems: Vec<String>,
}

impl Directory {
    /// Reads it.
    ///
    /// # Errors
    /// It can't be read, or holds neither a report nor what an analysis left.
    pub(super) fn load(path: &Path, choice: Choice) -> Result<Self, AppError> {
        let mut kept = Kept::within(path, Bounds::default());
        kept.refresh().map_err(|source| AppError::Read { path: path.to_owned(), source })?;
        let mut directory = match load_reports(path, choice) {
            Ok(loaded) => Self {
                problems: loaded.problems.iter().map(ToString::to_string).collect(),
                reports: loaded.reports,
                summary: loaded.summary,
            },
            Err(ReportError::NoReports { .. }) if kept.is_there() => Self::default(),
            Err(error) => return Err(error.into()),
        };
        directory.problems.extend(kept.problems().cloned());
        directory.reports.extend(kept.reports().map(|report| FileReport::clone(report)));
        Ok(directory)
    }
}

fn of_file(path: &Path) -> Result<Vec<Finding>, AppError> {
    let unreadable = |message: String| AppError::Findings { path: path.to_owned(), message };
    let mut text = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut text).map(|_| ())
    } else {
        fs::read(path).map(|bytes| text = bytes)
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    let mut findings = Vec::new();
    for value in Deserializer::from_slice(&text).into_iter::<Value>() {
        let value = value.map_err(|error| unreadable(format!("no JSON: {error}")))?;
        findings.extend(of_value(value).map_err(unreadable)?);
    }
    Ok(findings)
}

fn of_value(value: Value) -> Result<Vec<Finding>, String> {
    match value {
        Value::Array(items) => items.into_iter().map(finding).collect(),
        Value::Object(ref object) if object.contains_key("source_file") => {
            let report: FileReport = serde_json::from_value(value).map_err(|error| format!("not a report: {error}"))?;
            Ok(report.findings)
        }
        // A batch summary names reports and holds no findings itself.
        Value::Object(ref object) if object.contains_key("files_processed") => {
            Err("a batch summary holds no findings; name the directory or one of the reports".to_owned())
        }
        value => finding(value).map(|finding| vec![finding]),
    }
}

fn finding(value: Value) -> Result<Finding, String> {
    serde_json::from_value(value).map_err(|error| format!("expected a report or a finding: {error}"))
}
