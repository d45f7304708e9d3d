//! Several findings as one message: how many of which severity, and a line for each. Made from payloads, so that what was
//! encoded is all that is sent. Pure.

use watchbell_sink::Severity;

use crate::{
    layout::{color, name},
    text::{inert, plain},
    wire::{Attachment, Block, Event, Message, Reading, Text},
};

/// The most findings in one digest; each takes a line of at most `LINE` characters.
pub(crate) const MOST: usize = 20;
/// With ids and marks, twenty of these stay below the smallest budget.
const LINE: usize = 70;

/// One message for all of these events.
pub(crate) fn digest(events: &[Event], channel: Option<String>) -> Message {
    let severity = |event: &Event| event.severity.parse::<Severity>().unwrap_or(Severity::Informational);
    let mut counts = Vec::new();
    let mut blocks = Vec::new();
    for wanted in Severity::ALL.into_iter().rev() {
        let lines: Vec<String> = events.iter().filter(|event| severity(event) == wanted).map(line).collect();
        if !lines.is_empty() {
            counts.push(format!("{} {}", lines.len(), wanted.name()));
            let text = format!("{} ({})\n{}", name(wanted), lines.len(), lines.join("\n"));
            blocks.push(Block::Section { text: Some(Text::plain(text)), fields: Vec::new() });
        }
    }
    let worst = events.iter().map(severity).max().unwrap_or(Severity::Informational);
    let title = format!("{} findings", events.len());
    let said = inert(&format!("{title}: {}", counts.join(", ")), 400);
    Message {
        channel,
        thread_ts: None,
        text: said.clone(),
        blocks: vec![Block::Header { text: Text::plain(title) }],
        attachments: vec![Attachment { color: color(worst).to_owned(), fallback: said, blocks }],
        metadata: None,
        reading: Reading::default(),
    }
}

fn line(event: &Event) -> String {
    // The whole id, so that it can be searched for.
    format!("• {} ({} events, {})", plain(&event.title, LINE), event.event_count, plain(&event.finding_id, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::violations;

    #[test]
    fn the_longest_digest_fits_into_the_smallest_budget() {
        let event = |position: usize| Event {
            finding_id: "f".repeat(32),
            group: String::new(),
            title: "\"".repeat(150),
            severity: Severity::ALL[position % 5].name().to_owned(),
            event_count: u64::MAX,
        };
        let events: Vec<Event> = (0..MOST).map(event).collect();
        let message = serde_json::to_value(digest(&events, Some("C0123456789".to_owned()))).unwrap();
        assert_eq!(violations(&message, 5000), Vec::<String>::new());
    }
}
