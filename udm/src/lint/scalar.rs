//! One scalar against its type, by protobuf's JSON mapping.
//!
//! The mapping is lenient where it must round-trip: 64-bit integers are text in canonical JSON, and any number may stand in
//! quotes. What is legal but read as something else than it looks is a warning with the value it is read as.

use serde_json::{Number, Value, json};

use super::{
    Code, Diagnostic,
    diagnostic::shown,
    time::{duration_fault, timestamp_fault},
};
use crate::schema::{Enumeration, FieldType, Schema};

/// What is wrong with `value` where `kind` is expected; the pointer is still empty. `None` when nothing is.
pub(super) fn fault(schema: &Schema, kind: FieldType, value: &Value) -> Option<Diagnostic> {
    match kind {
        FieldType::String => wrong_type(value, Value::is_string, "text"),
        FieldType::Bool => wrong_type(value, Value::is_boolean, "true or false"),
        FieldType::Bytes => text_fault(value, "base64 text", bytes_fault),
        FieldType::Timestamp => text_fault(value, "a timestamp as text", |text| {
            timestamp_fault(text).map(|expected| quoted(Code::BadTimestamp, text, expected))
        }),
        FieldType::Duration => text_fault(value, "a duration as text", |text| {
            duration_fault(text).map(|expected| quoted(Code::BadDuration, text, expected))
        }),
        FieldType::Int32 => integer_fault(value, Whole::new(i32::MIN.into(), i32::MAX.into(), false)),
        FieldType::Uint32 => integer_fault(value, Whole::new(0, u32::MAX.into(), false)),
        FieldType::Int64 => integer_fault(value, Whole::new(i64::MIN.into(), i64::MAX.into(), true)),
        FieldType::Uint64 => integer_fault(value, Whole::new(0, u64::MAX.into(), true)),
        FieldType::Float => float_fault(value, f64::from(f32::MAX)),
        FieldType::Double => float_fault(value, f64::MAX),
        FieldType::Enum(id) => enum_fault(value, schema.enum_of(id)),
        FieldType::Struct | FieldType::Value | FieldType::Message(_) => None,
    }
}

/// What a value is, for people.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", shown(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn wrong_type(value: &Value, is: impl Fn(&Value) -> bool, expected: &str) -> Option<Diagnostic> {
    (!is(value)).then(|| expected_but(expected, value))
}

fn expected_but(expected: &str, value: &Value) -> Diagnostic {
    Diagnostic::error("", Code::WrongType, format!("expected {expected}, found {}", described(value)))
}

fn quoted(code: Code, text: &str, expected: &str) -> Diagnostic {
    Diagnostic::error("", code, format!("`{}`: {expected}", shown(text)))
}

fn text_fault(value: &Value, expected: &str, check: impl Fn(&str) -> Option<Diagnostic>) -> Option<Diagnostic> {
    value.as_str().map_or_else(|| Some(expected_but(expected, value)), check)
}

fn bytes_fault(text: &str) -> Option<Diagnostic> {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    let letters = data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte));
    let length = if padding == 0 { data.len() % 4 != 1 } else { padding <= 2 && text.len().is_multiple_of(4) };
    if !letters || !length {
        return Some(quoted(Code::BadBase64, text, "expected base64"));
    }
    is_uuid(text).then(|| {
        let message = "a UUID in a field of bytes is read as base64, not as the UUID; encode its bytes";
        Diagnostic::warning("", Code::UuidAsBytes, message)
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

struct Whole {
    least: i128,
    most: i128,
    text_is_canonical: bool,
}

impl Whole {
    fn new(least: i128, most: i128, text_is_canonical: bool) -> Self {
        Self { least, most, text_is_canonical }
    }
}

fn integer_fault(value: &Value, whole: Whole) -> Option<Diagnostic> {
    let number = match value {
        Value::Number(number) => whole_number(number),
        Value::String(text) => text.parse().ok().or_else(|| whole_float(decimal(text)?)),
        _ => None,
    };
    let Some(number) = number else {
        return Some(expected_but("a whole number", value));
    };
    if number < whole.least || number > whole.most {
        let message = format!("{} is not within {}..{}", described(value), whole.least, whole.most);
        return Some(Diagnostic::error("", Code::NumberRange, message));
    }
    (value.is_string() && !whole.text_is_canonical).then(|| number_as_text(value, json!(number as i64)))
}

fn whole_number(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    // `1e3` and `5.0` are whole numbers too; beyond the range of i128 the cast saturates, which is out of range anyway.
    exact.or_else(|| whole_float(number.as_f64()?))
}

fn whole_float(float: f64) -> Option<i128> {
    // An integer just below the range of i64 is read as the float at its edge; better to refuse the edge, written as a
    // float, than to pass what lies beyond it.
    let at_edge = float == i64::MIN as f64;
    (float.fract() == 0.0).then_some(float as i128 - i128::from(at_edge))
}

fn float_fault(value: &Value, most: f64) -> Option<Diagnostic> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => return None,
        Value::String(text) => decimal(text),
        _ => None,
    };
    let Some(number) = number else {
        return Some(expected_but("a number", value));
    };
    if number.abs() > most {
        let message = format!("{} is beyond ±{most:e}", described(value));
        return Some(Diagnostic::error("", Code::NumberRange, message));
    }
    value.is_string().then(|| number_as_text(value, shortest(number)))
}

/// Rust also reads `inf` and `nan`, which JSON's mapping does not.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    plain.then(|| text.parse().ok())?
}

/// `80` rather than `80.0`.
fn shortest(number: f64) -> Value {
    let whole = number as i64;
    if whole as f64 == number && whole.unsigned_abs() < 1 << 53 { json!(whole) } else { json!(number) }
}

