//! Values as a rule meets them. There is no null: what is unset is the zero value of its type.
//!
//! Equality by [`Value::equals`] and by [`Key`] agree, but for a point in time and a number: those are compared by seconds, which
//! no key can say, because then two different points within a second would have to be one. (The schema also has one enum with a
//! second name for a number; as a key, that name is a text of its own.)

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};
use watchbell_udm::schema::{EnumId, Schema};

use crate::types::{Element, Type};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A signed number.
    Int(i64),
    /// An unsigned number.
    Uint(u64),
    /// A number with a point.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A value of an enum, by its number.
    Enum(EnumId, i32),
    /// A point in time: seconds since 1970 and nanoseconds.
    Timestamp(i64, i32),
    /// A list.
    List(Arc<[Value]>),
}

/// A value as the key of a map: equal keys for equal values, whichever type of number they have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A bool.
    Bool(bool),
    /// A whole number, also one that was a float.
    Int(i64),
    /// A whole number above those.
    Uint(u64),
    /// The bits of any other number.
    Float(u64),
    /// Text, or the name of a value of an enum.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A point in time.
    Timestamp(i64, i32),
    /// A list.
    List(Vec<Key>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text_of(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// The value of an enum with this name; `None`: it has none.
    #[must_use]
    pub fn of_enum(id: EnumId, name: &str) -> Option<Self> {
        Schema::published().enum_of(id).value(name).map(|value| Self::Enum(id, value.number))
    }

    /// What an unset field of this type is.
    #[must_use]
    pub fn zero(kind: Type) -> Self {
        match kind {
            Type::Bool => Self::Bool(false),
            Type::Int => Self::Int(0),
            Type::Uint => Self::Uint(0),
            Type::Float => Self::Float(0.0),
            Type::Bytes => Self::Bytes(Arc::from([])),
            Type::Enum(id) => Self::Enum(id, 0),
            Type::Timestamp => Self::Timestamp(0, 0),
            Type::List(_) => Self::List(Arc::from([])),
            Type::String | Type::Message(_) | Type::Any => Self::String(Arc::from("")),
        }
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Float(_) => Type::Float,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Enum(id, _) => Type::Enum(*id),
            Self::Timestamp(..) => Type::Timestamp,
            Self::List(items) => Type::List(match items.first() {
                Some(Self::String(_) | Self::Enum(..)) => Element::String,
                Some(Self::Int(_) | Self::Uint(_)) => Element::Int,
                Some(Self::Float(_)) => Element::Float,
                _ => Element::Any,
            }),
        }
    }

    /// Whether it is what an unset field is.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::Uint(value) => *value == 0,
            Self::Float(value) => *value == 0.0,
            Self::String(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Enum(_, number) => *number == 0,
            Self::Timestamp(seconds, nanos) => *seconds == 0 && *nanos == 0,
            Self::List(items) => items.is_empty(),
        }
    }

    /// Its text form: of an enum the name, of a whole float no point, of bytes their text or else base64.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Uint(value) => Cow::Owned(value.to_string()),
            Self::Float(value) => Cow::Owned(float_text(*value)),
            Self::String(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => {
                core::str::from_utf8(bytes).map_or_else(|_| Cow::Owned(STANDARD.encode(bytes)), Cow::Borrowed)
            }
            Self::Enum(id, number) => enum_name(*id, *number),
            Self::Timestamp(seconds, nanos) => Cow::Owned(
                jiff::Timestamp::new(*seconds, *nanos).map_or_else(|_| seconds.to_string(), |time| time.to_string()),
            ),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::text).collect();
                Cow::Owned(items.join(", "))
            }
        }
    }

    /// It as a float, where it is a number or, by its seconds, a point in time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a float is what was asked for")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) | Self::Timestamp(value, _) => Some(*value as f64),
            Self::Uint(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Which of two is greater; `None`: they can't be compared. Numbers are compared without loss; enums by their numbers.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::String(left), Self::String(right)) => Some(left.cmp(right)),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.cmp(right)),
            (Self::Timestamp(seconds, nanos), Self::Timestamp(other_seconds, other_nanos)) => {
                Some((seconds, nanos).cmp(&(other_seconds, other_nanos)))
            }
            (Self::Enum(left_id, left), Self::Enum(right_id, right)) => {
                if left_id == right_id {
                    Some(left.cmp(right))
                } else {
                    (enum_name(*left_id, *left) == enum_name(*right_id, *right)).then_some(Ordering::Equal)
                }
            }
            (Self::Enum(id, number), Self::String(name)) => compare_enum(*id, *number, name),
            (Self::String(name), Self::Enum(id, number)) => compare_enum(*id, *number, name).map(Ordering::reverse),
            (Self::List(left), Self::List(right)) => compare_lists(left, right),
            _ => compare_numbers(self.exact()?, other.exact()?),
        }
    }

    /// Whether two are equal; what can't be compared is not.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }

    /// Whether two are equal, the case of letters aside.
    #[must_use]
    pub fn equals_nocase(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::String(left), Self::String(right)) => left == right || fold(left) == fold(right),
            _ => self.equals(other),
        }
    }

    /// It as the key of a map.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Bool(value) => Key::Bool(*value),
            Self::Int(value) => Key::Int(*value),
            Self::Uint(value) => i64::try_from(*value).map_or(Key::Uint(*value), Key::Int),
            Self::Float(value) => float_key(*value),
            Self::String(text) => Key::Text(Arc::clone(text)),
            Self::Bytes(bytes) => Key::Bytes(Arc::clone(bytes)),
            Self::Enum(id, number) => Key::Text(Arc::from(enum_name(*id, *number))),
            Self::Timestamp(seconds, nanos) => Key::Timestamp(*seconds, *nanos),
            Self::List(items) => Key::List(items.iter().map(Self::key).collect()),
        }
    }

    /// It as the key of a map, the case of letters aside.
    #[must_use]
    pub fn key_nocase(&self) -> Key {
        match self {
            Self::String(text) => match fold(text) {
                Cow::Borrowed(_) => Key::Text(Arc::clone(text)),
                Cow::Owned(folded) => Key::Text(Arc::from(folded)),
            },
            _ => self.key(),
        }
    }

    fn exact(&self) -> Option<Number> {
        match self {
            Self::Int(value) | Self::Timestamp(value, _) => Some(Number::Whole((*value).into())),
            Self::Uint(value) => Some(Number::Whole((*value).into())),
            Self::Enum(_, value) => Some(Number::Whole((*value).into())),
            Self::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

fn compare_numbers(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => Some(left.cmp(&right)),
        (Number::Float(left), Number::Float(right)) => left.partial_cmp(&right),
        (Number::Whole(left), Number::Float(right)) => compare_whole(left, right),
        (Number::Float(left), Number::Whole(right)) => compare_whole(right, left).map(Ordering::reverse),
    }
}

/// A cast to `i128` saturates and cuts; every number of 64 bits lies well inside, so that what is cut decides.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn compare_whole(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let by_whole = whole.cmp(&(float.trunc() as i128));
    Some(by_whole.then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal)))
}

