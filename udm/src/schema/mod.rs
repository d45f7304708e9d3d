//! The published schema: messages, fields, types, enum values.
//!
//! It is read once from `facts/udm.txt`, which `facts/make.py` writes. Computed fields that Google reserves
//! (`network.http.parsed_user_agent`) are not in what Google published, so they are not here either.

mod nearest;
mod path;
mod table;

use std::{collections::HashMap, sync::LazyLock};

pub use nearest::nearest;
pub use path::{PathError, Resolved};

static PUBLISHED: LazyLock<Schema> = LazyLock::new(|| table::read(include_str!("../../facts/udm.txt")));

/// Messages and enums by name.
#[derive(Debug)]
pub struct Schema {
    messages: Vec<Message>,
    enums: Vec<Enumeration>,
    message_ids: HashMap<&'static str, MessageId>,
}

/// Which message of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(usize);

/// Which enum of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumId(usize);

impl Schema {
    /// The schema as Google published it.
    #[must_use]
    pub fn published() -> &'static Self {
        &PUBLISHED
    }

    /// The message of an event, where every path of an event starts.
    #[must_use]
    pub fn udm(&self) -> &Message {
        self.message("UDM").expect("the table of facts has the message UDM; a test reads it")
    }

    /// The message of an entity.
    #[must_use]
    pub fn entity(&self) -> &Message {
        self.message("Entity").expect("the table of facts has the message Entity; a test reads it")
    }

    /// A message by its name without package, for example `SecurityResult` or `Dns.Question`.
    #[must_use]
    pub fn message(&self, name: &str) -> Option<&Message> {
        self.message_ids.get(name).map(|&id| self.message_of(id))
    }

    /// The message behind a field's type.
    #[must_use]
    pub fn message_of(&self, id: MessageId) -> &Message {
        &self.messages[id.0]
    }

    /// The enum behind a field's type.
    #[must_use]
    pub fn enum_of(&self, id: EnumId) -> &Enumeration {
        &self.enums[id.0]
    }

    /// An enum by its name without package, for example `Metadata.EventType`.
    #[must_use]
    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enums.iter().find(|one| one.name == name)
    }

    /// All messages, in the order of their names.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// All enums, in the order of their names.
    #[must_use]
    pub fn enums(&self) -> &[Enumeration] {
        &self.enums
    }
}

/// One message with its fields.
#[derive(Debug)]
pub struct Message {
    /// Name without package, for example `SecurityResult.Association`.
    pub name: &'static str,
    /// The fields in the order of their numbers.
    pub fields: Vec<Field>,
    by_name: HashMap<&'static str, usize>,
}

impl Message {
    /// A field by either spelling, `event_type` or `eventType`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|&position| &self.fields[position])
    }

    /// The name of a field that is close to a misspelt one.
    #[must_use]
    pub fn nearest_field(&self, misspelt: &str) -> Option<&'static str> {
        nearest(misspelt, self.fields.iter().flat_map(|field| [field.name, field.json_name]))
    }
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// As the definition spells it: `event_type`.
    pub name: &'static str,
    /// As canonical JSON spells it: `eventType`.
    pub json_name: &'static str,
    /// What one value is.
    pub kind: FieldType,
    /// One value, a list of them, or a map from text to them.
    pub many: Many,
    /// The group of fields of which at most one may be set.
    pub oneof: Option<&'static str>,
    /// Whether it is deprecated, and what replaces it.
    pub deprecated: Option<Deprecated>,
}

impl Field {
    /// Whether the field holds a list.
    #[must_use]
    pub fn repeated(&self) -> bool {
        self.many == Many::List
    }
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// One.
    One,
    /// A list.
    List,
    /// A map from text.
    Map,
}

/// A field that should no longer be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecated {
    /// The field to use instead, where the definition names one.
    pub instead: Option<&'static str>,
}

/// What one value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text.
    String,
    /// Base64 in JSON.
    Bytes,
    /// `true` or `false`.
    Bool,
    /// 32 bits, signed.
    Int32,
    /// 64 bits, signed; text in canonical JSON.
    Int64,
    /// 32 bits, unsigned.
    Uint32,
    /// 64 bits, unsigned; text in canonical JSON.
    Uint64,
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// RFC 3339 in JSON.
    Timestamp,
    /// Seconds with the suffix `s` in JSON.
    Duration,
    /// Any JSON object.
    Struct,
    /// Any JSON value.
    Value,
    /// One of the names of an enum.
    Enum(EnumId),
    /// Another message.
    Message(MessageId),
}

/// One enum with its values.
#[derive(Debug)]
pub struct Enumeration {
    /// Name without package, for example `Metadata.EventType`.
    pub name: &'static str,
    /// The values in the order of the definition.
    pub values: Vec<EnumValue>,
}

/// One value of an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnumValue {
    /// For example `USER_LOGIN`.
    pub name: &'static str,
    /// Its number on the wire.
    pub number: i32,
}

impl Enumeration {
    /// A value by its exact name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<EnumValue> {
        self.values.iter().copied().find(|value| value.name == name)
    }

    /// A value by its number.
    #[must_use]
    pub fn numbered(&self, number: i64) -> Option<EnumValue> {
        self.values.iter().copied().find(|value| i64::from(value.number) == number)
    }

    /// The value's name that is close to a misspelt one.
    #[must_use]
    pub fn nearest_value(&self, misspelt: &str) -> Option<&'static str> {
        nearest(misspelt, self.values.iter().map(|value| value.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_was_published() {
        let schema = Schema::published();
        assert_eq!(schema.messages().len(), 139);
        assert_eq!(schema.messages().iter().map(|message| message.fields.len()).sum::<usize>(), 1086);
        assert_eq!(schema.enums().len(), 75);
        assert_eq!(schema.enumeration("Metadata.EventType").unwrap().values.len(), 105);
        assert_eq!(schema.entity().field("metadata").unwrap().name, "metadata");
    }

    #[test]
    fn a_field_answers_to_both_spellings() {
        let metadata = Schema::published().message("Metadata").unwrap();
        assert_eq!(metadata.field("event_type").unwrap().json_name, "eventType");
        assert_eq!(metadata.field("eventType").unwrap().name, "event_type");
        assert!(metadata.field("EventType").is_none());
        assert_eq!(metadata.nearest_field("event_typee"), Some("event_type"));
        assert_eq!(metadata.nearest_field("wholly_else"), None);
    }

    #[test]
    fn names_that_python_reserves_are_spelt_as_in_the_definition() {
        let schema = Schema::published();
        assert!(schema.message("Resource").unwrap().field("type").unwrap().deprecated.is_some());
        assert!(schema.message("Email").unwrap().field("from").is_some());
        assert!(schema.messages().iter().flat_map(|message| &message.fields).all(|field| !field.name.ends_with('_')));
    }
}
