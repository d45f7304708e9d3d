//! The desk: what a front that stays keeps between its calls: plan, outbox with its lanes, findings, jobs, models, counts.
//!
//! Its calls are plain functions that wait for disk, cores and network: a front with async code makes them on threads
//! that may wait.

mod analyze;
mod findings;
mod gauges;
mod health;
mod jobs;
mod model_facts;
mod models;
mod readings;
mod shelf;
mod sinks;

use std::sync::{Arc, PoisonError, RwLock};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast;

pub use self::{
    analyze::{Analysis, AnalyzeRequest, LogInput, LogResult},
    findings::{EntityCount, Explanation, FindingView, Summary},
    health::{Health, HealthCheck},
    jobs::{BatchRequest, Job, JobKind, JobResult, JobState},
    models::ModelEntry,
    sinks::{ForwardReceipt, SinkEntry},
};
use self::{gauges::Gauges, health::LastHealth, jobs::Jobs, model_facts::ModelFacts, shelf::Shelf};
use super::{AppError, Bells, sink_plans};
use crate::config::Plan;

/// Changes that a slow listener may be behind before it is told that it missed some.
const CHANGES_KEPT: usize = 256;

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
    shelf: Shelf,
    jobs: Jobs,
    changes: broadcast::Sender<Change>,
    gauges: Gauges,
    health: LastHealth,
    model_facts: ModelFacts,
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
        let shelf = Shelf::new(&plan);
        Ok(Arc::new(Self {
            plan,
            bells: RwLock::new(bells),
            shelf,
            jobs: Jobs::default(),
            changes,
            gauges: Gauges::new(),
            health: LastHealth::default(),
            model_facts: ModelFacts::default(),
        }))
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

    /// Ends jobs and lanes; what is not delivered waits in the outbox for the next start. Not to be called from async
    /// code.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn close(&self) -> Result<(), AppError> {
        self.jobs.close();
        let bells = self.bells.write().unwrap_or_else(PoisonError::into_inner).take();
        // Somebody who still has them is in a call, which ends by itself; the lanes end with the last one.
        bells.and_then(Arc::into_inner).map_or(Ok(()), |bells| bells.stop().map(|_| ()))
    }

    fn bells(&self) -> Option<Arc<Bells>> {
        self.bells.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, change: Change) {
        // An error says that nobody looks on.
        let _ = self.changes.send(change);
    }
}
