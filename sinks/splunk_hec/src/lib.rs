//! Findings as CIM alerts for Splunk's HTTP event collector (HEC).
//!
//! * [`config`]: the options and what they build.
//! * `sink`: encode and deliver.
//! * `acknowledge`: indexer acknowledgement: what was indexed, and not only taken.
//! * `check`: whether the collector answers, is well, and takes the token.
//! * `endpoint`: one address of the collector, with the cookies that keep us at one indexer, and its channel.
//! * `channel`: the channel, whose numbers are believed only while one indexer counts.
//! * `code`: what the collector's reply codes mean.
//! * `wire`: what goes over the wire.

mod acknowledge;
mod channel;
mod check;
mod code;
pub mod config;
mod cookies;
mod endpoint;
mod sink;
mod wire;

pub use config::SplunkHecConfig;
pub use sink::SplunkHec;
use watchbell_sink::SinkKind;

/// What the registry holds.
pub const KIND: SinkKind = SinkKind::of::<SplunkHecConfig>();
