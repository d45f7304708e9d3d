//! A finding as a message: a header, and beside the bar in the color of its severity what was seen, what is usual, where
//! and when. Pure.
//!
//! Raw records are left out on purpose: a channel has more readers than a log.

use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest, Sha256};
use watchbell_sink::{Attack, Finding, Severity};

use crate::{
    text::{code, inert, length, plain},
    wire::{Attachment, Block, Event, Message, Metadata, Reading, Text},
};

/// The most reasons and observables that are shown.
const REASONS: usize = 5;
const OBSERVABLES: usize = 5;
const TECHNIQUES: usize = 3;

/// The finding as a message whose blocks have at most `budget` characters as JSON.
pub(crate) fn message(finding: &Finding, channel: Option<&str>, budget: usize) -> Message {
    // The first that fits; the last one is so short that it always does.
    let shorter = [1, 2, 4, 8, 16, 32].map(|divisor| laid_out(finding, channel, divisor));
    let fits = |message: &&Message| size(message) <= budget;
    shorter.iter().find(fits).unwrap_or(&shorter[5]).clone()
}

/// Characters of all blocks as JSON.
pub(crate) fn size(message: &Message) -> usize {
    let inner = message.attachments.iter().flat_map(|attachment| &attachment.blocks);
    let json = |block: &Block| serde_json::to_string(block).expect("blocks have text keys only");
    message.blocks.iter().chain(inner).map(|block| length(&json(block))).sum()
}

fn laid_out(finding: &Finding, channel: Option<&str>, divisor: usize) -> Message {
    let title = plain(&finding.title, 150);
    let said = format!("{}: {title}", name(finding.severity));
    let mut blocks = vec![
        Block::Section { text: Some(Text::plain(plain(&finding.summary, 1200 / divisor))), fields: Vec::new() },
        Block::Section { text: None, fields: fields(finding, 240 / divisor) },
    ];
    if !finding.reasons.is_empty() {
        blocks.push(Block::Section { text: Some(Text::plain(reasons(finding, 400 / divisor))), fields: Vec::new() });
    }
    blocks.push(Block::Context { elements: vec![Text::plain(origin(finding, 300 / divisor))] });
    let said = inert(&said, 400);
    Message {
        channel: channel.map(str::to_owned),
        thread_ts: None,
        text: said.clone(),
        blocks: vec![Block::Header { text: Text::plain(title.clone()) }],
        attachments: vec![Attachment { color: color(finding.severity).to_owned(), fallback: said, blocks }],
        metadata: Some(Metadata {
            event_type: "watchbell_finding".to_owned(),
            event_payload: Event {
                finding_id: plain(&finding.id, 64),
                group: group(finding),
                title,
                severity: finding.severity.name().to_owned(),
                event_count: finding.event_count,
            },
        }),
        reading: Reading::default(),
    }
}

/// The same for findings of one threat type about one entity. A digest, because the entity's name may be long.
fn group(finding: &Finding) -> String {
    let mut digest = Sha256::new();
    for part in [finding.threat_type.name(), finding.entity.kind.name(), &finding.entity.value] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn fields(finding: &Finding, most: usize) -> Vec<Text> {
    let field = |name: &str, value: String| Text::marked(format!("*{name}*\n{value}"));
    let mut fields = vec![
        field("Severity", format!("{}, risk {}", name(finding.severity), finding.risk_score)),
        field(
            "Entity",
            format!("{} {}", finding.entity.kind.name().replace('_', " "), code(&finding.entity.value, most)),
        ),
        field("Events", finding.event_count.to_string()),
        field("Confidence", percent(finding.confidence)),
    ];
    if let Some(time) = times(finding) {
        fields.push(field("When", time));
    }
    if !finding.attacks.is_empty() {
        let techniques: Vec<String> =
            finding.attacks.iter().take(TECHNIQUES).map(|attack| technique(attack, most)).collect();
        fields.push(field("Technique", techniques.join("\n")));
    }
    if finding.chain.len() > 1 {
        let chain: Vec<&str> = finding.chain.iter().take(8).map(|threat| threat.title()).collect();
        fields.push(field("Chain", chain.join(" → ")));
    }
    let others: Vec<String> = finding
        .observables
        .iter()
        .filter(|it| (it.kind, &it.value) != (finding.entity.kind, &finding.entity.value))
        .take(OBSERVABLES)
        .map(|it| format!("{} {}", it.kind.name().replace('_', " "), code(&it.value, most / 2 + 2)))
        .collect();
    if !others.is_empty() {
        fields.push(field("Seen with", others.join("\n")));
    }
    fields
}

fn reasons(finding: &Finding, most: usize) -> String {
    let mut lines = vec!["Why".to_owned()];
    for reason in finding.reasons.iter().take(REASONS) {
        let (observed, typical) = (plain(&reason.observed, most / 4), plain(&reason.typical, most / 4));
        lines.push(format!(
            "• {}: {} (observed {observed}, usual {typical})",
            percent(reason.share),
            plain(&reason.text, most / 2)
        ));
    }
    if finding.reasons.len() > REASONS {
        lines.push(format!("• and {} more", finding.reasons.len() - REASONS));
    }
    lines.join("\n")
}

/// Where to read on.
fn origin(finding: &Finding, most: usize) -> String {
    let id = plain(&finding.id, 64);
    match finding.evidence.first() {
        Some(event) => {
            let file = plain(&event.file, most);
            format!("Watchbell finding {id} · evidence from {file}, record {}; the report shows all of it", event.line)
        }
        None => format!("Watchbell finding {id}"),
    }
}

fn times(finding: &Finding) -> Option<String> {
    let written = |time: Timestamp, format| time.to_zoned(TimeZone::UTC).strftime(format).to_string();
    let (first, last) = (finding.first_seen.or(finding.last_seen)?, finding.last_seen.or(finding.first_seen)?);
    let day = "%Y-%m-%d";
    let whole = "%Y-%m-%d %H:%M:%S";
    let end = if written(first, day) == written(last, day) { "%H:%M:%S" } else { whole };
    Some(match first == last {
        true => format!("{} UTC", written(first, whole)),
        false => format!("{} to {} UTC", written(first, whole), written(last, end)),
    })
}

/// A link where the id is one; a finding may come from elsewhere, and its id then is just text.
fn technique(attack: &Attack, most: usize) -> String {
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let id = &attack.technique_id;
    let (base, sub) = id.split_once('.').map_or((id.as_str(), None), |(base, sub)| (base, Some(sub)));
    let known = base.strip_prefix('T').is_some_and(|rest| digits(rest, 4)) && sub.is_none_or(|sub| digits(sub, 3));
    match known {
        true => {
            let name = inert(&attack.technique_name, most / 2 + 2).replace('|', "¦");
            format!("<https://attack.mitre.org/techniques/{}/|{id} {name}>", id.replace('.', "/"))
        }
        false => code(id, most / 2 + 2),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The severity's name for people.
pub(crate) const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "High",
        Severity::Medium => "Medium",
        Severity::Low => "Low",
        Severity::Informational => "Informational",
    }
}

/// The bar's color; the name stands in the text as well, for those who don't see it.
pub(crate) const fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#8b0000",
        Severity::High => "#d1242f",
        Severity::Medium => "#d4810b",
        Severity::Low => "#2f6fb5",
        Severity::Informational => "#8a8f98",
    }
}
