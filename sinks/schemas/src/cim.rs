//! Splunk's Common Information Model: a finding as an event of the data model Alerts, with the risk fields that
//! risk-based alerting reads.
//!
//! Splunk names a field that holds a JSON array `field{}`. So a list of one is written as a plain string, and only
//! several values become an array.

use serde::{Serialize, Serializer};
use watchbell_sink::{EntityKind, Finding, Severity};

use crate::{
    product,
    view::{UNKNOWN, View, cut, distinct, percent, rfc3339, unit},
};

/// Most events that are shown, and most things that an attacker brought along. Splunk extracts fields of the first 10,240
/// characters of an event (`maxchars` of `[kv]` in limits.conf), so no text may be long and the evidence comes last;
/// Splunk usually has the log itself anyhow.
const MOST_EVIDENCE: usize = 5;
const MOST_OBJECTS: usize = 10;
/// Most bytes of a name, of a sentence, and of an event that is shown.
const NAME: usize = 255;
const SENTENCE: usize = 1023;
const RAW: usize = 1023;

/// A finding as a CIM alert. What Splunk enriches itself (`*_bunit`, `*_category`, `*_priority`) is not among it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs)] // The fields are CIM's; their meaning stands in its reference.
pub struct Alert {
    pub app: &'static str,
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub signature: &'static str,
    pub signature_id: &'static str,
    pub severity: &'static str,
    pub severity_id: u8,
    pub user: String,
    pub src: String,
    pub src_type: &'static str,
    pub dest: String,
    pub dest_type: &'static str,
    pub subject: String,
    pub description: String,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub mitre_technique_id: Many,
    pub vendor_product: &'static str,
    pub vendor_version: &'static str,
    pub risk_object: String,
    pub risk_object_type: &'static str,
    pub risk_score: u8,
    pub risk_message: String,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub threat_object: Many,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub threat_object_type: Many,
    #[serde(rename = "annotations.mitre_attack", skip_serializing_if = "Many::is_empty")]
    pub annotations_mitre_attack: Many,
    pub finding_id: String,
    pub score: f64,
    pub confidence: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    pub event_count: i64,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub chain: Many,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub reasons: Many,
    #[serde(skip_serializing_if = "Many::is_empty")]
    pub evidence: Many,
}

/// Values of one field: one is written as a string, several as an array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Many(pub Vec<String>);

impl Many {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Many {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            several => several.serialize(serializer),
        }
    }
}

/// The finding as the value of `event`.
#[must_use]
pub fn event(finding: &Finding) -> Alert {
    let view = View(finding);
    let (src, src_type) = first_of(view, &[EntityKind::Ip]);
    let (dest, dest_type) = first_of(view, &[EntityKind::Host, EntityKind::Resource]);
    let techniques: Vec<String> = techniques(finding);
    let (threat_object, threat_object_type) = threat_objects(view);
    Alert {
        app: "watchbell",
        id: finding.id.clone(),
        kind: "alert",
        signature: finding.threat_type.title(),
        signature_id: finding.threat_type.name(),
        severity: finding.severity.name(),
        severity_id: severity_id(finding.severity),
        user: name(view.one(EntityKind::User).unwrap_or(UNKNOWN)),
        src,
        src_type,
        dest,
        dest_type,
        subject: cut(view.title(), SENTENCE).into_owned(),
        description: cut(view.sentence(), SENTENCE).into_owned(),
        mitre_technique_id: Many(techniques.clone()),
        vendor_product: product::PRODUCT,
        vendor_version: product::VERSION,
        risk_object: name(said(&finding.entity.value)),
        risk_object_type: risk_object_type(finding.entity.kind),
        risk_score: finding.risk_score,
        risk_message: cut(view.sentence(), SENTENCE).into_owned(),
        threat_object,
        threat_object_type,
        annotations_mitre_attack: Many(techniques),
        finding_id: finding.id.clone(),
        score: unit(finding.score),
        confidence: percent(finding.confidence),
        first_seen: finding.first_seen.and_then(rfc3339),
        last_seen: finding.last_seen.and_then(rfc3339),
        event_count: view.event_count(),
        chain: Many(finding.chain.iter().map(|threat| threat.name().to_owned()).collect()),
        reasons: reasons(finding),
        evidence: evidence(finding),
    }
}

/// When it was last seen, for `time` of the envelope: seconds since 1970 with milliseconds. `None` when the log has no
/// times; Splunk then takes the time at which it arrives.
#[must_use]
pub fn time(finding: &Finding) -> Option<f64> {
    // Milliseconds of four-digit years are far below 2^53, so nothing is lost.
    View(finding).time().map(|time| time.as_millisecond() as f64 / 1000.0)
}

fn first_of(view: View<'_>, kinds: &[EntityKind]) -> (String, &'static str) {
    let found = kinds.iter().find_map(|&kind| Some((name(view.one(kind)?), kind.name())));
    found.unwrap_or_else(|| (UNKNOWN.to_owned(), UNKNOWN))
}

fn techniques(finding: &Finding) -> Vec<String> {
    let ids = finding.attacks.iter().map(|attack| attack.technique_id.as_str());
    distinct(ids.filter(|id| !id.trim().is_empty())).into_iter().map(name).collect()
}

/// What an attacker brings along: addresses, programs, clients. The object of risk itself is not repeated.
fn threat_objects(view: View<'_>) -> (Many, Many) {
    let kinds = [(EntityKind::Ip, "ip"), (EntityKind::Process, "process"), (EntityKind::UserAgent, "user_agent")];
    let objects = kinds.into_iter().flat_map(|(kind, name)| view.all(kind).into_iter().map(move |value| (value, name)));
    let (values, names): (Vec<&str>, Vec<&str>) =
        objects.filter(|(value, _)| *value != view.0.entity.value).take(MOST_OBJECTS).unzip();
    let owned = |texts: Vec<&str>| Many(texts.into_iter().map(name).collect());
    (owned(values), owned(names))
}

fn reasons(finding: &Finding) -> Many {
    let texts = finding.reasons.iter().map(|reason| reason.text.as_str()).filter(|text| !text.trim().is_empty());
    Many(texts.map(|text| cut(text, SENTENCE).into_owned()).collect())
}

fn evidence(finding: &Finding) -> Many {
    let events = finding.evidence.iter().take(MOST_EVIDENCE);
    Many(events.map(|event| format!("{}:{}: {}", cut(&event.file, NAME), event.line, cut(&event.raw, RAW))).collect())
}

fn name(text: &str) -> String {
    cut(text, NAME).into_owned()
}

fn said(text: &str) -> &str {
    if text.trim().is_empty() { UNKNOWN } else { text }
}

const fn risk_object_type(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::User => "user",
        EntityKind::Ip | EntityKind::Host => "system",
        _ => "other",
    }
}

const fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}
