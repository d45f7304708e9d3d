//! Records that come with a call one by one, objects and texts in any order, as two logs: one of the objects, one of the
//! texts, because a log has one format and neither kind is to be read as the other.
//!
//! Each record is one line. Line 7 of such a log may be record 19 of the call, so it is remembered which records are
//! texts, in one bit each, and whatever is said about a line is said about the record.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use tempfile::{NamedTempFile, TempPath};

use crate::{app::AppError, parse::Format, report::FileReport, source::SourceFile};

/// Bytes of each of the two logs that stay in memory; a longer one goes into a temporary file.
const LARGEST_IN_MEMORY: usize = 1 << 20;

/// Records in their order.
#[derive(Debug, Default)]
pub struct Records {
    objects: Pile,
    texts: Pile,
    places: Places,
}

impl Records {
    /// Adds a record that is an object, as JSON.
    ///
    /// # Errors
    /// It can't be kept in a temporary file.
    pub fn push_object(&mut self, json: &str) -> Result<(), AppError> {
        self.places.push(Kind::Object);
        self.objects.push(json).map_err(unkept)
    }

    /// Adds a record that is a text, as a log has it. A text that is an object, written as JSON, counts as one.
    ///
    /// # Errors
    /// As [`Records::push_object`].
    pub fn push_text(&mut self, text: &str) -> Result<(), AppError> {
        if is_json(text) {
            return self.push_object(text);
        }
        self.places.push(Kind::Text);
        self.texts.push(text).map_err(unkept)
    }

    /// Bytes of all records.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.bytes + self.texts.bytes
    }

    /// The logs that they make, and where their lines stand among the records. Without a record it is one empty log.
    pub(super) fn into_logs(self, name: &str) -> Result<(Vec<RecordLog>, Places), AppError> {
        let Self { objects, texts, places } = self;
        let mut logs = Vec::new();
        if objects.lines > 0 {
            // A single object may be an envelope with the records in it; of several each is one.
            let format = if objects.lines > 1 { RecordFormat::Is(Format::JsonLines) } else { RecordFormat::ByContent };
            logs.push(objects.into_log(name, Kind::Object, format)?);
        }
        if texts.lines > 0 || logs.is_empty() {
            logs.push(texts.into_log(name, Kind::Text, RecordFormat::AsConfigured)?);
        }
        Ok((logs, places))
    }
}

/// A log of records of one kind.
#[derive(Debug)]
pub(super) struct RecordLog {
    pub(super) file: SourceFile,
    pub(super) kind: Kind,
    pub(super) format: RecordFormat,
    /// Must be kept as long as the log is read.
    pub(super) kept: Option<TempPath>,
}

/// How records of one kind are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordFormat {
    /// As the configuration says, or as is seen from the content.
    AsConfigured,
    /// As is seen from the content.
    ByContent,
    /// In this way.
    Is(Format),
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Text,
}

fn is_json(text: &str) -> bool {
    let rest = text.trim_start().strip_prefix('{').map(str::trim_start);
    rest.is_some_and(|rest| rest.starts_with(['"', '}']))
}

fn unkept(source: io::Error) -> AppError {
    AppError::Write { path: std::env::temp_dir(), source }
}

/// A log that grows.
#[derive(Debug, Default)]
struct Pile {
    memory: Vec<u8>,
    file: Option<(BufWriter<File>, TempPath)>,
    bytes: u64,
    lines: u64,
}

impl Pile {
    /// Adds a record. A line feed in it becomes a space: in JSON it means the same, in a text it keeps the record whole.
    fn push(&mut self, record: &str) -> io::Result<()> {
        self.lines += 1;
        self.bytes += record.len() as u64 + 1;
        if self.file.is_none() && self.memory.len() + record.len() >= LARGEST_IN_MEMORY {
            let (file, path) = NamedTempFile::new()?.into_parts();
            let mut file = BufWriter::new(file);
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some((file, path));
        }
        let out: &mut dyn Write = match &mut self.file {
            Some((file, _)) => file,
            None => &mut self.memory,
        };
        for (at, piece) in record.split(['\n', '\r']).enumerate() {
            if at > 0 {
                out.write_all(b" ")?;
            }
            out.write_all(piece.as_bytes())?;
        }
        out.write_all(b"\n")
    }

