//! The contract between Watchbell and its sinks.
//!
//! * [`finding`]: what is delivered, the one type that the detector and every sink agree on.
//! * [`threat`]: the kinds of threat a finding may be of, and their severity.
//! * [`sink`]: what a destination does: `setup`, `check`, `encode`, `deliver`.
//! * [`batch`]: what one `deliver` carries, and its receipt with one verdict per delivery.
//! * [`error`]: the one error of a sink, in five kinds that tell the outbox what to do.
//! * [`options`]: option blocks that sinks share, secrets among them.
//! * `testkit`, with the feature of that name: what tests of sinks share.
//!
//! An out-of-tree sink needs this crate and nothing else of Watchbell.

pub mod batch;
pub mod error;
pub mod finding;
pub mod options;
pub mod sink;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod threat;

pub use batch::{Batch, Delivery, Receipt, Verdict, Verdicts};
pub use error::{ConfigError, ErrorKind, SinkError};
pub use finding::{Attack, Entity, EntityKind, Evidence, Finding, Observable, Reason, Tactic};
pub use options::Secret;
pub use sink::{Context, Limits, Payload, Sink, SinkConfig, Step, Steps};
pub use threat::{Severity, ThreatType};
