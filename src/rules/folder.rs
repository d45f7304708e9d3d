//! A folder of rules: one rule a file, and `deployment.toml`, which says how they are run.
//!
//! What no key of `deployment.toml` says is left as the tenant has it: a folder without one changes texts alone.

mod deployment;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use crate::{config::Problems, sink::rules::RunFrequency};

/// Says how the rules of a folder are run.
pub const DEPLOYMENT_FILE: &str = "deployment.toml";

/// How files of rules end.
const ENDINGS: [&str; 2] = ["yaral", "yaral2"];
/// Rules' tests lie in folders of this name; what is in there is not installed.
const TESTS: &str = "tests";
/// Longest file that is read: far longer than any rule that a compiler takes.
const LONGEST_FILE: u64 = 4 << 20;

/// A rule as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalRule {
    /// The name that its text declares.
    pub name: String,
    /// Its file, as the user named the folder.
    pub file: String,
    /// Its text: no byte order mark, lines end with line feeds.
    pub text: String,
    /// How it is to be run.
    pub deployment: WantedDeployment,
    /// Names that it had before: the tenant's rule of such a name becomes this one.
    pub renamed_from: Vec<String>,
}

/// How a rule is to be run; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WantedDeployment {
    /// Whether it runs.
    pub enabled: Option<bool>,
    /// Whether its detections are alerts.
    pub alerting: Option<bool>,
    /// How often it runs.
    pub frequency: Option<RunFrequency>,
    /// Whether it is put away.
    pub archived: bool,
}

/// A file of rules, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// Where it is.
    pub path: PathBuf,
    /// The same as the user sees it.
    pub file: String,
    /// Its text: no byte order mark, lines end with line feeds.
    pub text: String,
}

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder can't be read.
    #[error("cannot read the rules in {}", path.display())]
    Unreadable {
        /// The folder, or what is in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was read, and is wrong.
    #[error(transparent)]
    Wrong(#[from] FolderProblems),
}

/// Everything that is wrong with a folder. Never empty.
#[derive(Debug, Default, thiserror::Error)]
pub struct FolderProblems {
    /// Files that are no rules, each with what was expected.
    pub files: Vec<String>,
    /// What is wrong with `deployment.toml`.
    pub deployment: Option<Problems>,
}

impl fmt::Display for FolderProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.files.join("\n"))?;
        if let Some(problems) = &self.deployment {
            f.write_str(if self.files.is_empty() { "" } else { "\n" })?;
            problems.fmt(f)?;
        }
        Ok(())
    }
}

/// The rules of a folder, in the order of their paths.
///
/// # Errors
/// When the folder can't be read; everything that is wrong with its files otherwise.
pub fn read_folder(folder: &Path) -> Result<Vec<LocalRule>, FolderError> {
    let (texts, problems) = rule_texts(folder)?;
    let path = folder.join(DEPLOYMENT_FILE);
    let deployment = match fs::read_to_string(&path) {
        Ok(text) => Some((path.to_string_lossy().into_owned(), text)),
        // The folder may be a single file, too.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(source) => return Err(FolderError::Unreadable { path, source }),
    };
    Ok(assemble(texts, problems, deployment)?)
}

/// Rules from texts that were read, and from `deployment.toml` with its name.
///
/// # Errors
/// Everything that is wrong with them, the problems that are known already first.
pub fn assemble(
    texts: Vec<RuleText>,
    problems: Vec<String>,
    deployment: Option<(String, String)>,
) -> Result<Vec<LocalRule>, FolderProblems> {
    let (mut rules, mut files) = (Vec::new(), problems);
    for RuleText { file, text, .. } in texts {
        match only_name(&text) {
            Ok(name) => {
                let (deployment, renamed_from) = Default::default();
                rules.push(LocalRule { name, file, text, deployment, renamed_from });
            }
            Err(message) => files.push(format!("{file}: {message}")),
        }
    }
    let deployment = deployment.and_then(|(file, text)| deployment::put_into(&mut rules, file, text));
    if files.is_empty() && deployment.is_none() { Ok(rules) } else { Err(FolderProblems { files, deployment }) }
}

/// Every file of rules below a folder, in the order of their paths, and what is wrong with those that can't be read.
///
/// # Errors
/// When the folder itself can't be read.
pub fn rule_texts(folder: &Path) -> Result<(Vec<RuleText>, Vec<String>), FolderError> {
    let (mut texts, mut problems) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(is_looked_into) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.depth() == 0 => {
                let path = folder.to_owned();
                let source = error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into());
                return Err(FolderError::Unreadable { path, source });
            }
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        if !entry.file_type().is_file() || !is_rule(entry.path()) {
            continue;
        }
        let file = entry.path().to_string_lossy().into_owned();
        match read_text(entry.path()) {
            Ok(text) => texts.push(RuleText { path: entry.into_path(), file, text }),
            Err(message) => problems.push(format!("{file}: {message}")),
        }
    }
    Ok((texts, problems))
}

/// The name of the one rule that a text holds.
///
/// # Errors
/// What was expected.
pub fn only_name(text: &str) -> Result<String, String> {
    let parsed = watchbell_yaral::parse(text);
    match parsed.file.rules.as_slice() {
        [rule] if !rule.name.text.is_empty() => Ok(rule.name.text.clone()),
        [_] => Err("the rule has no name; expected `rule NAME {`".to_owned()),
        [] => Err("there is no rule in it; expected `rule NAME {`".to_owned()),
        rules => {
            let names: Vec<&str> = rules.iter().map(|rule| rule.name.text.as_str()).collect();
            Err(format!("{} rules in one file ({}); put each into a file of its own", rules.len(), names.join(", ")))
        }
    }
}

/// The text as rules are compared and sent: no byte order mark, lines end with line feeds.
#[must_use]
pub fn plain(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

fn is_looked_into(entry: &DirEntry) -> bool {
    // What the user names is read, whatever it is called.
    if entry.depth() == 0 {
        return true;
    }
    let name = entry.file_name().to_string_lossy();
    let holds_tests = entry.file_type().is_dir() && name == TESTS;
    !holds_tests && !name.starts_with('.')
}

fn is_rule(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LONGEST_FILE {
        return Err(format!("{length} bytes are too long for a rule; expected at most {LONGEST_FILE}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}; save it as UTF-8", error.utf8_error().valid_up_to()))?;
    Ok(plain(&text))
}

#[cfg(test)]
mod tests;
