//! The desk: what a front that stays keeps between its calls: plan, outbox with its lanes, findings, jobs, models, counts.
//!
//! Its calls are plain functions that wait for disk, cores and network: a front with async code makes them on threads
//! that may wait.

mod analyze;
mod by_name;
mod counts;
mod findings;
mod forward;
mod health;
mod jobs;
mod letters;
mod lookout;
mod models;
mod page;
mod readings;
mod records;
mod root;
mod shelf;
mod sinks;
mod tasks;
#[cfg(test)]
mod tests;
mod turns;

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

pub use self::{
    analyze::{Analysis, AnalyzeRequest, LogInput, LogResult},
    findings::{EntityCount, Explanation, FindingView, Summary},
    forward::{Arrival, ForwardOrder, ForwardReceipt, PlannedForward},
    health::{Health, HealthCheck},
    jobs::{Job, JobKind, JobResult, JobState},
    letters::DeadLetterPage,
    models::{LONGEST_NAME, ModelEntry, check_name},
    page::PageQuery,
    records::Records,
    root::LogFiles,
    sinks::{SinkEntry, SinkState},
    tasks::{BatchRequest, TrainRequest},
};
use self::{
    counts::Counts, health::LastHealth, jobs::Jobs, lookout::Lookout, models::Models, shelf::Shelf, turns::Turns,
};
use super::{
    AppError, Bells,
    delivery::{GRACE, RUNTIME_ENDS},
    models::model_dir,
    sink_plans,
};
use crate::{config::Plan, judgment};

/// Changes that a slow listener may be behind before it is told that it missed some.
const CHANGES_KEPT: usize = 256;
/// Analyses that may wait for a core.
const MOST_WAITING: usize = 256;
/// Long analyses that may wait for each other.
const MOST_LONG_WAITING: usize = 16;

/// How long closing waits for a call that is at the outbox: what its lanes get to end, and a moment to count what arrived.
const LAST_CALL: Duration = GRACE.saturating_add(RUNTIME_ENDS).saturating_add(Duration::from_secs(2));
/// How often it is looked whether that call is over.
const GLANCE: Duration = Duration::from_millis(20);

/// How findings get to the sinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The lanes work as long as the desk is open; no other process may have the outbox.
    Staying,
    /// The lanes are started for each forwarding and ended after it, so that other processes may deliver in between.
    OnDemand,
}

/// Something that somebody who looks on wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// There are new findings.
    Findings {
        /// How many.
        count: usize,
    },
    /// Somebody decided about findings.
    Judgments,
    /// A job went on.
    Job {
        /// Its id.
        id: String,
    },
    /// Deliveries arrived or failed.
    Deliveries,
}

/// What a front that stays works with.
#[derive(Debug)]
pub struct Desk {
    plan: Plan,
    bells: RwLock<Option<Arc<Bells>>>,
    /// Held while a forwarding has the outbox for itself.
    alone: Mutex<()>,
    shelf: Shelf,
    decisions: judgment::Reader,
    models: Models,
    jobs: Jobs,
    small_turns: Turns,
    large_turns: Turns,
    changes: broadcast::Sender<Change>,
    /// Findings that were told of and that the lookout has not seen yet.
    told: AtomicUsize,
    lookout: Mutex<Option<Lookout>>,
    /// Becomes true when the desk closes, for whoever waits.
    closing: AtomicBool,
    counts: Counts,
    health: LastHealth,
}

impl Desk {
    /// Opens the desk; in [`Delivery::Staying`] what waits in the outbox goes out at once. Not to be called from async
    /// code.
    ///
    /// # Errors
    /// The outbox is in use or can't be opened, or a sink can't be built.
    pub fn open(plan: Plan, delivery: Delivery) -> Result<Arc<Self>, AppError> {
        let bells = match (delivery, sink_plans(&plan, &[])) {
            (Delivery::OnDemand, _) => None,
            (Delivery::Staying, Ok(sinks)) => Some(Arc::new(Bells::start(&plan.outbox, &sinks)?)),
            (Delivery::Staying, Err(AppError::NoSinks { .. })) => None,
            (Delivery::Staying, Err(error)) => return Err(error),
        };
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let desk = Arc::new(Self {
            bells: RwLock::new(bells),
            alone: Mutex::default(),
            shelf: Shelf::new(&plan),
            decisions: judgment::Reader::in_folder(&plan.outbox.folder),
            // The plan stays as it is: a batch to which nobody gave models learns from its logs, here as on the command line.
            models: Models::within(model_dir(&plan)),
            jobs: Jobs::default(),
            small_turns: Turns::new(plan.detect.threads.get(), MOST_WAITING),
            large_turns: Turns::new(1, MOST_LONG_WAITING),
            changes,
            told: AtomicUsize::new(0),
            lookout: Mutex::default(),
            closing: AtomicBool::new(false),
            counts: Counts::new(),
            health: LastHealth::default(),
            plan,
        });
        let lookout = Lookout::begin(&desk)?;
        *desk.lookout.lock().unwrap_or_else(PoisonError::into_inner) = Some(lookout);
        Ok(desk)
    }

    /// The plan that it works by.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What changes from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Says that the desk closes soon, and returns at once: calls that wait for deliveries end with what has arrived by
    /// then, and none begins that needs the outbox for itself.
    pub fn begin_closing(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Ends jobs and lanes, and waits some seconds for the calls that are at the outbox, so that what arrived is noted;
    /// what is not delivered waits there for the next start. Not to be called from async code.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn close(&self) -> Result<(), AppError> {
        self.begin_closing();
        drop(self.lookout.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.jobs.close();
        let bells = self.bells.write().unwrap_or_else(PoisonError::into_inner).take();
        let until = Instant::now() + LAST_CALL;
        let goes_on = || matches!(self.alone.try_lock(), Err(TryLockError::WouldBlock));
        while goes_on() && Instant::now() < until {
            thread::sleep(GLANCE);
        }
        bells.and_then(|bells| last(bells, until)).map_or(Ok(()), |bells| bells.stop().map(|_| ()))
    }

    fn bells(&self) -> Option<Arc<Bells>> {
        self.bells.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, change: Change) {
        if let Change::Findings { count } = change {
            self.told.fetch_add(count, Ordering::Relaxed);
        }
        // An error says that nobody looks on.
        let _ = self.changes.send(change);
    }
}

/// Waits until no call has the lanes any more; `None` when one still has them: they end with it.
fn last(mut bells: Arc<Bells>, until: Instant) -> Option<Bells> {
    loop {
        bells = match Arc::try_unwrap(bells) {
            Ok(bells) => return Some(bells),
            Err(shared) if Instant::now() < until => shared,
            Err(_) => return None,
        };
        thread::sleep(GLANCE);
    }
}
