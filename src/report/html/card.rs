//! One finding as the page shows it: in full as a card, or as one row of a table.

use serde::Serialize;
use watchbell_sink::{Finding, ThreatType};

use super::{
    attack::TechniqueLink,
    chart::{kind_title, length, percent},
    look::SeverityLook,
    pivot::{Pivot, pivots},
};
use crate::report::{
    overview::Ranked,
    triage::{Guide, guide},
    visible, words,
};

const CHAIN: usize = 8;

/// How much of a finding a card shows.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Room {
    reasons: usize,
    evidence: usize,
    observables: usize,
    techniques: usize,
    /// A finding's JSON that is longer than this is left to the report file.
    json: usize,
}

/// One card among many.
pub(in crate::report) const IN_REPORT: Room =
    Room { reasons: 8, evidence: 6, observables: 12, techniques: 6, json: 12_000 };
/// A card that has a page for itself.
pub(in crate::report) const ALONE: Room =
    Room { reasons: 30, evidence: 50, observables: 40, techniques: 20, json: 200_000 };

/// A finding in full.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Card<'a> {
    number: usize,
    look: SeverityLook,
    threat: &'static str,
    finding: &'a Finding,
    entity_kind: &'static str,
    score: String,
    score_width: String,
    confidence: String,
    threshold: String,
    threshold_x: String,
    events: String,
    span: String,
    length: Option<String>,
    chain: Vec<ChainLink>,
    techniques: Vec<TechniqueLink>,
    observables: Vec<Value<'a>>,
    reasons: Vec<Why<'a>>,
    evidence: Vec<Line<'a>>,
    evidence_left: u64,
    guide: &'static Guide,
    pivots: Vec<Pivot>,
    json: Option<String>,
    source_file: &'a str,
}

#[derive(Debug, Serialize)]
struct ChainLink {
    title: &'static str,
    here: bool,
    href: Option<String>,
}

#[derive(Debug, Serialize)]
struct Value<'a> {
    kind: &'static str,
    value: &'a str,
    count: String,
}

#[derive(Debug, Serialize)]
struct Why<'a> {
    feature: &'a str,
    text: &'a str,
    observed: &'a str,
    typical: &'a str,
    share: String,
    width: String,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    file: &'a str,
    line: u64,
    time: Option<String>,
    score: String,
    raw: &'a str,
}

impl<'a> Card<'a> {
    /// The card of the finding with this rank, from 1. `step` gives the address of a step of its chain.
    pub(in crate::report) fn new(
        number: usize,
        item: Ranked<'a>,
        room: &Room,
        step: &dyn Fn(ThreatType) -> Option<String>,
    ) -> Self {
        let finding = item.finding;
        let evidence: Vec<_> = finding.evidence.iter().take(room.evidence).map(line).collect();
        let threshold = item.report.threshold;
        Self {
            number,
            look: SeverityLook::of(finding.severity),
            threat: finding.threat_type.title(),
            finding,
            entity_kind: kind_title(finding.entity.kind),
            score: words::score(finding.score),
            score_width: percent(finding.score.clamp(0.0, 1.0)),
            confidence: words::score(finding.confidence),
            threshold: words::score(threshold),
            threshold_x: percent(threshold.clamp(0.0, 1.0)),
            events: words::counted(finding.event_count, "event", words::THIN),
            span: words::span(finding.first_seen, finding.last_seen),
            length: length(finding.first_seen, finding.last_seen),
            chain: chain(finding, step),
            techniques: finding.attacks.iter().take(room.techniques).map(TechniqueLink::new).collect(),
            observables: finding.observables.iter().take(room.observables).map(value).collect(),
            reasons: finding.reasons.iter().take(room.reasons).map(why).collect(),
            evidence_left: finding.event_count.saturating_sub(evidence.len() as u64),
            evidence,
            guide: guide(finding.threat_type),
            pivots: pivots(finding),
            json: json(finding, room.json),
            source_file: &item.report.source_file,
        }
    }
}

