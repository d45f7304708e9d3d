//! Reference lists and data tables: what they hold, how their texts are read, and whether a value is among it.
//!
//! Google's form of a list is text with one entry a line. What a list holds, its text does not say: the rule that asks does.

mod members;
mod table;

pub use members::Members;
pub use table::{Column, DataTable};

use crate::{
    functions::{Network, re2},
    source::Position,
};

/// The most memory that one compiled pattern of a list may take: lists have thousands.
const PATTERN_SIZE: usize = 256 << 10;

/// What the lines of a list, or the cells of a column, are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListKind {
    /// Texts.
    #[default]
    String,
    /// Patterns.
    Regex,
    /// Networks.
    Cidr,
    /// Numbers: of columns only.
    Number,
}

impl ListKind {
    /// The kind by its name in a table's first line.
    fn named(name: &str) -> Option<Self> {
        match name {
            "string" => Some(Self::String),
            "regex" => Some(Self::Regex),
            "cidr" => Some(Self::Cidr),
            "number" => Some(Self::Number),
            _ => None,
        }
    }

    /// Refuses an entry that is none of this kind.
    fn check(self, entry: &str) -> Result<(), EntryError> {
        match self {
            Self::String => Ok(()),
            Self::Regex => re2::compile_within(entry, false, PATTERN_SIZE).map(|_| ()).map_err(EntryError::Pattern),
            Self::Cidr => Network::parse(entry).map(|_| ()).ok_or_else(|| EntryError::network(entry)),
            Self::Number => table::number(entry).map(|_| ()).ok_or_else(|| EntryError::number(entry)),
        }
    }
}

/// An entry that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// No pattern.
    #[error(transparent)]
    Pattern(re2::PatternError),
    /// No network, number, address.
    #[error("`{text}` is no {expected}")]
    Unreadable {
        /// The entry, escaped and cut short.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Too many patterns.
    #[error("expected at most {most} patterns, found {found}")]
    TooManyPatterns {
        /// How many a list may have.
        most: usize,
        /// How many it has.
        found: usize,
    },
}

impl EntryError {
    fn unreadable(text: &str, expected: &'static str) -> Self {
        let text: String = text.chars().take(64).collect();
        Self::Unreadable { text: text.escape_debug().to_string(), expected }
    }

    fn network(text: &str) -> Self {
        Self::unreadable(text, "network such as 192.0.2.0/24")
    }

    fn number(text: &str) -> Self {
        Self::unreadable(text, "number")
    }

    fn address(text: &str) -> Self {
        Self::unreadable(text, "IP address, which a list of networks is asked for")
    }
}

/// The text of a list or table that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {problem}", at.line, at.column)]
pub struct ListError {
    /// Where.
    pub at: Position,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with the text of a list or table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An entry or cell that is not what it should be.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A word behind a column's name.
    #[error("expected string, regex, cidr, number, repeated or key behind the name of a column, found `{0}`")]
    ColumnWord(String),
    /// A column without a name.
    #[error("expected the name of a column")]
    NoName,
    /// Two columns of one name.
    #[error("two columns are named `{0}`")]
    SameName(String),
    /// More cells than columns.
    #[error("expected at most {0} cells, as the first line has; a cell with a comma stands in quotes")]
    TooManyCells(usize),
    /// A quote that does not end.
    #[error("expected a closing quote before the end of the line")]
    OpenQuote,
}

/// A reference list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceList {
    /// What its lines are.
    pub kind: ListKind,
    /// The lines that count.
    pub entries: Vec<String>,
}

impl ReferenceList {
    /// Reads the text of a list: one entry a line; outside of patterns `//` begins a comment, unless a backslash keeps a
    /// slash.
    #[must_use]
    pub fn parse(kind: ListKind, text: &str) -> Self {
        Self { kind, entries: entries(kind, text).map(|(_, entry)| entry).collect() }
    }

    /// Reads the text of a list, and refuses entries that are none of its kind.
    ///
    /// # Errors
    /// The first such entry, with its line.
    pub fn read(kind: ListKind, text: &str) -> Result<Self, ListError> {
        for (line, entry) in entries(kind, text) {
            let at = Position { line, column: 1 };
            kind.check(&entry).map_err(|problem| ListError { at, problem: problem.into() })?;
        }
        Ok(Self::parse(kind, text))
    }
}

/// The entries of a list with their lines, counted from 1.
fn entries(kind: ListKind, text: &str) -> impl Iterator<Item = (usize, String)> {
    let entry = move |line: &str| match kind {
        // In a pattern, slashes and backslashes mean something.
        ListKind::Regex => line.to_owned(),
        ListKind::String | ListKind::Cidr | ListKind::Number => uncommented(line).trim().to_owned(),
    };
    text.lines().enumerate().map(move |(at, line)| (at + 1, entry(line))).filter(|(_, entry)| !entry.is_empty())
}

fn uncommented(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => kept.extend(letters.next()),
            '/' if letters.peek() == Some(&'/') => break,
            _ => kept.push(letter),
        }
    }
    kept
}
