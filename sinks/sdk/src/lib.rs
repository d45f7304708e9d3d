//! The contract between Watchbell and its sinks.
//!
//! * [`finding`]: what is delivered, the one type that the detector and every sink agree on.
//! * [`threat`]: the kinds of threat a finding may be of, and their severity.
//! * [`sink`]: what a destination does: `setup`, `check`, `encode`, `deliver`.
//! * [`batch`]: what one `deliver` carries, and its receipt with one verdict per delivery.
//! * [`error`]: the one error of a sink, in five kinds that tell the outbox what to do.
//! * [`steps`]: what `setup` and `check` report.
//! * [`options`]: option blocks that sinks share, secrets among them.
//! * [`http`]: the HTTP client that sinks share.
//! * [`reach`]: the steps that every network destination is checked by: name, connection, certificate.
//! * [`rules`]: destinations that run detection rules of their own.
//! * [`kind`]: a type of sink with its type erased, for the registry.
//!
//! An out-of-tree sink needs this crate and nothing else of Watchbell.

pub mod batch;
pub mod error;
pub mod finding;
pub mod http;
pub mod kind;
pub mod options;
pub mod reach;
pub mod rules;
pub mod sink;
pub mod steps;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod threat;
mod trust;

pub use async_trait::async_trait;
pub use batch::{Acknowledgement, Batch, Delivery, Receipt, Verdict, Verdicts};
pub use error::{ConfigError, ErrorKind, NotConnected, SinkError};
pub use finding::{Attack, Entity, EntityKind, Evidence, Finding, Observable, Reason, Tactic};
pub use kind::{BuildError, SinkKind};
pub use options::{HttpUrl, Pem, Secret, SecretUrl, Tls};
pub use schemars::JsonSchema;
pub use sink::{AcknowledgementLimits, Context, Forgetful, Limits, Memory, Payload, Sink, SinkConfig};
pub use steps::{Outcome, Step, Steps};
pub use threat::{Severity, ThreatType};