    fn into_log(self, name: &str, kind: Kind, format: RecordFormat) -> Result<RecordLog, AppError> {
        let name = name.to_owned();
        let Some((mut file, path)) = self.file else {
            return Ok(RecordLog { file: SourceFile::in_memory(0, name, self.memory), kind, format, kept: None });
        };
        file.flush().map_err(unkept)?;
        let file = SourceFile { name, ..SourceFile::at(0, &path)? };
        Ok(RecordLog { file, kind, format, kept: Some(path) })
    }
}

/// Records that share a word of bits.
const WORD: u64 = u64::BITS as u64;

/// Which records are objects and which are texts.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: u64,
    /// A bit for each record, set for a text.
    texts: Vec<u64>,
    /// Objects and texts before each word.
    before: Vec<[u64; 2]>,
    so_far: [u64; 2],
}

impl Places {
    fn push(&mut self, kind: Kind) {
        if self.count.is_multiple_of(WORD) {
            self.texts.push(0);
            self.before.push(self.so_far);
        }
        if let (Kind::Text, Some(word)) = (kind, self.texts.last_mut()) {
            *word |= 1 << (self.count % WORD);
        }
        self.so_far[kind as usize] += 1;
        self.count += 1;
    }

    /// The record, from 1, that stands in this line, from 1, of the log of its kind. What lies behind the last line, as in
    /// an envelope, belongs to the last record.
    fn record(&self, kind: Kind, line: u64) -> u64 {
        let line = line.clamp(1, self.so_far[kind as usize].max(1));
        let word = self.before.partition_point(|before| before[kind as usize] < line).saturating_sub(1);
        let Some(bits) = self.texts.get(word) else { return line };
        let mut seen = self.before[word][kind as usize];
        for bit in 0..WORD {
            let is_text = (bits >> bit) & 1 == 1;
            seen += u64::from(is_text == (kind == Kind::Text));
            if seen == line {
                return word as u64 * WORD + bit + 1;
            }
        }
        self.count
    }

    /// Says record for line, wherever a report names one.
    pub(super) fn number(&self, kind: Kind, report: &mut FileReport) {
        let to_record = |line: &mut u64| *line = self.record(kind, *line);
        report.anomalies.iter_mut().for_each(|anomaly| to_record(&mut anomaly.line));
        let evidence = report.findings.iter_mut().flat_map(|finding| &mut finding.evidence);
        evidence.for_each(|shown| to_record(&mut shown.line));
        let samples = report.complaints.iter_mut().flat_map(|complaint| &mut complaint.samples);
        samples.for_each(|sample| to_record(&mut sample.line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_the_record_that_it_was() {
        let kind = |at: u64| if at.is_multiple_of(3) || (200..400).contains(&at) { Kind::Text } else { Kind::Object };
        let (mut places, mut records) = (Places::default(), [Vec::new(), Vec::new()]);
        for at in 0..1000 {
            places.push(kind(at));
            records[kind(at) as usize].push(at + 1);
        }
        for kind in [Kind::Object, Kind::Text] {
            let records = &records[kind as usize];
            let found: Vec<u64> = (1..=records.len() as u64).map(|line| places.record(kind, line)).collect();
            assert_eq!(&found, records);
            assert_eq!(places.record(kind, u64::MAX), *records.last().unwrap());
        }
        assert_eq!(Places::default().record(Kind::Text, 1), 1);
    }

    #[test]
    fn a_record_is_one_line_in_memory_and_in_a_file() {
        for copies in [1, 100_000] {
            let mut records = Records::default();
            for _ in 0..copies {
                records.push_object("{\n\"user\": \"ada\\n\"\r\n}").unwrap();
                records.push_text("a raw\nline").unwrap();
                records.push_text(" { \"user\":\n\"bob\"}").unwrap();
                records.push_text("{not} JSON").unwrap();
            }
            let (logs, _) = records.into_logs("x").unwrap();
            let expected = ["{ \"user\": \"ada\\n\"  }\n { \"user\": \"bob\"}\n", "a raw line\n{not} JSON\n"];
            for (log, expected) in logs.iter().zip(expected) {
                let text = match &log.kept {
                    Some(path) => std::fs::read(path).unwrap(),
                    None => log.file.content.as_ref().unwrap().as_ref().to_vec(),
                };
                assert_eq!(log.kept.is_some(), copies > 1);
                assert_eq!(String::from_utf8(text).unwrap(), expected.repeat(copies));
            }
        }
    }
}
