//! The seam to the catalogue of functions: whether one can be computed here, and its result.

use super::value::Value;
use crate::functions::{Function, FunctionKind, Parameter};

/// What a function needs that is not here; `None`: nothing.
pub(super) fn not_offline(function: &Function) -> Option<&'static str> {
    if function.kind == FunctionKind::Metric {
        return Some("months of data that only the service has");
    }
    function.offline().err()
}

/// The parameter of an argument.
pub(super) fn parameter(function: &'static Function, position: usize) -> Option<&'static Parameter> {
    function.parameter(position)
}

/// Whether a function takes so many arguments.
pub(super) fn arity(function: &Function, arguments: usize) -> Result<(), String> {
    if arguments < function.required() || function.most().is_some_and(|most| arguments > most) {
        return Err(format!("the arguments do not fit {}", function.signature()));
    }
    Ok(())
}

/// What a function gives.
pub(super) fn scalar(function: &Function, _arguments: &[Value], _now: jiff::Timestamp) -> Result<Value, String> {
    Err(format!("{} is not there yet", function.name))
}

/// What an aggregate gives; a row holds its arguments.
pub(super) fn aggregate(function: &Function, _rows: &[Vec<Value>]) -> Result<Value, String> {
    Err(format!("{} is not there yet", function.name))
}
