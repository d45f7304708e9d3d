//! A rule ready to run.
//!
//! Compiling is done once for a rule, running once for a set of data; nothing of a run stays in the program.

use std::fmt;

use super::code::Code;
use crate::{
    functions::Function,
    resolve::{EventSource, FieldPath},
    source::Span,
    syntax::tree::{ListForm, Rule},
    types::Type,
};

/// A compiled rule.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) name: String,
    pub(super) meta: Vec<(String, String)>,
    pub(super) variables: Vec<Variable>,
    pub(super) placeholders: Vec<Placeholder>,
    /// Predicates over several variables.
    pub(super) joins: Vec<Join>,
    pub(super) keys: Vec<usize>,
    pub(super) window: Option<Window>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) condition: Code,
    pub(super) lookups: Vec<Lookup>,
    /// Of the length in seconds; 0 when there is none.
    pub(super) suppression: u64,
    pub(super) enrichments: Vec<Enrichment>,
    pub(super) exports: Vec<Export>,
    /// Whether the place of the window is read, so that equal rows in two windows need not give equal results.
    pub(super) reads_window: bool,
    /// What a user should know whatever the data is.
    pub(super) notes: Vec<String>,
}

/// An event variable, or a table whose rows are joined.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) presence: Presence,
    /// What a copy holds: first the values of paths or columns, then those of placeholders.
    pub(super) slots: Vec<SlotKind>,
    /// Placeholders bound here, with the slot that holds the value.
    pub(super) bindings: Vec<Binding>,
    /// What must hold of one copy.
    pub(super) filters: Vec<Code>,
}

/// Where a variable reads from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Records.
    Records(EventSource),
    /// The rows of a data table.
    Table(String),
}

/// Whether a variable has to have a record in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// There is no group without it.
    Required,
    /// One of several that `or` joins.
    Alternative,
    /// It may be absent.
    Absent,
}

/// What a slot holds.
#[derive(Debug, Clone)]
pub(super) enum SlotKind {
    /// The value of a path.
    Path(FieldPath),
    /// A column of a table.
    Column(String),
    /// The value of a placeholder.
    Computed(Type),
    /// A field that only the service sets.
    Unset,
}

impl SlotKind {
    /// The type of the value.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Path(path) => path.kind,
            Self::Column(_) | Self::Unset => Type::Any,
            Self::Computed(kind) => *kind,
        }
    }
}

/// A placeholder bound by a variable.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub(super) placeholder: usize,
    pub(super) slot: usize,
    /// What it is equated with: one expression, or one for each alternative of an `or`.
    pub(super) alternatives: Vec<Code>,
    /// Whether its zero value keeps a copy out: it is a match variable and stands for a plain field.
    pub(super) never_zero: bool,
}

/// A placeholder.
#[derive(Debug, Clone)]
pub(super) struct Placeholder {
    pub(super) name: String,
    pub(super) kind: Type,
    /// The variables that bind it.
    pub(super) bound_by: Vec<usize>,
}

/// A predicate over several variables.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) code: Code,
    /// The variables that it reads directly; placeholders are read of whatever binds them.
    pub(super) variables: Vec<usize>,
    pub(super) placeholders: Vec<usize>,
}

/// How groups lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) seconds: u64,
    pub(super) kind: WindowKind,
}

/// How windows lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WindowKind {
    Hop,
    Tumbling,
    After(usize),
    Before(usize),
}

/// An outcome variable.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) code: Code,
    pub(super) kind: Type,
}

/// A list or a column in which values are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) list: String,
    pub(super) column: Option<String>,
    pub(super) form: ListForm,
    pub(super) nocase: bool,
}

/// A change of the entity graph.
#[derive(Debug, Clone)]
pub(super) struct Enrichment {
    pub(super) kind: EnrichmentKind,
    pub(super) variable: usize,
    pub(super) table: String,
    /// Path of the entity and column that are equal.
    pub(super) join: Vec<(FieldPath, String)>,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EnrichmentKind {
    Override,
    Exclude,
    Append,
}

/// A row that is written for each detection.
#[derive(Debug, Clone)]
pub(super) struct Export {
    pub(super) table: String,
    pub(super) columns: Vec<(String, Exported)>,
}

/// What is written into a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exported {
    Outcome(usize),
    /// A match variable, by its place in `match`.
    Key(usize),
}

/// Why a rule can't be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// It needs what only the service has.
    #[error("can't be evaluated here: {what} needs {needs}")]
    NotOffline {
        /// The function.
        what: String,
        /// What it needs.
        needs: String,
        /// Where it stands.
        span: Span,
    },
    /// The rule has mistakes; checking it says more.
    #[error("the rule can't be run: {problem}")]
    Unsound {
        /// What is wrong.
        problem: String,
        /// Where.
        span: Span,
    },
}

impl CompileError {
    pub(super) fn unsound(problem: impl fmt::Display, span: Span) -> Self {
        Self::Unsound { problem: problem.to_string(), span }
    }

    pub(super) fn not_offline(function: &Function, needs: &str, span: Span) -> Self {
        Self::NotOffline { what: function.name.to_owned(), needs: needs.to_owned(), span }
    }

    /// Where in the rule.
    #[must_use]
    pub const fn span(&self) -> Span {
        match self {
            Self::NotOffline { span, .. } | Self::Unsound { span, .. } => *span,
        }
    }
}

impl Program {
    /// Compiles a rule. Check it first: this says the first thing that is in the way and no more.
    ///
    /// # Errors
    /// What the rule needs and is not here, or what is wrong with it.
    pub fn compile(rule: &Rule) -> Result<Self, CompileError> {
        super::compile::compile(rule)
    }

    /// The rule's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The reference lists and data tables that it reads, in the order of their names.
    #[must_use]
    pub fn lists(&self) -> Vec<&str> {
        let tables = self.variables.iter().filter_map(|variable| match &variable.source {
            Source::Table(name) => Some(name.as_str()),
            Source::Records(_) => None,
        });
        let lookups = self.lookups.iter().map(|lookup| lookup.list.as_str());
        let mut names: Vec<_> =
            tables.chain(lookups).chain(self.enrichments.iter().map(|one| one.table.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
