//! One scalar of JSON as a value, by protobuf's JSON mapping: 64-bit numbers may be text, enums may be numbers.

use std::sync::Arc;

use base64::Engine as _;
use serde_json::Value as Json;
use watchbell_udm::schema::{EnumId, FieldType, Schema};

use super::super::value::Value;

/// What a value is, for people.
pub(super) fn described(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text `{}`", shown(text)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// A text of the input, short and without control characters.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let escaped = |character: char| character.is_control().then(|| character.escape_default().to_string());
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|character| escaped(character).unwrap_or_else(|| character.to_string()))
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

pub(super) fn read(schema: &'static Schema, kind: FieldType, json: &Json) -> Result<Value, String> {
    let expected = |what: &str| format!("expected {what}, found {}", described(json));
    match kind {
        FieldType::String => json.as_str().map(|text| Value::String(Arc::from(text))).ok_or_else(|| expected("text")),
        FieldType::Bool => json.as_bool().map(Value::Bool).ok_or_else(|| expected("true or false")),
        FieldType::Bytes => json.as_str().and_then(bytes).map(Value::Bytes).ok_or_else(|| expected("base64 text")),
        FieldType::Int32 | FieldType::Int64 => {
            let number = whole(json).and_then(|number| i64::try_from(number).ok());
            let narrow = |number: &i64| kind == FieldType::Int64 || i32::try_from(*number).is_ok();
            number.filter(narrow).map(Value::Int).ok_or_else(|| expected("a whole number of its size"))
        }
        FieldType::Uint32 | FieldType::Uint64 => {
            let number = whole(json).and_then(|number| u64::try_from(number).ok());
            let narrow = |number: &u64| kind == FieldType::Uint64 || u32::try_from(*number).is_ok();
            number.filter(narrow).map(Value::Uint).ok_or_else(|| expected("a whole number from 0"))
        }
        FieldType::Float | FieldType::Double => float(json).map(Value::Float).ok_or_else(|| expected("a number")),
        FieldType::Timestamp => {
            timestamp(json).ok_or_else(|| expected("a timestamp, for example \"2026-08-20T10:15:30.123Z\""))
        }
        FieldType::Duration => {
            json.as_str().and_then(duration).ok_or_else(|| expected("a duration, for example \"3.5s\""))
        }
        FieldType::Enum(id) => enumerated(schema, id, json),
        FieldType::Struct | FieldType::Value | FieldType::Message(_) => Err(expected("a scalar")),
    }
}

fn bytes(text: &str) -> Option<Arc<[u8]>> {
    const LENIENT: base64::engine::GeneralPurposeConfig = base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const READER: base64::engine::GeneralPurpose =
        base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
    // The mapping takes the alphabet for addresses too.
    let standard: String = text
        .chars()
        .map(|letter| {
            if letter == '-' {
                '+'
            } else if letter == '_' {
                '/'
            } else {
                letter
            }
        })
        .collect();
    READER.decode(standard).ok().map(Arc::from)
}

fn whole(json: &Json) -> Option<i128> {
    let of_float = |float: f64| (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128);
    match json {
        Json::Number(number) => number
            .as_i64()
            .map(i128::from)
            .or_else(|| number.as_u64().map(i128::from))
            .or_else(|| number.as_f64().and_then(of_float)),
        Json::String(text) => text.parse().ok().or_else(|| decimal(text).and_then(of_float)),
        _ => None,
    }
}

fn float(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => decimal(text),
        },
        _ => None,
    }
}

/// Rust also reads `inf` and `nan`, which the mapping does not.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    plain.then(|| text.parse().ok())?
}

fn timestamp(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => {
            let time: jiff::Timestamp = text.parse().ok()?;
            let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
            // The mapping counts nanoseconds upwards, also before 1970.
            Some(if nanos < 0 {
                Value::Timestamp(seconds - 1, nanos + 1_000_000_000)
            } else {
                Value::Timestamp(seconds, nanos)
            })
        }
        // As the wire format has it.
        Json::Object(parts) => {
            let part = |name| parts.get(name).map_or(Some(0), |part| i64::try_from(whole(part)?).ok());
            let seconds = part("seconds").filter(|seconds| (-62_135_596_800..=253_402_300_799).contains(seconds))?;
            let nanos = part("nanos").filter(|nanos| (0..1_000_000_000).contains(nanos))?;
            Some(Value::Timestamp(seconds, i32::try_from(nanos).ok()?))
        }
        _ => None,
    }
}

fn duration(text: &str) -> Option<Value> {
    let seconds = decimal(text.strip_suffix('s')?).filter(|seconds| seconds.abs() <= 315_576_000_000.0)?;
    Some(Value::Timestamp(seconds.floor() as i64, ((seconds - seconds.floor()) * 1e9) as i32))
}

fn enumerated(schema: &'static Schema, id: EnumId, json: &Json) -> Result<Value, String> {
    let enumeration = schema.enum_of(id);
    let by_name = json.as_str().and_then(|name| enumeration.value(name)).map(|value| value.number);
    let by_number = || whole(json).and_then(|number| i32::try_from(number).ok());
    by_name.or_else(by_number).map(|number| Value::Enum(id, number)).ok_or_else(|| {
        let meant = json.as_str().and_then(|text| enumeration.nearest_value(text));
        let meant = meant.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
        format!("expected a name of {}, found {}{meant}", enumeration.name, described(json))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: FieldType, json: &Json) -> Option<Value> {
        read(Schema::published(), kind, json).ok()
    }

    #[test]
    fn numbers_may_be_text() {
        assert_eq!(of(FieldType::Int64, &json!("-5")), Some(Value::Int(-5)));
        assert_eq!(of(FieldType::Int32, &json!(2_147_483_648_u64)), None);
        assert_eq!(of(FieldType::Uint64, &json!("18446744073709551615")), Some(Value::Uint(u64::MAX)));
        assert_eq!(of(FieldType::Uint64, &json!(-1)), None);
        assert_eq!(
            of(FieldType::Double, &json!("NaN")).map(|value| format!("{value:?}")),
            Some("Float(NaN)".to_owned())
        );
        assert_eq!(of(FieldType::Double, &json!("nan")), None);
    }

    #[test]
    fn times_count_upwards_before_1970_too() {
        assert_eq!(
            of(FieldType::Timestamp, &json!("1969-12-31T23:59:59.25Z")),
            Some(Value::Timestamp(-1, 250_000_000))
        );
        assert_eq!(of(FieldType::Timestamp, &json!({"seconds": "5"})), Some(Value::Timestamp(5, 0)));
        assert_eq!(of(FieldType::Timestamp, &json!("yesterday")), None);
        assert_eq!(of(FieldType::Duration, &json!("3.5s")), Some(Value::Timestamp(3, 500_000_000)));
    }

    #[test]
    fn bytes_come_in_either_alphabet() {
        assert_eq!(of(FieldType::Bytes, &json!("-_8=")), of(FieldType::Bytes, &json!("+/8")));
        assert_eq!(of(FieldType::Bytes, &json!("?")), None);
    }
}
