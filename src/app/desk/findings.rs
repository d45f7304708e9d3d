//! Findings that are at hand: listed, shown with where they stand, explained, summed up, judged.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Change, Desk};
use crate::{
    app::{
        AppError, FeedbackReport, FindingPage, FindingQuery, JudgedFinding, SuppressRequest, SuppressionEffect,
        Suppressions, judgments,
        query::{self, Matched},
    },
    judgment::{Feedback, Judgments, Truth},
    outbox::{DeliveryState, Outbox},
    report::triage,
    sink::{Attack, Entity, Reason, Severity, ThreatType},
};

/// Most entities that a summary names.
const ENTITIES: usize = 10;

/// A finding, what was decided about it, and where it stands at each sink.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindingView {
    /// The finding.
    #[serde(flatten)]
    pub finding: JudgedFinding,
    /// Where it stands at each sink that it was given to.
    pub deliveries: Vec<DeliveryState>,
}

/// Why a finding is one, and what to do about it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explanation {
    /// The finding's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What was seen and what is usual.
    pub summary: String,
    /// The kind of threat.
    pub threat_type: ThreatType,
    /// How much it matters.
    pub severity: Severity,
    /// Anomaly score of the strongest event, 0..1.
    pub score: f64,
    /// What a finding of this threat says.
    pub meaning: String,
    /// Why, strongest first: observed against typical; the shares sum to 1.
    pub reasons: Vec<Reason>,
    /// ATT&CK techniques.
    pub attacks: Vec<Attack>,
    /// What to look at, the step that decides most first.
    pub checks: Vec<String>,
    /// Harmless causes that look the same.
    pub false_positives: Vec<String>,
    /// What to do once it is confirmed.
    pub response: Vec<String>,
}

/// Findings summed up.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings that match.
    pub total: usize,
    /// How many more there would be without suppressions.
    pub suppressed: usize,
    /// By severity, all of them named.
    pub by_severity: BTreeMap<Severity, usize>,
    /// By threat, those that occur.
    pub by_threat: BTreeMap<ThreatType, usize>,
    /// The entities with the most findings, at most ten.
    pub entities: Vec<EntityCount>,
    /// When the first anomalous event was.
    pub first_seen: Option<Timestamp>,
    /// When the last anomalous event was.
    pub last_seen: Option<Timestamp>,
    /// Reports and decisions that could not be read.
    pub problems: Vec<String>,
}

/// How many findings are about an entity.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntityCount {
    /// The entity.
    pub entity: Entity,
    /// Its findings.
    pub findings: usize,
    /// The gravest of them.
    pub worst: Severity,
}

impl Desk {
    /// A page of findings.
    ///
    /// # Errors
    /// Findings or decisions can't be read, or the page goes on after a finding that is gone.
    pub fn findings(&self, query: &FindingQuery) -> Result<FindingPage, AppError> {
        query::answer(query, &self.shelf.view()?.pool(), &*self.judgments()?, Timestamp::now())
    }

    /// One finding, by its id or a clear beginning of it.
    ///
    /// # Errors
    /// There is none, or several begin so.
    pub fn finding(&self, id: &str) -> Result<FindingView, AppError> {
        let view = self.shelf.view()?;
        let finding = query::one(&view.pool(), id)?.clone();
        let deliveries = self.deliveries(&finding.id)?;
        let finding = JudgedFinding::of(finding, &*self.judgments()?, Timestamp::now());
        Ok(FindingView { finding, deliveries })
    }

    /// Why a finding is one.
    ///
    /// # Errors
    /// As [`Desk::finding`].
    pub fn explain(&self, id: &str) -> Result<Explanation, AppError> {
        let view = self.shelf.view()?;
        let finding = query::one(&view.pool(), id)?.clone();
        let guide = triage::guide(finding.threat_type);
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Ok(Explanation {
            id: finding.id,
            title: finding.title,
            summary: finding.summary,
            threat_type: finding.threat_type,
            severity: finding.severity,
            score: finding.score,
            meaning: guide.meaning.to_owned(),
            reasons: finding.reasons,
            attacks: finding.attacks,
            checks: owned(guide.checks),
            false_positives: owned(guide.false_positives),
            response: owned(guide.response),
        })
    }

