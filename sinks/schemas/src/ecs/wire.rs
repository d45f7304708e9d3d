//! The document as it goes over the wire, in the spelling of the ECS field reference 9.4.
//!
//! Every key is written here; no text of a finding ever becomes one, so a hostile log can't grow the index's mapping.

#![allow(missing_docs)] // The fields are ECS's; their meaning stands in its field reference.

use serde::Serialize;

use crate::attack::Named;

/// A finding as an ECS document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    #[serde(rename = "@timestamp")]
    pub timestamp: String,
    pub ecs: Ecs,
    pub message: String,
    pub tags: Vec<String>,
    pub event: Event,
    pub rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threat: Option<Threat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Original>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Original>,
    #[serde(skip_serializing_if = "Related::is_empty")]
    pub related: Related,
    pub log: Log,
    pub observer: Observer,
    pub watchbell: Watchbell,
}

/// `ecs.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ecs {
    pub version: &'static str,
}

/// `event.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub kind: &'static str,
    pub category: &'static [&'static str],
    #[serde(rename = "type")]
    pub kinds: &'static [&'static str],
    pub action: &'static str,
    pub module: &'static str,
    pub dataset: &'static str,
    pub provider: &'static str,
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    pub severity: i64,
    pub risk_score: f64,
    pub risk_score_norm: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

/// `rule.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    pub id: &'static str,
    pub name: &'static str,
    pub category: &'static str,
    pub ruleset: &'static str,
    pub version: &'static str,
}

/// `threat.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Threat {
    pub framework: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tactic: Option<Classes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<Technique>,
}

/// `threat.technique.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Technique {
    #[serde(flatten)]
    pub classes: Classes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtechnique: Option<Classes>,
}

/// Tactics, techniques or sub-techniques.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classes {
    pub id: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub name: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<String>,
}

/// `user.*`, `host.*`, `process.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Name {
    pub name: String,
}

/// `user_agent.*`, `url.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Original {
    pub original: String,
}

/// `source.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
}

/// `source.geo.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Geo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_iso_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_name: Option<String>,
}

/// `related.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Related {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// `log.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Log {
    pub level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<LogFile>,
}

/// `log.file.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogFile {
    pub path: String,
}

/// `observer.*`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observer {
    pub vendor: &'static str,
    pub product: &'static str,
    pub version: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// What ECS has no fields for, in one object of our own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watchbell {
    pub threat_type: &'static str,
    pub title: String,
    pub severity: &'static str,
    pub score: f64,
    pub confidence: f64,
    pub event_count: i64,
    pub entity: Entity,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attack_version: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observables: Vec<Observable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// Whom or what the finding is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    pub kind: &'static str,
    pub value: String,
}

/// One reason of the score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    pub feature: String,
    pub text: String,
    pub observed: String,
    pub typical: String,
    pub share: f64,
}

/// A typed value of the events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observable {
    pub kind: &'static str,
    pub value: String,
    pub count: i64,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    pub file: String,
    pub line: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    pub score: f64,
    pub raw: String,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

impl Original {
    pub(super) fn new(original: &str) -> Self {
        Self { original: original.to_owned() }
    }
}

impl Related {
    fn is_empty(&self) -> bool {
        self.user.is_empty() && self.ip.is_empty() && self.hosts.is_empty()
    }
}

impl Classes {
    /// `None` for none.
    pub(super) fn new(all: Vec<Named>) -> Option<Self> {
        let mut classes = Self { id: Vec::new(), name: Vec::new(), reference: Vec::new() };
        for named in all {
            classes.id.push(named.id);
            classes.name.extend(named.name);
            classes.reference.extend(named.reference);
        }
        (!classes.id.is_empty()).then_some(classes)
    }
}
