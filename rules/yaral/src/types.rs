//! What a value can be, as far as it is known before a rule runs.

use std::fmt;

use watchbell_udm::schema::{EnumId, FieldType, MessageId, Schema};

/// The type of one value. A field that stands for several values has the type of one of them; [`crate::resolve::FieldPath`]
/// says how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// 64 bits, signed.
    Int,
    /// 64 bits, unsigned. Arithmetic with signed numbers is refused.
    Uint,
    /// 64-bit floating point.
    Float,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A point in time; compared by its seconds.
    Timestamp,
    /// One of the names of an enum.
    Enum(EnumId),
    /// A message: nothing but a step on the way to a field.
    Message(MessageId),
    /// A list of values of a type, as arrays and aggregates make them.
    List(Element),
    /// Not known before the rule runs, or unknown after an error: fits everything.
    Any,
}

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Texts.
    String,
    /// Whole numbers.
    Int,
    /// Numbers with a point.
    Float,
    /// Not known.
    Any,
}

impl Type {
    /// The type of one value of a field.
    #[must_use]
    pub const fn of_field(kind: FieldType) -> Self {
        match kind {
            FieldType::String => Self::String,
            FieldType::Bytes => Self::Bytes,
            FieldType::Bool => Self::Bool,
            FieldType::Int32 | FieldType::Int64 => Self::Int,
            FieldType::Uint32 | FieldType::Uint64 => Self::Uint,
            FieldType::Float | FieldType::Double => Self::Float,
            // A duration reads like a point in time: by its seconds.
            FieldType::Timestamp | FieldType::Duration => Self::Timestamp,
            FieldType::Enum(id) => Self::Enum(id),
            FieldType::Message(id) => Self::Message(id),
            FieldType::Struct | FieldType::Value => Self::Any,
        }
    }

    /// Whether arithmetic takes it.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Float | Self::Any)
    }

    /// Whether it is a text, or written and read as one.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Enum(_) | Self::Any)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = Schema::published();
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Float => f.write_str("float"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Enum(id) => write!(f, "enum {}", schema.enum_of(*id).name),
            Self::Message(id) => write!(f, "message {}", schema.message_of(*id).name),
            Self::List(Element::String) => f.write_str("list of string"),
            Self::List(Element::Int) => f.write_str("list of int"),
            Self::List(Element::Float) => f.write_str("list of float"),
            Self::List(Element::Any) => f.write_str("list"),
            Self::Any => f.write_str("any"),
        }
    }
}
