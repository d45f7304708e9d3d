//! Google SecOps' Unified Data Model (UDM) as facts, and a linter over them. Pure: no I/O, no clock.
//!
//! The server takes a batch only when every event in it is valid, and names one error at a time. So everything that can be
//! known beforehand is checked here, and all of it is reported at once.

/// The published schema: messages, fields, types, enum values; paths and the nearest name to a misspelt one.
pub mod schema;

/// The linter: one event in, everything that is wrong with it out.
pub mod lint;
