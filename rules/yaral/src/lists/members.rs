//! A list made ready for look-ups: `x in %list`, `x in regex %list`, `x in cidr %table.column`.

use core::net::IpAddr;
use std::{collections::HashSet, sync::Arc};

use regex::Regex;

use super::{DataTable, EntryError, ListKind, PATTERN_SIZE, ReferenceList, table::number};
use crate::{
    eval::{Key, Value},
    functions::{Network, re2},
    syntax::tree::ListForm,
};

/// A list may have so many patterns.
const MOST_PATTERNS: usize = 1_000;

/// A list ready for look-ups.
#[derive(Debug)]
pub struct Members {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Keys { keys: HashSet<Key>, nocase: bool },
    Patterns(Vec<Regex>),
    Networks(Vec<Network>),
}

impl Members {
    /// Of a list, read as the rule asks for it.
    ///
    /// # Errors
    /// An entry that is no pattern or network where the rule asks for these.
    pub fn of_list(list: &ReferenceList, form: ListForm, nocase: bool) -> Result<Self, EntryError> {
        Self::new(list.kind, form, nocase, list.entries.iter().map(String::as_str))
    }

    /// Of a column. What it holds it says by itself: it need not be asked for patterns to hold some.
    ///
    /// # Errors
    /// A cell that is no pattern or network, where the column or the rule says that it is.
    pub fn of_column(table: &DataTable, column: usize, form: ListForm, nocase: bool) -> Result<Self, EntryError> {
        let kind = table.columns.get(column).map(|column| column.kind).unwrap_or_default();
        let form = match (form, kind) {
            (ListForm::Plain, ListKind::Regex) => ListForm::Regex,
            (ListForm::Plain, ListKind::Cidr) => ListForm::Cidr,
            (form, _) => form,
        };
        Self::new(kind, form, nocase, (0..table.rows.len()).flat_map(|row| table.entries(row, column)))
    }

    fn new<'a>(
        kind: ListKind,
        form: ListForm,
        nocase: bool,
        entries: impl Iterator<Item = &'a str>,
    ) -> Result<Self, EntryError> {
        let kind = match form {
            ListForm::Plain => {
                let value = |entry| match number(entry) {
                    Some(number) if kind == ListKind::Number => number,
                    _ => Value::from(entry),
                };
                let key = |value: Value| if nocase { value.key_nocase() } else { value.key() };
                Kind::Keys { keys: entries.map(|entry| key(value(entry))).collect(), nocase }
            }
            ListForm::Regex => Kind::Patterns(patterns(&entries.collect::<Vec<_>>(), nocase)?),
            ListForm::Cidr => {
                // A cell that is empty holds no network.
                let filled = entries.filter(|entry| !entry.is_empty());
                let network = |entry| Network::parse(entry).ok_or_else(|| EntryError::network(entry));
                Kind::Networks(filled.map(network).collect::<Result<_, _>>()?)
            }
        };
        Ok(Self { kind })
    }

    /// Whether a value is in the list.
    ///
    /// # Errors
    /// A value that should be an address and is none; an unset one is in no network.
    pub fn has(&self, value: &Value) -> Result<bool, EntryError> {
        match &self.kind {
            Kind::Keys { keys, nocase } => {
                let key = if *nocase { value.key_nocase() } else { value.key() };
                // Lists hold texts, also of numbers.
                let has_text = || keys.contains(&Key::Text(Arc::from(value.text())));
                Ok(keys.contains(&key) || (!matches!(key, Key::Text(_)) && has_text()))
            }
            Kind::Patterns(patterns) => {
                let text = value.text();
                Ok(patterns.iter().any(|pattern| pattern.is_match(&text)))
            }
            Kind::Networks(networks) => {
                let text = value.text();
                if text.is_empty() {
                    return Ok(false);
                }
                let address: IpAddr = text.parse().map_err(|_| EntryError::address(&text))?;
                Ok(networks.iter().any(|network| network.contains(address)))
            }
        }
    }
}

fn patterns(entries: &[&str], nocase: bool) -> Result<Vec<Regex>, EntryError> {
    // An empty pattern would match everything; an empty cell means nothing.
    let filled: Vec<&str> = entries.iter().copied().filter(|entry| !entry.is_empty()).collect();
    if filled.len() > MOST_PATTERNS {
        return Err(EntryError::TooManyPatterns { most: MOST_PATTERNS, found: filled.len() });
    }
    let compile = |entry: &&str| re2::compile_within(entry, nocase, PATTERN_SIZE).map_err(EntryError::Pattern);
    filled.iter().map(compile).collect()
}