fn compare_enum(id: EnumId, number: i32, name: &str) -> Option<Ordering> {
    let meant = Schema::published().enum_of(id).value(name)?;
    Some(number.cmp(&meant.number))
}

fn compare_lists(left: &[Value], right: &[Value]) -> Option<Ordering> {
    for (left, right) in left.iter().zip(right) {
        match left.compare(right)? {
            Ordering::Equal => {}
            different => return Some(different),
        }
    }
    Some(left.len().cmp(&right.len()))
}

fn enum_name(id: EnumId, number: i32) -> Cow<'static, str> {
    match Schema::published().enum_of(id).numbered(number.into()) {
        Some(value) => Cow::Borrowed(value.name),
        None => Cow::Owned(number.to_string()),
    }
}

/// Short, and without a point where there is nothing behind it; what lies behind 16 decimals is cut.
fn float_text(value: f64) -> String {
    let mut text = value.to_string();
    if let Some(point) = text.find('.')
        && text.len() > point + 17
    {
        text.truncate(point + 17);
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".to_owned() } else { text }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only of whole numbers within the bounds")]
fn float_key(value: f64) -> Key {
    const END_OF_INT: f64 = 9_223_372_036_854_775_808.0;
    const END_OF_UINT: f64 = 18_446_744_073_709_551_616.0;
    if value.fract() == 0.0 && (-END_OF_INT..END_OF_INT).contains(&value) {
        Key::Int(value as i64)
    } else if value.fract() == 0.0 && (END_OF_INT..END_OF_UINT).contains(&value) {
        Key::Uint(value as u64)
    } else {
        Key::Float(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() })
    }
}

/// The text with the case of its letters folded, as Unicode's simple folding does: one character stays one.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    if text.chars().all(|letter| fold_letter(letter) == letter) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_letter).collect())
}

