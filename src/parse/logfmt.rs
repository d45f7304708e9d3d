//! `key=value` pairs: logfmt, and the pairs that other formats hold.

use super::record::{Fault, Record};

/// Whether a line consists of pairs.
pub(super) fn fits(line: &str) -> bool {
    let (mut pairs, mut others) = (0, 0);
    for token in Pairs::new(line) {
        match token {
            Token::Pair { .. } => pairs += 1,
            Token::Word(_) => others += 1,
        }
    }
    pairs >= 2 && others <= pairs
}

/// Reads one line.
pub(super) fn read(record: &mut Record<'_>) -> Result<(), Fault> {
    if super::messages::audit::fits(record.text) {
        return super::messages::audit::read(record);
    }
    if feed(record, record.text) == 0 {
        return Err(Fault::malformed("expected key=value pairs"));
    }
    Ok(())
}

/// Feeds the pairs of a text as fields; how many there were.
pub(super) fn feed(record: &mut Record<'_>, text: &str) -> usize {
    let mut count = 0;
    for token in Pairs::new(text) {
        if let Token::Pair { key, value, escaped } = token {
            count += 1;
            if escaped {
                record.field(key, &unescape(value));
            } else if !value.is_empty() {
                record.field(key, value);
            }
        }
    }
    count
}

/// A piece of a line.
pub(super) enum Token<'a> {
    /// `key=value`, the value without its quotes.
    Pair {
        /// The name.
        key: &'a str,
        /// The value.
        value: &'a str,
        /// It holds backslashes that mean something.
        escaped: bool,
    },
    /// Anything else.
    Word(#[allow(dead_code)] &'a str),
}

/// The pieces of a line.
pub(super) struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.trim_start_matches([' ', '\t', ',', ';']);
        if text.is_empty() {
            return None;
        }
        let bytes = text.as_bytes();
        let key_end = bytes.iter().position(|byte| matches!(byte, b'=' | b' ' | b'\t' | b'"')).unwrap_or(bytes.len());
        if bytes.get(key_end) != Some(&b'=') || key_end == 0 {
            let end = memchr::memchr2(b' ', b'\t', bytes).unwrap_or(bytes.len());
            self.rest = &text[end..];
            return Some(Token::Word(&text[..end]));
        }
        let key = &text[..key_end];
        let value = &text[key_end + 1..];
        let quote = value.as_bytes().first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
        if let Some(quote) = quote
            && let Some((length, escaped)) = closing(&value.as_bytes()[1..], quote)
        {
            self.rest = &value[length + 2..];
            return Some(Token::Pair { key, value: &value[1..=length], escaped });
        }
        let end = memchr::memchr2(b' ', b'\t', value.as_bytes()).unwrap_or(value.len());
        self.rest = &value[end..];
        Some(Token::Pair { key, value: value[..end].trim_end_matches([',', ';']), escaped: false })
    }
}

/// Length of a quoted text before its closing quote, and whether there are backslashes in it.
fn closing(text: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut from, mut escaped) = (0, false);
    loop {
        let found = memchr::memchr2(quote, b'\\', text.get(from..)?)? + from;
        if text[found] == quote {
            return Some((found, escaped));
        }
        escaped = true;
        from = found + 2;
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => {}
            },
            other => plain.push(other),
        }
    }
    plain
}
