//! JSON objects to fields, in one pass and without building a tree.
//!
//! The scanner accepts what RFC 8259 accepts, and three things more, each with a complaint: a surrogate without its
//! partner (read as U+FFFD), bytes that are no UTF-8 (likewise), and NUL bytes (left out). It keeps its own stack, so
//! nesting costs memory up to the limit and never the thread's stack.
//!
//! Nested names are joined with dots; elements of arrays are named by their number, the first also by the array's own
//! name, those from `NAMED_ELEMENTS` on by none. Objects of an array that hold a name and a value, as in
//! `"Data": [{"@Name": "User", "#text": "bob"}]`, also give the field `Data.User`.

use std::ops::Range;

use super::ComplaintReason;
use super::build::EventBuilder;
use super::draft::NOWHERE;
use super::json_text;
use super::keys::{NodeId, PairRole, ROOT};
use super::value::Kind;

/// Elements of an array whose fields have names.
const NAMED_ELEMENTS: usize = 8;

/// Why a record can't be read, and what was expected where.
pub type Fault = (ComplaintReason, String);

/// Reads every line of `lines` in `block`, the first of which is the block's line `first_line`. Blank lines are no
/// records.
pub fn parse_json_lines(block: &[u8], lines: Range<usize>, first_line: u32, builder: &mut EventBuilder) {
    let text = std::str::from_utf8(block).ok();
    let mut start = lines.start;
    let mut line = first_line;
    while start < lines.end {
        let length = memchr::memchr(b'\n', &block[start..lines.end]).unwrap_or(lines.end - start);
        let record = trim(block, start..start + length);
        if !record.is_empty() {
            parse_record(Source { block, text }, record, line, builder);
        }
        start += length + 1;
        line = line.saturating_add(1);
    }
}

/// Reads the object that is the bytes `record` of `block`.
pub fn parse_json_record(block: &[u8], record: Range<usize>, line: u32, builder: &mut EventBuilder) {
    parse_record(Source { block, text: None }, record, line, builder);
}

/// Reads the fields of the record that was begun last; the fault that loses it, if there is one.
///
/// # Errors
///
/// The record is not one JSON object, or nested too deep.
pub fn read_record(builder: &mut EventBuilder, block: &[u8], record: Range<usize>) -> Result<(), Fault> {
    read(Source { block, text: None }, record, builder)
}

#[derive(Clone, Copy)]
struct Source<'b> {
    block: &'b [u8],
    /// The whole block, if all of it is UTF-8.
    text: Option<&'b str>,
}

fn parse_record(source: Source<'_>, record: Range<usize>, line: u32, builder: &mut EventBuilder) {
    builder.begin(source.block, record.clone(), line);
    let result = if record.len() > builder.max_record {
        let limit = builder.max_record;
        Err((ComplaintReason::TooLong, format!("longer than {limit} bytes, the limit for one record")))
    } else {
        read(source, record, builder)
    };
    match result {
        Ok(()) => builder.finish(),
        Err((reason, detail)) => {
            builder.complain(reason, detail);
            builder.discard();
        }
    }
}

fn trim(block: &[u8], record: Range<usize>) -> Range<usize> {
    let bytes = &block[record.clone()];
    let end = record.end - bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = record.start + bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    start..end.max(start)
}

fn read(source: Source<'_>, record: Range<usize>, builder: &mut EventBuilder) -> Result<(), Fault> {
    let start = record.start;
    let text = match source.text {
        Some(text) => Ok((&text[..record.end], record.start)),
        None => std::str::from_utf8(&source.block[record.clone()]).map(|text| (text, 0)),
    };
    let Ok((text, from)) = text else { return read_repaired(source.block, record, builder) };
    // Letters stand in the block where they stand in the text, moved by what was cut off before it.
    match Scanner::run(text, from, Some(start - from), builder) {
        Err(_) if source.block[record.clone()].contains(&0) => read_repaired(source.block, record, builder),
        Err(trouble) => Err(trouble.fault(from)),
        Ok(oddities) => {
            oddities.tell(builder);
            Ok(())
        }
    }
}

