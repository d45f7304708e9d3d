//! Findings as syslog messages, with CEF, LEEF and structured data.
//!
//! * [`config`]: the options, and what they build.
//! * `message`: a finding as one message of RFC 5424 or RFC 3164, framed. Pure.
//! * `structured`: the structured data element of RFC 5424, and its escapes. Pure.
//! * `body`: the message's content as text, JSON, CEF or LEEF, shortened until it fits. Pure.
//! * `link`: the connection: UDP, TCP, TLS, local socket; what was seen on it before and after writing.
//! * `unconfirmed`: the last messages of a stream, written again when it breaks.
//! * `sink`: the four verbs.

mod body;
pub mod config;
mod link;
mod message;
mod sink;
mod structured;
mod unconfirmed;

use watchbell_sink::SinkKind;

pub use config::SyslogConfig;
pub use sink::Syslog;

/// This type of sink.
pub const KIND: SinkKind = SinkKind::of::<SyslogConfig>();
