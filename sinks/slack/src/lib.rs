//! Findings as Slack messages.
//!
//! * [`config`]: the options, and what they build.
//! * [`wire`]: a message in Slack's order and spelling.
//! * `text`: log text made harmless and short. Pure.
//! * `layout`: a finding as a message. Pure.
//! * `digest`: several findings as one message. Pure.
//! * [`limits`]: what Slack takes, checked before it is sent. Pure.
//! * `answer`: what Slack's answers mean.
//! * `api`: the two ways in: an incoming webhook, a bot's token.
//! * `thread`: which message a repetition belongs below.
//! * `sink`: the four verbs.

mod answer;
mod api;
pub mod config;
mod digest;
mod layout;
pub mod limits;
mod sink;
mod text;
mod thread;
pub mod wire;

use watchbell_sink::SinkKind;

pub use config::SlackConfig;
pub use sink::Slack;

/// This type of sink.
pub const KIND: SinkKind = SinkKind::of::<SlackConfig>();
