//! Chunks to blocks of whole records.
//!
//! Where a record ends is decided from the bytes of the log alone and never from where a chunk happens to end, so the
//! records are the same however the log is read.

mod envelope;
mod json;
mod lines;
mod quoted;
mod restart;

use std::{ops::Range, sync::Arc};

use super::{Block, ComplaintReason, ParseOptions, detect::Dialect, options::Format};
use crate::source::{Input, SourceError};

pub(in crate::parse) use envelope::{Envelope, Found};

/// Bytes that a block aims at. Large enough that the handing over costs nothing, small enough for the second cache.
pub const BLOCK_BYTES: usize = 1 << 20;

/// Bytes kept of a record that is too long, for the complaint's sample.
const SAMPLE_BYTES: usize = 1 << 10;

/// What a framer found at the start of a buffer.
#[derive(Debug, PartialEq)]
enum Cut {
    /// Not one whole record.
    More,
    /// Whole records, up to `end`.
    Records { end: usize, records: Vec<Range<u32>>, header: HeaderChange },
    /// A record that is lost; the buffer is done with up to `end`.
    Lost { sample: Range<usize>, end: usize, reason: ComplaintReason },
    /// Nothing of interest up to `end`.
    Skip { end: usize },
}

/// Whether the columns are named anew behind a piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HeaderChange {
    None,
    To(Arc<str>),
}

/// Cuts records of one kind off the start of a buffer.
trait Framer: Send {
    /// What stands at the start of the buffer. Each call sees what the one before left over, and perhaps more;
    /// `at_end` says that there is no more.
    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut;
}

/// The blocks of a log, in its order. After an error there are none.
pub struct Blocks {
    input: Input,
    framer: Box<dyn Framer>,
    counts_lines: bool,
    keep_unfinished: bool,
    file: u32,
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte in the decompressed text, and its line.
    offset: u64,
    line: u64,
    header: Option<Arc<str>>,
    ended: bool,
    error: Option<SourceError>,
    chunk: usize,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Blocks")
            .field("input", &self.input)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Where the reading of a log begins.
pub(super) struct Start {
    pub(super) file: u32,
    /// What has been read of the log behind `offset`.
    pub(super) buffer: Vec<u8>,
    pub(super) offset: u64,
    pub(super) line: u64,
    /// The first bytes are the rest of a line that was read before.
    pub(super) in_line: bool,
}

impl Blocks {
    pub(super) fn new(input: Input, dialect: &Dialect, start: Start, options: &ParseOptions) -> Self {
        // Positions within a block are 32 bits wide.
        let max = options.max_record_bytes.clamp(64, 1 << 28);
        let framer: Box<dyn Framer> = match dialect.format {
            Format::Json => Box::new(json::JsonFramer::new(max, dialect.wrapped, start.in_line)),
            Format::Csv | Format::Tsv => Box::new(quoted::QuotedFramer::new(max, dialect.delimiter, start.in_line)),
            Format::Zeek => Box::new(lines::LineFramer::new(max, start.in_line).with_headers()),
            _ => Box::new(lines::LineFramer::new(max, start.in_line)),
        };
        Self {
            input,
            framer,
            counts_lines: dialect.format.has_lines(),
            keep_unfinished: options.keep_unfinished_line,
            file: start.file,
            buffer: start.buffer,
            offset: start.offset,
            line: start.line,
            header: dialect.header.clone(),
            ended: false,
            error: None,
            chunk: BLOCK_BYTES,
        }
    }

    /// The same blocks, numbered as if the first byte to be read stood in this line (or record), from 1.
    #[must_use]
    pub fn starting_at_line(mut self, line: u64) -> Self {
        self.line = line;
        self
    }

    /// Where the next block begins, in the decompressed text: after the last one, where a later reading goes on.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.offset
    }

    /// The line (or record) that the next block begins with.
    #[must_use]
    pub fn end_line(&self) -> u64 {
        self.line
    }

