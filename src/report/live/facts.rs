//! What the pages show beside reports, as plain data: this floor knows no outbox, no jobs and no decisions.

use jiff::Timestamp;
use serde::Serialize;
use watchbell_sink::{Entity, Finding, Severity, ThreatType};

/// Who looks, and what they may do.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a key allows or not")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Visitor {
    /// Their name, where people are asked who they are.
    pub name: Option<String>,
    /// Whether they may decide about findings.
    pub may_judge: bool,
    /// Whether they may see what goes to the sinks.
    pub may_see_sinks: bool,
    /// Whether they may send findings to the sinks.
    pub may_forward: bool,
    /// Whether they may begin batches and see them: jobs name files of this machine and the keys of others.
    pub may_run_batches: bool,
    /// Whether they may see trainings.
    pub may_see_trainings: bool,
}

/// What the list is narrowed to, as texts of the form's fields; empty is no filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FilterFacts {
    /// A threat's name.
    pub threat: String,
    /// The lowest severity's name.
    pub severity: String,
    /// An entity as the log spells it.
    pub entity: String,
    /// Last seen at this time or after, `2026-11-14T03:12`, in UTC.
    pub since: String,
    /// Last seen before this time.
    pub until: String,
    /// `show` or `only`; empty: suppressed findings are hidden.
    pub suppressed: String,
    /// `newest`; empty: the strongest first.
    pub order: String,
}

impl FilterFacts {
    /// Names and values of the fields.
    pub(super) fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("threat", &self.threat),
            ("severity", &self.severity),
            ("entity", &self.entity),
            ("since", &self.since),
            ("until", &self.until),
            ("suppressed", &self.suppressed),
            ("order", &self.order),
        ]
    }

    /// Whether findings may be left out by it; the order leaves none out.
    pub(super) fn narrows(&self) -> bool {
        self.pairs().iter().any(|(name, value)| *name != "order" && !value.is_empty())
    }
}

/// A finding of the list, and what was decided about it.
#[derive(Debug, Clone, Copy)]
pub struct RowFacts<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The suppression that silences it.
    pub suppressed_by: Option<&'a str>,
    /// Whether it was called right (`true`) or wrong.
    pub was_right: Option<bool>,
}

/// A sink and what waits for it.
#[derive(Debug, Clone, Default)]
pub struct SinkFacts {
    /// The name the user gave it.
    pub name: String,
    /// Its type; empty for one that is not configured any more.
    pub kind: String,
    /// What arrived.
    pub delivered: u64,
    /// What can go out now.
    pub ready: u64,
    /// What goes out again later.
    pub waiting: u64,
    /// What went out and is not acknowledged yet.
    pub awaiting_ack: u64,
    /// What can't be delivered.
    pub dead: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// Why nothing goes there.
    pub held: Option<HeldFacts>,
    /// Whether something is on its way and nothing has arrived since the last error.
    pub is_failing: bool,
    /// What last went wrong.
    pub last_error: Option<ErrorFacts>,
}

/// What went wrong with a sink.
#[derive(Debug, Clone)]
pub struct ErrorFacts {
    /// What was said.
    pub message: String,
    /// Whether the destination answered; otherwise it could not be reached.
    pub was_answered: bool,
    /// When.
    pub at: Timestamp,
}

/// Why nothing goes to a sink.
#[derive(Debug, Clone)]
pub struct HeldFacts {
    /// What kind of fault.
    pub kind: String,
    /// What the destination said.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// A job.
#[derive(Debug, Clone)]
pub struct JobFacts {
    /// What is done, for people.
    pub title: &'static str,
    /// Whether a model is trained; otherwise logs are read.
    pub is_training: bool,
    /// `waiting`, `running`, `succeeded`, `failed`, `cancelled`.
    pub state: &'static str,
    /// What it does at the moment.
    pub stage: String,
    /// Bytes done in this stage, and bytes of it; 0 when nobody knows.
    pub bytes: (u64, u64),
    /// Who asked for it.
    pub by: String,
    /// When it was asked for, and when it was over.
    pub times: (Timestamp, Option<Timestamp>),
    /// Why nothing came of it.
    pub error: Option<String>,
}

/// A suppression that stands.
#[derive(Debug, Clone)]
pub struct SuppressionFacts {
    /// Its id.
    pub id: String,
    /// The threat of the findings that it silences.
    pub threat: ThreatType,
    /// Whom they are about; `None`: anybody.
    pub entity: Option<Entity>,
    /// What is worse rings all the same.
    pub max_severity: Severity,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub made: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// Where a finding stands at a sink.
#[derive(Debug, Clone)]
pub struct DeliveryFacts {
    /// The sink.
    pub sink: String,
    /// `ready`, `awaiting_ack`, `dead`, `delivered` or `purged`.
    pub state: String,
    /// Attempts that counted.
    pub attempts: u64,
    /// When it last changed.
    pub changed: Timestamp,
    /// What last went wrong.
    pub error: Option<String>,
}

/// What somebody said about a finding.
#[derive(Debug, Clone)]
pub struct DecisionFacts {
    /// Whether it was called right.
    pub was_right: bool,
    /// Who said so.
    pub by: String,
    /// When.
    pub time: Timestamp,
    /// What else they said.
    pub note: Option<String>,
}
