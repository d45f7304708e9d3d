//! Elastic Common Schema 9.4: a finding as one document.
//!
//! A document of a data stream must have `@timestamp`. A finding from a log without times gets 1970-01-01T00:00:00Z and
//! the tag `watchbell_no_time`: that is as wrong as any other time would be, but it is the same on every attempt and it
//! can be found.

mod category;
mod mappings;
pub mod wire;

use watchbell_sink::{EntityKind, Finding, Reason, Severity};
pub use wire::Document;

pub use self::mappings::mappings;
use crate::{
    attack::{self, Named},
    product,
    view::{NO_TIME, View, distinct, rfc3339, unit},
};

/// The version of ECS that the documents follow.
pub const VERSION: &str = "9.4.0";

/// The finding as a document.
#[must_use]
pub fn document(finding: &Finding) -> Document {
    let view = View(finding);
    let time = view.time().and_then(rfc3339);
    let mut tags = vec!["watchbell".to_owned()];
    if time.is_none() {
        tags.push(NO_TIME.to_owned());
    }
    Document {
        timestamp: time.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
        ecs: wire::Ecs { version: VERSION },
        message: view.sentence().to_owned(),
        tags,
        event: event(view),
        rule: rule(finding),
        threat: threat(finding),
        user: view.one(EntityKind::User).map(wire::Name::new),
        host: view.one(EntityKind::Host).map(wire::Name::new),
        source: source(view),
        process: view.one(EntityKind::Process).map(wire::Name::new),
        user_agent: view.one(EntityKind::UserAgent).map(wire::Original::new),
        url: view.url().map(wire::Original::new),
        related: related(view),
        log: wire::Log {
            level: level(finding.severity),
            file: view.file().map(|path| wire::LogFile { path: path.to_owned() }),
        },
        observer: wire::Observer {
            vendor: product::VENDOR,
            product: product::PRODUCT,
            version: product::VERSION,
            kind: "ids",
        },
        watchbell: own(view),
    }
}

fn event(view: View<'_>) -> wire::Event {
    let finding = view.0;
    let (category, kind) = category::of(finding.threat_type);
    let duration =
        finding.first_seen.zip(finding.last_seen).map(|(first, last)| last.as_nanosecond() - first.as_nanosecond());
    wire::Event {
        kind: "alert",
        category,
        kinds: kind,
        action: finding.threat_type.name(),
        module: "watchbell",
        dataset: "watchbell.finding",
        provider: "watchbell",
        id: finding.id.clone(),
        start: finding.first_seen.and_then(rfc3339),
        end: finding.last_seen.and_then(rfc3339),
        duration: duration.and_then(|nanoseconds| i64::try_from(nanoseconds).ok()).filter(|it| *it >= 0),
        severity: severity(finding.severity),
        risk_score: f64::from(finding.risk_score),
        risk_score_norm: f64::from(finding.risk_score.min(100)),
        reason: finding.reasons.first().map(|reason| reason.text.clone()).filter(|text| !text.trim().is_empty()),
        original: view.strongest().map(|event| event.raw.clone()).filter(|raw| !raw.trim().is_empty()),
    }
}

fn rule(finding: &Finding) -> wire::Rule {
    wire::Rule {
        id: finding.threat_type.name(),
        name: finding.threat_type.title(),
        category: "anomaly",
        ruleset: "watchbell",
        version: product::VERSION,
    }
}

/// `None` when the finding has neither technique nor tactic.
fn threat(finding: &Finding) -> Option<wire::Threat> {
    let taken_apart: Vec<(Named, Option<Named>)> = finding.attacks.iter().filter_map(attack::technique).collect();
    let tactics = finding.attacks.iter().flat_map(|it| &it.tactics).filter_map(attack::tactic);
    let tactics = distinct(tactics);
    if taken_apart.is_empty() && tactics.is_empty() {
        return None;
    }
    let (techniques, subs): (Vec<Named>, Vec<Option<Named>>) = taken_apart.into_iter().unzip();
    let subs = wire::Classes::new(distinct(subs.into_iter().flatten()));
    let techniques = wire::Classes::new(distinct(techniques));
    Some(wire::Threat {
        framework: attack::FRAMEWORK,
        tactic: wire::Classes::new(tactics),
        technique: techniques.map(|classes| wire::Technique { classes, subtechnique: subs }),
    })
}

fn source(view: View<'_>) -> Option<wire::Source> {
    let ip = view.ips().first().map(ToString::to_string);
    let geo = view.one(EntityKind::Country).map(|country| {
        let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let (code, name) = if is_code { (Some(country), None) } else { (None, Some(country)) };
        wire::Geo { country_iso_code: code.map(str::to_owned), country_name: name.map(str::to_owned) }
    });
    (ip.is_some() || geo.is_some()).then_some(wire::Source { ip, geo })
}

fn related(view: View<'_>) -> wire::Related {
    let owned = |kind| view.all(kind).into_iter().map(str::to_owned).collect();
    wire::Related {
        user: owned(EntityKind::User),
        ip: view.ips().iter().map(ToString::to_string).collect(),
        hosts: owned(EntityKind::Host),
    }
}

fn own(view: View<'_>) -> wire::Watchbell {
    let finding = view.0;
    wire::Watchbell {
        threat_type: finding.threat_type.name(),
        title: view.title().to_owned(),
        severity: finding.severity.name(),
        score: unit(finding.score),
        confidence: unit(finding.confidence),
        event_count: view.event_count(),
        entity: wire::Entity { kind: finding.entity.kind.name(), value: finding.entity.value.clone() },
        chain: finding.chain.iter().map(|threat| threat.name()).collect(),
        attack_version: distinct(finding.attacks.iter().map(|attack| attack.version.clone())),
        reasons: finding.reasons.iter().map(reason).collect(),
        observables: finding
            .observables
            .iter()
            .map(|it| wire::Observable { kind: it.kind.name(), value: it.value.clone(), count: signed(it.count) })
            .collect(),
        evidence: finding
            .evidence
            .iter()
            .map(|it| wire::Evidence {
                file: it.file.clone(),
                line: signed(it.line),
                time: it.time.and_then(rfc3339),
                score: unit(it.score),
                raw: it.raw.clone(),
            })
            .collect(),
    }
}

fn reason(reason: &Reason) -> wire::Reason {
    wire::Reason {
        feature: reason.feature.clone(),
        text: reason.text.clone(),
        observed: reason.observed.clone(),
        typical: reason.typical.clone(),
        share: unit(reason.share),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Elastic's own detection rules use these numbers for low to critical.
const fn severity(severity: Severity) -> i64 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
        Severity::Critical => 99,
    }
}

/// The words of syslog, which is what `log.level` is filtered by.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "info",
        Severity::Low => "notice",
        Severity::Medium => "warning",
        Severity::High => "error",
        Severity::Critical => "critical",
    }
}
