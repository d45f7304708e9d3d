//! What is wrong with a configuration, shown where it is wrong.

use std::{fmt, io, ops::Range, path::PathBuf};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file, in bytes; `None` when it is not about the file.
    pub span: Option<Range<usize>>,
    /// What was expected.
    pub message: String,
    /// What may help.
    pub help: Option<String>,
    /// The value there is a secret, so its line is not shown.
    pub hides_value: bool,
}

impl Problem {
    /// Something wrong at a place of the file.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), message: message.into(), help: None, hides_value: false }
    }

    /// Something wrong outside the file.
    pub fn elsewhere(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into(), help: None, hides_value: false }
    }

    /// The same about a secret, or not.
    #[must_use]
    pub(super) fn hiding(self, hides_value: bool) -> Self {
        Self { hides_value, ..self }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

/// A name that is not known, with the names that are and the likeliest of them.
pub(crate) fn unknown(span: Range<usize>, what: &str, given: &str, known: &[&str]) -> Problem {
    let help = match nearest(given, known) {
        Some(name) => format!("did you mean `{name}`? expected one of {}", known.join(", ")),
        None => format!("expected one of {}", known.join(", ")),
    };
    Problem::at(span, format!("unknown {what} `{}`", given.escape_debug())).with_help(Some(help))
}

/// The known name that was likeliest meant.
pub(super) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (likeness(given, name), *name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

/// 0..1. Two letters that changed places weigh little, which counts most in short names.
fn likeness(given: &str, name: &str) -> f64 {
    let slip = strsim::damerau_levenshtein(given, name) == 1 && name.len() > 2;
    strsim::jaro_winkler(given, name).max(if slip { 0.9 } else { 0.0 })
}

/// Everything that is wrong with one configuration. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file as the user named it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What is wrong, in the order of the file.
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.len() {
            1 => write!(f, "1 problem in the configuration")?,
            count => write!(f, "{count} problems in the configuration")?,
        }
        self.list.iter().try_for_each(|problem| self.show(f, problem))
    }
}

impl Problems {
    fn show(&self, f: &mut fmt::Formatter<'_>, problem: &Problem) -> fmt::Result {
        let Some(span) = &problem.span else {
            write!(f, "\n\n  {}", problem.message)?;
            return problem.help.as_ref().map_or(Ok(()), |help| write!(f, "\n  help: {help}"));
        };
        let place = Place::of(&self.text, span);
        let gutter = place.line.to_string();
        let blank = " ".repeat(gutter.len());
        write!(f, "\n\n{}:{}:{}: {}", self.file, place.line, place.column, problem.message)?;
        let shown = without_secret(&place.shown, problem.hides_value);
        let carets = place.carets.min(shown.chars().count().saturating_sub(place.indent).max(1));
        write!(f, "\n{blank} |\n{gutter} | {shown}")?;
        write!(f, "\n{blank} | {}{}", " ".repeat(place.indent), "^".repeat(carets))?;
        problem.help.as_ref().map_or(Ok(()), |help| write!(f, "\n{blank} = help: {help}"))
    }
}

/// Parts of names whose values are not for every eye, whatever is wrong with them.
const SECRET_NAMES: [&str; 7] = ["token", "secret", "password", "key", "credential", "auth", "webhook"];

/// A line of the file, without the value where it is or may be a secret. A reference to a variable is none.
fn without_secret(line: &str, hides_value: bool) -> String {
    let Some((key, value)) = line.split_once('=') else {
        return if hides_value { "[redacted]".to_owned() } else { line.to_owned() };
    };
    let name = key.to_lowercase();
    let names_file = name.trim_end().ends_with("_file");
    let is_secret = hides_value || (!names_file && SECRET_NAMES.iter().any(|part| name.contains(part)));
    let is_reference = value.trim().starts_with("\"${") && value.trim().ends_with("}\"");
    if is_secret && !is_reference { format!("{key}= [redacted]") } else { line.to_owned() }
}

/// A span as people see it.
struct Place {
    line: usize,
    column: usize,
    shown: String,
    indent: usize,
    carets: usize,
}

impl Place {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let floor = |position: usize| (0..=position.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let start = floor(span.start).unwrap_or(0);
        let line_start = text[..start].rfind('\n').map_or(0, |position| position + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |position| start + position);
        let end = floor(span.end).unwrap_or(start).clamp(start, line_end);
        // Control characters would move the cursor or do worse in a terminal.
        let clean = |part: &str| part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let before = clean(&text[line_start..start]);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: before.chars().count() + 1,
            shown: clean(text[line_start..line_end].trim_end()),
            indent: before.chars().count(),
            carets: text[start..end].chars().count().max(1),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was read, and is wrong.
    #[error("{0}")]
    Wrong(Box<Problems>),
}

impl ConfigError {
    /// What is wrong, one message for each thing.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => vec![self.to_string()],
            Self::Wrong(problems) => problems.list.iter().map(|problem| problem.message.clone()).collect(),
        }
    }
}
