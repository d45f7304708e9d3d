//! Sinks, and how each stands.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use crate::{
    app::{AppError, SinkReport, SinkWork, delivery::open_to_read, sink_plans, work_on_sinks},
    config::SinkPlan,
    outbox::{Held, LastError, Outbox, OutboxError, SinkStatus, Status},
    sink::{Severity, ThreatType},
};

/// A sink that is configured.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SinkEntry {
    /// The name the user gave it.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Findings below this don't go there.
    pub min_severity: Severity,
    /// Only these threats go there; empty: all.
    pub threats: Vec<ThreatType>,
    /// How it does, in one word.
    pub state: SinkState,
    /// Deliveries on their way.
    pub pending: u64,
    /// Deliveries in the dead letters.
    pub dead: u64,
    /// Age of the oldest delivery on its way, in seconds.
    pub oldest_secs: Option<u64>,
    /// Why nothing goes there at the moment.
    pub held: Option<Held>,
    /// What last went wrong.
    pub last_error: Option<LastError>,
    /// How it stands in the outbox, number by number; absent when it never was given a finding.
    pub status: Option<SinkStatus>,
}

/// How a sink does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkState {
    /// It never was given a finding.
    Unused,
    /// Everything has arrived, or can't.
    Idle,
    /// Deliveries are on their way.
    Delivering,
    /// Deliveries go out again after an error.
    Retrying,
    /// Nothing goes there until somebody mends its secrets or its configuration.
    Held,
}

impl SinkState {
    fn of(status: Option<&SinkStatus>) -> Self {
        match status {
            None => Self::Unused,
            Some(status) if status.held.is_some() => Self::Held,
            Some(status) if status.pending.total() == 0 => Self::Idle,
            Some(status) if status.is_failing || status.pending.waiting > 0 => Self::Retrying,
            Some(_) => Self::Delivering,
        }
    }
}

impl SinkEntry {
    fn new(plan: SinkPlan, status: Option<SinkStatus>, now: Timestamp) -> Self {
        let age = |oldest: Timestamp| u64::try_from(now.duration_since(oldest).as_secs()).unwrap_or_default();
        Self {
            kind: plan.kind.name.to_owned(),
            min_severity: plan.engine.min_severity,
            threats: plan.engine.threats,
            name: plan.name,
            state: SinkState::of(status.as_ref()),
            pending: status.as_ref().map_or(0, |status| status.pending.total()),
            dead: status.as_ref().map_or(0, |status| status.dead),
            oldest_secs: status.as_ref().and_then(|status| status.oldest).map(age),
            held: status.as_ref().and_then(|status| status.held.clone()),
            last_error: status.as_ref().and_then(|status| status.last_error.clone()),
            status,
        }
    }
}

impl Desk {
    /// The sinks that are switched on, and how each stands.
    ///
    /// # Errors
    /// The configuration is wrong, or the outbox can't be read.
    pub fn sinks(&self) -> Result<Vec<SinkEntry>, AppError> {
        let plans = match sink_plans(&self.plan, &[]) {
            Err(AppError::NoSinks { .. }) => return Ok(Vec::new()),
            plans => plans?,
        };
        let (statuses, now) = (self.outbox()?.sinks, Timestamp::now());
        let entry = |plan: SinkPlan| {
            let status = statuses.iter().find(|status| status.name == plan.name).cloned();
            SinkEntry::new(plan, status, now)
        };
        Ok(plans.into_iter().map(entry).collect())
    }

    /// Checks a sink; with `send` it gets one finding that says that it is a test.
    ///
    /// # Errors
    /// There is no sink of this name.
    pub fn check_sink(&self, name: &str, send: bool) -> Result<SinkReport, AppError> {
        let plans = sink_plans(&self.plan, &[name.to_owned()])?;
        let work = if send { SinkWork::CheckAndSend } else { SinkWork::Check };
        let mut reports = work_on_sinks(&plans, work, &mut |_| {})?;
        Ok(reports.pop().expect("one sink was asked for"))
    }

    /// How the outbox stands; one that is not there yet is empty.
    ///
    /// # Errors
    /// It can't be read.
    pub fn outbox(&self) -> Result<Status, AppError> {
        match self.outbox_if_there()? {
            Some(outbox) => Ok(outbox.status()?),
            None => {
                let max_bytes = self.plan.outbox.max_bytes;
                Ok(Status { sinks: Vec::new(), bytes: 0, max_bytes, quarantined: Vec::new() })
            }
        }
    }

    /// The outbox for reading; `None` before anything was ever put into it.
    pub(super) fn outbox_if_there(&self) -> Result<Option<Outbox>, AppError> {
        if let Some(bells) = self.bells() {
            return Ok(Some(bells.outbox().clone()));
        }
        match open_to_read(&self.plan.outbox) {
            Ok(outbox) => Ok(Some(outbox)),
            Err(OutboxError::Absent { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
