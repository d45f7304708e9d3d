//! Anomalies to findings: those of one kind about one entity within a gap are one finding.

use std::collections::BTreeMap;

use jiff::Timestamp;
use watchbell_sink::{Entity, EntityKind, Evidence, Finding, Observable, Reason, Severity, ThreatType};

use super::{attack, threat};

/// One anomalous event with all that a finding may tell of it.
#[derive(Debug, Clone)]
pub struct Anomaly {
    /// What kind of threat.
    pub threat: ThreatType,
    /// `-log10 p`.
    pub strength: f32,
    /// 0..1.
    pub score: f64,
    /// How much it matters.
    pub severity: Severity,
    /// When.
    pub time: Option<Timestamp>,
    /// The file as the user named it.
    pub file: String,
    /// Line (or record) in the file, from 1.
    pub line: u64,
    /// Typed values of the record: account, address, host and so on, each at most once.
    pub values: Vec<(EntityKind, String)>,
    /// The record, cut.
    pub raw: String,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Anomaly {
    /// The record's value of this kind.
    #[must_use]
    pub fn value(&self, kind: EntityKind) -> Option<&str> {
        self.values.iter().find(|(it, _)| *it == kind).map(|(_, value)| value.as_str())
    }

    fn subject(&self, source: &str) -> Entity {
        let wanted = threat::subject(self.threat);
        let order = [wanted, EntityKind::User, EntityKind::Ip, EntityKind::Host];
        let known = (wanted != EntityKind::Source)
            .then(|| order.into_iter().find_map(|kind| Some(Entity { kind, value: self.value(kind)?.to_owned() })));
        known.flatten().unwrap_or_else(|| Entity { kind: EntityKind::Source, value: source.to_owned() })
    }
}

/// How anomalies are grouped.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// Seconds without a further anomaly after which a finding is closed; threats that go slowly have longer ones.
    pub gap_secs: u32,
    /// Most events that are kept as evidence of one finding.
    pub max_evidence: usize,
    /// Name of the log as a whole, for findings that are about nothing narrower.
    pub source: String,
    /// Version of ATT&CK.
    pub attack_version: attack::AttackVersion,
}

/// Most observables that are told of one finding.
const MOST_OBSERVABLES: usize = 50;

