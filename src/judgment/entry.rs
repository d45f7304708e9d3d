//! One decision, as a line of the journal.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scope;
use crate::sink::{Entity, Finding, ThreatType};

/// Who decided what, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// Who: an account's name, or a key's id.
    pub by: String,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Findings are not to ring for a while.
    Suppress(Suppression),
    /// They may ring again, before the time is over.
    Lift {
        /// The suppression's id.
        suppression: String,
        /// Why.
        reason: String,
    },
    /// A finding was right or wrong.
    Feedback(Feedback),
}

/// Findings that are not to ring for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// `s` and 8 hexadecimal digits.
    pub id: String,
    /// Which findings.
    pub scope: Scope,
    /// Why; it is asked for, because half a year later nobody knows.
    pub reason: String,
    /// Until when. There is no forever: what is normal changes.
    pub expires: Timestamp,
    /// The finding that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_finding: Option<String>,
}

impl Suppression {
    /// A suppression whose id follows from what it is and when it was made.
    #[must_use]
    pub fn new(scope: Scope, reason: String, (made, expires): (Timestamp, Timestamp)) -> Self {
        let content = format!("{}\n{scope}\n{reason}", made.as_nanosecond());
        let digest = blake3::hash(content.as_bytes()).to_hex();
        Self { id: format!("s{}", &digest[..8]), scope, reason, expires, from_finding: None }
    }
}

/// Whether a finding was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Feedback {
    /// The finding's id.
    pub finding: String,
    /// What it was.
    pub truth: Truth,
    /// The threat it named, so that figures for each threat need no report.
    pub threat_type: ThreatType,
    /// Whom it was about.
    pub entity: Entity,
    /// What the person who decided wants to be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Feedback {
    /// What was decided about a finding.
    #[must_use]
    pub fn on(finding: &Finding, truth: Truth, note: Option<String>) -> Self {
        let Finding { id, threat_type, entity, .. } = finding;
        Self { finding: id.clone(), truth, threat_type: *threat_type, entity: entity.clone(), note }
    }
}

/// What a finding turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// What it said.
    TruePositive,
    /// Nothing of the kind.
    FalsePositive,
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TruePositive => "true positive",
            Self::FalsePositive => "false positive",
        })
    }
}