/// Reads a record that is not UTF-8 or holds NULs, from a mended copy.
fn read_repaired(block: &[u8], record: Range<usize>, builder: &mut EventBuilder) -> Result<(), Fault> {
    builder.restart();
    let lossy = String::from_utf8_lossy(&block[record.clone()]);
    let mended: String = lossy.chars().filter(|letter| *letter != '\0').collect();
    let oddities = Scanner::run(&mended, 0, None, builder).map_err(|trouble| trouble.fault(0))?;
    oddities.tell(builder);
    if let Err(error) = std::str::from_utf8(&block[record.clone()]) {
        let place = error.valid_up_to() + 1;
        builder.complain(ComplaintReason::Encoding, format!("byte {place}: expected UTF-8"));
    }
    if let Some(place) = memchr::memchr(0, &block[record]) {
        builder.complain(ComplaintReason::Nul, format!("byte {}: expected no NUL", place + 1));
    }
    Ok(())
}

/// What ends the reading of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Expected(&'static str, usize),
    TooDeep(usize),
}

impl Trouble {
    fn fault(self, from: usize) -> Fault {
        match self {
            Self::Expected(what, at) => {
                (ComplaintReason::Malformed, format!("byte {}: expected {what}", at.saturating_sub(from) + 1))
            }
            Self::TooDeep(limit) => (ComplaintReason::TooDeep, format!("expected at most {limit} levels of nesting")),
        }
    }
}

/// What is odd about a record that is read nevertheless.
#[derive(Debug, Default)]
struct Oddities {
    duplicate: Option<String>,
    surrogate: bool,
    nul: bool,
}

impl Oddities {
    #[inline]
    fn tell(self, builder: &mut EventBuilder) {
        if let Some(path) = self.duplicate {
            builder.complain(ComplaintReason::DuplicateKey, format!("expected `{path}` once"));
        }
        if self.surrogate {
            builder.complain(ComplaintReason::Encoding, "expected surrogates in pairs".to_owned());
        }
        if self.nul {
            builder.complain(ComplaintReason::Nul, "expected no \\u0000".to_owned());
        }
    }
}

/// A value in the text.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    kind: LeafKind,
    start: usize,
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeafKind {
    Text,
    EscapedText,
    Number,
    Word,
    Null,
}

/// An object or array that is open.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    id: NodeId,
    is_array: bool,
    /// Whether its first member or element was come to.
    begun: bool,
    /// Elements so far.
    count: usize,
    /// Tells objects apart, for duplicate keys.
    serial: u64,
    /// Name and value of an object that is a pair.
    name: Option<Leaf>,
    value: Option<Leaf>,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// What to add to a place in the text to get one in the block; none if the text is a copy.
    offset: Option<usize>,
    frames: Vec<Frame>,
    oddities: Oddities,
    max_depth: usize,
}

impl<'t> Scanner<'t> {
    fn run(text: &'t str, at: usize, offset: Option<usize>, builder: &mut EventBuilder) -> Result<Oddities, Trouble> {
        let frames = std::mem::take(&mut builder.frames);
        let max_depth = builder.max_depth;
        let mut scanner = Self { text, at, offset, frames, oddities: Oddities::default(), max_depth };
        let result = scanner.record(builder);
        scanner.frames.clear();
        builder.frames = scanner.frames;
        result.map(|()| scanner.oddities)
    }

    fn record(&mut self, builder: &mut EventBuilder) -> Result<(), Trouble> {
        self.skip_blanks();
        if self.peek() != Some(b'{') {
            return Err(Trouble::Expected("an object", self.at));
        }
        self.open(ROOT, builder)?;
        while let Some(frame) = self.frames.last() {
            let (id, serial) = (frame.id, frame.serial);
            if frame.is_array {
                self.elements(builder)?;
            } else {
                self.members(id, serial, builder)?;
            }
        }
        self.skip_blanks();
        if self.at < self.text.len() { Err(Trouble::Expected("the end of the record", self.at)) } else { Ok(()) }
    }

