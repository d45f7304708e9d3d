//! The security result: what was found, how bad it is, and the evidence as texts.
//!
//! Rules read a label's value as text only, so every number stands in `detection_fields` as one. Keys are unique where a rule
//! may ask for them, because of equal keys a rule sees the first.

use watchbell_sink::{Attack, Finding, Severity, ThreatType};

use super::text::{cut, rfc3339};
use crate::wire::{AttackDetails, Label, Named, SecurityResult, Technique};

const LONGEST_SUMMARY: usize = 512;
const LONGEST_DESCRIPTION: usize = 4096;
/// One label; long enough for the usual log line.
const LONGEST_VALUE: usize = 1024;
const MOST_REASONS: usize = 8;
const MOST_OBSERVABLES: usize = 24;
const MOST_EVIDENCE: usize = 8;
const MOST_ATTACKS: usize = 16;

pub(super) fn of(finding: &Finding) -> SecurityResult {
    SecurityResult {
        category: category(finding.threat_type).into_iter().collect(),
        category_details: vec!["log anomaly"],
        threat_name: finding.threat_type.title(),
        rule_name: finding.threat_type.name(),
        summary: cut(&finding.title, LONGEST_SUMMARY),
        description: cut(&finding.summary, LONGEST_DESCRIPTION),
        severity: severity(finding.severity),
        confidence: match finding.confidence {
            high if high >= 0.75 => "HIGH_CONFIDENCE",
            medium if medium >= 0.4 => "MEDIUM_CONFIDENCE",
            _ => "LOW_CONFIDENCE",
        },
        rule_type: "anomaly",
        detection_fields: detection_fields(finding),
        risk_score: finding.risk_score.min(100),
        attack_details: attack_details(&finding.attacks),
        first_discovered_time: finding.first_seen.map(rfc3339),
        last_discovered_time: finding.last_seen.map(rfc3339),
        // A cast of NaN is 0.
        confidence_score: (finding.confidence.clamp(0.0, 1.0) * 100.0).round() as u8,
    }
}

/// The nearest of the categories; there is none for the merely unusual.
fn category(threat: ThreatType) -> Option<&'static str> {
    Some(match threat {
        ThreatType::BruteForce
        | ThreatType::PasswordSpraying
        | ThreatType::CredentialStuffing
        | ThreatType::AccountTakeover
        | ThreatType::ImpossibleTravel => "AUTH_VIOLATION",
        ThreatType::PrivilegeEscalation => "ACL_VIOLATION",
        ThreatType::DataExfiltration | ThreatType::SlowExfiltration => "DATA_EXFILTRATION",
        ThreatType::LateralMovement => "NETWORK_SUSPICIOUS",
        ThreatType::Beaconing => "NETWORK_COMMAND_AND_CONTROL",
        ThreatType::Reconnaissance => "NETWORK_RECON",
        ThreatType::DefenseEvasion => "POLICY_VIOLATION",
        ThreatType::AnomalousAccess | ThreatType::DormantAccount => return None,
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// The most telling first: what is last is left out first when an event is too large.
fn detection_fields(finding: &Finding) -> Vec<Label> {
    let mut fields = Vec::new();
    let mut add = |key: String, value: &str| {
        if !value.is_empty() {
            fields.push(Label { key, value: cut(value, LONGEST_VALUE) });
        }
    };
    add("finding_id".to_owned(), &finding.id);
    add("threat_type".to_owned(), finding.threat_type.name());
    add("entity_kind".to_owned(), finding.entity.kind.name());
    add("entity".to_owned(), &finding.entity.value);
    add("score".to_owned(), &format!("{:.4}", finding.score));
    add("event_count".to_owned(), &finding.event_count.to_string());
    let time = |time: Option<_>| time.map_or_else(|| "unknown".to_owned(), rfc3339);
    add("window_start".to_owned(), &time(finding.first_seen));
    add("window_end".to_owned(), &time(finding.last_seen));
    let chain: Vec<&str> = finding.chain.iter().map(|threat| threat.name()).collect();
    add("chain".to_owned(), &chain.join(" > "));
    for (position, reason) in (1..).zip(finding.reasons.iter().take(MOST_REASONS)) {
        add(format!("reason_{position}"), &reason.text);
        add(format!("reason_{position}_feature"), &reason.feature);
        add(format!("reason_{position}_observed"), &reason.observed);
        add(format!("reason_{position}_typical"), &reason.typical);
        add(format!("reason_{position}_share"), &format!("{:.4}", reason.share));
    }
    for observable in finding.observables.iter().take(MOST_OBSERVABLES) {
        add(format!("observed_{}", observable.kind.name()), &observable.value);
    }
    for (position, evidence) in (1..).zip(finding.evidence.iter().take(MOST_EVIDENCE)) {
        add(format!("evidence_{position}"), &evidence.raw);
        add(format!("evidence_{position}_at"), &format!("{}:{}", cut(&evidence.file, 256), evidence.line));
    }
    fields
}

fn attack_details(attacks: &[Attack]) -> Option<AttackDetails> {
    let attacks = &attacks[..attacks.len().min(MOST_ATTACKS)];
    let mut tactics: Vec<Named> = Vec::new();
    for tactic in attacks.iter().flat_map(|attack| attack.tactics.iter().take(MOST_ATTACKS)) {
        let named = Named { id: cut(&tactic.id, 64), name: cut(&tactic.name, 256) };
        if !tactics.contains(&named) {
            tactics.push(named);
        }
    }
    let version = cut(&attacks.first()?.version, 32);
    Some(AttackDetails { version, tactics, techniques: attacks.iter().map(technique).collect() })
}

/// `T1110.001` is the sub-technique of `T1110`, and `Brute Force: Password Guessing` has both names.
fn technique(attack: &Attack) -> Technique {
    let (id, name) = (cut(&attack.technique_id, 64), cut(&attack.technique_name, 256));
    let Some((parent, _)) = id.split_once('.') else {
        return Technique { id, name, subtechnique_id: None, subtechnique_name: None };
    };
    let (parent_name, own_name) = name.split_once(": ").unwrap_or(("", &name));
    Technique {
        id: parent.to_owned(),
        name: parent_name.to_owned(),
        subtechnique_name: Some(own_name.to_owned()),
        subtechnique_id: Some(id),
    }
}
