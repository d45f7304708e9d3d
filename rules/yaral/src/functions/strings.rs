//! `strings.*` that are about characters; those about addresses stand in `url`, those about base64 in `casts`.

use std::{collections::HashSet, sync::Arc};

use super::{Arguments, FunctionError, MAX_ITEMS, MAX_TEXT};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

/// Parts put together, as long as they stay small enough.
#[derive(Default)]
pub(super) struct Builder(String);

impl Builder {
    pub(super) fn push(&mut self, part: &str) -> Result<(), FunctionError> {
        if self.0.len() + part.len() > MAX_TEXT {
            return Err(FunctionError::TooLarge);
        }
        self.0.push_str(part);
        Ok(())
    }

    pub(super) fn done(self) -> Value {
        Value::from(self.0)
    }
}

pub(super) fn concat(arguments: &Arguments<'_>) -> Outcome {
    let mut built = Builder::default();
    for (position, value) in arguments.values.iter().enumerate() {
        match value {
            Value::List(_) | Value::Bytes(_) => {
                return Err(FunctionError::Argument { position: position + 1, expected: "a string or a number" });
            }
            value => built.push(&value.text())?,
        }
    }
    Ok(built.done())
}

pub(super) fn coalesce(arguments: &Arguments<'_>) -> Outcome {
    for position in 0..arguments.values.len() {
        let text = arguments.text(position)?;
        if !text.is_empty() {
            return Ok(Value::from(text.as_ref()));
        }
    }
    Ok(Value::from(""))
}

pub(super) fn contains(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Bool(arguments.text(0)?.contains(arguments.text(1)?.as_ref())))
}

pub(super) fn starts_with(arguments: &Arguments<'_>) -> Outcome {
    let prefix = arguments.text(1)?;
    Ok(Value::Bool(!prefix.is_empty() && arguments.text(0)?.starts_with(prefix.as_ref())))
}

pub(super) fn ends_with(arguments: &Arguments<'_>) -> Outcome {
    let suffix = arguments.text(1)?;
    Ok(Value::Bool(!suffix.is_empty() && arguments.text(0)?.ends_with(suffix.as_ref())))
}

pub(super) fn to_lower(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(arguments.text(0)?.to_lowercase()))
}

pub(super) fn to_upper(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(arguments.text(0)?.to_uppercase()))
}

pub(super) fn reverse(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(arguments.text(0)?.chars().rev().collect::<String>()))
}

pub(super) fn length(arguments: &Arguments<'_>) -> Outcome {
    Ok(counted(arguments.text(0)?.chars().count()))
}

pub(super) fn count_substrings(arguments: &Arguments<'_>) -> Outcome {
    let part = arguments.text(1)?;
    let found = if part.is_empty() { 0 } else { arguments.text(0)?.matches(part.as_ref()).count() };
    Ok(counted(found))
}

/// A count as the language's number.
pub(super) fn counted(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn split(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let delimiter = arguments.optional_text(1)?;
    match delimiter.as_deref().unwrap_or(",") {
        "" if !text.is_empty() => {
            collected(text.chars().map(|letter| Arc::from(letter.encode_utf8(&mut [0; 4]) as &str)))
        }
        "" => collected([Arc::from("")].into_iter()),
        delimiter => collected(text.split(delimiter).map(Arc::from)),
    }
}

/// A list of texts, as long as they stay few enough.
pub(super) fn collected(texts: impl Iterator<Item = Arc<str>>) -> Outcome {
    let mut items = Vec::new();
    for text in texts {
        if items.len() >= MAX_ITEMS {
            return Err(FunctionError::TooLarge);
        }
        items.push(Value::String(text));
    }
    Ok(Value::List(Arc::from(items)))
}

/// Which ends are trimmed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Left,
    Right,
    Both,
}

fn trimmed(arguments: &Arguments<'_>, ends: Ends) -> Outcome {
    let text = arguments.text(0)?;
    let cutset: HashSet<char> = arguments.text(1)?.chars().collect();
    let mut rest = text.as_ref();
    if ends != Ends::Right {
        rest = rest.trim_start_matches(|letter| cutset.contains(&letter));
    }
    if ends != Ends::Left {
        rest = rest.trim_end_matches(|letter| cutset.contains(&letter));
    }
    Ok(Value::from(rest))
}

pub(super) fn trim(arguments: &Arguments<'_>) -> Outcome {
    trimmed(arguments, Ends::Both)
}

pub(super) fn ltrim(arguments: &Arguments<'_>) -> Outcome {
    trimmed(arguments, Ends::Left)
}

pub(super) fn rtrim(arguments: &Arguments<'_>) -> Outcome {
    trimmed(arguments, Ends::Right)
}
