//! Findings handed to sinks because somebody asked for it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use crate::{
    app::{AppError, Bells, FindingQuery, TakenOver, query, sink_plans},
    config::SinkPlan,
    sink::Finding,
};

/// Which findings are to be forwarded.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// Those with these ids, or clear beginnings of ids.
    Named(Vec<String>),
    /// All that match, whatever the page.
    Matching(Box<FindingQuery>),
}

/// What became of findings that were to be forwarded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ForwardReceipt {
    /// Findings that were chosen.
    pub findings: Vec<String>,
    /// What the outbox did with them; absent when it was only asked what would be forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<TakenOver>,
    /// The sinks that they go to.
    pub sinks: Vec<String>,
}

impl Desk {
    /// Hands findings to sinks; they are on disk when this returns and go out in the background. No sink: all of them.
    /// With `dry_run` only says which findings and sinks these are.
    ///
    /// # Errors
    /// A finding or a sink is unknown, or the outbox takes nothing.
    pub fn forward(&self, chosen: &Chosen, sinks: &[String], dry_run: bool) -> Result<ForwardReceipt, AppError> {
        let plans = sink_plans(&self.plan, sinks)?;
        let found = self.chosen(chosen)?;
        let taken = if dry_run { None } else { Some(self.accept_for(&found, &plans)?) };
        let findings = found.into_iter().map(|finding| finding.id).collect();
        Ok(ForwardReceipt { findings, taken, sinks: plans.into_iter().map(|plan| plan.name).collect() })
    }

    fn chosen(&self, chosen: &Chosen) -> Result<Vec<Finding>, AppError> {
        let known = self.shelf.findings()?;
        match chosen {
            Chosen::Named(ids) => ids.iter().map(|id| query::one(known.findings.clone(), id)).collect(),
            Chosen::Matching(wanted) => {
                let (found, ..) = query::matching(wanted, known, &self.judgments()?, Timestamp::now());
                Ok(found.into_iter().map(|judged| judged.finding).collect())
            }
        }
    }

    fn accept_for(&self, findings: &[Finding], sinks: &[SinkPlan]) -> Result<TakenOver, AppError> {
        if let Some(bells) = self.bells() {
            return bells.accept_for_sinks(findings, sinks);
        }
        let bells = Bells::start(&self.plan.outbox, sinks)?;
        let taken = bells.accept(findings)?;
        bells.stop()?;
        Ok(taken)
    }
}
