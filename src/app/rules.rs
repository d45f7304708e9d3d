//! Detection rules: checked, laid out, run over events, tested, and those that ship written out.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;
use watchbell_yaral::{
    Diagnostic,
    diagnostic::{FileReport, json, render, sarif},
    source::Lines,
};

use super::{AppError, variable};
pub use crate::rules::{
    customize::LogSource,
    inspect::Checkup as RuleCheckup,
    shipped::{ShippedRule, rules as shipped_rules},
    testing::{FileReport as RuleTestFile, TestReport as RuleTestReport},
};
use crate::{
    config::Plan,
    rules::{
        customize::{CustomFile, Customization, customize},
        execute::{self, Detection, Inputs, Prepared, RecordKind},
        folder::{RuleText, plain, rule_texts},
        inspect::{self, Checkup},
        layout::{LaidOut, lay_out},
        testing,
    },
};

/// The type of sink whose options name vendor and product.
const HOST: &str = "chronicle";

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
    let events = Records::read(&request.events, &mut problems)?;
    let entities = Records::read(&request.entities, &mut problems)?;
    let detections = Records::read(&request.detections, &mut problems)?;
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
    fn read(paths: &[PathBuf], problems: &mut Vec<String>) -> Result<Self, AppError> {
        let mut records = Self { values: Vec::new(), places: Vec::new() };
        for path in paths {
            let text = if path.as_os_str() == "-" { stdin()? } else { read(path)? };
            for event in watchbell_udm::lint::events(&text) {
                match event {
                    Ok((place, value)) => {
                        let within = place.pointer.trim_end_matches("/udm");
                        records.places.push(format!("{}:{}{within}", path.display(), place.line));
                        records.values.push(value);
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
pub(super) fn configured_names(
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
