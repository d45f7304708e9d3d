//! What a run is given, and where it stops.

use std::collections::BTreeMap;

use super::event::Event;
use crate::lists::{DataTable, ReferenceList};

/// Everything that a rule reads.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Events.
    pub events: Vec<Event>,
    /// The entity graph.
    pub entities: Vec<Event>,
    /// Detections of other rules.
    pub detections: Vec<Event>,
    /// Reference lists by name.
    pub lists: BTreeMap<String, ReferenceList>,
    /// Data tables by name.
    pub tables: BTreeMap<String, DataTable>,
}

/// How a rule is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time that `timestamp.now` gives.
    pub now: jiff::Timestamp,
    /// Whether the rule alerts: its risk score is 40 then and 15 else, when it sets none.
    pub alerting: bool,
    /// Whether one record may stand for two variables of a rule at once.
    pub record_reuse: bool,
    /// What a run may use.
    pub limits: Limits,
}

/// What a run may use.
///
/// A copy takes about 60 bytes and 24 for each field or placeholder that the rule reads of its variable; the key by which it is
/// joined about 150; a joined row 4 for each variable. At the default, a rule of three variables that read ten fields each,
/// all of them filled to the limit, takes about a gigabyte; usual rules take a tenth of it. The steps are about a minute.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Copies of events by their lists' items, of each variable, and joined rows.
    pub rows: usize,
    /// Groups that are looked at.
    pub groups: usize,
    /// Predicates and aggregates evaluated, and pairs compared.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 1_000_000, groups: 1_000_000, steps: 500_000_000 }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { now: jiff::Timestamp::UNIX_EPOCH, alerting: false, record_reuse: false, limits: Limits::default() }
    }
}

/// Why a run ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// It would need more than it may.
    #[error(
        "the rule needs more than {most} {limit} on this data; narrow its events, shorten its window, or give it less data"
    )]
    TooLarge {
        /// Which limit.
        limit: &'static str,
        /// How much it may use.
        most: u64,
    },
    /// A list that the rule reads was not given.
    #[error("the rule reads %{0}, which was not given")]
    MissingList(String),
    /// A table has no such column.
    #[error("the table %{table} has no column {column}")]
    MissingColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A list or table is not what the rule takes it for.
    #[error("%{list}: {problem}")]
    BadList {
        /// The list.
        list: String,
        /// What is wrong with it.
        problem: String,
    },
}
