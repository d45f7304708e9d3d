//! A block to its events: the part of reading that workers share.
//!
//! A parser has no memory from block to block, so the same block gives the same batch whoever parses it, in any order.

use std::{ops::Range, sync::Arc};

use super::{
    Block, ComplaintReason, EventBatch, EventBuilder, ParseOptions, access,
    build::MappedField,
    delimited::Table,
    detect::Dialect,
    fields::FieldTable,
    json, lines, logfmt,
    options::Format,
    record::{Clock, Fault, Record},
    syslog,
};

/// Turns blocks into events.
pub struct Parser {
    builder: EventBuilder,
    names: Arc<FieldTable>,
    options: ParseOptions,
    format: Format,
    table: Table,
    clock: Clock,
    /// A record's letters, where those in the block are unsound.
    cleaned: String,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Parser").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Clone for Parser {
    /// A parser for the same log that has parsed nothing yet.
    fn clone(&self) -> Self {
        Self {
            builder: EventBuilder::new(Arc::clone(&self.names), &self.options),
            names: Arc::clone(&self.names),
            options: self.options.clone(),
            format: self.format,
            table: self.table.clone(),
            clock: self.clock.clone(),
            cleaned: String::new(),
            scratch: Vec::new(),
        }
    }
}

impl Parser {
    pub(super) fn new(dialect: &Dialect, options: &ParseOptions) -> Self {
        let names = Arc::new(FieldTable::new(&options.fields));
        Self {
            builder: EventBuilder::new(Arc::clone(&names), options),
            names,
            options: options.clone(),
            format: dialect.format,
            table: Table::new(dialect.delimiter, dialect.format == Format::Zeek),
            clock: Clock { zone: options.time_zone.clone(), reference: options.reference_time.unwrap_or(i64::MAX) },
            cleaned: String::new(),
            scratch: Vec::new(),
        }
    }

    /// The events of a block, and the complaints about it.
    pub fn parse(&mut self, block: Block) -> EventBatch {
        let offset = block.offset;
        EventBatch { offset, ..self.records(block) }
    }

    fn records(&mut self, block: Block) -> EventBatch {
        let bytes = &block.bytes;
        if let Some(reason) = block.fault {
            self.builder.begin(bytes, 0..bytes.len(), 0);
            self.builder.complain(reason, self.lost_detail(reason));
            self.builder.discard();
            return self.builder.take(block.file, block.first_line, block.bytes);
        }
        self.table.start(block.header.as_deref());
        if block.records.is_empty() {
            self.lines(&block);
        } else {
            let (mut line, mut counted) = (0, 0);
            for (number, record) in block.records.iter().enumerate() {
                let record = record.start as usize..record.end as usize;
                if self.format.has_lines() {
                    line += memchr::memchr_iter(b'\n', &bytes[counted..record.start]).count() as u32;
                    counted = record.start;
                } else {
                    line = number as u32;
                }
                self.record(&block, record, line);
            }
        }
        self.builder.take(block.file, block.first_line, block.bytes)
    }

    /// Which input field filled which slot, and how often, in all that was parsed.
    #[must_use]
    pub fn mapping(&self) -> Vec<MappedField> {
        self.builder.mapping()
    }

