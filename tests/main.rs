//! The integration tests, as one binary.
#![allow(clippy::unwrap_used, reason = "all of it is test code, the functions between the tests too")]

mod access;
mod api;
mod architecture;
mod batch;
mod cli;
mod config;
mod findings;
mod json;
mod json_oracle;
mod kill;
mod mcp;
mod metrics;
mod pipeline;
mod place;
mod rollout;
mod rules;
mod samples;
mod server;
mod sinks;
#[cfg(unix)]
mod wizard;