    /// The same records, in blocks that aim at another size than [`BLOCK_BYTES`].
    #[must_use]
    pub fn with_chunk(mut self, bytes: usize) -> Self {
        self.chunk = bytes.max(1);
        let surplus = self.buffer.split_off(self.chunk.min(self.buffer.len()));
        self.input.unread(surplus);
        self
    }

    fn refill(&mut self) {
        // A record that spans chunks takes ever larger ones, so that reading it costs no more than its length.
        let wanted = match self.chunk.checked_sub(self.buffer.len()) {
            Some(missing) if missing > 0 => missing,
            _ => self.chunk.max(self.buffer.len().min(8 * BLOCK_BYTES)),
        };
        match self.input.read_into(&mut self.buffer, wanted) {
            Ok(read) => self.ended = read < wanted,
            Err(error) => {
                self.ended = true;
                self.error = Some(error);
            }
        }
    }

    /// Takes `end` bytes off the buffer.
    fn take(&mut self, end: usize) -> Vec<u8> {
        let mut rest = Vec::with_capacity((self.buffer.len() - end).max(self.chunk.min(BLOCK_BYTES)));
        rest.extend_from_slice(&self.buffer[end..]);
        self.buffer.truncate(end);
        std::mem::replace(&mut self.buffer, rest)
    }

    fn emit(&mut self, bytes: Vec<u8>, consumed: u64, mut block: Block) -> Block {
        block.file = self.file;
        block.offset = self.offset;
        block.first_line = self.line;
        block.header = self.header.clone();
        self.offset += consumed;
        block.bytes = bytes;
        block
    }

    fn lines_in(&self, end: usize) -> u64 {
        memchr::memchr_iter(b'\n', &self.buffer[..end]).count() as u64
    }

    fn records(&mut self, end: usize, records: Vec<Range<u32>>, header: HeaderChange) -> Block {
        let count = records.len() as u64;
        let step = if self.counts_lines { self.lines_in(end) } else { count };
        let unterminated = self.ended && end == self.buffer.len() && self.buffer.last() != Some(&b'\n');
        let bytes = self.take(end);
        let block = self.emit(bytes, end as u64, Block { records, unterminated, ..Block::default() });
        self.line += step;
        if let HeaderChange::To(header) = header {
            self.header = Some(header);
        }
        block
    }

    fn lost(&mut self, sample: Range<usize>, end: usize, reason: ComplaintReason) -> Block {
        let skipped = self.lines_in(sample.start);
        if self.counts_lines {
            self.line += skipped;
        }
        let step = if self.counts_lines { self.lines_in(end) - skipped } else { 1 };
        let sample = self.buffer[sample.start..sample.end.min(sample.start + SAMPLE_BYTES)].to_vec();
        let block = self.emit(sample, end as u64, Block { fault: Some(reason), ..Block::default() });
        self.line += step;
        self.take(end);
        block
    }
}

impl Iterator for Blocks {
    type Item = Result<Block, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if !self.ended && self.buffer.len() < self.chunk {
                self.refill();
            }
            // Behind an error stands nothing that could complete a record: what is left of one is lost with it.
            let at_end = self.ended && self.error.is_none() && !self.keep_unfinished;
            match self.framer.cut(&self.buffer, at_end) {
                Cut::Records { end, records, header } => return Some(Ok(self.records(end, records, header))),
                Cut::Lost { sample, end, reason } => return Some(Ok(self.lost(sample, end, reason))),
                Cut::Skip { end } => {
                    if self.counts_lines {
                        self.line += self.lines_in(end);
                    }
                    self.take(end);
                    self.offset += end as u64;
                }
                Cut::More if !self.ended => self.refill(),
                Cut::More => {
                    let error = self.error.take()?;
                    if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                        let end = self.buffer.len();
                        let block = self.lost(0..end, end, ComplaintReason::Truncated);
                        self.error = Some(error);
                        return Some(Ok(block));
                    }
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
