//! Values as a rule meets them. There is no null: what is unset is the zero value of its type.

use std::sync::Arc;

use watchbell_udm::schema::EnumId;

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
