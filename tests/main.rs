//! The integration tests, as one binary.

mod batch;
mod cli;
mod config;
