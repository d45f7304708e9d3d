//! Open Cybersecurity Schema Framework 1.8: a finding as a Detection Finding (2004).
//!
//! `anomaly_analyses` says feature by feature what was observed and what is typical, as the schema means it. `time` is
//! required: a finding from a log without times has 0 there and the label `watchbell_no_time`.

pub mod wire;

use jiff::Timestamp;
use watchbell_sink::{Attack, EntityKind, Evidence, Finding, Severity};
pub use wire::DetectionFinding;

use crate::{
    attack::{self, Named},
    product,
    view::{NO_TIME, UNKNOWN, View, distinct, is_url, percent, rfc3339, unit},
};

/// The version of the schema that the findings follow.
pub const VERSION: &str = "1.8.0";

/// The finding as a Detection Finding of this version of the product.
#[must_use]
pub fn detection_finding(finding: &Finding, product_version: &str) -> DetectionFinding {
    let view = View(finding);
    let (severity_id, severity) = severity(finding.severity);
    let (risk_level_id, risk_level) = risk_level(finding.severity);
    let (confidence_id, confidence) = confidence(finding.confidence);
    DetectionFinding {
        activity_id: 1,
        activity_name: "Create",
        category_uid: 2,
        category_name: "Findings",
        class_uid: 2004,
        class_name: "Detection Finding",
        type_uid: 200_401,
        type_name: "Detection Finding: Create",
        time: view.time().map_or(0, Timestamp::as_millisecond),
        start_time: finding.first_seen.map(Timestamp::as_millisecond),
        end_time: finding.last_seen.map(Timestamp::as_millisecond),
        timezone_offset: 0,
        count: i32::try_from(finding.event_count).unwrap_or(i32::MAX),
        severity_id,
        severity,
        confidence_id,
        confidence,
        confidence_score: percent(finding.confidence),
        risk_level_id,
        risk_level,
        risk_score: finding.risk_score,
        status_id: 1,
        status: "New",
        is_alert: true,
        message: view.sentence().to_owned(),
        metadata: metadata(view, product_version),
        finding_info: finding_info(view, product_version),
        anomaly_analyses: anomaly_analyses(finding),
        evidences: evidences(view),
        resources: resources(view),
        observables: observables(view),
        unmapped: unmapped(view),
    }
}

fn metadata(view: View<'_>, product_version: &str) -> wire::Metadata {
    let is_timeless = view.time().is_none();
    wire::Metadata {
        version: VERSION,
        uid: view.0.id.clone(),
        event_code: view.0.threat_type.name(),
        labels: is_timeless.then(|| vec![NO_TIME]),
        product: wire::Product {
            name: product::PRODUCT,
            vendor_name: product::VENDOR,
            version: product_version.to_owned(),
        },
    }
}

fn finding_info(view: View<'_>, product_version: &str) -> wire::FindingInfo {
    let finding = view.0;
    let files = finding.evidence.iter().map(|event| event.file.clone()).filter(|file| !file.trim().is_empty());
    wire::FindingInfo {
        uid: finding.id.clone(),
        title: view.title().to_owned(),
        desc: view.sentence().to_owned(),
        types: vec![finding.threat_type.title()],
        first_seen_time: finding.first_seen.map(Timestamp::as_millisecond),
        last_seen_time: finding.last_seen.map(Timestamp::as_millisecond),
        data_sources: distinct(files),
        analytic: wire::Analytic {
            uid: finding.threat_type.name(),
            name: finding.threat_type.title(),
            kind: "Learning (ML/DL)",
            type_id: 4,
            version: product_version.to_owned(),
        },
        attacks: finding.attacks.iter().flat_map(attacks).collect(),
    }
}

/// One entry per tactic: the schema gave up the list of tactics in 1.1.
fn attacks(attack: &Attack) -> Vec<wire::Attack> {
    let (technique, sub_technique) = attack::technique(attack).unzip();
    let entry = |tactic: Option<Named>| wire::Attack {
        version: attack.version.clone(),
        tactic: tactic.map(class),
        technique: technique.clone().map(class),
        sub_technique: sub_technique.clone().flatten().map(class),
    };
    let tactics: Vec<Named> = attack.tactics.iter().filter_map(attack::tactic).collect();
    match (tactics.is_empty(), &technique) {
        (true, None) => Vec::new(),
        (true, Some(_)) => vec![entry(None)],
        (false, _) => tactics.into_iter().map(|tactic| entry(Some(tactic))).collect(),
    }
}

fn class(named: Named) -> wire::Class {
    wire::Class { uid: named.id, name: named.name, src_url: named.reference }
}

fn anomaly_analyses(finding: &Finding) -> Vec<wire::AnomalyAnalysis> {
    if finding.reasons.is_empty() {
        return Vec::new();
    }
    let anomalies = finding.reasons.iter().map(|reason| wire::Observed {
        observation_parameter: reason.feature.clone(),
        observations: vec![wire::Observation { value: reason.observed.clone() }],
        observed_pattern: Some(reason.text.clone()),
    });
    let baselines = finding.reasons.iter().map(|reason| wire::Observed {
        observation_parameter: reason.feature.clone(),
        observations: vec![wire::Observation { value: reason.typical.clone() }],
        observed_pattern: None,
    });
    let value = finding.entity.value.as_str();
    let name = if value.trim().is_empty() { UNKNOWN } else { value };
    vec![wire::AnomalyAnalysis {
        analysis_targets: vec![wire::Target { name: name.to_owned(), kind: finding.entity.kind.name() }],
        anomalies: anomalies.collect(),
        baselines: baselines.collect(),
    }]
}

