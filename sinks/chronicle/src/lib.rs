//! Findings as UDM events for Google SecOps (Chronicle), and the rules that are installed there.
//!
//! * [`config`]: the options, and what they build.
//! * `location`: where an instance lives, and the hosts that belong to it.
//! * `encode`: a finding as an event: its type, its nouns, its security result. Pure.
//! * `wire`: the parts of an event that are written, as Google spells them.
//! * `token`: access tokens out of keys, default credentials, workload identity.
//! * `route`: how the token service is reached, through a proxy or not.
//! * `answer`: an answer of the API, fit to be shown.
//! * `sink`: the verbs of a sink over `events:import`.
//! * `rules`: the rules of an instance: read, compiled, made, revised, deployed.
//! * `check`: the steps by which a connection is proven.

mod answer;
mod check;
pub mod config;
mod encode;
mod location;
mod route;
mod rules;
mod sink;
mod token;
mod wire;

use watchbell_sink::SinkKind;

pub use config::ChronicleConfig;
pub use sink::Chronicle;

/// This type of sink.
pub const KIND: SinkKind = SinkKind::of::<ChronicleConfig>();
