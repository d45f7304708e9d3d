//! Bytes to events, in whatever format they come.
//!
//! A format parser finds the fields of a record and hands each to the [`build::EventBuilder`], which knows the table of
//! names ([`fields`]) and fills an [`Event`]. A record that can't be read becomes a [`Complaint`]; it never costs its
//! neighbors.

pub mod build;
pub mod event;

pub use event::{ActionClass, Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome, Text};
