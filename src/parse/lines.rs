//! Lines of any text: a time where one stands at the start, pairs where there are some, and a template.

use super::{
    Slot, logfmt, messages,
    record::{Fault, Record},
    template, time,
};

/// Words that a time may take: `Mon Mar 3 12:00:00 UTC 2025`.
const TIME_WORDS: usize = 6;

/// Reads one line. No line is without meaning, so this never fails.
pub(super) fn read(record: &mut Record<'_>, scratch: &mut Vec<u8>) -> Result<(), Fault> {
    let text = record.text;
    if messages::audit::fits(text) && messages::audit::pairs(record, text) {
        return Ok(());
    }
    let message = match leading_time(record, text) {
        Some((millis, rest)) => {
            record.builder.set_time(millis);
            rest
        }
        None => text,
    };
    let message = message.trim_start_matches([' ', '\t', ']', ':', '-', '|']).trim_end();
    record.builder.set_template(template::hash(message, scratch));
    logfmt::feed(record, message);
    record.text(Slot::Message, message);
    Ok(())
}

/// The time at the start of a line, the longest that is one, and what follows.
fn leading_time<'a>(record: &Record<'_>, text: &'a str) -> Option<(i64, &'a str)> {
    let text = text.trim_start_matches(['[', ' ', '(']);
    if !text.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let ends = text
        .bytes()
        .enumerate()
        .take(64)
        .filter(|(_, byte)| matches!(byte, b' ' | b']' | b'|' | b'\t' | b')'))
        .map(|(at, _)| at)
        .chain((text.len() < 64).then_some(text.len()));
    let mut best = None;
    for end in ends.take(TIME_WORDS) {
        let candidate = text[..end].trim_end_matches([':', ',', '-']);
        let millis = time::parse_yearless(candidate, &record.clock.zone, record.clock.reference)
            .or_else(|| time::parse_epoch(candidate));
        match millis {
            Some(millis) => best = Some((millis, &text[end..])),
            None if best.is_some() => break,
            None => {}
        }
    }
    best
}
