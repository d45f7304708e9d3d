//! Reference lists and data tables, and looking values up in them.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use regex::Regex;

use super::{
    input::{Dataset, EvalError},
    program::Lookup,
    value::{Key, Value},
};
use crate::{functions::re2, syntax::tree::ListForm};

/// A list may have so many patterns.
const MOST_PATTERNS: usize = 10_000;

/// A reference list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceList {
    /// What its lines are.
    pub kind: ListKind,
    /// The lines that count.
    pub entries: Vec<String>,
}

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

impl ReferenceList {
    /// Reads the text of a list: one entry a line; outside of patterns `//` begins a comment, unless a backslash keeps a
    /// slash.
    #[must_use]
    pub fn parse(kind: ListKind, text: &str) -> Self {
        let entry = |line: &str| match kind {
            ListKind::Regex => line.to_owned(),
            ListKind::String | ListKind::Cidr | ListKind::Number => uncommented(line).trim().to_owned(),
        };
        Self { kind, entries: text.lines().map(entry).filter(|entry| !entry.is_empty()).collect() }
    }
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

/// A data table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataTable {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; a cell that is missing is empty.
    pub rows: Vec<Vec<String>>,
}

/// A column of a data table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: ListKind,
    /// Whether it is part of the key; when no column is, all of them are.
    pub key: bool,
    /// The field of an entity to which it is mapped: `entity.hostname`.
    pub field: Option<String>,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

impl DataTable {
    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The text of a cell.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|row| row.get(column)).map_or("", String::as_str)
    }

    /// The value of a cell.
    pub(super) fn value(&self, row: usize, column: usize) -> Value {
        let text = self.cell(row, column);
        match self.columns.get(column).map(|column| column.kind) {
            Some(ListKind::Number) => number(text).unwrap_or_else(|| Value::from(text)),
            _ => Value::from(text),
        }
    }

    /// Writes a row: it takes the place of the row with the same key.
    pub(super) fn write(&mut self, cells: &[(String, String)]) {
        for (name, _) in cells {
            if self.column(name).is_none() {
                self.columns.push(Column::text(name.clone()));
            }
        }
        let mut row = vec![String::new(); self.columns.len()];
        for (name, cell) in cells {
            if let Some(at) = self.column(name) {
                row[at].clone_from(cell);
            }
        }
        let keyed = self.columns.iter().any(|column| column.key);
        let same = |other: &[String]| {
            let keys = self.columns.iter().enumerate().filter(|(_, column)| column.key || !keyed);
            let mut cells = keys.map(|(at, _)| other.get(at).map_or("", String::as_str) == row[at]);
            cells.all(|equal| equal)
        };
        match self.rows.iter().position(|other| same(other)) {
            Some(at) => self.rows[at] = row,
            None => self.rows.push(row),
        }
    }
}

fn number(text: &str) -> Option<Value> {
    text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Float)).ok()
}

/// A list ready for look-ups.
#[derive(Debug)]
pub(super) enum Prepared {
    Keys { keys: HashSet<Key>, nocase: bool },
    Patterns(Vec<Regex>),
    Networks(Vec<Network>),
}

impl Prepared {
    /// Prepares a look-up.
    pub(super) fn of(lookup: &Lookup, data: &Dataset) -> Result<Self, EvalError> {
        let (kind, entries) = entries(lookup, data)?;
        let bad = |problem: String| EvalError::BadList { list: lookup.list.clone(), problem };
        let form = match (lookup.form, kind) {
            // A column says by itself what it is; a list must be asked as what it is.
            (ListForm::Plain, ListKind::Regex) if lookup.column.is_some() => ListForm::Regex,
            (ListForm::Plain, ListKind::Cidr) if lookup.column.is_some() => ListForm::Cidr,
            (form, _) => form,
        };
        match form {
            ListForm::Plain => {
                let keys = entries.iter().map(|entry| key(entry, kind, lookup.nocase)).collect();
                Ok(Self::Keys { keys, nocase: lookup.nocase })
            }
            ListForm::Regex => {
                if entries.len() > MOST_PATTERNS {
                    return Err(bad(format!("expected at most {MOST_PATTERNS} patterns, found {}", entries.len())));
                }
                let pattern = |entry: &&str| {
                    re2::compile(entry, lookup.nocase)
                        .map_err(|error| bad(format!("`{}`: {error}", entry.escape_debug())))
                };
                entries.iter().map(pattern).collect::<Result<_, _>>().map(Self::Patterns)
            }
            ListForm::Cidr => {
                let network = |entry: &&str| {
                    Network::parse(entry).ok_or_else(|| bad(format!("`{}` is no network", entry.escape_debug())))
                };
                entries.iter().map(network).collect::<Result<_, _>>().map(Self::Networks)
            }
        }
    }

