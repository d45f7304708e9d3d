//! What people decide about findings, written down.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::findings::SuppressionCard;
use crate::{
    app::{SuppressRequest, Truth, Which, future, now},
    mcp::{
        arguments::{Judgment, JudgmentAction},
        call::Call,
        catalog::Answer,
        failure::Failure,
        views::size,
    },
};

/// Findings that an effect names.
const NAMED: usize = 50;

/// What was written down, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Judged {
    /// Whether it was written down; otherwise this was a dry run.
    made: bool,
    /// The suppression that was or would be made.
    suppression: Option<SuppressionCard>,
    /// The suppression that was lifted.
    lifted: Option<String>,
    /// The finding that the feedback is about.
    feedback_on: Option<String>,
    /// What it turned out to be.
    truth: Option<Truth>,
    /// Ids of known findings that it silences, at most 50.
    silences: Vec<String>,
    /// How many it silences.
    silences_total: i64,
    /// When it was decided.
    decided: Timestamp,
    /// Whether `silences` does not name all.
    truncated: bool,
}

impl Answer for Judged {
    fn said(&self) -> String {
        match (&self.suppression, self.made) {
            (Some(_), true) => format!("Suppressed: {} known findings are silent now.", self.silences_total),
            (Some(_), false) => {
                format!("Dry run: {} known findings would be silent. Nothing was changed.", self.silences_total)
            }
            (None, _) if self.lifted.is_some() => "The suppression is lifted.".to_owned(),
            (None, _) => "The feedback is written down.".to_owned(),
        }
    }
}

impl Judged {
    fn nothing_yet() -> Self {
        Self {
            made: true,
            suppression: None,
            lifted: None,
            feedback_on: None,
            truth: None,
            silences: Vec::new(),
            silences_total: 0,
            decided: Timestamp::now(),
            truncated: false,
        }
    }
}

/// `judge_finding`.
pub(in crate::mcp) fn judge(call: &Call<'_>, judgment: Judgment) -> Result<Judged, Failure> {
    let stray = |is_there: bool, name: &str| match is_there {
        true => Err(Failure::arguments(format!("`{name}` has no meaning for this action"))),
        false => Ok(()),
    };
    let (suppresses, lifts) = (judgment.action == JudgmentAction::Suppress, judgment.action == JudgmentAction::Lift);
    stray(judgment.suppression_id.is_some() && !lifts, "suppression_id")?;
    stray(judgment.truth.is_some() && (lifts || suppresses), "truth")?;
    stray(judgment.expires.is_some() && !suppresses, "expires")?;
    stray(judgment.max_severity.is_some() && !suppresses, "max_severity")?;
    stray(judgment.dry_run == Some(true) && !suppresses, "dry_run")?;
    match judgment.action {
        JudgmentAction::Suppress => suppress(call, judgment),
        JudgmentAction::Lift => lift(call, judgment),
        JudgmentAction::Feedback => feedback(call, judgment),
    }
}

fn needed<T>(value: Option<T>, name: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::arguments(format!("`{name}` is needed for this action")))
}

fn suppress(call: &Call<'_>, judgment: Judgment) -> Result<Judged, Failure> {
    let text = needed(judgment.expires, "expires")?;
    let expires = future(&text, &now(call.office.desk.plan()));
    let expires = expires.map_err(|error| Failure::arguments(format!("`expires`: {error}; found `{text}`")))?;
    let finding = needed(judgment.finding_id, "finding_id")?;
    let request = SuppressRequest {
        which: Which::Like { finding, max_severity: judgment.max_severity },
        reason: needed(judgment.reason, "reason")?,
        expires,
        by: call.by.to_owned(),
    };
    let effect = call.office.desk.suppress(&request, judgment.dry_run.unwrap_or(true))?;
    let silences: Vec<String> = effect.hides.iter().take(NAMED).map(|finding| finding.id.clone()).collect();
    Ok(Judged {
        made: effect.made,
        suppression: Some(SuppressionCard::of(effect.suppression)),
        silences_total: size(effect.hides.len()),
        truncated: effect.hides.len() > silences.len(),
        silences,
        ..Judged::nothing_yet()
    })
}

fn lift(call: &Call<'_>, judgment: Judgment) -> Result<Judged, Failure> {
    let desk = &call.office.desk;
    let reason = needed(judgment.reason, "reason")?;
    let id = match (judgment.suppression_id, judgment.finding_id) {
        (Some(id), None) => id,
        (None, Some(finding)) => desk.finding(&finding)?.finding.suppressed_by.ok_or_else(|| Failure::Failed {
            code: "not_suppressed",
            fix: "call summarize_findings for the suppressions that stand".to_owned(),
            detail: "nothing silences this finding".to_owned(),
        })?,
        _ => return Err(Failure::arguments("expected `suppression_id` or `finding_id`, one of them")),
    };
    desk.lift(&id, &reason, call.by)?;
    Ok(Judged { lifted: Some(id), ..Judged::nothing_yet() })
}

fn feedback(call: &Call<'_>, judgment: Judgment) -> Result<Judged, Failure> {
    let finding = needed(judgment.finding_id, "finding_id")?;
    let truth = needed(judgment.truth, "truth")?;
    let feedback = call.office.desk.give_feedback(&finding, (truth, judgment.reason.as_deref()), call.by)?;
    Ok(Judged { feedback_on: Some(feedback.finding), truth: Some(feedback.truth), ..Judged::nothing_yet() })
}
