//! The content of a message as text, JSON, CEF or LEEF, shortened until it fits. Pure.
//!
//! Only text is cut at its end. JSON that is cut is no JSON, and a cut CEF line tells a wrong last value: those are
//! worded again from a finding with less in it.

use serde::Serialize;
use watchbell_schemas::{cef, leef};
use watchbell_sink::{Finding, Severity, ThreatType};

use crate::config::Content;

/// What is left of a finding, step by step: letters of a text, items of a list, events as evidence.
const STEPS: [(usize, usize, usize); 6] =
    [(1024, 20, 3), (512, 10, 1), (256, 6, 0), (96, 3, 0), (32, 1, 0), (16, 0, 0)];

/// The content of at most so many bytes.
pub(crate) fn body(content: Content, finding: &Finding, room: usize) -> String {
    match content {
        Content::Text => text(finding, room),
        Content::Json => json(finding, room),
        Content::Cef => line(cef::line, finding, room),
        Content::Leef => line(leef::line, finding, room),
    }
}

fn text(finding: &Finding, room: usize) -> String {
    let tail = format!(
        " [severity={} risk={} confidence={:.2} events={} finding={}]",
        finding.severity,
        finding.risk_score,
        finding.confidence,
        finding.event_count,
        visible(&finding.id)
    );
    let room = room.saturating_sub(tail.len());
    let said = visible(&format!("{}: {}", finding.title, finding.summary));
    match said.len() {
        length if length <= room => format!("{said}{tail}"),
        _ => format!("{}…{tail}", cut(&said, room.saturating_sub('…'.len_utf8()))),
    }
}

/// A finding as JSON, and whether something was left out.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// What fits into every message.
#[derive(Serialize)]
struct Core<'a> {
    id: &'a str,
    threat_type: ThreatType,
    severity: Severity,
    risk_score: u8,
    truncated: bool,
}

fn json(finding: &Finding, room: usize) -> String {
    let worded = |finding: &Finding, truncated| json_text(&Document { finding, truncated });
    let whole = worded(finding, false);
    let shorter = || shortened(finding).map(|finding| worded(&finding, true)).find(|json| json.len() <= room);
    if whole.len() <= room {
        return whole;
    }
    shorter().unwrap_or_else(|| {
        let (threat_type, severity, risk_score) = (finding.threat_type, finding.severity, finding.risk_score);
        json_text(&Core { id: cut(&finding.id, 64), threat_type, severity, risk_score, truncated: true })
    })
}

/// JSON in which every control character is an escape, also those that JSON lets stand.
fn json_text(document: &impl Serialize) -> String {
    let json = serde_json::to_string(document).expect("findings have text keys only");
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            // All of these are in the basic plane, and they stand within strings only.
            _ if is_hidden(letter) => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out
}

fn line(worded: impl Fn(&Finding) -> String, finding: &Finding, room: usize) -> String {
    let whole = worded(finding);
    if whole.len() <= room {
        return whole;
    }
    let shorter = shortened(finding).map(|finding| worded(&finding)).find(|line| line.len() <= room);
    shorter.unwrap_or_else(|| {
        let start = cut(&whole, room);
        // An escape that lost its letter would escape what the receiver puts behind it.
        let slashes = start.len() - start.trim_end_matches('\\').len();
        start[..start.len() - slashes % 2].to_owned()
    })
}

fn shortened(finding: &Finding) -> impl Iterator<Item = Finding> + '_ {
    STEPS.iter().map(|&(letters, items, events)| {
        let mut less = finding.clone();
        let short = |text: &mut String| {
            if let Some((end, _)) = text.char_indices().nth(letters) {
                text.truncate(end);
                text.push('…');
            }
        };
        less.evidence.truncate(events);
        less.observables.truncate(items);
        less.reasons.truncate(items);
        less.attacks.truncate(items);
        less.chain.truncate(items.max(1));
        [&mut less.title, &mut less.summary, &mut less.entity.value].into_iter().for_each(short);
        less.observables.iter_mut().for_each(|it| short(&mut it.value));
        less.evidence.iter_mut().for_each(|it| [&mut it.raw, &mut it.file].into_iter().for_each(short));
        for reason in &mut less.reasons {
            [&mut reason.feature, &mut reason.text, &mut reason.observed, &mut reason.typical]
                .into_iter()
                .for_each(short);
        }
        for attack in &mut less.attacks {
            attack.tactics.truncate(items);
            attack.tactics.iter_mut().for_each(|it| [&mut it.id, &mut it.name].into_iter().for_each(short));
            [&mut attack.technique_id, &mut attack.technique_name, &mut attack.version].into_iter().for_each(short);
        }
        less
    })
}

/// Text in which whatever moves the cursor, ends a line or turns the writing around is spelled out.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hidden(letter) => out.extend(letter.escape_unicode()),
            _ => out.push(letter),
        }
    }
    out
}

fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The beginning of at most so many bytes that ends between letters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
