//! Something that a person says: a reason, a note, a name.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

use crate::app::{LONGEST_NAME, LONGEST_TEXT, check_name, words};

/// A text of 1 to [`LONGEST_TEXT`] letters, not all of them blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(String);

impl Words {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        words(text).map(Self).map_err(|expected| format!("expected {expected}"))
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
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
            "maxLength": LONGEST_TEXT,
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
        check_name(&text).map_err(|error| error.to_string())?;
        Ok(Self(text))
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
        json_schema!({
            "description": format!("The name of a log or model: letters, digits, `.`, `_` and `-`, up to {LONGEST_NAME} bytes"),
            "type": "string",
            "maxLength": LONGEST_NAME,
            "pattern": r"^[\p{L}\p{N}_-][\p{L}\p{N}._-]*$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_log_is_plain() {
        assert!(LogName::new("auth-1.log".to_owned()).is_ok());
        // A batch makes models of such names, too.
        assert!(LogName::new("größe".to_owned()).is_ok());
        for name in ["", "../a", ".hidden", "a b", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(LogName::new(name.to_owned()).is_err(), "{name}");
        }
    }
}
