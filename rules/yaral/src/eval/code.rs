//! Expressions ready to run: names are numbers, paths are resolved, patterns are compiled.

use regex::Regex;

use super::value::Value;
use crate::{
    functions::Function,
    resolve::Step,
    syntax::tree::{ArithmeticOp, CompareOp, Quantifier},
    types::Type,
};

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) enum Code {
    /// A literal.
    Constant(Value),
    /// A value of the copy that a variable stands for.
    Slot(Slot),
    /// The value of a placeholder.
    Placeholder(usize),
    /// The value of an outcome variable that is known already.
    Outcome(usize),
    /// All values of a field, over the whole record.
    Whole(Box<Whole>),
    /// The element that `any` or `all` looks at.
    Register(usize),
    /// `any` or `all` of a predicate's field.
    Quantify { quantifier: Quantifier, whole: Box<Whole>, register: usize, body: Box<Code> },
    /// A text has a part that fits a pattern.
    Matches { text: Box<Code>, regex: Regex },
    /// The same with a pattern that comes from data.
    MatchesDynamic { text: Box<Code>, pattern: Box<Code>, nocase: bool },
    /// A comparison.
    Compare { left: Box<Code>, op: CompareOp, right: Box<Code>, nocase: bool },
    /// A look-up in a list.
    In { needle: Box<Code>, lookup: usize },
    /// Whether a value is unset.
    IsZero(Box<Code>),
    /// All hold.
    And(Vec<Code>),
    /// One holds.
    Or(Vec<Code>),
    /// It does not hold.
    Not(Box<Code>),
    /// So many hold.
    AtLeast(usize, Vec<Code>),
    /// Arithmetic.
    Arithmetic { op: ArithmeticOp, left: Box<Code>, right: Box<Code> },
    /// `if`.
    If { condition: Box<Code>, then: Box<Code>, otherwise: Box<Code> },
    /// A function of values.
    Call { function: &'static Function, arguments: Vec<Code>, nocase: bool },
    /// A function over the rows of a group.
    Aggregate { function: &'static Function, arguments: Vec<Code> },
    /// How many distinct records a variable has in the group.
    EventCount(usize),
    /// How many distinct values a placeholder has in the group.
    PlaceholderCount(usize),
    /// The start of the window.
    WindowStart,
    /// The end of the window.
    WindowEnd,
}

/// A value of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) variable: usize,
    pub(super) at: usize,
}

/// A field over the whole record, without copies.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) variable: usize,
    pub(super) steps: Vec<Step>,
    pub(super) zero: Value,
    pub(super) kind: Type,
}

/// What an expression reads: variables directly, and placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) variables: Vec<usize>,
    pub(super) placeholders: Vec<usize>,
}

impl Code {
    pub(super) const TRUE: Self = Self::Constant(Value::Bool(true));

    /// What it reads.
    pub(super) fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        self.walk(&mut |code| match code {
            Self::Slot(Slot { variable, .. }) => reads.variables.push(*variable),
            Self::Whole(whole) | Self::Quantify { whole, .. } => reads.variables.push(whole.variable),
            Self::Placeholder(placeholder) => reads.placeholders.push(*placeholder),
            _ => {}
        });
        for list in [&mut reads.variables, &mut reads.placeholders] {
            list.sort_unstable();
            list.dedup();
        }
        reads
    }

    /// Whether some part of it is such.
    pub(super) fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        let mut found = false;
        self.walk(&mut |code| found |= is(code));
        found
    }

    fn walk(&self, visit: &mut dyn FnMut(&Self)) {
        visit(self);
        match self {
            Self::Constant(_)
            | Self::Slot(_)
            | Self::Placeholder(_)
            | Self::Outcome(_)
            | Self::Whole(_)
            | Self::Register(_)
            | Self::EventCount(_)
            | Self::PlaceholderCount(_)
            | Self::WindowStart
            | Self::WindowEnd => {}
            Self::Quantify { body, .. } => body.walk(visit),
            Self::Matches { text, .. } => text.walk(visit),
            Self::MatchesDynamic { text, pattern, .. } => {
                text.walk(visit);
                pattern.walk(visit);
            }
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::In { needle: inner, .. } | Self::IsZero(inner) | Self::Not(inner) => inner.walk(visit),
            Self::And(parts) | Self::Or(parts) | Self::AtLeast(_, parts) => {
                parts.iter().for_each(|part| part.walk(visit));
            }
            Self::If { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|part| part.walk(visit));
            }
            Self::Call { arguments, .. } | Self::Aggregate { arguments, .. } => {
                arguments.iter().for_each(|argument| argument.walk(visit));
            }
        }
    }
}
