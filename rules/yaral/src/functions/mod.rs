//! The catalogue of functions: names, signatures, and what each one computes.

use crate::types::Type;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Its name, in lower case: `strings.concat`.
    pub name: &'static str,
    /// What it is.
    pub kind: FunctionKind,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may come again and again.
    pub variadic: bool,
    /// What it gives; `None`: the type of its first argument.
    pub returns: Option<Type>,
    /// Whether Google's pages document it.
    pub documented: bool,
}

/// What a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Values in, a value out.
    Scalar,
    /// Over the rows of a detection: `count`, `max`, `window.avg`.
    Aggregate,
    /// `metrics.*`: over months of data that only the service has.
    Metric,
    /// Searches have it, rules do not.
    SearchOnly,
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name, for messages.
    pub name: &'static str,
    /// The types that it takes; empty: every type.
    pub types: &'static [Kind],
    /// Whether it may be left out.
    pub optional: bool,
}

/// A type as a parameter names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text; an enum counts as its name.
    String,
    /// A pattern: text or `/regex/`.
    Regex,
    /// A whole number.
    Int,
    /// Any number.
    Number,
    /// `true` or `false`.
    Bool,
    /// Bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A list, or a field that is one.
    List,
}

/// A function by its name; the case of letters does not matter.
#[must_use]
pub fn find(_name: &str) -> Option<&'static Function> {
    None
}
