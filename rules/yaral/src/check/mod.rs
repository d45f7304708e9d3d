//! Everything that Google's compiler would refuse, and what it accepts although it can't be meant.

use crate::{diagnostic::Diagnostic, syntax::tree::RuleFile};

/// What is known of a file's rules.
#[derive(Debug)]
pub struct Checked {
    /// What is wrong, in the order of the text; what the parser said is not among it.
    pub diagnostics: Vec<Diagnostic>,
    /// One for each rule of the file, in its order.
    pub facts: Vec<RuleFacts>,
}

/// What a rule is, for quotas and schedules.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleFacts {
    /// Whether it counts as a single-event or a multi-event rule.
    pub classification: Classification,
    /// The length of the match window in seconds.
    pub window_seconds: Option<u64>,
    /// The reference lists and data tables that it reads.
    pub lists: Vec<String>,
}

/// How a rule is counted and run (quota: multi-event rules are scarce).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Classification {
    /// It looks at one event at a time.
    SingleEvent,
    /// It looks at several.
    MultiEvent,
}

/// Checks the rules of a file.
#[must_use]
pub fn check(_file: &RuleFile) -> Checked {
    Checked { diagnostics: Vec::new(), facts: Vec::new() }
}
