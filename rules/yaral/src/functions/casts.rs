//! `cast.*`, and what turns text into bytes and back.
//!
//! A cast never fails: what is no number is 0, what is no base64 stays as it is or has no bytes.

use std::sync::Arc;

use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::{Arguments, FunctionError, arguments::whole};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

/// With padding, as it must be; stray bits of the last letter are overlooked.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

pub(super) fn as_bool(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Bool(match arguments.value(0)? {
        Value::Bool(value) => *value,
        Value::Int(number) => *number == 1,
        Value::Uint(number) => *number == 1,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }))
}

pub(super) fn as_int(arguments: &Arguments<'_>) -> Outcome {
    arguments.value(0).map(|value| Value::Int(int_of(value)))
}

pub(super) fn as_float(arguments: &Arguments<'_>) -> Outcome {
    arguments.value(0).map(|value| Value::Float(float_of(value)))
}

/// The whole number that a value is or spells; else 0.
pub(super) fn int_of(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => i64::from(*value),
        Value::Int(number) | Value::Timestamp(number, _) => *number,
        Value::Uint(number) => i64::try_from(*number).unwrap_or(0),
        Value::Float(number) => whole(*number).unwrap_or(0),
        Value::String(text) => text.parse().ok().or_else(|| spelt(text).and_then(whole)).unwrap_or(0),
        Value::Enum(..) | Value::Bytes(_) | Value::List(_) => 0,
    }
}

/// The number that a value is or spells; else 0.
pub(super) fn float_of(value: &Value) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) => spelt(text).unwrap_or(0.0),
        other => other.number().unwrap_or(0.0),
    }
}

/// The number that a text spells; of its decimals the first 7 count.
fn spelt(text: &str) -> Option<f64> {
    // `parse` also takes "inf" and "nan".
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    let kept = match text.split_once('.') {
        Some((before, decimals)) if decimals.len() > 7 && decimals.bytes().all(|byte| byte.is_ascii_digit()) => {
            &text[..before.len() + 8]
        }
        _ => text,
    };
    kept.parse().ok().filter(|number: &f64| number.is_finite())
}

pub(super) fn as_string(arguments: &Arguments<'_>) -> Outcome {
    let default = arguments.optional_text(1)?.unwrap_or_default();
    let text = match arguments.value(0)? {
        Value::String(text) => return Ok(Value::String(Arc::clone(text))),
        Value::Uint(number) => i64::try_from(*number).ok().map(|number| number.to_string()),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        Value::List(_) => None,
        other => Some(other.text().into_owned()),
    };
    Ok(Value::from(text.unwrap_or_else(|| default.into_owned())))
}

pub(super) fn to_base64(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(STANDARD.encode(arguments.bytes(0)?)))
}

pub(super) fn base64_decode(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    Ok(match BASE64.decode(text.as_bytes()) {
        // Bytes that are no text still show their readable part, which is what rules look for.
        Ok(bytes) => Value::from(String::from_utf8_lossy(&bytes).as_ref()),
        Err(_) => Value::from(text.as_ref()),
    })
}

pub(super) fn from_base64(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Bytes(BASE64.decode(arguments.text(0)?.as_bytes()).unwrap_or_default().into()))
}

pub(super) fn from_hex(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    Ok(Value::Bytes(bytes.filter(|_| odd.is_empty()).unwrap_or_default().into()))
}

/// What a hexadecimal digit stands for.
pub(super) const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}