    /// Members of the innermost object, up to its end or to the start of another object or array in it.
    fn members(&mut self, parent: NodeId, serial: u64, builder: &mut EventBuilder) -> Result<(), Trouble> {
        if self.starts_or_ends(b'}', builder)? {
            return Ok(());
        }
        loop {
            let id = self.key(parent, serial, builder)?;
            self.skip_blanks();
            if let Some(b'{' | b'[') = self.peek() {
                return self.open(id, builder);
            }
            self.leaf(id, builder)?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.close(builder);
                    return Ok(());
                }
                _ => return Err(Trouble::Expected("a comma or `}`", self.at)),
            }
            self.skip_blanks();
        }
    }

    /// Elements of the innermost array, likewise.
    fn elements(&mut self, builder: &mut EventBuilder) -> Result<(), Trouble> {
        if self.starts_or_ends(b']', builder)? {
            return Ok(());
        }
        loop {
            let id = self.element(builder);
            if let Some(b'{' | b'[') = self.peek() {
                return self.open(id, builder);
            }
            self.leaf(id, builder)?;
            self.skip_blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.close(builder);
                    return Ok(());
                }
                _ => return Err(Trouble::Expected("a comma or `]`", self.at)),
            }
            self.skip_blanks();
        }
    }

    /// Comes to the first or next member or element of the innermost object or array; whether that ended instead.
    fn starts_or_ends(&mut self, end: u8, builder: &mut EventBuilder) -> Result<bool, Trouble> {
        self.skip_blanks();
        let Some(frame) = self.frames.last_mut() else { return Ok(true) };
        let first = !std::mem::replace(&mut frame.begun, true);
        if self.peek() == Some(end) {
            self.close(builder);
            return Ok(true);
        }
        if !first {
            if self.peek() != Some(b',') {
                return Err(Trouble::Expected(if end == b'}' { "a comma or `}`" } else { "a comma or `]`" }, self.at));
            }
            self.at += 1;
            self.skip_blanks();
        }
        Ok(false)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self, parent: NodeId, serial: u64, builder: &mut EventBuilder) -> Result<NodeId, Trouble> {
        if self.peek() != Some(b'"') {
            return Err(Trouble::Expected("a key", self.at));
        }
        let start = self.at + 1;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let id = match builder.keys.predict(parent, rest) {
            Some((id, length)) => {
                self.at = start + length + 1;
                id
            }
            None => self.new_key(parent, start, builder)?,
        };
        if builder.keys.seen_before(id, serial) && self.oddities.duplicate.is_none() {
            self.oddities.duplicate = Some(builder.keys.path(id));
        }
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(Trouble::Expected("a colon", self.at));
        }
        self.at += 1;
        Ok(id)
    }

    fn new_key(&mut self, parent: NodeId, start: usize, builder: &mut EventBuilder) -> Result<NodeId, Trouble> {
        let leaf = self.string(start)?;
        let raw = &self.text[leaf.start..leaf.end];
        Ok(match leaf.kind {
            LeafKind::EscapedText => {
                let mut key = String::new();
                json_text::unescape(raw, &mut key);
                builder.keys.child(&builder.table, parent, &key)
            }
            _ => builder.keys.child(&builder.table, parent, raw),
        })
    }

    /// The name of an array's next element.
    fn element(&mut self, builder: &mut EventBuilder) -> NodeId {
        let Some(frame) = self.frames.last_mut() else { return ROOT };
        let number = frame.count;
        frame.count += 1;
        match NUMBERS.get(number) {
            Some(number) => builder.keys.child(&builder.table, frame.id, number),
            None => builder.keys.child(&builder.table, frame.id, MORE),
        }
    }

    /// A string, number or word, handed to the builder.
    #[inline]
    fn leaf(&mut self, id: NodeId, builder: &mut EventBuilder) -> Result<(), Trouble> {
        let start = self.at;
        if self.peek() == Some(b'"') {
            let end = json_text::special(self.text.as_bytes(), start + 1);
            if self.text.as_bytes().get(end) == Some(&b'"') && builder.keys.node(id).pair == PairRole::None {
                self.at = end + 1;
                if builder.wants(id) {
                    builder.offer(id, &self.text[start + 1..end], Kind::Text, self.place(start + 1));
                }
                return Ok(());
            }
        }
        self.other_leaf(id, builder)
    }

    #[inline(never)]
    fn other_leaf(&mut self, id: NodeId, builder: &mut EventBuilder) -> Result<(), Trouble> {
        let leaf = self.any_leaf()?;
        self.note_pair(id, leaf, builder);
        self.emit(id, leaf, builder);
        Ok(())
    }

    fn any_leaf(&mut self) -> Result<Leaf, Trouble> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string(start + 1),
            Some(b't') => self.literal("true", LeafKind::Word),
            Some(b'f') => self.literal("false", LeafKind::Word),
            Some(b'n') => self.literal("null", LeafKind::Null),
            _ => {
                self.at = json_text::number(self.text.as_bytes(), start).map_err(expected)?;
                Ok(Leaf { kind: LeafKind::Number, start, end: self.at })
            }
        }
    }

    /// Where letters that stand there in the text stand in the block.
    #[inline]
    fn place(&self, at: usize) -> u32 {
        self.offset.and_then(|offset| u32::try_from(offset + at).ok()).unwrap_or(NOWHERE)
    }

    /// The string whose first byte after the quote is `start`.
    #[inline]
    fn string(&mut self, start: usize) -> Result<Leaf, Trouble> {
        let passed = json_text::string(self.text.as_bytes(), start).map_err(expected)?;
        self.at = passed.end + 1;
        if !passed.escaped {
            return Ok(Leaf { kind: LeafKind::Text, start, end: passed.end });
        }
        self.oddities.surrogate |= passed.surrogate;
        self.oddities.nul |= passed.nul;
        Ok(Leaf { kind: LeafKind::EscapedText, start, end: passed.end })
    }

    fn literal(&mut self, word: &'static str, kind: LeafKind) -> Result<Leaf, Trouble> {
        let start = self.at;
        if !self.text.as_bytes()[start..].starts_with(word.as_bytes()) {
            return Err(Trouble::Expected("a value", start));
        }
        self.at += word.len();
        Ok(Leaf { kind, start, end: self.at })
    }

    fn open(&mut self, id: NodeId, builder: &mut EventBuilder) -> Result<(), Trouble> {
        if self.frames.len() >= self.max_depth {
            return Err(Trouble::TooDeep(self.max_depth));
        }
        let is_array = self.peek() == Some(b'[');
        self.at += 1;
        builder.objects += 1;
        let serial = builder.objects;
        self.frames.push(Frame { id, is_array, begun: false, count: 0, serial, name: None, value: None });
        Ok(())
    }

    fn close(&mut self, builder: &mut EventBuilder) {
        self.at += 1;
        let Some(frame) = self.frames.pop() else { return };
        if let (Some(name), Some(value), Some(list)) = (frame.name, frame.value, self.frames.last()) {
            let list = list.id;
            self.pair(list, name, value, builder);
        }
    }

    /// Remembers a leaf that is the name or value of a pair.
    #[inline]
    fn note_pair(&mut self, id: NodeId, leaf: Leaf, builder: &EventBuilder) {
        let role = builder.keys.node(id).pair;
        if role == PairRole::None {
            return;
        }
        if let [.., list, frame] = self.frames.as_mut_slice() {
            match role {
                PairRole::Name if list.is_array && frame.name.is_none() => frame.name = Some(leaf),
                PairRole::Value if list.is_array && frame.value.is_none() => frame.value = Some(leaf),
                _ => {}
            }
        }
    }

    /// The field that a pair stands for.
    fn pair(&mut self, list: NodeId, name: Leaf, value: Leaf, builder: &mut EventBuilder) {
        let mut key = String::new();
        match name.kind {
            LeafKind::Text | LeafKind::EscapedText => json_text::unescape(&self.text[name.start..name.end], &mut key),
            _ => return,
        }
        let id = builder.keys.child(&builder.table, list, &key);
        self.emit(id, value, builder);
    }

    /// Hands a leaf to the builder.
    #[inline]
    fn emit(&self, id: NodeId, leaf: Leaf, builder: &mut EventBuilder) {
        if !builder.wants(id) {
            return;
        }
        let raw = &self.text[leaf.start..leaf.end];
        match leaf.kind {
            LeafKind::Text => builder.offer(id, raw, Kind::Text, self.place(leaf.start)),
            LeafKind::Number => builder.offer(id, raw, Kind::Number, self.place(leaf.start)),
            LeafKind::Word => builder.offer(id, raw, Kind::Bool, self.place(leaf.start)),
            LeafKind::Null => {}
            LeafKind::EscapedText => {
                let mut text = std::mem::take(&mut builder.scratch);
                text.clear();
                json_text::unescape(raw, &mut text);
                builder.offer(id, &text, Kind::Text, NOWHERE);
                builder.scratch = text;
            }
        }
    }
}

fn expected((what, at): json_text::Expected) -> Trouble {
    Trouble::Expected(what, at)
}

/// Names of an array's elements.
const NUMBERS: [&str; NAMED_ELEMENTS] = ["0", "1", "2", "3", "4", "5", "6", "7"];
/// Name of all the others.
const MORE: &str = "*";
