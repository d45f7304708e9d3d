//! Everything that Google's compiler would refuse, and what it accepts although it can't be meant.
//!
//! One file for each thing that is looked at. What depends on the documentation's contradictions is a warning: a rule that the
//! service runs must never be called wrong. What is wrong is told once: a value that follows from a mistake has the type
//! [`crate::types::Type::Any`], and [`crate::syntax::tree::ExprKind::Error`] is passed over in silence.

mod bounds;
mod calls;
mod classify;
mod compare;
mod composite;
mod condition;
mod expression;
mod joins;
mod lists;
mod matching;
mod meta;
mod metrics;
mod names;
mod options;
mod outcome;
mod paths;
mod scope;
mod setup;
mod unions;
mod variables;
mod walk;

use std::collections::{HashMap, HashSet};

use crate::{
    diagnostic::{Code, Diagnostic, Level},
    source::Span,
    syntax::tree::{Rule, RuleFile},
};
use scope::Scope;

/// What is told of one rule at most. A file that is no rule at all would fill the memory with what is wrong about it.
const MAX_DIAGNOSTICS: usize = 200;
/// And of one file.
const MAX_OF_FILE: usize = 2000;

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
pub fn check(file: &RuleFile) -> Checked {
    let mut checked = Checked { diagnostics: Vec::new(), facts: Vec::with_capacity(file.rules.len()) };
    let mut names: HashMap<&str, Span> = HashMap::new();
    for rule in &file.rules {
        if let Some(&first) = names.get(rule.name.text.as_str()) {
            let message = format!("a rule named `{}` stands in this file already", names::shown(&rule.name.text));
            checked
                .diagnostics
                .push(Diagnostic::new(Code::DuplicateRule, rule.name.span, message).related(first, "the first one"));
        } else {
            names.insert(&rule.name.text, rule.name.span);
        }
        let rest = MAX_OF_FILE.saturating_sub(checked.diagnostics.len());
        let mut checker = Checker::of(rule, rest.min(MAX_DIAGNOSTICS));
        checker.run();
        checked.facts.push(classify::facts(rule, &checker.scope));
        checked.diagnostics.append(&mut checker.diagnostics);
    }
    checked.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    checked
}

/// The section in which an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Events,
    Outcome,
    Condition,
    /// The argument `filter` of a metric: words stand for measures, and there are neither fields nor variables.
    Filter,
}

/// One rule, and what is wrong with it so far.
struct Checker<'t> {
    rule: &'t Rule,
    scope: Scope<'t>,
    diagnostics: Vec<Diagnostic>,
    /// Variables that were told to be undefined; once is enough.
    undefined: HashSet<&'t str>,
    /// How much is told.
    most: usize,
}

impl<'t> Checker<'t> {
    fn of(rule: &'t Rule, most: usize) -> Self {
        Self { rule, scope: Scope::of(rule), diagnostics: Vec::new(), undefined: HashSet::new(), most }
    }

    fn run(&mut self) {
        self.check_meta();
        self.check_variables();
        self.check_events();
        self.check_joins();
        self.check_matching();
        self.check_outcome();
        self.check_condition();
        self.check_options();
        self.check_lists();
        self.check_composite();
        self.check_metric_periods();
        self.check_setup();
        self.check_export();
    }

    fn check_events(&mut self) {
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            self.holds(statement, Place::Events);
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.full() {
            self.diagnostics.push(diagnostic);
        }
    }

    fn full(&self) -> bool {
        self.diagnostics.len() >= self.most
    }
}

/// The mistake as a warning, although its code usually is an error.
fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic { level: Level::Warning, ..Diagnostic::new(code, span, message) }
}
