//! Sinks, what waits for them, and findings on their way there.

use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use crate::{
    app::{
        AppError, SinkReport, SinkWork,
        delivery::{open_to_change, open_to_read},
        sink_plans, work_on_sinks,
    },
    outbox::{DeadLetter, Letters, Outbox, OutboxError, SinkStatus, Status},
    sink::Severity,
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
    /// How it stands in the outbox; absent when it never was given a finding.
    pub status: Option<SinkStatus>,
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
        let statuses = self.outbox()?.sinks;
        let entry = |plan: crate::config::SinkPlan| SinkEntry {
            status: statuses.iter().find(|status| status.name == plan.name).cloned(),
            kind: plan.kind.name.to_owned(),
            min_severity: plan.engine.min_severity,
            name: plan.name,
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
        match self.outbox_to_read() {
            Ok(outbox) => Ok(outbox.status()?),
            Err(AppError::Outbox(OutboxError::Absent { .. })) => {
                let max_bytes = self.plan.outbox.max_bytes;
                Ok(Status { sinks: Vec::new(), bytes: 0, max_bytes, quarantined: Vec::new() })
            }
            Err(error) => Err(error),
        }
    }

    /// The dead letters, the oldest first.
    ///
    /// # Errors
    /// The outbox can't be read.
    pub fn dead_letters(&self, which: &Letters) -> Result<Vec<DeadLetter>, AppError> {
        match self.outbox_to_read() {
            Ok(outbox) => Ok(outbox.dead(which)?),
            Err(AppError::Outbox(OutboxError::Absent { .. })) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Gives dead letters another try; says how many.
    ///
    /// # Errors
    /// Another process has the outbox, or it can't be written.
    pub fn replay(&self, which: &Letters) -> Result<u64, AppError> {
        match self.bells() {
            Some(bells) => Ok(bells.outbox().replay(which)?),
            None => Ok(open_to_change(&self.plan.outbox)?.replay(which)?),
        }
    }

    pub(super) fn outbox_to_read(&self) -> Result<Outbox, AppError> {
        match self.bells() {
            Some(bells) => Ok(bells.outbox().clone()),
            None => Ok(open_to_read(&self.plan.outbox)?),
        }
    }
}