/// Groups anomalies, which come in the order of the log. Gives the findings, most severe first, and for each anomaly the
/// id of its finding.
#[must_use]
pub fn group(anomalies: &[Anomaly], options: &GroupOptions) -> (Vec<Finding>, Vec<String>) {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: BTreeMap<(ThreatType, Entity), usize> = BTreeMap::new();
    let mut group_of = vec![0; anomalies.len()];
    for (at, anomaly) in anomalies.iter().enumerate() {
        let key = (anomaly.threat, anomaly.subject(&options.source));
        let gap = options.gap_secs.max(threat::pause(anomaly.threat));
        let known = open.get(&key).copied().filter(|&group| {
            let last = groups[group].last().map(|&last| &anomalies[last]);
            last.is_some_and(|last| within(last.time, anomaly.time, gap))
        });
        let group = known.unwrap_or_else(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        open.insert(key, group);
        groups[group].push(at);
        group_of[at] = group;
    }
    let mut findings: Vec<Finding> = groups.iter().map(|members| finding(anomalies, members, options)).collect();
    let ids: Vec<String> = group_of.iter().map(|&group| findings[group].id.clone()).collect();
    link_chains(&mut findings, options.gap_secs);
    findings.sort_by(|a, b| {
        let rank = |it: &Finding| (std::cmp::Reverse(it.severity), std::cmp::Reverse(it.risk_score));
        rank(a)
            .cmp(&rank(b))
            .then(b.score.total_cmp(&a.score))
            .then(a.first_seen.cmp(&b.first_seen))
            .then(a.id.cmp(&b.id))
    });
    (findings, ids)
}

fn within(last: Option<Timestamp>, next: Option<Timestamp>, gap_secs: u32) -> bool {
    match (last, next) {
        (Some(last), Some(next)) => (next.as_second() - last.as_second()).abs() <= i64::from(gap_secs),
        _ => true,
    }
}

fn finding(anomalies: &[Anomaly], members: &[usize], options: &GroupOptions) -> Finding {
    let events = || members.iter().map(|&at| &anomalies[at]);
    let first = &anomalies[members[0]];
    let strongest = events().fold(first, |best, next| if next.strength > best.strength { next } else { best });
    let entity = strongest.subject(&options.source);
    let title = format!("{} {} {}", first.threat.title(), preposition(first.threat), entity.value);
    let severity = events().map(|event| event.severity).max().unwrap_or(Severity::Low);
    let mut evidence: Vec<&Anomaly> = events().collect();
    evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    evidence.truncate(options.max_evidence);
    evidence.sort_by(|a, b| (a.time, &a.file, a.line).cmp(&(b.time, &b.file, b.line)));
    Finding {
        id: id_of(first, &entity),
        threat_type: first.threat,
        severity,
        score: strongest.score,
        confidence: confidence(strongest.strength),
        risk_score: risk(strongest.score, severity),
        title,
        summary: summary(strongest, members.len(), &entity),
        entity,
        first_seen: events().filter_map(|event| event.time).min(),
        last_seen: events().filter_map(|event| event.time).max(),
        event_count: members.len() as u64,
        chain: vec![first.threat],
        attacks: attack::attacks(first.threat, options.attack_version),
        observables: observables(events()),
        reasons: strongest.reasons.clone(),
        evidence: evidence.into_iter().map(shown).collect(),
    }
}

fn shown(event: &Anomaly) -> Evidence {
    Evidence {
        file: event.file.clone(),
        line: event.line,
        time: event.time,
        score: event.score,
        raw: event.raw.clone(),
    }
}

/// The same events give the same id on every run; the file's path is left out, so that a moved log stays the same.
fn id_of(first: &Anomaly, entity: &Entity) -> String {
    let mut hasher = blake3::Hasher::new();
    let time = first.time.map_or(i64::MIN, |time| time.as_millisecond());
    for part in
        [first.threat.name().as_bytes(), entity.kind.name().as_bytes(), entity.value.as_bytes(), first.raw.as_bytes()]
    {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(&time.to_le_bytes());
    if first.time.is_none() {
        hasher.update(&first.line.to_le_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn observables<'a>(events: impl Iterator<Item = &'a Anomaly>) -> Vec<Observable> {
    let mut counts: BTreeMap<(EntityKind, &str), u64> = BTreeMap::new();
    for event in events {
        for (kind, value) in &event.values {
            *counts.entry((*kind, value)).or_default() += 1;
        }
    }
    let mut observables: Vec<Observable> =
        counts.into_iter().map(|((kind, value), count)| Observable { kind, value: value.to_owned(), count }).collect();
    observables.sort_by(|a, b| b.count.cmp(&a.count).then(a.kind.cmp(&b.kind)).then(a.value.cmp(&b.value)));
    observables.truncate(MOST_OBSERVABLES);
    observables
}

fn summary(strongest: &Anomaly, count: usize, entity: &Entity) -> String {
    let events = if count == 1 { "1 event".to_owned() } else { format!("{count} events") };
    // The first reason, and the second where it counts.
    let telling = strongest.reasons.iter().enumerate().filter(|(at, reason)| *at == 0 || reason.share >= 0.1);
    let reasons: Vec<&str> = telling.take(2).map(|(_, reason)| reason.text.as_str()).collect();
    format!("{events} {} {}: {}.", preposition(strongest.threat), entity.value, reasons.join("; "))
}

const fn preposition(threat: ThreatType) -> &'static str {
    match threat {
        ThreatType::BruteForce | ThreatType::CredentialStuffing => "against",
        ThreatType::AccountTakeover | ThreatType::DormantAccount => "of",
        ThreatType::PasswordSpraying => "from",
        _ => "by",
    }
}

/// Belief that the threat is of the named type: from a half at the bar of evidence to nearly sure.
fn confidence(strength: f32) -> f64 {
    let belief = 1.0 - 0.5 * (-(f64::from(strength) - 2.0).max(0.0) / 3.0).exp2();
    (belief * 100.0).round() / 100.0
}

/// 0..100: the severity's band, and the score within it.
fn risk(score: f64, severity: Severity) -> u8 {
    let floor = f64::from(severity as u8) * 20.0;
    (floor + 20.0 * score).round().clamp(0.0, 100.0) as u8
}

/// Tells each finding which other threats about the same entity came within the gap of it.
fn link_chains(findings: &mut [Finding], gap_secs: u32) {
    let mut by_entity: BTreeMap<Entity, Vec<usize>> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        by_entity.entry(finding.entity.clone()).or_default().push(at);
    }
    for members in by_entity.values_mut() {
        members.sort_by_key(|&at| (findings[at].first_seen, at));
        let spans: Vec<_> = members
            .iter()
            .map(|&at| (findings[at].threat_type, findings[at].first_seen, findings[at].last_seen))
            .collect();
        for &at in members.iter() {
            let (first, last) = (findings[at].first_seen, findings[at].last_seen);
            let mut chain: Vec<ThreatType> = Vec::new();
            for &(threat, other_first, other_last) in &spans {
                let near = within(last, other_first, gap_secs)
                    || within(other_last, first, gap_secs)
                    || (other_first <= last && first <= other_last);
                if near && !chain.contains(&threat) {
                    chain.push(threat);
                }
            }
            findings[at].chain = chain;
        }
    }
}
