//! `arrays.*`.

use std::sync::Arc;

use super::{Arguments, FunctionError, MAX_ITEMS, casts, strings::Builder, strings::counted};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

pub(super) fn concat(arguments: &Arguments<'_>) -> Outcome {
    let (first, second) = (arguments.list(0)?, arguments.list(1)?);
    if first.len() + second.len() > MAX_ITEMS {
        return Err(FunctionError::TooLarge);
    }
    let texts = first.iter().chain(second).map(|item| match item {
        Value::String(_) => item.clone(),
        other => Value::from(other.text().as_ref()),
    });
    Ok(Value::List(texts.collect()))
}

pub(super) fn contains(arguments: &Arguments<'_>) -> Outcome {
    let wanted = arguments.value(1)?;
    Ok(Value::Bool(arguments.list(0)?.iter().any(|item| item.equals(wanted))))
}

pub(super) fn size(arguments: &Arguments<'_>) -> Outcome {
    Ok(counted(arguments.list(0)?.len()))
}

pub(super) fn join_string(arguments: &Arguments<'_>) -> Outcome {
    let delimiter = arguments.optional_text(1)?.unwrap_or_default();
    let mut built = Builder::default();
    for (position, item) in arguments.list(0)?.iter().enumerate() {
        if position > 0 {
            built.push(&delimiter)?;
        }
        built.push(&item.text())?;
    }
    Ok(built.done())
}

fn numbers<'a>(arguments: &Arguments<'a>) -> Result<impl Iterator<Item = f64> + 'a, FunctionError> {
    Ok(arguments.list(0)?.iter().map(casts::float_of).filter(|number| !number.is_nan()))
}

pub(super) fn max(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Float(numbers(arguments)?.reduce(f64::max).unwrap_or(0.0)))
}

pub(super) fn min(arguments: &Arguments<'_>) -> Outcome {
    let ignore_zeros = arguments.flag(1)?;
    let kept = numbers(arguments)?.filter(|&number| !(ignore_zeros && number == 0.0));
    Ok(Value::Float(kept.reduce(f64::min).unwrap_or(0.0)))
}

/// The item that an index names; from the end where it is negative.
fn item<'a>(arguments: &Arguments<'a>) -> Result<Option<&'a Value>, FunctionError> {
    let items = arguments.list(0)?;
    let index = arguments.int(1)?;
    let position = usize::try_from(index.unsigned_abs()).ok();
    Ok(match position {
        Some(position) if index >= 0 => items.get(position),
        Some(position) => items.len().checked_sub(position).and_then(|position| items.get(position)),
        None => None,
    })
}

pub(super) fn index_to_str(arguments: &Arguments<'_>) -> Outcome {
    Ok(match item(arguments)? {
        Some(Value::String(text)) => Value::String(Arc::clone(text)),
        Some(other) => Value::from(other.text().as_ref()),
        None => Value::from(""),
    })
}

pub(super) fn index_to_int(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(item(arguments)?.map_or(0, casts::int_of)))
}

pub(super) fn index_to_float(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Float(item(arguments)?.map_or(0.0, casts::float_of)))
}
