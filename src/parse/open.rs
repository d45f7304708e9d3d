//! Opening a log: its first bytes tell the format, then blocks and a parser that belong together come out.

use super::{
    Blocks, Parser,
    detect::{self, Dialect, Refusal},
    framing::Start,
    options::Format,
};
use crate::source::{Input, Limits, SourceError, SourceFile};

use super::options::ParseOptions;

/// Bytes that the format is told from.
const SNIFF: usize = 64 << 10;

/// A log that is being read.
#[derive(Debug)]
pub struct OpenLog {
    /// How it is written.
    pub format: Format,
    /// How it is written, for people.
    pub dialect: String,
    /// What turns its blocks into events; clone it for each worker.
    pub parser: Parser,
    /// Its blocks.
    pub blocks: Blocks,
}

/// Opens a log and finds out its format.
///
/// Reading starts at `from_offset` of the decompressed text, where an earlier reading ended
/// ([`Blocks::end_offset`]); the names of columns are read from the start all the same. A file is read up to the size it has
/// now, so what is written meanwhile is left for the next reading. If the last line was read before it was complete,
/// the rest of it is left out: it belongs to an event that has been counted.
///
/// # Errors
/// When it cannot be read, is not text, or is a table without names.
pub fn open_log(file: &SourceFile, from_offset: u64, options: &ParseOptions) -> Result<OpenLog, SourceError> {
    let input = Input::open(file, limits(options))?;
    let mut options = options.clone();
    options.reference_time = options.reference_time.or(file.modified);
    open_input(input, file.index, from_offset, &options)
}

/// As [`open_log`], for bytes from anywhere.
///
/// # Errors
/// As [`open_log`].
pub fn open_input(
    mut input: Input,
    file: u32,
    from_offset: u64,
    options: &ParseOptions,
) -> Result<OpenLog, SourceError> {
    let mut sniffed = Vec::new();
    let (mut offset, mut failed) = (0, None);
    loop {
        let missing = SNIFF - sniffed.len().min(SNIFF - 1);
        match input.read_into(&mut sniffed, missing) {
            Ok(0) => break,
            Ok(_) => {}
            // A damaged log is told of where the reading meets the damage, unless there is nothing before it.
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
        // A file whose beginning was cut off by rotation may start with a hole.
        let zeros = sniffed.iter().take_while(|byte| **byte == 0).count();
        offset += zeros as u64;
        sniffed.drain(..zeros);
        if sniffed.len() >= SNIFF {
            break;
        }
    }
    let dialect = detect::detect(&sniffed, options.format).map_err(|refusal| refuse(&input, refusal, sniffed.len()))?;
    let mark = if sniffed.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let begin = mark + dialect.header_end;
    let mut start = Start { file, buffer: sniffed, offset, line: 1, in_line: false };
    match (from_offset > offset + begin as u64, failed) {
        (true, None) => resume(&mut input, &mut start, from_offset, &dialect)?,
        (_, failed) => {
            start.line += memchr::memchr_iter(b'\n', &start.buffer[..begin]).count() as u64;
            start.buffer.drain(..begin);
            start.offset += begin as u64;
            if let Some(error) = failed {
                input.fail_with(error);
            }
        }
    }
    let parser = Parser::new(&dialect, options);
    let description = dialect.describe();
    let blocks = Blocks::new(input, &dialect, start, options);
    Ok(OpenLog { format: dialect.format, dialect: description, parser, blocks })
}

/// Goes on where an earlier reading ended.
fn resume(input: &mut Input, start: &mut Start, from: u64, dialect: &Dialect) -> Result<(), SourceError> {
    let sniffed_end = start.offset + start.buffer.len() as u64;
    // One byte before, to see whether a line begins there.
    if from <= sniffed_end {
        let before = (from - 1 - start.offset) as usize;
        start.buffer.drain(..before);
    } else {
        start.buffer.clear();
        input.skip_to(from - 1)?;
        input.read_into(&mut start.buffer, 1)?;
    }
    start.in_line = match dialect.format {
        Format::Json => true,
        _ => start.buffer.first() != Some(&b'\n'),
    };
    start.buffer.drain(..start.buffer.len().min(1));
    start.offset = from;
    Ok(())
}

fn limits(options: &ParseOptions) -> Limits {
    Limits { max_output: options.max_decompressed_bytes, max_ratio: options.max_compression_ratio }
}

fn refuse(input: &Input, refusal: Refusal, sniffed: usize) -> SourceError {
    let path = input.path().to_owned();
    match refusal {
        Refusal::Binary => SourceError::Binary { path, sniffed },
        Refusal::NoHeader(found) => SourceError::NoHeader { path, found },
    }
}
