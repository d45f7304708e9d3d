//! Bytes to events, in whatever format they come.
//!
//! A format parser finds the fields of a record and hands each to the [`build::EventBuilder`], which knows the table of
//! names ([`fields`]) and fills an [`Event`]. A record that can't be read becomes a [`Complaint`]; it never costs its
//! neighbors.

pub mod action;
pub mod build;
pub mod event;
pub mod fields;
pub mod json;
pub mod open;
pub mod time;

mod clock;
mod draft;
mod json_text;
mod keys;
mod names;
mod template;
mod value;
mod vendor;

pub use build::{EventBuilder, MappedField, Scalar, hash_text};
pub use fields::{FieldTable, Slot};
pub use open::ParseOptions;

pub use event::{ActionClass, Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome, Text};
