//! Findings as ECS documents for Elasticsearch and OpenSearch.
//!
//! * [`config`]: the options, and the sink that they build.
//! * `sink`: the four verbs of the contract.
//! * `bulk`: what goes out in one request, and the verdict on each document.
//! * `server`: who answers, and what it can do.
//! * `setup`, `lifecycle`: the index template, the data stream, and how long it keeps.
//! * `check`: the same, looked at only.
//! * `transport`: the way to the cluster.
//! * `wire`: the servers' own words.

mod bulk;
mod check;
pub mod config;
mod lifecycle;
mod server;
mod setup;
mod sink;
mod transport;
mod wire;

use watchbell_sink::SinkKind;

pub use crate::{
    config::{ElasticsearchConfig, TemplateOptions},
    sink::ElasticsearchSink,
};

/// The kind, for the registry.
pub const KIND: SinkKind = SinkKind::of::<ElasticsearchConfig>();
