//! Detection rules: checked, laid out, tested; run over events (`run`); those that ship, written out (`export`).

mod export;
mod run;

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use watchbell_yaral::{
    Diagnostic,
    diagnostic::{FileReport, json, render, sarif},
    source::Lines,
};

pub(super) use self::export::configured_names;
pub use self::{
    export::{ExportRequest, Exported, RuleChanges, export_rules},
    run::{RecordAt, RuleDetection, RuleRun, RunRequest, run_rule},
};
use super::AppError;
pub use crate::rules::{
    customize::LogSource,
    inspect::Checkup as RuleCheckup,
    shipped::{ShippedRule, rules as shipped_rules},
    testing::{FileReport as RuleTestFile, TestReport as RuleTestReport},
};
use crate::rules::{
    folder::{RuleText, plain, rule_texts},
    inspect::{self, Checkup},
    layout::{LaidOut, lay_out},
    testing,
};

/// Checks files and folders of rules; `-` is standard input.
///
/// # Errors
/// When something that was named can't be read.
pub fn check_rules(paths: &[PathBuf]) -> Result<Checkup, AppError> {
    let (texts, unreadable) = texts_of(paths)?;
    Ok(Checkup { unreadable, ..inspect::check(texts) })
}

fn texts_of(paths: &[PathBuf]) -> Result<(Vec<RuleText>, Vec<String>), AppError> {
    let (mut texts, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            let text = plain(&stdin()?);
            texts.push(RuleText { path: path.clone(), file: "-".to_owned(), text });
        } else if path.is_file() {
            // What is named is read, however it ends.
            let text = plain(&read(path)?);
            texts.push(RuleText { path: path.clone(), file: path.display().to_string(), text });
        } else {
            let (found, problems) = rule_texts(path)?;
            texts.extend(found);
            unreadable.extend(problems);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.path.clone()));
    if texts.is_empty() && unreadable.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(AppError::RuleTexts(format!(
            "no rules in {}; they are in files that end with .yaral",
            named.join(", ")
        )));
    }
    Ok((texts, unreadable))
}

fn stdin() -> Result<String, AppError> {
    let mut bytes = Vec::new();
    let failed = |error: io::Error| AppError::Findings { path: "-".into(), message: error.to_string() };
    io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| AppError::RuleTexts("standard input is not UTF-8".to_owned()))
}

fn read(path: &Path) -> Result<String, AppError> {
    let failed = |message: String| AppError::Findings { path: path.to_owned(), message };
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to())))
}

/// File, line and column of a mistake.
fn placed(file: &str, text: &str, wrong: &Diagnostic) -> String {
    let at = Lines::of(text).position(wrong.span.start);
    format!("{file}:{}:{}", at.line, at.column)
}

/// What is wrong with checked rules, in the forms in which it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Issues<'a>(
    /// The rules.
    pub &'a Checkup,
);

impl Issues<'_> {
    fn reports(&self) -> Vec<FileReport<'_>> {
        let files = self.0.files.iter();
        files.map(|file| FileReport { name: &file.file, text: &file.text, diagnostics: &file.diagnostics }).collect()
    }

    /// With the lines and the places marked, colored.
    #[must_use]
    pub fn pretty(&self) -> String {
        self.reports().into_iter().map(|report| render::pretty(report, render::Style::Colored)).collect()
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let entries = self.reports();
        let entries = entries.iter().flat_map(|report| json::entries(*report));
        serde_json::to_value(entries.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// As SARIF.
    #[must_use]
    pub fn sarif(&self) -> serde_json::Value {
        sarif::document(&self.reports())
    }
}

/// What became of laying out one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// It was as it should be.
    Same,
    /// It was not.
    Changed,
    /// It can't be parsed; this is the first thing that is wrong.
    Broken(String),
}

/// What became of laying out some files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaidOutFiles {
    /// Each file with what became of it.
    pub files: Vec<(String, Layout)>,
    /// With standard input: the new text.
    pub text: Option<String>,
}

/// Lays out files and folders of rules; writes those that change unless it only looks. `-` is standard input, whose text comes
/// back.
///
/// # Errors
/// When something can't be read or written.
pub fn lay_out_rules(paths: &[PathBuf], only_look: bool) -> Result<LaidOutFiles, AppError> {
    let (texts, unreadable) = texts_of(paths)?;
    if let Some(problem) = unreadable.into_iter().next() {
        return Err(AppError::RuleTexts(problem));
    }
    let mut done = LaidOutFiles::default();
    for text in texts {
        let is_stdin = text.path.as_os_str() == "-";
        // Line ends and a byte order mark are part of the layout, too.
        let raw = if is_stdin { text.text.clone() } else { read(&text.path)? };
        let layout = match lay_out(&text.text) {
            LaidOut::Broken(error) => Layout::Broken(match error {
                Some(error) => format!("{}: {}", placed(&text.file, &text.text, &error), error.message),
                None => format!("{}: can't be laid out", text.file),
            }),
            LaidOut::Same if raw == text.text => Layout::Same,
            LaidOut::Same | LaidOut::Changed(_) if only_look => Layout::Changed,
            LaidOut::Same => written(&text.path, &text.text, is_stdin)?,
            LaidOut::Changed(new) if is_stdin => {
                done.text = Some(new);
                Layout::Changed
            }
            LaidOut::Changed(new) => written(&text.path, &new, is_stdin)?,
        };
        if is_stdin && layout == Layout::Same {
            done.text = Some(text.text);
        }
        done.files.push((text.file, layout));
    }
    Ok(done)
}

fn written(path: &Path, text: &str, is_stdin: bool) -> Result<Layout, AppError> {
    if !is_stdin {
        replace(path, text)?;
    }
    Ok(Layout::Changed)
}

/// Writes a file so that it is there whole or not at all.
fn replace(path: &Path, text: &str) -> Result<(), AppError> {
    let failed = |source: io::Error| AppError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    // A temporary file is for its owner's eyes; rules are not secret, and what was there keeps its rights.
    let rights = fs::metadata(path).map(|known| known.permissions());
    #[cfg(unix)]
    let rights = rights.or_else(|_| {
        use std::os::unix::fs::PermissionsExt;
        io::Result::Ok(fs::Permissions::from_mode(0o644))
    });
    if let Ok(rights) = rights {
        fs::set_permissions(file.path(), rights).map_err(failed)?;
    }
    file.persist(path).map(|_| ()).map_err(|error| failed(error.error))
}

/// Runs the tests of these folders of rules.
///
/// # Errors
/// When a folder can't be read, or there is no test in any of them.
pub fn test_rules(folders: &[PathBuf]) -> Result<RuleTestReport, AppError> {
    let report = testing::test(folders)?;
    if report.files.is_empty() {
        let named: Vec<String> = folders.iter().map(|path| path.display().to_string()).collect();
        let expected = "they are files NAME.toml in a folder `tests` beside the rules";
        return Err(AppError::RuleTexts(format!("no tests in {}; {expected}", named.join(", "))));
    }
    Ok(report)
}

/// Writes a file of results.
///
/// # Errors
/// When it can't be written.
pub fn write_junit(path: &Path, report: &RuleTestReport) -> Result<(), AppError> {
    replace(path, &testing::junit(&report.files))
}
