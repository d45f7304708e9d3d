//! What the user wants, from TOML, the environment and the command line.
//!
//! [`keys::KEYS`] is the one table: from it come the reading, the error messages, the variables, `config show` and
//! `config.example.toml`, so that none of them can fall behind the others.

mod example;
mod interpolate;
pub mod keys;
mod plan;
mod problem;
mod read;
mod schema;
mod settings;
mod sinks;
pub mod values;

pub use crate::classify::attack::AttackVersion;
pub use example::example;
pub use plan::{BatchPlan, DetectPlan, InputPlan, LowDisk, OutboxPlan, Plan, ServePlan, TokenPlan};
pub(crate) use problem::unknown;
pub use problem::{ConfigError, Problem, Problems};
pub use read::{DEFAULT_FILE, Environment, Given, check, load};
pub use schema::schema;
pub use settings::{Origin, Overrides, Setting, Settings, show};
pub use sinks::{
    BatchOptions, Built, EngineOptions, RetryOptions, SinkOption, SinkPlan, SinkTables, sink_options, sink_schema,
};
pub use values::{Budget, FormatChoice, HostName, JwksPlace, Listen, Network, SigningAlgorithm, Threshold, TimeZone};
