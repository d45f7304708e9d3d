//! Findings on their way to destinations: what was accepted is on disk before anybody is told so, and stays there until
//! each destination has taken it.
//!
//! * [`Outbox`]: the store, one SQLite database in a folder; one process writes, others may look.
//! * [`Lanes`]: one worker per destination, so that a dead one never delays a live one.
//!
//! `accepted = delivered + dead + purged + pending` for every destination, at every moment.

mod clock;
mod error;
mod failpoint;
mod failures;
mod intake;
mod lane;
mod letters;
pub(crate) mod lock;
mod memory;
mod schema;
mod settle;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use clock::{Clock, Millis, SystemClock};
pub use error::OutboxError;
pub use failpoint::{NAMES as FAILPOINTS, VARIABLE as FAILPOINT_VARIABLE};
pub use intake::{Accepted, Route};
pub use lane::{BatchOptions, Lane, Lanes, Progress, Renew, Renewed, RetryOptions, Settled, SinkProgress};
pub use letters::{DeadLetter, DeliveryState, Letters, Shown};
pub use status::{Held, LastError, Pending, SinkStatus, Status};
pub use store::{Outbox, Place};

use store::Inner;
