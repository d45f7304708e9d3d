//! What a diagnostic is. The codes are a contract: scripts filter by them.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One thing that is wrong with an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostic {
    /// RFC 6901 pointer to the value, or to where one is missing.
    pub pointer: String,
    /// What kind of thing it is.
    pub code: Code,
    /// Whether the server would refuse the event.
    pub severity: Severity,
    /// What is wrong and what was expected.
    pub message: String,
    /// The name that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<String>,
    /// The value to put there instead, where it is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Value>,
}

impl Diagnostic {
    /// An error without suggestion.
    pub(super) fn error(pointer: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            severity: Severity::Error,
            message: message.into(),
            did_you_mean: None,
            instead: None,
        }
    }

    /// A warning without suggestion.
    pub(super) fn warning(pointer: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(pointer, code, message) }
    }

    pub(super) fn meaning(self, name: Option<impl Into<String>>) -> Self {
        Self { did_you_mean: name.map(Into::into), ..self }
    }

    pub(super) fn instead(self, value: Value) -> Self {
        Self { instead: Some(value), ..self }
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer: String = self.pointer.escape_debug().collect();
        write!(f, "{}[{}] {pointer}: {}", self.severity, self.code, self.message)?;
        if let Some(name) = &self.did_you_mean {
            write!(f, ", did you mean `{name}`?")?;
        }
        self.instead.as_ref().map_or(Ok(()), |value| write!(f, ", write {}", shown(&value.to_string())))
    }
}

/// Whether the server would refuse the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is taken, but not as it was meant.
    Warning,
    /// It is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($code:ident $name:literal $doc:literal)*) => {
        /// What kind of thing is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $(#[doc = $doc] $code,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The `snake_case` name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }
        }
    };
}

// A macro, so that a code, its name and its meaning stand in one line.
codes! {
    BrokenJson "broken_json" "The text is no JSON."
    NoEvent "no_event" "The text holds no event."
    UnknownField "unknown_field" "The message has no such field."
    DuplicateField "duplicate_field" "Both spellings of one field are set."
    Oneof "oneof" "Two fields are set of which only one may be."
    ExpectedList "expected_list" "The field is a list and the value is not."
    ExpectedSingle "expected_single" "The field is no list and the value is."
    ExpectedObject "expected_object" "The field is a message and the value is no object."
    NullItem "null_item" "A list holds null."
    WrongType "wrong_type" "The value is of another type."
    NumberRange "number_range" "The number does not fit the field's type."
    NumberAsText "number_as_text" "A number stands in quotes; legal."
    UnknownEnumValue "unknown_enum_value" "The enum has no such value."
    EnumByNumber "enum_by_number" "An enum value is given by its number; legal."
    BadBase64 "bad_base64" "Bytes that are no base64."
    UuidAsBytes "uuid_as_bytes" "A UUID in a field of bytes, which is read as base64."
    BadTimestamp "bad_timestamp" "A timestamp that is not RFC 3339."
    BadDuration "bad_duration" "A duration that is not seconds with the suffix s."
    TooDeep "too_deep" "Nested deeper than protobuf reads."
    DeprecatedField "deprecated_field" "The field is deprecated."
    SetByServer "set_by_server" "Only the server sets this field."
    MissingEventType "missing_event_type" "The event has no type."
    MissingTimestamp "missing_timestamp" "The event has no time."
    RestrictedEventType "restricted_event_type" "Only the platform itself makes events of this type."
    MissingNoun "missing_noun" "The event type needs a part that is not there."
    MissingByGuide "missing_by_guide" "The guide asks for a part that is not enforced."
    NotInPrincipal "not_in_principal" "The principal must not hold this."
    TooLong "too_long" "More bytes than the field takes."
    BadPort "bad_port" "No port number."
    PortNeedsOneIp "port_needs_one_ip" "A port without exactly one address."
    BadIp "bad_ip" "No IP address."
    BadUrl "bad_url" "A URL without a scheme."
    BadHostname "bad_hostname" "No host name."
    HostnameWithUrl "hostname_with_url" "A host name and a URL in one noun."
    BadAssetId "bad_asset_id" "An asset id that is not vendor:id."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value as it may be shown: control and direction characters escaped, cut at 60 characters.
pub(super) fn shown(text: &str) -> String {
    let mut escaped: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        escaped.push('…');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_code_is_what_json_has() {
        for &code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(shown(&"ä".repeat(100)).chars().count(), 61);
        let shown = Diagnostic::error("/a\u{1b}b", Code::UnknownField, "no").to_string();
        assert_eq!(shown, "error[unknown_field] /a\\u{1b}b: no");
    }
}
