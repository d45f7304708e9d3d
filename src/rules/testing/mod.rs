//! Tests of rules: cases with events, and what the rule makes of them.
//!
//! A test file lies in a folder `tests` beside the rules and is named after its rule. Why a rule stayed silent is found by
//! running it again with parts of it left out.

mod compare;
pub mod file;
mod junit;
mod records;
mod why;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use serde::Serialize;
use walkdir::WalkDir;
use watchbell_yaral::syntax::tree::Rule;

pub use self::junit::junit;
use self::{
    file::{Case, TestFile},
    records::{Kind, Shelf},
};
use super::{
    execute::{self, Detection, Inputs, Prepared},
    folder::{FolderError, RuleText, rule_texts},
    inspect,
};

/// From when `at` counts where the test does not say.
const START: &str = "2026-01-01T00:00:00Z";
/// Folders of this name hold tests.
const TESTS: &str = "tests";

/// What is expected of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// At least one detection.
    Fires,
    /// None.
    Silent,
}

impl Expected {
    /// The word in a sentence: the rule fires, the rule is silent.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Fires => "fires",
            Self::Silent => "silent",
        }
    }
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseReport {
    /// What is special about it.
    pub name: String,
    /// What was expected.
    pub expected: Expected,
    /// How long it took.
    pub seconds: f64,
    /// How many detections there were.
    pub detections: usize,
    /// What is not as expected; empty when it passed.
    pub failures: Vec<String>,
}

impl CaseReport {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// What became of one file of tests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// The rule that it tests.
    pub rule: String,
    /// Why none of it could be run.
    pub problem: Option<String>,
    /// One for each case.
    pub cases: Vec<CaseReport>,
}

impl FileReport {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problem.is_none() && self.cases.iter().all(CaseReport::passed)
    }
}

/// What the tests of some folders gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// One for each file of tests.
    pub files: Vec<FileReport>,
    /// Rules without a test.
    pub untested: Vec<String>,
}

/// Runs the tests of these folders of rules.
///
/// # Errors
/// When a folder can't be read.
pub fn test(folders: &[PathBuf]) -> Result<TestReport, FolderError> {
    let mut report = TestReport { files: Vec::new(), untested: Vec::new() };
    for folder in folders {
        // Named by its tests, it is a folder of rules all the same.
        let root = if folder.file_name().is_some_and(|name| name == TESTS) {
            folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
        } else {
            folder
        };
        let (texts, problems) = rule_texts(root)?;
        let unreadable = problems.into_iter().map(|problem| FileReport {
            file: root.display().to_string(),
            rule: root.display().to_string(),
            problem: Some(problem),
            cases: Vec::new(),
        });
        report.files.extend(unreadable);
        let rules = Rules::of(texts);
        let mut tested = Vec::new();
        for path in test_files(root) {
            let file = run_file(&path, &rules);
            tested.push(file.rule.clone());
            report.files.push(file);
        }
        report.untested.extend(rules.by_name.into_keys().filter(|name| !tested.contains(name)));
    }
    Ok(report)
}

/// The rules of a folder by name, each with the index of its text.
struct Rules {
    texts: Vec<RuleText>,
    by_name: BTreeMap<String, (usize, Rule)>,
}

impl Rules {
    fn of(texts: Vec<RuleText>) -> Self {
        let mut by_name = BTreeMap::new();
        for (at, text) in texts.iter().enumerate() {
            for rule in watchbell_yaral::parse(&text.text).file.rules {
                by_name.entry(rule.name.text.clone()).or_insert((at, rule));
            }
        }
        Self { texts, by_name }
    }

    /// The rule that a test names: by name, or by its file seen from the test.
    fn named(&self, wanted: &str, test: &Path) -> Option<(&RuleText, &Rule)> {
        let found = self.by_name.get(wanted).or_else(|| {
            let path = fs::canonicalize(test.parent()?.join(wanted)).ok()?;
            let is_it = |text: &RuleText| fs::canonicalize(&text.path).is_ok_and(|other| other == path);
            self.by_name.values().find(|(at, _)| is_it(&self.texts[*at]))
        });
        found.map(|(at, rule)| (&self.texts[*at], rule))
    }
}

/// Every `.toml` in a folder `tests`, in the order of the paths.
fn test_files(root: &Path) -> Vec<PathBuf> {
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    let seen = walk.filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.'));
    let paths =
        seen.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    let is_test = |path: &PathBuf| {
        let inside = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == TESTS);
        inside && path.extension().is_some_and(|ending| ending == "toml")
    };
    paths.filter(is_test).collect()
}

