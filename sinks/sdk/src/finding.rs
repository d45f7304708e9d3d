//! The finding: anomalies of one kind about one entity in one window, with reasons and evidence.
//!
//! Everything in it is a function of the input logs, so the same logs give the same bytes and the same [`Finding::id`]
//! on every run. Text that came from a log is attacker-controlled: whoever shows it escapes it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::threat::{Severity, ThreatType};

/// What Watchbell delivers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// 32 hexadecimal digits, the same for the same input; the idempotency key of every sink.
    pub id: String,
    /// The kind of threat.
    pub threat_type: ThreatType,
    /// How much it matters.
    pub severity: Severity,
    /// Anomaly score of the strongest event, 0..1.
    pub score: f64,
    /// Belief that this is of the named threat type, 0..1.
    pub confidence: f64,
    /// 0..100, for sorting and for risk-based alerting.
    pub risk_score: u8,
    /// One line, for example `Brute force against alice`.
    pub title: String,
    /// One or two sentences that say what was seen and what is usual.
    pub summary: String,
    /// Whom or what it is about.
    pub entity: Entity,
    /// Time of the first anomalous event; absent when the log has no times.
    pub first_seen: Option<Timestamp>,
    /// Time of the last anomalous event.
    pub last_seen: Option<Timestamp>,
    /// Number of anomalous events.
    pub event_count: u64,
    /// Threat types of the entity's findings within the gap, in order of appearance, this one among them.
    pub chain: Vec<ThreatType>,
    /// ATT&CK techniques.
    pub attacks: Vec<Attack>,
    /// Typed values that occur in the events, most frequent first.
    pub observables: Vec<Observable>,
    /// Why, strongest first; the shares sum to 1.
    pub reasons: Vec<Reason>,
    /// Some of the events, capped; [`Finding::event_count`] has the full number.
    pub evidence: Vec<Evidence>,
}

/// Whom or what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// What kind of thing it is.
    pub kind: EntityKind,
    /// Its name as the log spells it.
    pub value: String,
}

/// Kinds of entities and of observables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// An account.
    User,
    /// A source address.
    Ip,
    /// A computer.
    Host,
    /// A file, path, URL, bucket, table.
    Resource,
    /// What was done.
    Action,
    /// An ISO 3166 code, or a name as the log spells it.
    Country,
    /// A program.
    Process,
    /// A client's description of itself.
    UserAgent,
    /// The log as a whole, when nothing narrower is known.
    Source,
}

impl EntityKind {
    /// The `snake_case` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Ip => "ip",
            Self::Host => "host",
            Self::Resource => "resource",
            Self::Action => "action",
            Self::Country => "country",
            Self::Process => "process",
            Self::UserAgent => "user_agent",
            Self::Source => "source",
        }
    }
}

/// A typed value seen in the events of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observable {
    /// What kind of value.
    pub kind: EntityKind,
    /// The value as the log spells it.
    pub value: String,
    /// How many of the finding's events have it.
    pub count: u64,
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Name of the feature or evidence term, `snake_case`.
    pub feature: String,
    /// One sentence, for example `48 failed logins in 5 minutes; usual are 0.2`.
    pub text: String,
    /// What was observed, with its unit.
    pub observed: String,
    /// What is typical, with its unit.
    pub typical: String,
    /// Share of the score, 0..1; the shares of one anomaly sum to 1.
    pub share: f64,
}

/// One event shown as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The file as it was named by the user, or `-` for standard input.
    pub file: String,
    /// Line (or record, in formats without lines) in that file, counted from 1.
    pub line: u64,
    /// Time of the event.
    pub time: Option<Timestamp>,
    /// Anomaly score, 0..1.
    pub score: f64,
    /// The record as it stands in the log, cut at a limit that the producer states.
    pub raw: String,
}

/// An ATT&CK technique with the version of the matrix that it is named after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attack {
    /// Technique or sub-technique, for example `T1110.003`.
    pub technique_id: String,
    /// Its name.
    pub technique_name: String,
    /// The tactics it serves here.
    pub tactics: Vec<Tactic>,
    /// Version of ATT&CK, for example `19`.
    pub version: String,
}

/// An ATT&CK tactic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tactic {
    /// For example `TA0006`.
    pub id: String,
    /// For example `Credential Access`.
    pub name: String,
}
