//! Something that a person says: a reason, a note.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};

/// Longest text, in letters.
const LONGEST: usize = 500;

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
}
