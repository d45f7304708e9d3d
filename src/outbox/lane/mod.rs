//! Lanes: one worker per destination, each with its own waits and its own troubles.
//!
//! Callers are no async code: [`Lanes`] has a runtime of its own.

mod acknowledge;
mod backoff;
mod crew;
mod gather;
mod hold;
mod judge;
mod shared;
mod worker;

use std::{fmt, sync::Arc, time::Duration};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::runtime::Runtime;
use watchbell_sink::Sink;

use super::{Outbox, OutboxError};
pub(super) use crew::Crew;

/// Builds a sink anew from its configuration when a secret, a file or the environment changed.
pub type Renew = Box<dyn Fn() -> Result<Renewed, String> + Send + Sync>;

/// What a renewal found.
pub enum Renewed {
    /// Everything is as it was.
    Unchanged,
    /// Something changed: this sink takes the old one's place.
    Sink(Arc<dyn Sink>),
}

impl fmt::Debug for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "Unchanged",
            Self::Sink(_) => "Sink",
        })
    }
}

/// One destination and how it is delivered to.
pub struct Lane {
    /// The name the user gave the sink.
    pub name: String,
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// Asked every minute, and before each check of a held lane.
    pub renew: Renew,
    /// How deliveries are put together.
    pub batch: BatchOptions,
    /// How long is waited after failures.
    pub retry: RetryOptions,
}

impl Lane {
    /// A lane with the defaults, whose sink never changes.
    #[must_use]
    pub fn new(name: impl Into<String>, sink: Arc<dyn Sink>) -> Self {
        let renew: Renew = Box::new(|| Ok(Renewed::Unchanged));
        Self { name: name.into(), sink, renew, batch: BatchOptions::default(), retry: RetryOptions::default() }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How deliveries are put together; never above the sink's own limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchOptions {
    /// The most deliveries in one call.
    pub items: Option<usize>,
    /// The most bytes in one call.
    pub bytes: Option<usize>,
    /// Longest wait for a batch to fill.
    pub wait: Duration,
}

/// How long is waited after failures. There is no end to it: nothing is ever given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOptions {
    /// The first wait is drawn from nothing to this; it doubles with every failure.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// From the begin of a hold to the first check.
    pub hold_initial: Duration,
    /// The longest time between checks.
    pub hold_max: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(300),
            hold_initial: Duration::from_secs(1),
            hold_max: Duration::from_secs(300),
        }
    }
}

/// How far the lanes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    /// Each lane's sink, in the order of the lanes.
    pub sinks: Vec<SinkProgress>,
}

/// How far one lane is, over the whole life of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SinkProgress {
    /// The sink's name.
    pub name: String,
    /// Deliveries that arrived.
    pub delivered: u64,
    /// Deliveries in the dead letters.
    pub dead: u64,
    /// Deliveries on their way.
    pub pending: u64,
    /// Whether the lane is held, and a check did not help.
    pub held: bool,
}

impl Progress {
    /// Whether nothing is on its way any more but what held lanes keep.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sinks.iter().all(|sink| sink.pending == 0 || sink.held)
    }
}

/// How waiting for the lanes ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settled {
    /// Whether every delivery arrived or is in the dead letters.
    pub complete: bool,
    /// Whether the time was over first.
    pub timed_out: bool,
    /// Where everything stands.
    pub progress: Progress,
}

/// Lanes at work.
pub struct Lanes {
    crew: Crew,
    runtime: Runtime,
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes").finish_non_exhaustive()
    }
}

impl Lanes {
    /// Starts a worker for every lane, on a runtime of their own. Not to be called from async code.
    ///
    /// # Errors
    /// No runtime, or what the database says.
    pub fn start(outbox: &Outbox, lanes: Vec<Lane>) -> Result<Self, OutboxError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("lanes")
            .enable_all()
            .build()
            .map_err(OutboxError::file("start the lanes of", &outbox.inner.place.folder))?;
        let crew = runtime.block_on(Crew::start(outbox, lanes))?;
        Ok(Self { crew, runtime })
    }

    /// Waits until every delivery arrived, is in the dead letters or is kept by a held lane, or until the time is over.
    /// Tells about ten times a second how far it is.
    ///
    /// # Errors
    /// What the database says.
    pub fn settled(
        &self,
        timeout: Option<Duration>,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Settled, OutboxError> {
        self.runtime.block_on(self.crew.settled(timeout, on_progress))
    }

    /// Where everything stands, without waiting.
    ///
    /// # Errors
    /// What the database says.
    pub fn progress(&self) -> Result<Progress, OutboxError> {
        self.runtime.block_on(self.crew.progress())
    }

    /// Stops: nothing new is begun, calls on their way get this much time, the rest stays pending. Says whether all
    /// calls ended in that time.
    pub fn stop(self, grace: Duration) -> bool {
        let ended = self.runtime.block_on(self.crew.stop(grace));
        // A thread that hangs in a name lookup must not hold up the end.
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        ended
    }
}
