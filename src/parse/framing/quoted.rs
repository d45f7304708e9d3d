//! Records whose fields may be quoted and then hold line feeds.
//!
//! A quote that nobody closes would swallow the rest of the log. It shows by the next quote, which then stands where no
//! quote can close a field, or by the limit for one record; then the record ends with its first line.

use std::ops::Range;

use super::{Cut, Framer, HeaderChange};
use crate::parse::ComplaintReason;

pub(super) struct QuotedFramer {
    max: usize,
    delimiter: u8,
    skipping: bool,
}

impl QuotedFramer {
    pub(super) fn new(max: usize, delimiter: u8, in_line: bool) -> Self {
        Self { max, delimiter, skipping: in_line }
    }

    /// The end of the record that starts at `start`, with its line feed.
    fn record_end(&self, buffer: &[u8], start: usize, at_end: bool) -> Ending {
        let mut at = start;
        loop {
            match memchr::memchr2(b'\n', b'"', &buffer[at..]) {
                None if at_end => return Ending::At(buffer.len()),
                None => return Ending::Beyond,
                Some(found) if buffer[at + found] == b'\n' => return Ending::At(at + found + 1),
                Some(found) => {
                    let quote = at + found;
                    let opens = quote == start || buffer[quote - 1] == self.delimiter;
                    if !opens {
                        at = quote + 1;
                        continue;
                    }
                    match self.quoted_end(buffer, quote + 1, at_end) {
                        Quoted::Closed(after) => at = after,
                        Quoted::Broken(line_end) => return Ending::At(line_end),
                        Quoted::Open if at_end => return Ending::At(first_line_end(buffer, start)),
                        Quoted::Open if buffer.len() - start >= self.max + 2 => {
                            return match memchr::memchr(b'\n', &buffer[quote..]) {
                                Some(line_feed) => Ending::At(quote + line_feed + 1),
                                None => Ending::Beyond,
                            };
                        }
                        Quoted::Open => return Ending::Beyond,
                    }
                }
            }
        }
    }

    fn quoted_end(&self, buffer: &[u8], inside: usize, at_end: bool) -> Quoted {
        let mut at = inside;
        let mut checked = inside;
        let mut line_feed = None;
        while let Some(found) = memchr::memchr(b'"', &buffer[at..]) {
            let quote = at + found;
            if line_feed.is_none() {
                line_feed = memchr::memchr(b'\n', &buffer[checked..quote]).map(|found| checked + found);
                checked = quote;
            }
            match buffer.get(quote + 1) {
                None if at_end => return Quoted::Closed(quote + 1),
                None => return Quoted::Open,
                Some(b'"') => at = quote + 2,
                Some(b'\n' | b'\r') => return Quoted::Closed(quote + 1),
                Some(next) if *next == self.delimiter => return Quoted::Closed(quote + 1),
                Some(_) => match line_feed {
                    Some(line_feed) => return Quoted::Broken(line_feed + 1),
                    None => at = quote + 1,
                },
            }
        }
        Quoted::Open
    }
}

enum Ending {
    At(usize),
    Beyond,
}

enum Quoted {
    Closed(usize),
    Broken(usize),
    Open,
}

fn first_line_end(buffer: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &buffer[start..]).map_or(buffer.len(), |at| start + at + 1)
}

impl Framer for QuotedFramer {
    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        if buffer.is_empty() {
            return Cut::More;
        }
        if self.skipping {
            let line_feed = memchr::memchr(b'\n', buffer);
            self.skipping = line_feed.is_none();
            return Cut::Skip { end: line_feed.map_or(buffer.len(), |at| at + 1) };
        }
        if memchr::memchr(b'"', buffer).is_none()
            && let Some(at) = memchr::memrchr(b'\n', buffer)
        {
            return Cut::Records { end: at + 1, records: Vec::new(), header: HeaderChange::None };
        }
        let mut records: Vec<Range<u32>> = Vec::new();
        let mut start = 0;
        while start < buffer.len() {
            // Two more than the limit, for the end of the line.
            let window = &buffer[..buffer.len().min(start.saturating_add(self.max + 2))];
            match self.record_end(window, start, at_end && window.len() == buffer.len()) {
                Ending::At(end) => {
                    let length = line_length(&buffer[start..end]);
                    if length > 0 {
                        records.push(start as u32..(start + length) as u32);
                    }
                    start = end;
                }
                Ending::Beyond => break,
            }
        }
        if !records.is_empty() {
            return Cut::Records { end: start, records, header: HeaderChange::None };
        }
        if start > 0 {
            return Cut::Skip { end: start };
        }
        if buffer.len() > self.max + 2 {
            // A line feed within quotes would have ended it: this is one line.
            self.skipping = true;
            let end = self.max + 2;
            return Cut::Lost { sample: 0..end, end, reason: ComplaintReason::TooLong };
        }
        Cut::More
    }
}

/// Length of a line without its end, 0 if it is blank.
fn line_length(line: &[u8]) -> usize {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.trim_ascii().is_empty() { 0 } else { line.len() }
}
