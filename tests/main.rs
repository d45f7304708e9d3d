//! The integration tests, as one binary.
#![expect(clippy::unwrap_used, reason = "all of it is test code, the functions between the tests too")]

mod batch;
mod cli;
mod config;