/// Through upper case, so that the two small sigmas and their like meet.
fn fold_letter(letter: char) -> char {
    // Its upper case is the I of other languages, with which it is not equal.
    const DOTLESS_I: char = 'ı';
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    if letter == DOTLESS_I {
        return letter;
    }
    let upper = single(letter.to_uppercase()).unwrap_or(letter);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            // As the data model writes bytes in JSON, whatever they are.
            Self::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Self::String(_) | Self::Enum(..) | Self::Timestamp(..) => serializer.serialize_str(&self.text()),
            Self::List(items) => serializer.collect_seq(items.iter()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_type(name: &str) -> Value {
        let schema = Schema::published();
        let field = schema.message("Metadata").unwrap().field("event_type").unwrap();
        let watchbell_udm::schema::FieldType::Enum(id) = field.kind else { panic!("no enum") };
        Value::of_enum(id, name).unwrap()
    }

    #[test]
    fn numbers_compare_without_loss() {
        let above = Value::Uint(9_007_199_254_740_993);
        assert_eq!(above.compare(&Value::Float(9_007_199_254_740_992.0)), Some(Ordering::Greater));
        assert_eq!(Value::Int(-1).compare(&Value::Uint(u64::MAX)), Some(Ordering::Less));
        assert_eq!(Value::Int(3).compare(&Value::Float(3.5)), Some(Ordering::Less));
        assert_eq!(Value::Int(-3).compare(&Value::Float(-3.5)), Some(Ordering::Greater));
        assert_eq!(Value::Float(f64::INFINITY).compare(&Value::Uint(u64::MAX)), Some(Ordering::Greater));
        assert_eq!(Value::Float(f64::NAN).compare(&Value::Int(0)), None);
        assert!(Value::Timestamp(5, 7).equals(&Value::Int(5)));
        assert!(!Value::from("5").equals(&Value::Int(5)));
    }

    #[test]
    fn equal_numbers_have_equal_keys() {
        let numbers = [
            Value::Int(0),
            Value::Float(-0.0),
            Value::Int(-7),
            Value::Float(-7.0),
            Value::Uint(7),
            Value::Float(7.0),
            Value::Float(7.5),
            Value::Int(i64::MAX),
            Value::Uint(1 << 63),
            Value::Float(9_223_372_036_854_775_808.0),
            Value::Uint(u64::MAX),
            Value::Float(18_446_744_073_709_551_616.0),
            Value::Float(1e300),
        ];
        for left in &numbers {
            for right in &numbers {
                assert_eq!(left.equals(right), left.key() == right.key(), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn enums_are_names_and_numbers() {
        let login = event_type("USER_LOGIN");
        assert_eq!(login.text(), "USER_LOGIN");
        assert!(login.equals(&Value::from("USER_LOGIN")));
        assert_eq!(login.key(), Value::from("USER_LOGIN").key());
        assert_eq!(login.compare(&Value::from("USER_UNCATEGORIZED")), Some(Ordering::Greater));
        assert_eq!(login.compare(&Value::from("user_login")), None);
    }

    #[test]
    fn text_forms_are_short() {
        let text = |value: Value| value.text().into_owned();
        assert_eq!(text(Value::Float(1.0)), "1");
        assert_eq!(text(Value::Float(-0.0)), "0");
        assert_eq!(text(Value::Float(2.25)), "2.25");
        assert_eq!(text(Value::Float(0.1 + 0.2)), "0.3");
        assert_eq!(text(Value::Float(1e-20)), "0");
        assert_eq!(text(Value::Timestamp(1_708_598_631, 0)), "2024-02-22T10:43:51Z");
        assert_eq!(text(Value::Timestamp(i64::MAX, 0)), i64::MAX.to_string());
        assert_eq!(text(Value::Bytes(Arc::from([0xff]))), "/w==");
        assert_eq!(text(Value::from(vec!["a", "b"])), "a, b");
    }

    #[test]
    fn folding_agrees_with_patterns_that_ignore_case() {
        let letters = ('\u{0}'..'\u{600}').chain('\u{1e00}'..'\u{2200}').chain('\u{ab70}'..'\u{abc0}');
        for letter in letters.filter(|letter| letter.is_alphabetic()) {
            let folded = fold_letter(letter);
            let pattern = regex::RegexBuilder::new(&regex::escape(&letter.to_string())).case_insensitive(true).build();
            assert!(pattern.unwrap().is_match(&folded.to_string()), "{letter} {folded}");
        }
        assert_eq!(fold("ΣΑΣ"), fold("σας"));
        assert_ne!(fold("ı"), fold("I"));
        assert!(matches!(fold("already low, ß"), Cow::Borrowed(_)));
        assert!(Value::from("Host1").equals_nocase(&Value::from("hOST1")));
        assert_eq!(Value::from("Host1").key_nocase(), Value::from("host1").key_nocase());
    }

    #[test]
    fn json_is_what_people_read() {
        let values = Value::List(Arc::from([
            Value::Uint(u64::MAX),
            Value::Float(0.5),
            Value::Bytes(Arc::from(*b"ab")),
            Value::Timestamp(0, 0),
            event_type("USER_LOGIN"),
        ]));
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(json, r#"[18446744073709551615,0.5,"YWI=","1970-01-01T00:00:00Z","USER_LOGIN"]"#);
    }
}