    /// One record per line.
    fn lines(&mut self, block: &Block) {
        let bytes = &block.bytes;
        let (mut start, mut line) = (0, 0);
        // The scanner cuts lines itself, faster; it knows no limit, so it gets what holds no line beyond it.
        if self.format == Format::JsonLines && bytes.len() <= self.options.max_record_bytes {
            start = if block.unterminated { memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1) } else { bytes.len() };
            json::parse_json_lines(bytes, 0..start, 0, &mut self.builder);
            if start == bytes.len() {
                return;
            }
            line = memchr::memchr_iter(b'\n', &bytes[..start]).count();
        }
        let ends = memchr::memchr_iter(b'\n', &bytes[start..]).map(|at| at + start).chain([bytes.len()]);
        let mut from = start;
        for end in ends {
            let length = bytes[from..end].strip_suffix(b"\r").map_or(end - from, <[u8]>::len);
            self.record(block, from..from + length, line as u32);
            from = end + 1;
            line += 1;
        }
    }

    fn record(&mut self, block: &Block, range: Range<usize>, line: u32) {
        let bytes = &block.bytes[range.clone()];
        if bytes.iter().all(|byte| byte.is_ascii_whitespace()) {
            return;
        }
        let is_last = block.unterminated && range.end == block.bytes.len();
        if self.format == Format::JsonLines || self.format == Format::Json {
            self.builder.begin(&block.bytes, range.clone(), line);
            let result = if bytes.len() > self.options.max_record_bytes {
                Err((ComplaintReason::TooLong, self.lost_detail(ComplaintReason::TooLong)))
            } else {
                json::read_record(&mut self.builder, &block.bytes, range)
            };
            self.settle(result.map_err(|(reason, detail)| Fault { reason, detail }), is_last);
            return;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if memchr::memchr(0, bytes).is_none() => Ok(text),
            sound => Err(sound.is_ok()),
        };
        if let Ok(text) = text
            && self.is_aside(text)
        {
            return;
        }
        self.builder.begin(&block.bytes, range, line);
        if bytes.len() > self.options.max_record_bytes {
            let fault = Fault::new(ComplaintReason::TooLong, self.lost_detail(ComplaintReason::TooLong));
            self.settle(Err(fault), false);
            return;
        }
        let mut cleaned = std::mem::take(&mut self.cleaned);
        let text = text.unwrap_or_else(|is_utf8| {
            self.clean(bytes, is_utf8, &mut cleaned);
            &cleaned
        });
        let result = self.read(block, text);
        self.cleaned = cleaned;
        self.settle(result, is_last && self.format != Format::Text);
    }

    /// Lines that are no records: directives, and headers in mid-file.
    fn is_aside(&self, text: &str) -> bool {
        matches!(self.format, Format::Csv | Format::Tsv | Format::Zeek) && self.table.is_aside(text)
    }

    fn read(&mut self, block: &Block, text: &str) -> Result<(), Fault> {
        let Self { builder, clock, table, scratch, .. } = self;
        let mut record = Record { builder, block: &block.bytes, text, clock };
        match self.format {
            Format::Csv | Format::Tsv | Format::Zeek => table.read(&mut record),
            Format::Syslog => syslog::read(&mut record, scratch),
            Format::Logfmt => logfmt::read(&mut record),
            Format::Access => access::read(&mut record),
            Format::Text | Format::JsonLines | Format::Json => lines::read(&mut record, scratch),
        }
    }

    fn clean(&mut self, bytes: &[u8], is_utf8: bool, into: &mut String) {
        into.clear();
        into.extend(String::from_utf8_lossy(bytes).chars().filter(|letter| *letter != '\0'));
        if !is_utf8 {
            self.builder.complain(ComplaintReason::Encoding, "not UTF-8: read with replacement characters".to_owned());
        }
        if memchr::memchr(0, bytes).is_some() {
            self.builder.complain(ComplaintReason::Nul, "holds NUL bytes: read without them".to_owned());
        }
    }

    fn settle(&mut self, result: Result<(), Fault>, is_last: bool) {
        match result {
            Ok(()) => self.builder.finish(),
            Err(Fault { reason, detail }) => {
                // What breaks off where the log does is most likely being written.
                let cut = is_last && reason == ComplaintReason::Malformed;
                self.builder.complain(if cut { ComplaintReason::Truncated } else { reason }, detail);
                self.builder.discard();
            }
        }
    }

    fn lost_detail(&self, reason: ComplaintReason) -> String {
        match reason {
            ComplaintReason::TooLong => {
                format!("longer than {} bytes, the limit for one record", self.options.max_record_bytes)
            }
            _ => "the log ends within this record".to_owned(),
        }
    }
}
