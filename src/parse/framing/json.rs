//! JSON objects in arrays, in arrays inside objects, or one after another.
//!
//! A light grammar runs along: it knows which byte may follow which, no more. That is enough to see where an object
//! breaks, and then the next place that looks like the start of an object at the same level is one; so a broken
//! element costs itself and not its neighbors.

use std::ops::Range;

use super::{
    Cut, Framer, HeaderChange,
    envelope::{Envelope, Found},
    restart::{self, Restart},
};
use crate::parse::ComplaintReason;

/// Starts that are tried within one broken object; hostile input would make each cost the whole object.
const ATTEMPTS: u32 = 16;

/// Nesting beyond which the brackets of a lost object are not followed any more.
const DEEPEST: usize = 1 << 16;

pub(super) struct JsonFramer {
    max: usize,
    wrapped: bool,
    mode: Mode,
    /// Next byte to look at.
    at: usize,
    /// First byte of what is being read.
    start: usize,
    /// What is being read is too long and has been given up.
    lost: bool,
    /// It has just been given up, and has not been told of.
    untold: bool,
    /// Spaces before it if it is the first on its line; while between records, so far.
    indent: Option<usize>,
    scan: Scan,
    envelope: Envelope,
    /// Open brackets of the envelope's array, 0 outside.
    array: usize,
    /// Where the grammar was broken last, and how many starts before that place have been tried.
    breach: (usize, u32),
    records: Vec<Range<u32>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Among records: separators, or the end of the array.
    Between,
    /// In something that is no object where one is expected.
    Garbage,
    /// In an object that is a record.
    Element,
    /// In a broken record, looking for the next start.
    Seek,
    /// In the object around the array of records.
    Envelope,
}

#[derive(Debug, Default)]
struct Scan {
    /// The open brackets.
    open: Vec<u8>,
    previous: Previous,
    in_string: bool,
}

/// What stands before the next byte, as far as the grammar cares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Previous {
    #[default]
    Open,
    Colon,
    Comma,
    Value,
    Literal,
}

enum Step {
    Go,
    /// The buffer is used up.
    More,
}

impl JsonFramer {
    pub(super) fn new(max: usize, wrapped: bool, resumed: bool) -> Self {
        Self {
            max,
            wrapped,
            mode: Mode::Between,
            at: 0,
            start: 0,
            lost: false,
            untold: false,
            indent: Some(0),
            scan: Scan::default(),
            envelope: Envelope::default(),
            array: usize::from(wrapped && resumed),
            breach: (usize::MAX, 0),
            records: Vec::new(),
        }
    }

    fn between(&mut self, buffer: &[u8]) -> Step {
        while let Some(&byte) = buffer.get(self.at) {
            match byte {
                b'\n' => self.indent = Some(0),
                b' ' | b'\t' | b'\r' => self.indent = self.indent.map(|spaces| spaces + 1),
                b'{' => {
                    self.start = self.at;
                    self.lost = false;
                    if self.wrapped && self.array == 0 {
                        self.envelope = Envelope::default();
                        self.mode = Mode::Envelope;
                    } else {
                        self.scan = Scan::default();
                        self.mode = Mode::Element;
                    }
                    return Step::Go;
                }
                b'[' if self.array > 0 => self.array += 1,
                b']' if self.array > 0 => {
                    self.array -= 1;
                    if self.array == 0 {
                        self.at += 1;
                        self.mode = Mode::Envelope;
                        return Step::Go;
                    }
                }
                // Zeros from files with holes, the record separator of RFC 7464, the mark of joined UTF-8 files.
                b',' | b'[' | b']' | b'}' | 0 | 0x1E | 0xEF | 0xBB | 0xBF => self.indent = None,
                _ => {
                    self.start = self.at;
                    self.lost = false;
                    self.mode = Mode::Garbage;
                    return Step::Go;
                }
            }
            self.at += 1;
        }
        Step::More
    }

