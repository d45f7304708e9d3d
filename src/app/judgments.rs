//! What people decide about findings, and findings with what was decided about them.
//!
//! `paths` are reports, directories with reports, or files with findings; empty means the reports of the batch.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AppError,
    findings::{Findings, Pool, read_findings},
    query::{self, FindingPage, FindingQuery},
};
use crate::{
    config::Plan,
    judgment::{Action, Entry, Feedback, Journal, Judgments, Scope, StandingSuppression, Suppression, Truth},
    sink::{Entity, Finding, Severity, ThreatType},
};

/// The longest that findings may be silenced. What is normal changes within a year.
pub const LONGEST_SUPPRESSION: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The longest reason or note, in letters.
pub const LONGEST_TEXT: usize = 2000;
/// What is worse than this rings all the same, when a suppression of a threat says nothing else: what is high or critical
/// is silenced only by somebody who says so.
const USUAL_SEVERITY: Severity = Severity::Medium;

/// Findings that are not to ring for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressRequest {
    /// Which.
    pub which: Which,
    /// Why.
    pub reason: String,
    /// Until then.
    pub expires: Timestamp,
    /// Who decides.
    pub by: String,
}

/// Which findings are to be silenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those like this one: its threat, its entity, no worse.
    Like {
        /// The finding's id, or the beginning of it.
        finding: String,
        /// No worse than this; otherwise no worse than the finding.
        max_severity: Option<Severity>,
    },
    /// Those of a threat.
    Of {
        /// The threat.
        threat_type: ThreatType,
        /// About this one only.
        entity: Option<Entity>,
        /// No worse than this; otherwise no worse than medium.
        max_severity: Option<Severity>,
    },
}

/// A suppression, and what it hides among the findings that there are.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SuppressionEffect {
    /// The suppression.
    pub suppression: ProposedSuppression,
    /// Whether it was written down; otherwise this was a dry run.
    pub made: bool,
    /// Findings that rang before and are silenced by it.
    pub hides: Vec<Finding>,
    /// Findings that were looked at.
    pub looked_at: usize,
}

/// A suppression that was made, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProposedSuppression {
    /// Its id, by which it is lifted; a dry run makes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which findings.
    pub scope: Scope,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Timestamp,
    /// The finding that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_finding: Option<String>,
}

impl From<Suppression> for ProposedSuppression {
    fn from(suppression: Suppression) -> Self {
        let Suppression { id, scope, reason, expires, from_finding } = suppression;
        Self { id: Some(id), scope, reason, expires, from_finding }
    }
}

/// Suppressions, and lines of the journal that can't be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Suppressions {
    /// In the order in which they were made.
    pub suppressions: Vec<StandingSuppression>,
    /// Lines that can't be read.
    pub problems: Vec<String>,
}

/// What people said about findings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FeedbackReport {
    /// The last word about each finding, the newest first.
    pub entries: Vec<Entry>,
    /// How often each threat was right.
    pub threats: Vec<ThreatRecord>,
    /// Lines that can't be read.
    pub problems: Vec<String>,
}

/// How often findings of a threat were right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ThreatRecord {
    /// The threat.
    pub threat_type: ThreatType,
    /// Findings that were right.
    pub true_positives: usize,
    /// Findings that were wrong.
    pub false_positives: usize,
}

/// A page of findings, each with what was decided about it.
///
/// # Errors
/// Findings or decisions can't be read, or the page goes on after a finding that is gone.
pub fn list_findings(plan: &Plan, paths: &[PathBuf], query: &FindingQuery) -> Result<FindingPage, AppError> {
    query::answer(query, &findings(plan, paths)?.pool(), &judgments(plan)?, Timestamp::now())
}

/// One finding, by its id or a clear beginning of it.
///
/// # Errors
/// There is none, or several begin so.
pub fn find_finding(plan: &Plan, paths: &[PathBuf], id: &str) -> Result<Finding, AppError> {
    query::one(&findings(plan, paths)?.pool(), id).cloned()
}