/// First who and where, then the events.
fn evidences(view: View<'_>) -> Vec<wire::Evidences> {
    let country =
        view.one(EntityKind::Country).filter(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase()));
    let ip = view.ips().first().map(ToString::to_string);
    let around = wire::Evidences {
        name: "finding",
        user: view.one(EntityKind::User).map(|name| wire::User { name: name.to_owned() }),
        src_endpoint: ip.map(|ip| wire::Endpoint {
            ip,
            location: country.map(|country| wire::Location { country: country.to_owned() }),
        }),
        device: view.one(EntityKind::Host).map(|hostname| wire::Device {
            hostname: hostname.to_owned(),
            type_id: 0,
            kind: "Unknown",
        }),
        url: view.url().map(|url| wire::Url { url_string: url.to_owned() }),
        data: None,
    };
    let is_known =
        around.user.is_some() || around.src_endpoint.is_some() || around.device.is_some() || around.url.is_some();
    is_known.then_some(around).into_iter().chain(view.0.evidence.iter().map(event)).collect()
}

fn event(event: &Evidence) -> wire::Evidences {
    wire::Evidences {
        name: "event",
        user: None,
        src_endpoint: None,
        device: None,
        url: None,
        data: Some(wire::Event {
            file: event.file.clone(),
            line: event.line,
            time: event.time.and_then(rfc3339),
            score: unit(event.score),
            raw: event.raw.clone(),
        }),
    }
}

/// Hosts and other things that the activity was about.
fn resources(view: View<'_>) -> Vec<wire::Resource> {
    let of = |kind: EntityKind| {
        view.all(kind).into_iter().map(move |name| wire::Resource {
            name: name.to_owned(),
            kind: kind.name(),
            hostname: (kind == EntityKind::Host).then(|| name.to_owned()),
        })
    };
    of(EntityKind::Host).chain(of(EntityKind::Resource)).collect()
}

fn observables(view: View<'_>) -> Vec<wire::Observable> {
    let entity = &view.0.entity;
    let all = std::iter::once((entity.kind, entity.value.as_str()))
        .chain(view.0.observables.iter().map(|it| (it.kind, it.value.as_str())));
    let said = all.filter(|(_, value)| !value.trim().is_empty());
    distinct(said)
        .into_iter()
        .map(|(kind, value)| {
            let (type_id, type_name) = observable_type(kind, value);
            let is_resource = matches!(kind, EntityKind::Host | EntityKind::Resource);
            wire::Observable {
                name: is_resource.then_some("resources[].name"),
                type_id,
                kind: type_name,
                value: value.to_owned(),
            }
        })
        .collect()
}

/// The schema's type of observable; 99 with a name of our own where it has none.
fn observable_type(kind: EntityKind, value: &str) -> (u8, &'static str) {
    match kind {
        EntityKind::User => (4, "User Name"),
        EntityKind::Ip if value.parse::<core::net::IpAddr>().is_ok() => (2, "IP Address"),
        EntityKind::Host => (1, "Hostname"),
        EntityKind::Resource if is_url(value) => (6, "URL String"),
        EntityKind::Resource => (38, "Resource Details Object: name"),
        EntityKind::Country => (14, "Country"),
        EntityKind::Process => (9, "Process Name"),
        EntityKind::UserAgent => (16, "HTTP User-Agent"),
        EntityKind::Ip | EntityKind::Action | EntityKind::Source => (99, kind.name()),
    }
}

fn unmapped(view: View<'_>) -> wire::Unmapped {
    let finding = view.0;
    wire::Unmapped {
        threat_type: finding.threat_type.name(),
        score: unit(finding.score),
        event_count: view.event_count(),
        entity: wire::Entity { kind: finding.entity.kind.name(), value: finding.entity.value.clone() },
        chain: finding.chain.iter().map(|threat| threat.name()).collect(),
        reasons: finding
            .reasons
            .iter()
            .map(|reason| wire::Share { feature: reason.feature.clone(), share: unit(reason.share) })
            .collect(),
        observables: finding
            .observables
            .iter()
            .map(|it| wire::Counted { kind: it.kind.name(), value: it.value.clone(), count: it.count })
            .collect(),
    }
}

const fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// One below the severity's number: this scale begins at 0 with `Info`, that one has `Unknown` there.
const fn risk_level(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Informational => (0, "Info"),
        Severity::Low => (1, "Low"),
        Severity::Medium => (2, "Medium"),
        Severity::High => (3, "High"),
        Severity::Critical => (4, "Critical"),
    }
}

fn confidence(confidence: f64) -> (u8, &'static str) {
    match percent(confidence) {
        0..=33 => (1, "Low"),
        34..=66 => (2, "Medium"),
        _ => (3, "High"),
    }
}
