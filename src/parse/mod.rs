//! Bytes to events, in whatever format they come.
//!
//! A format parser finds the fields of a record and hands each to the [`build::EventBuilder`], which knows the table of
//! names ([`fields`]) and fills an [`Event`]. A record that can't be read becomes a [`Complaint`]; it never costs its
//! neighbors.

mod access;
pub mod action;
mod block;
pub mod build;
mod cef;
mod clock;
mod delimited;
mod detect;
mod draft;
pub mod event;
pub mod fields;
mod framing;
mod inspect;
pub mod json;
mod json_text;
mod keys;
mod lines;
mod logfmt;
mod messages;
mod names;
mod open;
mod options;
mod parser;
mod record;
mod syslog;
mod template;
pub mod time;
mod value;
mod vendor;

pub use block::Block;
pub use build::{EventBuilder, MappedField, Scalar, hash_text};
pub use detect::Dialect;
pub use event::{ActionClass, Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome, Text};
pub use fields::{FieldTable, Slot};
pub use framing::{BLOCK_BYTES, Blocks};
pub use inspect::{Inspection, LocatedComplaint, SampleEvent, inspect};
pub use open::{OpenLog, open_input, open_log};
pub use options::{Format, ParseOptions, UnknownFormat};
pub use parser::Parser;

#[cfg(test)]
mod tests;
