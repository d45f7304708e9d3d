//! Something that a person says: a reason, a note, a name.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

/// Longest text, in letters.
const LONGEST: usize = 500;
/// Longest name of a log, in bytes.
const LONGEST_NAME: usize = 100;

/// A text of 1 to 500 letters, not all of them blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(String);

impl Words {
    pub(super) fn new(text: String) -> Result<Self, String> {
        let says_something = text.chars().any(|letter| !letter.is_whitespace() && !letter.is_control());
        let fits = says_something && text.chars().count() <= LONGEST;
        if fits { Ok(Self(text)) } else { Err(format!("expected 1 to {LONGEST} letters, not all of them blank")) }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Words {
    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text that is not all blank",
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            // No blank and no control letter; spelled out, because dialects differ in what \s is.
            "pattern": r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
        })
    }
}

/// The name of a log. It is shown in reports and at sinks and names a file of a model, so it is a plain one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogName(String);

impl LogName {
    pub(super) fn new(text: String) -> Result<Self, String> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && !text.starts_with('.') && text.chars().all(is_plain);
        let expected = || format!("expected 1 to {LONGEST_NAME} letters, digits, `.`, `_` and `-`, not `.` first");
        if fits { Ok(Self(text)) } else { Err(expected()) }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for LogName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for LogName {
    fn schema_name() -> Cow<'static, str> {
        "LogName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let others = LONGEST_NAME - 1;
        json_schema!({
            "description": "The name of a log",
            "type": "string",
            "pattern": format!("^[A-Za-z0-9_-][A-Za-z0-9._-]{{0,{others}}}$"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_something_and_are_not_too_many() {
        assert!(Words::new("x".repeat(500)).is_ok());
        assert!(Words::new("ü".repeat(500)).is_ok());
        assert!(Words::new("x".repeat(501)).is_err());
        assert!(Words::new(" \n\u{a0}\u{1c}".to_owned()).is_err());
    }

    #[test]
    fn a_name_of_a_log_is_plain() {
        assert!(LogName::new("auth-1.log".to_owned()).is_ok());
        for name in ["", "../a", ".hidden", "a b", "ü", &"x".repeat(101)] {
            assert!(LogName::new(name.to_owned()).is_err(), "{name}");
        }
    }
}
