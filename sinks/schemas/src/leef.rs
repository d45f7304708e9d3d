//! Log Event Extended Format 2.0: a finding as one line, by IBM's "LEEF event components" for QRadar.
//!
//! LEEF has no escape at all. So the header names the tab as delimiter, and what could end a pair or the line is replaced
//! by a space. Keys of our own begin with `watchbell`, because none may be one of IBM's.

use watchbell_sink::{EntityKind, Finding};

use crate::{
    line::{self, Line, of_ten, tamed},
    product,
    view::{View, percent, rfc3339, unit},
};

/// Characters of names: the limit of `usrName` and its like.
const NAME: usize = 255;
/// Bytes of sentences.
const SENTENCE: usize = 1023;
/// Bytes of the evidence.
const EVIDENCE: usize = 2000;

/// The finding as a line without line end.
#[must_use]
pub fn line(finding: &Finding) -> String {
    let view = View(finding);
    let mut line = Line::new(header(finding), '\t');
    line.add(&[("cat", "anomaly"), ("sev", &of_ten(finding.severity).to_string())]);
    if let Some(time) = view.time().filter(|time| rfc3339(*time).is_some()) {
        let text = time.strftime("%b %d %Y %H:%M:%S%.3f GMT").to_string();
        line.add(&[("devTime", &text), ("devTimeFormat", "MMM dd yyyy HH:mm:ss.SSS z")]);
    }
    line.add(&[("usrName", &named(view, EntityKind::User))]);
    if let Some(ip) = view.ips().first() {
        line.add(&[("src", &ip.to_string())]);
    }
    line.add(&[("resource", &named(view, EntityKind::Host))]);
    line.add(&[("url", &value(view.url().unwrap_or(""), 512))]);
    own(view, &mut line);
    line.finish()
}

fn header(finding: &Finding) -> String {
    let fields = ["LEEF:2.0", product::VENDOR, product::PRODUCT, product::VERSION, finding.threat_type.name(), "x09"];
    fields.map(|field| tamed(field, NAME, &[]).replace('|', " ") + "|").concat()
}

fn own(view: View<'_>, line: &mut Line) {
    let finding = view.0;
    line.add(&[("watchbellId", &value(&finding.id, 40))]);
    line.add(&[("watchbellRiskScore", &finding.risk_score.to_string())]);
    line.add(&[("watchbellConfidence", &percent(finding.confidence).to_string())]);
    line.add(&[("watchbellScore", &format!("{:.4}", unit(finding.score)))]);
    line.add(&[("watchbellEventCount", &view.event_count().to_string())]);
    line.add(&[("watchbellEntityKind", finding.entity.kind.name())]);
    line.add(&[("watchbellEntity", &value(&finding.entity.value, NAME))]);
    line.add(&[("watchbellSummary", &value(view.sentence(), SENTENCE))]);
    line.add(&[("watchbellTechniques", &value(&line::techniques(finding), NAME))]);
    line.add(&[("watchbellTactics", &value(&line::tactics(finding), NAME))]);
    line.add(&[("watchbellChain", &value(&line::chain(finding), NAME))]);
    line.add(&[("watchbellReasons", &value(&line::reasons(finding), SENTENCE))]);
    line.add(&[("watchbellProcess", &named(view, EntityKind::Process))]);
    line.add(&[("watchbellUserAgent", &named(view, EntityKind::UserAgent))]);
    line.add(&[("watchbellResource", &named(view, EntityKind::Resource))]);
    line.add(&[("watchbellAction", &named(view, EntityKind::Action))]);
    line.add(&[("watchbellCountry", &named(view, EntityKind::Country))]);
    let room = line.room().saturating_sub(40).min(EVIDENCE);
    line.add(&[("watchbellEvidence", &value(&line::evidence(view), room))]);
}

fn named(view: View<'_>, kind: EntityKind) -> String {
    value(view.one(kind).unwrap_or(""), NAME)
}

/// A tab is a control character, so it goes with them.
fn value(text: &str, most: usize) -> String {
    tamed(text, most, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_and_line_ends_are_replaced() {
        assert_eq!(value("a\tb\r\nc=d|e^f", 100), "a b  c=d|e^f");
    }
}
