//! Google SecOps' Unified Data Model (UDM) as facts, and a linter over them. Pure: no I/O, no clock.
//!
//! * [`schema`]: the published schema: messages, fields, types, enum values; paths, and the nearest name to a misspelt one.
//! * [`lint`]: one event in, everything that is wrong with it out.
//!
//! The server takes a batch only when every event in it is valid, and names one error at a time. So everything that can be
//! known beforehand is checked here, and all of it is reported at once.

pub mod lint;
pub mod schema;
