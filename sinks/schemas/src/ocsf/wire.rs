//! The Detection Finding as it goes over the wire, in the spelling of the OCSF schema 1.8.0 (class 2004).
//!
//! The schema takes no other keys than its own, so what it has no place for stands in `unmapped`, with fixed keys.

#![allow(missing_docs)] // The fields are OCSF's; their meaning stands in its schema.

use serde::Serialize;

/// A finding as an OCSF Detection Finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectionFinding {
    pub activity_id: u8,
    pub activity_name: &'static str,
    pub category_uid: u8,
    pub category_name: &'static str,
    pub class_uid: u16,
    pub class_name: &'static str,
    pub type_uid: u32,
    pub type_name: &'static str,
    pub time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    pub timezone_offset: i16,
    pub count: i32,
    pub severity_id: u8,
    pub severity: &'static str,
    pub confidence_id: u8,
    pub confidence: &'static str,
    pub confidence_score: u8,
    pub risk_level_id: u8,
    pub risk_level: &'static str,
    pub risk_score: u8,
    pub status_id: u8,
    pub status: &'static str,
    pub is_alert: bool,
    pub message: String,
    pub metadata: Metadata,
    pub finding_info: FindingInfo,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anomaly_analyses: Vec<AnomalyAnalysis>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidences: Vec<Evidences>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observables: Vec<Observable>,
    pub unmapped: Unmapped,
}

/// `metadata`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metadata {
    pub version: &'static str,
    pub uid: String,
    pub event_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<&'static str>>,
    pub product: Product,
}

/// `metadata.product`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Product {
    pub name: &'static str,
    pub vendor_name: &'static str,
    pub version: String,
}

/// `finding_info`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingInfo {
    pub uid: String,
    pub title: String,
    pub desc: String,
    pub types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_sources: Vec<String>,
    pub analytic: Analytic,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<Attack>,
}

/// `finding_info.analytic`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analytic {
    pub uid: &'static str,
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub type_id: u8,
    pub version: String,
}

/// `finding_info.attacks[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attack {
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tactic: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_technique: Option<Class>,
}

/// A tactic, technique or sub-technique.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    pub uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_url: Option<String>,
}

/// `anomaly_analyses[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnomalyAnalysis {
    pub analysis_targets: Vec<Target>,
    pub anomalies: Vec<Observed>,
    pub baselines: Vec<Observed>,
}

/// `anomaly_analyses[].analysis_targets[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// `anomaly_analyses[].anomalies[]` and `.baselines[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observed {
    pub observation_parameter: String,
    pub observations: Vec<Observation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_pattern: Option<String>,
}

/// One observed or typical value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    pub value: String,
}

/// `evidences[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidences {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Event>,
}

/// `evidences[].user`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct User {
    pub name: String,
}

/// `evidences[].src_endpoint`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    pub ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// `evidences[].src_endpoint.location`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Location {
    pub country: String,
}

/// `evidences[].device`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    pub hostname: String,
    pub type_id: u8,
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// `evidences[].url`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Url {
    pub url_string: String,
}

/// `evidences[].data`, which takes any JSON: one event of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub file: String,
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    pub score: f64,
    pub raw: String,
}

/// `resources[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resource {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// `observables[]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observable {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    pub type_id: u8,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub value: String,
}

/// `unmapped`: what the schema has no place for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unmapped {
    pub threat_type: &'static str,
    pub score: f64,
    pub event_count: i64,
    pub entity: Entity,
    pub chain: Vec<&'static str>,
    pub reasons: Vec<Share>,
    pub observables: Vec<Counted>,
}

/// Whom or what the finding is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    pub kind: &'static str,
    pub value: String,
}

/// Share of a reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    pub feature: String,
    pub share: f64,
}

/// An observable with its number of events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counted {
    pub kind: &'static str,
    pub value: String,
    pub count: u64,
}