    /// The findings that match, summed up; the query's page is not looked at.
    ///
    /// # Errors
    /// As [`Desk::findings`].
    pub fn summarize(&self, query: &FindingQuery) -> Result<Summary, AppError> {
        let (view, judgments) = (self.shelf.view()?, self.judgments()?);
        let pool = view.pool();
        let (found, suppressed) = query::matching(query, &pool, &judgments, Timestamp::now());
        let mut by_severity: BTreeMap<Severity, usize> = Severity::ALL.into_iter().map(|one| (one, 0)).collect();
        let mut by_threat: BTreeMap<ThreatType, usize> = BTreeMap::new();
        let mut by_entity: BTreeMap<Entity, (usize, Severity)> = BTreeMap::new();
        for Matched { finding, .. } in &found {
            *by_severity.entry(finding.severity).or_default() += 1;
            *by_threat.entry(finding.threat_type).or_default() += 1;
            let about = by_entity.entry(finding.entity.clone()).or_insert((0, finding.severity));
            *about = (about.0 + 1, about.1.max(finding.severity));
        }
        let mut entities: Vec<EntityCount> =
            by_entity.into_iter().map(|(entity, (findings, worst))| EntityCount { entity, findings, worst }).collect();
        entities.sort_by_key(|count| std::cmp::Reverse((count.worst, count.findings)));
        entities.truncate(ENTITIES);
        Ok(Summary {
            total: found.len(),
            suppressed,
            by_severity,
            by_threat,
            entities,
            first_seen: found.iter().filter_map(|matched| matched.finding.first_seen).min(),
            last_seen: found.iter().filter_map(|matched| matched.finding.last_seen).max(),
            problems: query::problems(&pool, &judgments),
        })
    }

    /// Silences findings for a while; with `dry_run` only says which ones it would be.
    ///
    /// # Errors
    /// As [`judgments::suppress`].
    pub fn suppress(&self, request: &SuppressRequest, dry_run: bool) -> Result<SuppressionEffect, AppError> {
        let effect = judgments::suppress_among(&self.plan, &self.shelf.view()?.pool(), request, dry_run)?;
        if effect.made {
            self.tell(Change::Judgments);
        }
        Ok(effect)
    }

    /// All suppressions; those that are over or lifted only if `all`.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn suppressions(&self, all: bool) -> Result<Suppressions, AppError> {
        judgments::suppressions(&self.plan, all)
    }

    /// Lets findings ring again.
    ///
    /// # Errors
    /// No standing suppression has this id, or the journal can't be written.
    pub fn lift(&self, id: &str, reason: &str, by: &str) -> Result<(), AppError> {
        judgments::lift(&self.plan, id, reason, by)?;
        self.tell(Change::Judgments);
        Ok(())
    }

    /// Writes down what a finding turned out to be.
    ///
    /// # Errors
    /// The finding is unknown, or the journal can't be written.
    pub fn give_feedback(
        &self,
        id: &str,
        (truth, note): (Truth, Option<&str>),
        by: &str,
    ) -> Result<Feedback, AppError> {
        let view = self.shelf.view()?;
        let finding = query::one(&view.pool(), id)?;
        let feedback = judgments::feedback_on(&self.plan, finding, (truth, note), by)?;
        self.tell(Change::Judgments);
        Ok(feedback)
    }

    /// What people said about findings, and how often each threat was right.
    ///
    /// # Errors
    /// The journal can't be read.
    pub fn feedback(&self) -> Result<FeedbackReport, AppError> {
        judgments::feedback(&self.plan)
    }

    pub(super) fn judgments(&self) -> Result<Arc<Judgments>, AppError> {
        Ok(self.decisions.read()?)
    }

    pub(super) fn deliveries(&self, id: &str) -> Result<Vec<DeliveryState>, AppError> {
        deliveries(self.outbox_if_there()?.as_ref(), id)
    }
}

/// Where a finding stands at each sink; without an outbox nowhere.
pub(super) fn deliveries(outbox: Option<&Outbox>, id: &str) -> Result<Vec<DeliveryState>, AppError> {
    let shown = outbox.map(|outbox| outbox.show(id)).transpose()?.flatten();
    Ok(shown.map(|shown| shown.deliveries).unwrap_or_default())
}