/// A chain of one tells nothing.
fn chain(finding: &Finding, step: &dyn Fn(ThreatType) -> Option<String>) -> Vec<ChainLink> {
    if finding.chain.len() < 2 {
        return Vec::new();
    }
    let link = |&threat: &ThreatType| ChainLink {
        title: threat.title(),
        here: threat == finding.threat_type,
        href: step(threat),
    };
    finding.chain.iter().take(CHAIN).map(link).collect()
}

fn value(observable: &watchbell_sink::Observable) -> Value<'_> {
    Value {
        kind: kind_title(observable.kind),
        value: &observable.value,
        count: words::grouped(observable.count, words::THIN),
    }
}

fn why(reason: &watchbell_sink::Reason) -> Why<'_> {
    Why {
        feature: &reason.feature,
        text: &reason.text,
        observed: &reason.observed,
        typical: &reason.typical,
        share: share(reason.share),
        width: percent(reason.share.clamp(0.0, 1.0)),
    }
}

/// Whole per cent; a reason that counts is never shown as nothing.
fn share(part: f64) -> String {
    if part > 0.0 && part <= 0.005 { "< 1 %".to_owned() } else { format!("{:.0} %", part * 100.0) }
}

fn line(evidence: &watchbell_sink::Evidence) -> Line<'_> {
    Line {
        file: &evidence.file,
        line: evidence.line,
        time: evidence.time.map(words::instant),
        score: words::score(evidence.score),
        raw: &evidence.raw,
    }
}

/// The finding as JSON that means the same and holds nothing that acts on a screen or a clipboard.
fn json(finding: &Finding, longest: usize) -> Option<String> {
    // A cheap bound first, so that a forged finding of many megabytes is not written out to be thrown away.
    let raw: usize = finding.evidence.iter().map(|item| item.raw.len()).sum();
    let text = if raw > longest { None } else { serde_json::to_string_pretty(finding).ok() }?;
    if text.len() > longest {
        return None;
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if visible::is_control(letter) && letter != '\n' {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(letter);
        }
    }
    Some(shown)
}

/// A finding in one row.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Row<'a> {
    look: SeverityLook,
    title: &'a str,
    entity_kind: &'static str,
    entity: &'a str,
    score: String,
    events: String,
    event_count: u64,
    first: String,
    source_file: &'a str,
}

impl<'a> Row<'a> {
    /// The row of a finding.
    pub(in crate::report) fn new(item: Ranked<'a>) -> Self {
        let finding = item.finding;
        Self {
            look: SeverityLook::of(finding.severity),
            title: &finding.title,
            entity_kind: kind_title(finding.entity.kind),
            entity: &finding.entity.value,
            score: words::score(finding.score),
            events: words::grouped(finding.event_count, words::THIN),
            event_count: finding.event_count,
            first: finding.first_seen.map_or_else(|| "-".to_owned(), words::instant),
            source_file: &item.report.source_file,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, overview::Overview};

    #[test]
    fn the_json_is_the_finding_without_what_acts_on_a_screen() {
        let mut reports = fixture::reports();
        let expected = {
            let finding = &mut reports[0].findings[0];
            finding.entity.value = "a\u{202e}b\u{1b}\u{e0041}c".to_owned();
            finding.clone()
        };
        let shown = json(&expected, 12_000).unwrap();
        assert!(!shown.chars().any(|letter| visible::is_control(letter) && letter != '\n'));
        assert_eq!(serde_json::from_str::<Finding>(&shown).unwrap(), expected);
    }

    #[test]
    fn a_small_share_is_not_shown_as_none() {
        assert_eq!([0.0, 0.005, 0.0051, 0.584, 1.0].map(share), ["0 %", "< 1 %", "1 %", "58 %", "100 %"]);
    }

    #[test]
    fn an_enormous_finding_is_left_to_its_report() {
        let mut reports = fixture::reports();
        reports[0].findings[0].evidence[0].raw = "x".repeat(1 << 20);
        let overview = Overview::new(&reports);
        let cards: Vec<_> = overview.ranked.iter().map(|&item| Card::new(1, item, &IN_REPORT, &|_| None)).collect();
        assert_eq!(cards.iter().filter(|card| card.json.is_none()).count(), 1);
    }
}