    fn garbage(&mut self, buffer: &[u8], at_end: bool) -> Step {
        let limit = self.limit(buffer);
        match memchr::memchr2(b'\n', b'{', &buffer[self.at.min(limit)..limit]) {
            Some(found) => self.at += found,
            None if limit == buffer.len() && !at_end => {
                self.at = limit;
                return Step::More;
            }
            None if limit == buffer.len() => self.at = limit,
            None => return self.give_up(limit),
        }
        self.push(buffer, self.at);
        self.mode = Mode::Between;
        self.indent = None;
        Step::Go
    }

    fn element(&mut self, buffer: &[u8]) -> Step {
        let limit = self.limit(buffer);
        while self.at < limit {
            let Scan { open, previous, in_string } = &mut self.scan;
            if *in_string {
                let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &buffer[self.at..limit]) else {
                    self.at = limit;
                    break;
                };
                self.at += found;
                match (buffer[self.at], buffer.get(self.at + 1)) {
                    (b'"', _) => (*in_string, *previous) = (false, Previous::Value),
                    (b'\\', None) => return Step::More,
                    (b'\\', Some(next)) if *next != b'\n' => self.at += 1,
                    // No string holds a line feed as such: somebody forgot the closing quote.
                    _ => return self.broken(),
                }
                self.at += 1;
                continue;
            }
            let byte = buffer[self.at];
            let in_array = open.last() == Some(&b'[');
            let wants_value =
                *previous == Previous::Colon || in_array && matches!(previous, Previous::Open | Previous::Comma);
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' if *previous == Previous::Literal => *previous = Previous::Value,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'"' if matches!(previous, Previous::Open | Previous::Colon | Previous::Comma) => *in_string = true,
                b'{' | b'[' if wants_value || open.is_empty() => {
                    open.push(byte);
                    *previous = Previous::Open;
                    if self.lost && open.len() > DEEPEST {
                        return self.broken();
                    }
                }
                b'}' | b']' if open.last() == Some(&(byte - 2)) => {
                    open.pop();
                    *previous = Previous::Value;
                    if open.is_empty() {
                        self.at += 1;
                        self.push(buffer, self.at);
                        self.mode = Mode::Between;
                        self.indent = None;
                        return Step::Go;
                    }
                }
                b',' if matches!(previous, Previous::Value | Previous::Literal) => *previous = Previous::Comma,
                b':' if *previous == Previous::Value => *previous = Previous::Colon,
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.'
                    if wants_value || *previous == Previous::Literal =>
                {
                    *previous = Previous::Literal;
                }
                _ => return self.broken(),
            }
            self.at += 1;
        }
        if limit < buffer.len() || !self.lost && self.at > self.start + self.max {
            return self.give_up(self.at);
        }
        Step::More
    }

    /// The grammar is broken at the present place: the next record may start anywhere within this one.
    fn broken(&mut self) -> Step {
        let (place, attempts) = self.breach;
        self.breach = (self.at, if place == self.at { attempts + 1 } else { 1 });
        if !self.lost && self.breach.1 <= ATTEMPTS {
            self.at = self.start + 1;
        }
        self.mode = Mode::Seek;
        Step::Go
    }

    fn seek(&mut self, buffer: &[u8], at_end: bool) -> Step {
        let limit = self.limit(buffer);
        let floor = if self.lost { 0 } else { self.start };
        let restart = Restart { buffer, floor, limit, indent: self.indent, at_end };
        match restart.find(self.at) {
            restart::Place::At(place) => {
                self.push(buffer, place);
                self.at = place;
                self.start = place;
                self.lost = false;
                self.indent = restart::indent(buffer, floor, place);
                self.scan = Scan::default();
                self.mode = Mode::Element;
                Step::Go
            }
            restart::Place::Unknown(place) => {
                self.at = place;
                Step::More
            }
            restart::Place::None if limit < buffer.len() => self.give_up(limit),
            restart::Place::None => {
                self.at = limit;
                Step::More
            }
        }
    }

    fn envelope(&mut self, buffer: &[u8], at_end: bool) -> Step {
        match self.envelope.read(buffer, &mut self.at, at_end) {
            Found::Nothing => {
                // Its letters are not kept any longer; whether it is a record of its own shows at its end.
                self.lost |= self.at > self.start + self.max;
                Step::More
            }
            Found::Array => {
                self.array = 1;
                self.mode = Mode::Between;
                self.indent = None;
                Step::Go
            }
            Found::End => {
                // Nothing in it was an array of records, so it is one itself.
                self.mode = Mode::Between;
                self.indent = None;
                if self.envelope.has_array {
                    return Step::Go;
                }
                if self.lost || self.at > self.start + self.max {
                    return self.give_up(self.at);
                }
                self.push(buffer, self.at);
                Step::Go
            }
        }
    }

    /// Where what is being read becomes too long.
    fn limit(&self, buffer: &[u8]) -> usize {
        if self.lost { buffer.len() } else { buffer.len().min(self.start + self.max + 1) }
    }

    fn give_up(&mut self, at: usize) -> Step {
        self.at = at;
        self.lost = true;
        self.untold = true;
        Step::More
    }

    fn push(&mut self, buffer: &[u8], end: usize) {
        if self.lost {
            return;
        }
        let is_filler = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let length = buffer[self.start..end].iter().rposition(|byte| !is_filler(byte)).map_or(1, |last| last + 1);
        self.records.push(self.start as u32..(self.start + length) as u32);
    }

    /// The first byte that is still needed.
    fn keep(&self) -> usize {
        match self.mode {
            Mode::Between => self.at,
            Mode::Envelope if self.envelope.has_array || self.lost => self.at,
            Mode::Seek if self.lost => self.at.saturating_sub(restart::LOOK),
            _ if self.lost => self.at,
            _ => self.start,
        }
    }

    fn shift(&mut self, by: usize) {
        self.at -= by;
        self.start = self.start.saturating_sub(by);
        self.breach.0 = self.breach.0.saturating_sub(by);
    }

    /// Hands out the records that were found, before `end`.
    fn flush(&mut self, end: usize) -> Cut {
        self.shift(end);
        if self.records.is_empty() {
            return Cut::Skip { end };
        }
        Cut::Records { end, records: std::mem::take(&mut self.records), header: HeaderChange::None }
    }

    /// The log ends within something.
    fn finish(&mut self, buffer: &[u8]) -> Cut {
        let is_open = match self.mode {
            Mode::Between => false,
            Mode::Envelope => !self.envelope.has_array,
            _ => true,
        };
        if !is_open || self.lost && self.mode != Mode::Envelope {
            self.at = buffer.len();
            self.mode = Mode::Between;
            return self.flush(buffer.len());
        }
        if self.start > 0 {
            return self.flush(self.start);
        }
        self.at = 0;
        self.mode = Mode::Between;
        Cut::Lost { sample: 0..buffer.len(), end: buffer.len(), reason: ComplaintReason::Truncated }
    }
}

impl Framer for JsonFramer {
    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        if buffer.is_empty() {
            return Cut::More;
        }
        loop {
            if self.untold {
                if self.start > 0 {
                    return self.flush(self.start);
                }
                self.untold = false;
                let end = std::mem::take(&mut self.at);
                return Cut::Lost { sample: 0..end, end, reason: ComplaintReason::TooLong };
            }
            let step = match self.mode {
                Mode::Between => self.between(buffer),
                Mode::Garbage => self.garbage(buffer, at_end),
                Mode::Element => self.element(buffer),
                Mode::Seek => self.seek(buffer, at_end),
                Mode::Envelope => self.envelope(buffer, at_end),
            };
            if matches!(step, Step::Go) || self.untold {
                continue;
            }
            let tried = self.breach.0 == buffer.len() && self.breach.1 > ATTEMPTS;
            if at_end && self.mode == Mode::Element && !tried {
                // It does not end: something in it is broken, and records may be hidden behind that.
                self.at = buffer.len();
                self.broken();
                continue;
            }
            if at_end {
                return self.finish(buffer);
            }
            let keep = self.keep();
            return if keep > 0 { self.flush(keep) } else { Cut::More };
        }
    }
}
