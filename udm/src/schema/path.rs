//! Follows a path such as `principal.asset.ip` or `additional.fields["key"]` through the schema.
//!
//! A key in brackets reads a struct, a map, or a list of key-value labels, as rules write it; a number in brackets reads one
//! item of a list.

use std::fmt;

use super::{Field, FieldType, Many, Message, Schema};

/// Where a path leads.
#[derive(Debug, Clone, Copy)]
pub struct Resolved<'a> {
    /// The last field of the path.
    pub field: &'a Field,
    /// What stands there: the field's own type, or text where a key was read.
    pub kind: FieldType,
    /// Whether the path passes a list without picking an item, so that it stands for several values.
    pub repeated: bool,
}

/// A path that the schema does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The part that is wrong.
    pub part: String,
    /// The message in which it was looked for; `None` when the value before it has no fields.
    pub message: Option<&'static str>,
    /// The name that was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message {
            Some(message) => write!(f, "`{}` is no field of {message}", self.part)?,
            None => write!(f, "`{}` follows a value that has no fields", self.part)?,
        }
        self.nearest.map_or(Ok(()), |name| write!(f, ", did you mean `{name}`?"))
    }
}

impl std::error::Error for PathError {}

impl Schema {
    /// Follows `path` from `root`.
    ///
    /// # Errors
    /// The first part that does not exist, and the nearest name.
    pub fn resolve<'a>(&'a self, root: &'a Message, path: &str) -> Result<Resolved<'a>, PathError> {
        let mut owner = Some(root);
        let mut found: Option<Resolved<'a>> = None;
        for part in path.split('.') {
            let (name, index) = part.find('[').map_or((part, ""), |at| part.split_at(at));
            // `additional.fields["key"]`: `fields` is the map inside every struct.
            if let (Some(last), "fields") = (found.as_mut(), name)
                && last.kind == FieldType::Struct
            {
                last.kind = if index.is_empty() { FieldType::Struct } else { FieldType::String };
                continue;
            }
            let unknown = |message: Option<&Message>| PathError {
                part: name.to_owned(),
                message: message.map(|message| message.name),
                nearest: message.and_then(|message| message.nearest_field(name)),
            };
            let message = owner.ok_or_else(|| unknown(None))?;
            let field = message.field(name).ok_or_else(|| unknown(Some(message)))?;
            let before = found.is_some_and(|last| last.repeated);
            found = Some(self.read(field, index, before));
            owner = match found.map(|last| last.kind) {
                Some(FieldType::Message(id)) => Some(self.message_of(id)),
                _ => None,
            };
        }
        found.ok_or_else(|| PathError { part: path.to_owned(), message: Some(root.name), nearest: None })
    }

    fn read<'a>(&'a self, field: &'a Field, index: &str, repeated: bool) -> Resolved<'a> {
        let by_key = index.starts_with("[\"") || index.starts_with("['");
        let labels = matches!(field.kind, FieldType::Message(id) if self.message_of(id).field("value").is_some());
        let kind = if by_key && (labels || field.kind == FieldType::Struct) { FieldType::String } else { field.kind };
        Resolved { field, kind, repeated: repeated || (field.many == Many::List && index.is_empty()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(path: &str) -> Result<Resolved<'static>, PathError> {
        let schema = Schema::published();
        schema.resolve(schema.udm(), path)
    }

    #[test]
    fn paths_lead_to_their_types() {
        assert_eq!(resolve("principal.asset.hostname").unwrap().kind, FieldType::String);
        assert!(!resolve("principal.hostname").unwrap().repeated);
        assert!(resolve("principal.asset.ip").unwrap().repeated);
        assert!(!resolve("principal.asset.ip[0]").unwrap().repeated);
        assert!(resolve("security_result.summary").unwrap().repeated, "a list on the way makes several values");
        assert_eq!(resolve("metadata.event_timestamp").unwrap().kind, FieldType::Timestamp);
        let event_type = resolve("metadata.event_type").unwrap();
        let FieldType::Enum(id) = event_type.kind else { panic!("{event_type:?}") };
        assert!(Schema::published().enum_of(id).value("USER_LOGIN").is_some());
    }

    #[test]
    fn keys_read_structs_and_labels_as_text() {
        assert_eq!(resolve("additional.fields[\"score\"]").unwrap().kind, FieldType::String);
        assert_eq!(resolve("security_result.detection_fields[\"score\"]").unwrap().kind, FieldType::String);
    }

    #[test]
    fn a_wrong_part_is_named_with_what_was_meant() {
        let error = resolve("principal.user.useridd").unwrap_err();
        assert_eq!(error.to_string(), "`useridd` is no field of User, did you mean `userid`?");
        let error = resolve("principal.hostname.x").unwrap_err();
        assert_eq!(error.to_string(), "`x` follows a value that has no fields");
        assert!(resolve("").is_err());
    }
}