/// Suppresses findings for a while; with `dry_run` only says which ones it would be.
///
/// # Errors
/// The finding is unknown, the reason is missing, the time is no time, or the journal can't be written.
pub fn suppress(
    plan: &Plan,
    paths: &[PathBuf],
    request: &SuppressRequest,
    dry_run: bool,
) -> Result<SuppressionEffect, AppError> {
    suppress_among(plan, &findings(plan, paths)?.pool(), request, dry_run)
}

/// The same, among findings that are at hand.
pub(super) fn suppress_among(
    plan: &Plan,
    found: &Pool<'_>,
    request: &SuppressRequest,
    dry_run: bool,
) -> Result<SuppressionEffect, AppError> {
    let reason = said("reason", &request.reason)?;
    let (now, made) = (Timestamp::now(), !dry_run);
    let lasts = request.expires.duration_since(now);
    if !lasts.is_positive() || lasts > LONGEST_SUPPRESSION {
        return Err(
            AppError::Request("expected an end within a year from now, for example 30d".to_owned()).at("/expires")
        );
    }
    let (scope, from_finding) = scope(&request.which, found)?;
    let suppression = Suppression { from_finding, ..Suppression::new(scope, reason, (now, request.expires)) };
    let entry = Entry { time: now, by: request.by.clone(), action: Action::Suppress(suppression.clone()) };
    let before = judgments(plan)?;
    if made {
        journal(plan).append(&entry)?;
    }
    // Asked of what decides, because not all that a scope covers is silenced by it.
    let after = before.with(entry);
    let falls_silent =
        |finding: &&&Finding| before.silenced_by(finding, now).is_none() && after.silenced_by(finding, now).is_some();
    let hides = found.findings.iter().filter(falls_silent).map(|finding| (*finding).clone()).collect();
    let mut suppression = ProposedSuppression::from(suppression);
    suppression.id = suppression.id.filter(|_| made);
    Ok(SuppressionEffect { suppression, made, hides, looked_at: found.findings.len() })
}

/// All suppressions; those that are over or lifted only if `all`.
///
/// # Errors
/// The journal can't be read.
pub fn suppressions(plan: &Plan, all: bool) -> Result<Suppressions, AppError> {
    let (judgments, now) = (judgments(plan)?, Timestamp::now());
    let suppressions = judgments.suppressions().filter(|standing| all || standing.stands(now)).cloned().collect();
    Ok(Suppressions { suppressions, problems: judgments.problems })
}

/// Lets findings ring again.
///
/// # Errors
/// No standing suppression has this id, or the journal can't be written.
pub fn lift(plan: &Plan, id: &str, reason: &str, by: &str) -> Result<(), AppError> {
    let (reason, now) = (said("reason", reason)?, Timestamp::now());
    let judgments = judgments(plan)?;
    if !judgments.suppressions().any(|standing| standing.suppression.id == id && standing.stands(now)) {
        let standing: Vec<&str> = judgments
            .suppressions()
            .filter(|standing| standing.stands(now))
            .map(|standing| standing.suppression.id.as_str())
            .collect();
        let standing = if standing.is_empty() { "there is none".to_owned() } else { standing.join(", ") };
        return Err(AppError::NoSuchSuppression { id: id.to_owned(), standing });
    }
    let action = Action::Lift { suppression: id.to_owned(), reason };
    Ok(journal(plan).append(&Entry { time: now, by: by.to_owned(), action })?)
}

/// Writes down what a finding turned out to be.
///
/// # Errors
/// The finding is unknown, or the journal can't be written.
pub fn give_feedback(
    plan: &Plan,
    paths: &[PathBuf],
    (id, truth, note): (&str, Truth, Option<&str>),
    by: &str,
) -> Result<Feedback, AppError> {
    feedback_on(plan, &find_finding(plan, paths, id)?, (truth, note), by)
}

/// The same, about a finding that is at hand.
pub(super) fn feedback_on(
    plan: &Plan,
    finding: &Finding,
    (truth, note): (Truth, Option<&str>),
    by: &str,
) -> Result<Feedback, AppError> {
    let note = note.map(|note| said("note", note)).transpose()?;
    let feedback = Feedback::on(finding, truth, note);
    let action = Action::Feedback(feedback.clone());
    journal(plan).append(&Entry { time: Timestamp::now(), by: by.to_owned(), action })?;
    Ok(feedback)
}

