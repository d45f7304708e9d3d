//! The arguments of one call, read as the types that a function takes.
//!
//! The checker has refused what can't fit; what only data decides is read generously: an enum as its name, a point in time as
//! its seconds, one value as a list of one.

use std::{borrow::Cow, sync::Arc};

use regex::Regex;

use super::{Environment, FunctionError};
use crate::eval::Value;

/// The arguments of one call.
pub(super) struct Arguments<'a> {
    pub(super) values: &'a [Value],
    /// Rows of aggregates have none: no aggregate looks at a pattern or a clock.
    pub(super) environment: Option<&'a Environment>,
}

impl<'a> Arguments<'a> {
    pub(super) const fn of_row(values: &'a [Value]) -> Self {
        Self { values, environment: None }
    }

    pub(super) fn environment(&self) -> Result<&'a Environment, FunctionError> {
        self.environment.ok_or(FunctionError::NoAggregate)
    }

    pub(super) fn value(&self, position: usize) -> Result<&'a Value, FunctionError> {
        self.values.get(position).ok_or(FunctionError::Argument { position: position + 1, expected: "given" })
    }

    fn wrong<T>(position: usize, expected: &'static str) -> Result<T, FunctionError> {
        Err(FunctionError::Argument { position: position + 1, expected })
    }

    pub(super) fn text(&self, position: usize) -> Result<Cow<'a, str>, FunctionError> {
        match self.value(position)? {
            value @ (Value::String(_) | Value::Enum(..)) => Ok(value.text()),
            _ => Self::wrong(position, "a string"),
        }
    }

    pub(super) fn optional_text(&self, position: usize) -> Result<Option<Cow<'a, str>>, FunctionError> {
        if position < self.values.len() { self.text(position).map(Some) } else { Ok(None) }
    }

    pub(super) fn int(&self, position: usize) -> Result<i64, FunctionError> {
        match self.value(position)? {
            Value::Int(value) | Value::Timestamp(value, _) => Ok(*value),
            Value::Uint(value) => i64::try_from(*value).or_else(|_| Self::wrong(position, "below 2^63")),
            Value::Float(value) => whole(*value).map_or_else(|| Self::wrong(position, "a whole number"), Ok),
            _ => Self::wrong(position, "a whole number"),
        }
    }

    pub(super) fn number(&self, position: usize) -> Result<f64, FunctionError> {
        self.value(position)?.number().map_or_else(|| Self::wrong(position, "a number"), Ok)
    }

    pub(super) fn flag(&self, position: usize) -> Result<bool, FunctionError> {
        match self.values.get(position) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Self::wrong(position, "true or false"),
        }
    }

    pub(super) fn list(&self, position: usize) -> Result<&'a [Value], FunctionError> {
        match self.value(position)? {
            Value::List(items) => Ok(items),
            one => Ok(std::slice::from_ref(one)),
        }
    }

    pub(super) fn bytes(&self, position: usize) -> Result<Cow<'a, [u8]>, FunctionError> {
        match self.value(position)? {
            Value::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            value @ (Value::String(_) | Value::Enum(..)) => Ok(match value.text() {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
            _ => Self::wrong(position, "a string or bytes"),
        }
    }

    pub(super) fn pattern(&self, position: usize) -> Result<Regex, FunctionError> {
        let pattern = match self.value(position)? {
            Value::String(text) => Arc::clone(text),
            _ => return Self::wrong(position, "a pattern"),
        };
        Ok(self.environment()?.patterns.borrow_mut().get(&pattern, false)?)
    }
}

/// A float without its decimals; `None` beyond 64 bits, or where it is no number.
#[expect(clippy::cast_possible_truncation, reason = "checked just before")]
pub(super) fn whole(value: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    (-END..END).contains(&value).then_some(value as i64)
}