    /// Whether a value is in the list.
    ///
    /// # Errors
    /// A value that should be an address and is none.
    pub(super) fn has(&self, needle: &Value) -> Result<bool, String> {
        match self {
            Self::Keys { keys, nocase } => {
                let key = if *nocase { needle.key_nocase() } else { needle.key() };
                // Lists hold texts, also of numbers.
                Ok(keys.contains(&key)
                    || (!matches!(key, Key::Text(_)) && keys.contains(&Key::Text(Arc::from(needle.text())))))
            }
            Self::Patterns(patterns) => {
                let text = needle.text();
                Ok(patterns.iter().any(|pattern| pattern.is_match(&text)))
            }
            Self::Networks(networks) => {
                let text = needle.text();
                if text.is_empty() {
                    return Ok(false);
                }
                let address: IpAddr = text.parse().map_err(|_| "an address that is none".to_owned())?;
                Ok(networks.iter().any(|network| network.holds(address)))
            }
        }
    }
}

fn entries<'a>(lookup: &Lookup, data: &'a Dataset) -> Result<(ListKind, Vec<&'a str>), EvalError> {
    let missing = || EvalError::MissingList(lookup.list.clone());
    let Some(column) = &lookup.column else {
        let list = data.lists.get(&lookup.list).ok_or_else(missing)?;
        return Ok((list.kind, list.entries.iter().map(String::as_str).collect()));
    };
    let table = data.tables.get(&lookup.list).ok_or_else(missing)?;
    let at = table
        .column(column)
        .ok_or_else(|| EvalError::MissingColumn { table: lookup.list.clone(), column: column.clone() })?;
    let cells = (0..table.rows.len()).map(|row| table.cell(row, at));
    Ok((table.columns[at].kind, cells.collect()))
}

fn key(entry: &str, kind: ListKind, nocase: bool) -> Key {
    let value = if kind == ListKind::Number { number(entry) } else { None };
    let value = value.unwrap_or_else(|| Value::from(entry));
    if nocase { value.key_nocase() } else { value.key() }
}

/// A network; bits of the host do not matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    address: u128,
    mask: u128,
    version_4: bool,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (bits, width, version_4) = bits(address.parse().ok()?);
        let length = length.unwrap_or(width);
        if length > width {
            return None;
        }
        let mask = u128::MAX.checked_shl(width - length).unwrap_or(0);
        Some(Self { address: bits & mask, mask, version_4 })
    }

    fn holds(self, address: IpAddr) -> bool {
        let (bits, _, version_4) = bits(address);
        version_4 == self.version_4 && bits & self.mask == self.address
    }
}

fn bits(address: IpAddr) -> (u128, u32, bool) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32, true),
        IpAddr::V6(address) => (address.to_bits(), 128, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_escapes_of_lists() {
        let list = ReferenceList::parse(ListKind::String, "a/\\/b // note\n// all\n\nplain\r\n");
        assert_eq!(list.entries, ["a//b", "plain"]);
        assert_eq!(ReferenceList::parse(ListKind::Regex, "^http://\n").entries, ["^http://"]);
    }

    #[test]
    fn networks_hold_addresses_of_their_version() {
        let holds = |network: &str, address: &str| Network::parse(network).unwrap().holds(address.parse().unwrap());
        assert!(holds("192.0.2.0/8", "192.9.9.9") && !holds("192.0.2.0/24", "192.0.3.1"));
        assert!(holds("2001:db8::/32", "2001:db8::1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("10.1.1.1", "10.1.1.1") && holds("0.0.0.0/0", "255.1.1.1"));
        assert!(Network::parse("10.0.0.0/33").is_none() && Network::parse("x").is_none());
    }

    #[test]
    fn rows_with_one_key_replace_each_other() {
        let key = Column { key: true, ..Column::text("user") };
        let mut table = DataTable { columns: vec![key, Column::text("ip")], rows: Vec::new() };
        let row = |user: &str, ip: &str| vec![("user".to_owned(), user.to_owned()), ("ip".to_owned(), ip.to_owned())];
        table.write(&row("a", "1"));
        table.write(&row("b", "1"));
        table.write(&row("a", "2"));
        assert_eq!(table.rows, [["a", "2"], ["b", "1"]]);
    }
}
