//! Common Event Format 0: a finding as one line, by ArcSight's "CEF Implementation Standard" and its dictionary of keys.
//!
//! `src` of that dictionary is an IPv4 address; an IPv6 address goes to `c6a2`, which is the custom field for it by custom.
//! `rawEvent` is the consumer's to fill, so the evidence stands in `cs6`.

use core::net::IpAddr;

use watchbell_sink::{EntityKind, Finding, ThreatType};

use crate::{
    line::{self, Line, of_ten, tamed},
    product,
    view::{ELLIPSIS, View, is_url, unit},
};

/// Bytes of names, addresses and lists; the dictionary allows 1023 characters, the line has no room for so much.
const NAME: usize = 255;
/// Bytes of paths and URLs.
const PATH: usize = 512;
/// Bytes of sentences, the dictionary's limit of `msg` and `reason`.
const SENTENCE: usize = 1023;
/// Bytes of the evidence; the dictionary allows custom strings 4000 characters.
const EVIDENCE: usize = 2000;

/// The finding as a line without line end.
#[must_use]
pub fn line(finding: &Finding) -> String {
    let view = View(finding);
    let mut line = Line::new(header(finding), ' ');
    line.add(&[("externalId", &value(&finding.id, 40))]);
    times(view, &mut line);
    line.add(&[("cnt", &finding.event_count.min(i32::MAX.unsigned_abs().into()).to_string()), ("cat", "anomaly")]);
    who(view, &mut line);
    line.add(&[("cn1", &finding.risk_score.to_string()), ("cn1Label", "risk score")]);
    line.add(&[("cfp1", &number(finding.score)), ("cfp1Label", "anomaly score")]);
    line.add(&[("cfp2", &number(finding.confidence)), ("cfp2Label", "confidence")]);
    line.add(&[("msg", &value(view.sentence(), SENTENCE))]);
    let first_reason = finding.reasons.first().map_or("", |reason| &reason.text);
    line.add(&[("reason", &value(first_reason, SENTENCE))]);
    let entity = format!("{}: {}", finding.entity.kind.name(), finding.entity.value);
    custom(&mut line, ("cs1", "cs1Label", "ATT&CK techniques"), &value(&line::techniques(finding), NAME));
    custom(&mut line, ("cs2", "cs2Label", "ATT&CK tactics"), &value(&line::tactics(finding), NAME));
    custom(&mut line, ("cs3", "cs3Label", "entity"), &value(&entity, NAME));
    custom(&mut line, ("cs4", "cs4Label", "chain"), &value(&line::chain(finding), NAME));
    custom(&mut line, ("cs5", "cs5Label", "reasons"), &value(&line::reasons(finding), SENTENCE));
    let room = line.room().saturating_sub(40).min(EVIDENCE);
    custom(&mut line, ("cs6", "cs6Label", "evidence"), &value(&line::evidence(view), room));
    line.finish()
}

/// The name is the threat's, not the finding's title: the standard wants nothing in it that other fields say.
fn header(finding: &Finding) -> String {
    let fields = [
        ("CEF:0", 5),
        (product::VENDOR, 63),
        (product::PRODUCT, 63),
        (product::VERSION, 31),
        (finding.threat_type.name(), 1023),
        (finding.threat_type.title(), 512),
    ];
    let escaped = fields.map(|(field, most)| tamed(field, most, &[]).replace('\\', r"\\").replace('|', r"\|"));
    format!("{}|{}|", escaped.join("|"), of_ten(finding.severity))
}

fn times(view: View<'_>, line: &mut Line) {
    let milliseconds = |time: jiff::Timestamp| time.as_millisecond().to_string();
    if let Some(time) = view.time() {
        line.add(&[("rt", &milliseconds(time))]);
    }
    if let Some(first) = view.0.first_seen {
        line.add(&[("start", &milliseconds(first))]);
    }
    if let Some(last) = view.0.last_seen {
        line.add(&[("end", &milliseconds(last))]);
    }
}

fn who(view: View<'_>, line: &mut Line) {
    let named = |kind| value(view.one(kind).unwrap_or(""), NAME);
    let threat = view.0.threat_type;
    line.add(&[(if aims_at_the_user(threat) { "duser" } else { "suser" }, &named(EntityKind::User))]);
    let ips = view.ips();
    if let Some(ip) = ips.iter().find(|ip| ip.is_ipv4()) {
        line.add(&[("src", &ip.to_string())]);
    }
    if let Some(ip) = ips.iter().find(|ip| IpAddr::is_ipv6(ip)) {
        line.add(&[("c6a2", &ip.to_string()), ("c6a2Label", "Source IPv6 Address")]);
    }
    line.add(&[(if comes_from_the_host(threat) { "shost" } else { "dhost" }, &named(EntityKind::Host))]);
    line.add(&[("sproc", &named(EntityKind::Process))]);
    line.add(&[("act", &value(view.one(EntityKind::Action).unwrap_or(""), 63))]);
    line.add(&[("request", &value(view.url().unwrap_or(""), PATH))]);
    let resources = view.all(EntityKind::Resource);
    let path = resources.into_iter().find(|it| !is_url(it) && it.contains(['/', '\\']));
    line.add(&[("filePath", &value(path.unwrap_or(""), PATH))]);
    line.add(&[("requestClientApplication", &named(EntityKind::UserAgent))]);
}

/// Whether the account is the target, not the one who acts.
const fn aims_at_the_user(threat: ThreatType) -> bool {
    matches!(threat, ThreatType::BruteForce | ThreatType::PasswordSpraying | ThreatType::CredentialStuffing)
}

/// Whether the host is where it comes from, not where it goes to.
const fn comes_from_the_host(threat: ThreatType) -> bool {
    matches!(threat, ThreatType::Beaconing | ThreatType::DataExfiltration | ThreatType::SlowExfiltration)
}

fn custom(line: &mut Line, (key, label_key, label): (&str, &str, &str), value: &str) {
    line.add(&[(key, value), (label_key, label)]);
}

fn number(number: f64) -> String {
    format!("{:.4}", unit(number))
}

/// A value of the extension: `\`, `=` and line ends escaped, other control characters replaced by a space. Its limit holds
/// for what stands in the line, so that text full of what is escaped takes no more room than other text.
fn value(text: &str, most: usize) -> String {
    let tame = tamed(text, most, &['\n', '\r']);
    let whole: usize = tame.chars().map(|it| escape(it).map_or(it.len_utf8(), str::len)).sum();
    let (room, is_cut) = if whole > most { (most.saturating_sub(ELLIPSIS.len_utf8()), true) } else { (most, false) };
    let mut escaped = String::with_capacity(whole.min(most));
    for character in tame.chars() {
        let before = escaped.len();
        match escape(character) {
            Some(escape) => escaped.push_str(escape),
            None => escaped.push(character),
        }
        if escaped.len() > room {
            escaped.truncate(before);
            break;
        }
    }
    if is_cut {
        escaped.push(ELLIPSIS);
    }
    escaped
}

const fn escape(character: char) -> Option<&'static str> {
    match character {
        '\\' => Some(r"\\"),
        '=' => Some(r"\="),
        '\n' => Some(r"\n"),
        '\r' => Some(r"\r"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_pipes_are_not() {
        assert_eq!(value("a====", 8), r"a\=\=\u{2026}".replace(r"\u{2026}", "\u{2026}"));
        assert_eq!(value(" a=b|c\\d\r\ne\0f\t", 100), r"a\=b|c\\d\r\ne f");
    }
}
