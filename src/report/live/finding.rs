//! One finding: why, what the log says, what to do, what was decided, where it went.

use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde::Serialize;
use watchbell_sink::ThreatType;

use super::{
    Page, address,
    facts::{DecisionFacts, DeliveryFacts, SinkFacts, SuppressionFacts},
    overview::{SuppressionRow, ago, scope},
};
use crate::report::{
    html::card::{ALONE, Card},
    overview::Ranked,
    words,
};

/// The part that is fetched again when something changes.
const PARTS: [(&str, &str); 1] = [("state", "state.html")];

/// What the page of a finding is made of.
#[derive(Debug, Clone, Copy)]
pub struct FindingInput<'a> {
    /// The finding and its report.
    pub item: Ranked<'a>,
    /// The suppression that silences it.
    pub suppression: Option<&'a SuppressionFacts>,
    /// What was said about it.
    pub decision: Option<&'a DecisionFacts>,
    /// Where it stands at each sink that it was given to.
    pub deliveries: &'a [DeliveryFacts],
    /// The sinks that it could be sent to.
    pub sinks: &'a [SinkFacts],
    /// What could not be read.
    pub notices: &'a [String],
    /// The time at which all this is so.
    pub now: Timestamp,
}

#[derive(Debug, Serialize)]
struct DeliveryRow<'a> {
    sink: &'a str,
    is: &'static str,
    state: &'a str,
    attempts: u64,
    when: String,
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Decision<'a> {
    was_right: bool,
    by: &'a str,
    when: String,
    note: Option<&'a str>,
}

impl Page {
    /// The page of a finding.
    #[must_use]
    pub fn finding(input: FindingInput<'_>) -> Self {
        let FindingInput { item, now, .. } = input;
        let finding = item.finding;
        let decision = input.decision.map(|decision| Decision {
            was_right: decision.was_right,
            by: &decision.by,
            when: words::instant(decision.time),
            note: decision.note.as_deref(),
        });
        let sinks: Vec<_> = input.sinks.iter().filter(|sink| !sink.kind.is_empty()).collect();
        // Another step of the chain is another finding about the same entity, suppressed or not.
        let step = |threat: ThreatType| {
            let entity = finding.entity.value.as_str();
            let pairs = [("threat", threat.name()), ("entity", entity), ("suppressed", "show")];
            (threat != finding.threat_type).then(|| address::overview(pairs))
        };
        let context = context! {
            item => Serde(Card::new(1, item, &ALONE, &step)),
            href => address::finding(&finding.id),
            json_href => format!("/v1{}", address::finding(&finding.id)),
            same_entity => address::overview([("entity", finding.entity.value.as_str()), ("suppressed", "show")]),
            scope => scope(finding.threat_type, Some(&finding.entity), finding.severity),
            suppression => Serde(input.suppression.map(|one| SuppressionRow::new(one, now))),
            decision => Serde(decision),
            deliveries => Serde(input.deliveries.iter().map(|one| DeliveryRow::new(one, now)).collect::<Vec<_>>()),
            sinks => Serde(sinks.iter().map(|sink| (&sink.name, &sink.kind, sink.held.is_some())).collect::<Vec<_>>()),
            notices => Serde(input.notices),
        };
        Self { template: "finding.html", parts: &PARTS, context }
    }
}

impl<'a> DeliveryRow<'a> {
    fn new(one: &'a DeliveryFacts, now: Timestamp) -> Self {
        let (is, state) = match one.state.as_str() {
            "delivered" => ("good", "delivered"),
            "dead" => ("bad", "dead letter"),
            "ready" if one.error.is_some() => ("bad", "failing, is tried again"),
            "ready" => ("busy", "on its way"),
            "awaiting_ack" => ("busy", "sent, not confirmed yet"),
            "purged" => ("none", "given up"),
            other => ("none", other),
        };
        let error = one.error.as_deref();
        Self { sink: &one.sink, is, state, attempts: one.attempts, when: ago(one.changed, now), error }
    }
}
