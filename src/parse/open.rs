//! Stand-in for the entry points of parsing.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::fields::Slot;

/// What the user may say about how logs are read.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// Fields by slot, before the built-in names.
    pub fields: BTreeMap<Slot, Vec<String>>,
    /// Zone of times that name none.
    pub time_zone: TimeZone,
    /// Deepest nesting that is read.
    pub max_depth: usize,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { fields: BTreeMap::new(), time_zone: TimeZone::UTC, max_depth: 64 }
    }
}