fn run_file(path: &Path, rules: &Rules) -> FileReport {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut report = FileReport { file: path.display().to_string(), rule: stem, problem: None, cases: Vec::new() };
    let read = fs::read_to_string(path).map_err(|error| error.to_string());
    let parsed = read.and_then(|text| toml::from_str::<TestFile>(&text).map_err(|error| error.to_string()));
    let file = match parsed {
        Ok(file) => file,
        Err(problem) => {
            report.problem = Some(problem.trim_end().to_owned());
            return report;
        }
    };
    let wanted = file.rule.clone().unwrap_or_else(|| report.rule.clone());
    let Some((text, rule)) = rules.named(&wanted, path) else {
        report.problem = Some(format!("no rule `{}` in the folder", wanted.escape_debug()));
        return report;
    };
    report.rule.clone_from(&rule.name.text);
    if let Some(wrong) = inspect::diagnostics(&text.text).iter().find(|diagnostic| diagnostic.is_error()) {
        report.problem =
            Some(format!("{} does not compile: {}; see `watchbell rules check`", text.file, wrong.message));
        return report;
    }
    if file.fires.is_empty() && file.silent.is_empty() {
        report.problem = Some("no cases; expected [[fires]] or [[silent]]".to_owned());
        return report;
    }
    let subject = Subject { text, rule, file: &file, folder: path.parent().unwrap_or(Path::new(".")) };
    let fires = file.fires.iter().map(|case| (case, Expected::Fires));
    let silent = file.silent.iter().map(|case| (case, Expected::Silent));
    report.cases = fires.chain(silent).map(|(case, expected)| subject.run(case, expected)).collect();
    report
}

/// What a case is run against.
struct Subject<'a> {
    text: &'a RuleText,
    rule: &'a Rule,
    file: &'a TestFile,
    folder: &'a Path,
}

impl Subject<'_> {
    fn run(&self, case: &Case, expected: Expected) -> CaseReport {
        let began = Instant::now();
        let (detections, failures) = match self.inputs(case).and_then(|inputs| self.judged(case, expected, &inputs)) {
            Ok(judged) => judged,
            Err(problem) => (0, vec![problem]),
        };
        let seconds = began.elapsed().as_secs_f64();
        CaseReport { name: case.name.clone(), expected, seconds, detections, failures }
    }

    fn judged(&self, case: &Case, expected: Expected, inputs: &Prepared) -> Result<(usize, Vec<String>), String> {
        let ran = execute::run(self.rule, inputs)?;
        let detections = ran.detections;
        let mut failures = match expected {
            Expected::Fires => self.unfulfilled(case, &detections, inputs),
            Expected::Silent => detections.iter().map(|detection| format!("it fired: {}", told(detection))).collect(),
        };
        if !failures.is_empty() {
            failures.extend(ran.problems.into_iter().map(|problem| format!("while it ran: {problem}")));
        }
        Ok((detections.len(), failures))
    }

    /// What is not as a case that fires expects it.
    fn unfulfilled(&self, case: &Case, detections: &[Detection], inputs: &Prepared) -> Vec<String> {
        if detections.is_empty() && case.count != Some(0) {
            let mut failures = vec!["it stayed silent".to_owned()];
            failures.extend(why::silent(self.text, self.rule, inputs));
            return failures;
        }
        let mut failures = Vec::new();
        if let Some(count) = case.count.filter(|&count| count != detections.len()) {
            failures.push(format!("{} detections, expected {count}", detections.len()));
            failures.extend(detections.iter().map(|detection| format!("  {}", told(detection))));
        }
        failures.extend(compare::differences(case, detections));
        failures
    }

    fn inputs(&self, case: &Case) -> Result<Prepared, String> {
        let start = moment("start", self.file.start.as_deref().unwrap_or(START))?;
        let shelf = Shelf { named: &self.file.records, folder: self.folder, start };
        let now = case.now.as_deref().or(self.file.now.as_deref());
        let text = |lines: &file::Lines| records::lines(lines, self.folder).map(|lines| lines.join("\n"));
        let texts = |of: &BTreeMap<String, file::Lines>| -> Result<BTreeMap<String, String>, String> {
            of.iter().map(|(name, lines)| Ok((name.clone(), text(lines)?))).collect()
        };
        let inputs = Inputs {
            events: shelf.take(&case.events, Kind::Event)?,
            entities: shelf.take(&case.entities, Kind::Entity)?,
            detections: shelf.take(&case.detections, Kind::Detection)?,
            lists: texts(&self.file.lists)?,
            tables: texts(&self.file.tables)?,
            now: now.map(|now| moment("now", now)).transpose()?,
        };
        Prepared::of(inputs, self.rule)
    }
}

fn moment(what: &str, text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{what} `{}`: expected a time such as 2026-01-15T03:00:00Z", text.escape_debug()))
}

/// A detection in one line.
fn told(detection: &Detection) -> String {
    let values = |pairs: &[(String, serde_json::Value)]| {
        pairs.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    };
    let at = detection
        .window
        .as_ref()
        .map_or_else(|| detection.time.clone(), |window| format!("{} to {}", window.start, window.end));
    let matched = values(&detection.matches);
    if matched.is_empty() { at } else { format!("{at}, {matched}") }
}
