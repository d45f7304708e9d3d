//! Findings for any HTTP service: one request per finding, signed as Standard Webhooks.
//!
//! * [`config`]: the options and what they build.
//! * `body`: a finding as the request's body: ours, OCSF, ECS, or what a template makes of it.
//! * `sign`: the headers that prove who sent it.
//! * `sink`: deliver and check.

mod body;
pub mod config;
mod sign;
mod sink;
mod template;

pub use config::WebhookConfig;
pub use sink::{Clock, Webhook};
use watchbell_sink::SinkKind;

/// What the registry holds.
pub const KIND: SinkKind = SinkKind::of::<WebhookConfig>();
