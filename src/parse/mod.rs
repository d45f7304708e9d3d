//! Bytes to events, in whatever format they come.
//!
//! A format parser finds the fields of a record and hands each to the [`build::EventBuilder`], which knows the table of
//! names ([`fields`]) and fills an [`Event`]. A record that can't be read becomes a [`Complaint`]; it never costs its
//! neighbors.

pub mod build;
pub mod event;
pub mod fields;
pub mod json;
mod options;
pub mod time;

pub use build::{EventBuilder, MappedField, Scalar};
pub use event::{ActionClass, Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome, Text};
pub use fields::{FieldTable, Slot};
pub use options::{Format, ParseOptions, UnknownFormat};