/// What people said about findings, and how often each threat was right.
///
/// # Errors
/// The journal can't be read.
pub fn feedback(plan: &Plan) -> Result<FeedbackReport, AppError> {
    let judgments = judgments(plan)?;
    let entries: Vec<Entry> = judgments.feedback().into_iter().cloned().collect();
    let count = |threat, truth| {
        let about = |entry: &&Entry| matches!(&entry.action, Action::Feedback(said) if said.threat_type == threat && said.truth == truth);
        entries.iter().filter(about).count()
    };
    let record = |threat_type| ThreatRecord {
        threat_type,
        true_positives: count(threat_type, Truth::TruePositive),
        false_positives: count(threat_type, Truth::FalsePositive),
    };
    let threats = ThreatType::ALL.into_iter().map(record).filter(|one| one.true_positives + one.false_positives > 0);
    Ok(FeedbackReport { threats: threats.collect(), problems: judgments.problems, entries })
}

fn journal(plan: &Plan) -> Journal {
    Journal::in_folder(&plan.outbox.folder)
}

fn judgments(plan: &Plan) -> Result<Judgments, AppError> {
    Ok(journal(plan).read()?)
}

fn findings(plan: &Plan, paths: &[PathBuf]) -> Result<Findings, AppError> {
    if !paths.is_empty() {
        return read_findings(paths);
    }
    let reports = plan.batch.output_dir.clone();
    if !reports.is_dir() {
        let message = "no such directory; `watchbell batch` writes reports there".to_owned();
        return Err(AppError::Findings { path: reports, message });
    }
    read_findings(&[reports])
}

fn scope(which: &Which, found: &Pool<'_>) -> Result<(Scope, Option<String>), AppError> {
    match which {
        Which::Like { finding, max_severity } => {
            let finding = query::one(found, finding).map_err(|error| error.at("/from_finding"))?;
            let like = Scope::like(finding);
            let max_severity = max_severity.unwrap_or(like.max_severity);
            Ok((Scope { max_severity, ..like }, Some(finding.id.clone())))
        }
        Which::Of { threat_type, entity, max_severity } => {
            let max_severity = max_severity.unwrap_or(USUAL_SEVERITY);
            Ok((Scope { threat_type: *threat_type, entity: entity.clone(), max_severity }, None))
        }
    }
}

/// What somebody says, without the blanks around it.
///
/// # Errors
/// It says nothing, or is longer than [`LONGEST_TEXT`].
pub fn words(text: &str) -> Result<String, String> {
    let text = text.trim();
    let says_something = text.chars().any(|letter| !letter.is_whitespace() && !letter.is_control());
    if !says_something || text.chars().count() > LONGEST_TEXT {
        return Err(format!("1 to {LONGEST_TEXT} letters, not all of them blank"));
    }
    Ok(text.to_owned())
}

/// The same, of something that has a name.
fn said(what: &str, text: &str) -> Result<String, AppError> {
    words(text).map_err(|expected| AppError::Request(format!("expected a {what} of {expected}")).at(format!("/{what}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::testkit::findings::samples;

    #[test]
    fn words_say_something_and_are_not_too_many() {
        assert_eq!(words(" a test \n").unwrap(), "a test");
        assert!(words(&"ü".repeat(LONGEST_TEXT)).is_ok());
        assert!(words(&"x".repeat(LONGEST_TEXT + 1)).is_err());
        assert!(words(" \n\u{a0}\u{1c}").is_err());
    }

    #[test]
    fn a_suppression_of_a_threat_lets_what_is_grave_ring_unless_it_says_so() {
        let found = Findings { findings: samples(3, 1), problems: Vec::new() };
        let of = |max_severity| {
            let which = Which::Of { threat_type: ThreatType::Beaconing, entity: None, max_severity };
            scope(&which, &found.pool()).unwrap().0.max_severity
        };
        assert_eq!(of(None), Severity::Medium);
        assert_eq!(of(Some(Severity::Critical)), Severity::Critical);
    }
}