fn number_as_text(value: &Value, number: Value) -> Diagnostic {
    let message = format!("{} is read as the number {number}", described(value));
    Diagnostic::warning("", Code::NumberAsText, message).instead(number)
}

fn enum_fault(value: &Value, enumeration: &Enumeration) -> Option<Diagnostic> {
    let number = match value {
        Value::String(text) if enumeration.value(text).is_some() => return None,
        Value::String(text) => text.parse::<i32>().ok().map(i128::from),
        Value::Number(number) => whole_number(number).filter(|&number| i32::try_from(number).is_ok()),
        _ => return Some(expected_but(&format!("a name of {}", enumeration.name), value)),
    };
    let Some(number) = number.and_then(|number| i64::try_from(number).ok()) else {
        return Some(unknown_name(value, enumeration));
    };
    let diagnostic = |message| Diagnostic::warning("", Code::EnumByNumber, message);
    Some(match enumeration.numbered(number) {
        Some(known) => diagnostic(format!("{number} is read as {}", known.name)).instead(json!(known.name)),
        None => diagnostic(format!("{} has no published value with the number {number}", enumeration.name)),
    })
}

fn unknown_name(value: &Value, enumeration: &Enumeration) -> Diagnostic {
    let names: Vec<_> = enumeration.values.iter().map(|value| value.name).collect();
    let expected = if names.len() <= 30 { format!(", expected one of {}", names.join(" ")) } else { String::new() };
    let message = format!("{} is no value of {}{expected}", described(value), enumeration.name);
    let meant = value.as_str().and_then(|text| enumeration.nearest_value(text));
    Diagnostic::error("", Code::UnknownEnumValue, message).meaning(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: FieldType, value: &Value) -> Option<Code> {
        fault(Schema::published(), kind, value).map(|fault| fault.code)
    }

    #[test]
    fn integers() {
        for (kind, value, expected) in [
            (FieldType::Int32, json!(443), None),
            (FieldType::Int32, json!(443.0), None),
            (FieldType::Int32, json!("443"), Some(Code::NumberAsText)),
            (FieldType::Int32, json!(443.5), Some(Code::WrongType)),
            (FieldType::Int64, json!("1e3"), None),
            (FieldType::Int64, json!("1e-3"), Some(Code::WrongType)),
            (FieldType::Int32, json!("many"), Some(Code::WrongType)),
            (FieldType::Int32, json!(true), Some(Code::WrongType)),
            (FieldType::Int32, json!(2_147_483_648_u64), Some(Code::NumberRange)),
            (FieldType::Uint32, json!(-1), Some(Code::NumberRange)),
            (FieldType::Int64, json!("9223372036854775807"), None),
            (FieldType::Int64, json!("9223372036854775808"), Some(Code::NumberRange)),
            (FieldType::Uint64, json!(u64::MAX), None),
            (FieldType::Uint64, json!(-1), Some(Code::NumberRange)),
            (FieldType::Uint64, json!(1e30), Some(Code::NumberRange)),
            (FieldType::Uint64, json!(1e300), Some(Code::NumberRange)),
        ] {
            assert_eq!(code(kind, &value), expected, "{kind:?} {value}");
        }
    }

    #[test]
    fn floats() {
        for (kind, value, expected) in [
            (FieldType::Float, json!(80), None),
            (FieldType::Float, json!(0.5), None),
            (FieldType::Float, json!("80"), Some(Code::NumberAsText)),
            (FieldType::Float, json!("NaN"), None),
            (FieldType::Float, json!("nan"), Some(Code::WrongType)),
            (FieldType::Float, json!("inf"), Some(Code::WrongType)),
            (FieldType::Float, json!("high"), Some(Code::WrongType)),
            (FieldType::Float, json!(1e39), Some(Code::NumberRange)),
            (FieldType::Double, json!(1e39), None),
            (FieldType::Double, json!("1e400"), Some(Code::NumberRange)),
        ] {
            assert_eq!(code(kind, &value), expected, "{kind:?} {value}");
        }
        let read = fault(Schema::published(), FieldType::Float, &json!("80")).unwrap();
        assert_eq!(read.instead, Some(json!(80)));
    }

    #[test]
    fn bytes() {
        for (text, expected) in [
            ("", None),
            ("YWI=", None),
            ("YWI", None),
            ("-_-_", None),
            ("YWI==", Some(Code::BadBase64)),
            ("Y", Some(Code::BadBase64)),
            ("not base64!", Some(Code::BadBase64)),
            ("123e4567-e89b-12d3-a456-426614174000", Some(Code::UuidAsBytes)),
        ] {
            assert_eq!(code(FieldType::Bytes, &json!(text)), expected, "{text}");
        }
        assert_eq!(code(FieldType::Bytes, &json!(1)), Some(Code::WrongType));
    }

    #[test]
    fn enums() {
        let schema = Schema::published();
        let FieldType::Enum(id) = schema.message("Metadata").unwrap().field("event_type").unwrap().kind else {
            panic!("the event type is an enum")
        };
        let kind = FieldType::Enum(id);
        assert_eq!(code(kind, &json!("USER_LOGIN")), None);
        assert_eq!(fault(schema, kind, &json!("USER_LOGINX")).unwrap().did_you_mean.as_deref(), Some("USER_LOGIN"));
        assert_eq!(fault(schema, kind, &json!(15001)).unwrap().instead, Some(json!("USER_LOGIN")));
        assert_eq!(code(kind, &json!(99)), Some(Code::EnumByNumber));
        assert_eq!(code(kind, &json!("")), Some(Code::UnknownEnumValue));
        assert_eq!(code(kind, &json!(1.5)), Some(Code::UnknownEnumValue));
        assert_eq!(code(kind, &json!([])), Some(Code::WrongType));
    }
}
