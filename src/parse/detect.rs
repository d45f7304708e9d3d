//! How a log is written, seen from its first bytes.
//!
//! Names of files are not asked: a folder of logs is full of `.txt`, `.1` and `.log` that hold JSON. Where several formats
//! fit, the stricter one wins, because a format that checks more is less often right by chance.

use std::sync::Arc;

use super::{access, framing, options::Format, syslog};

/// Lines that are looked at.
const LINES: usize = 60;

/// How a log is written, with all that its parsing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// The format.
    pub format: Format,
    /// What stands between two fields of a table.
    pub delimiter: u8,
    /// The records stand in an array inside an object.
    pub wrapped: bool,
    /// The line that names the columns.
    pub header: Option<Arc<str>>,
    /// Where the records begin.
    pub header_end: usize,
}

impl Dialect {
    fn plain(format: Format) -> Self {
        let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
        Self { format, delimiter, wrapped: false, header: None, header_end: 0 }
    }

    /// For people: the format and what is special about it.
    #[must_use]
    pub fn describe(&self) -> String {
        let columns =
            self.header.as_ref().map_or(0, |header| super::delimited::split_names(header, self.delimiter).len());
        match self.format {
            Format::JsonLines => "json lines".to_owned(),
            Format::Json if self.wrapped => "json (records in an array inside an object)".to_owned(),
            Format::Json => "json (records in an array or one after another)".to_owned(),
            Format::Csv => {
                let delimiter = match self.delimiter {
                    b',' => "comma",
                    b';' => "semicolon",
                    b'|' => "pipe",
                    b' ' => "space",
                    _ => "tab",
                };
                format!("csv ({columns} columns, {delimiter}-separated)")
            }
            Format::Tsv => format!("tsv ({columns} columns)"),
            Format::Zeek if self.delimiter == b' ' => "w3c extended log".to_owned(),
            Format::Zeek => "zeek tsv".to_owned(),
            Format::Syslog => "syslog".to_owned(),
            Format::Logfmt => "logfmt".to_owned(),
            Format::Access => "web server access log".to_owned(),
            Format::Text => "text lines".to_owned(),
        }
    }
}

/// Why no format can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not text.
    Binary,
    /// A table whose first line, given here, is none of names.
    NoHeader(String),
}

/// Finds the dialect of a log from its first bytes; `asked` is the format that the user names.
pub(super) fn detect(sample: &[u8], asked: Option<Format>) -> Result<Dialect, Refusal> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let text = String::from_utf8_lossy(sample);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(LINES).collect();
    match asked {
        Some(format @ (Format::Csv | Format::Tsv)) => table(sample, &text, &lines, Some(format)),
        Some(Format::Zeek) => {
            directives(sample, &text).ok_or_else(|| Refusal::NoHeader(shorten(lines.first().unwrap_or(&"")))) // no `#fields`
        }
        Some(Format::Json) => Ok(Dialect { wrapped: is_wrapped(sample, false), ..Dialect::plain(Format::Json) }),
        Some(format) => Ok(Dialect::plain(format)),
        None if is_binary(sample) => Err(Refusal::Binary),
        None => by_content(sample, &text, &lines),
    }
}

fn by_content(sample: &[u8], text: &str, lines: &[&str]) -> Result<Dialect, Refusal> {
    if let Some(json) = json(sample, lines) {
        return Ok(json);
    }
    if let Some(directives) = directives(sample, text) {
        return Ok(directives);
    }
    // The end of the sample may cut the last line.
    let whole =
        if lines.len() > 1 && lines.len() < LINES && !text.ends_with('\n') { &lines[..lines.len() - 1] } else { lines };
    let most = |fits: &dyn Fn(&str) -> bool| {
        !whole.is_empty() && whole.iter().filter(|line| fits(line)).count() * 3 >= whole.len() * 2
    };
    if most(&access::fits) {
        return Ok(Dialect::plain(Format::Access));
    }
    if most(&syslog::fits) {
        return Ok(Dialect::plain(Format::Syslog));
    }
    let table = table(sample, text, lines, None);
    if let Ok(table) = table {
        return Ok(table);
    }
    if most(&super::logfmt::fits) {
        return Ok(Dialect::plain(Format::Logfmt));
    }
    match table {
        Err(Refusal::NoHeader(found)) if is_regular_table(whole) => Err(Refusal::NoHeader(found)),
        _ => Ok(Dialect::plain(Format::Text)),
    }
}

/// NUL bytes in numbers that no text holds, or hardly a readable letter.
fn is_binary(sample: &[u8]) -> bool {
    let head = &sample[..sample.len().min(4096)];
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    let controls = head.iter().filter(|byte| matches!(byte, 1..=8 | 14..=26 | 28..=31 | 0x7F)).count();
    zeros * 16 > head.len() || controls * 8 > head.len()
}

fn json(sample: &[u8], lines: &[&str]) -> Option<Dialect> {
    let start = sample.trim_ascii_start();
    let after = |bytes: &[u8]| bytes.get(1..).and_then(|rest| rest.trim_ascii_start().first().copied());
    match start.first()? {
        b'[' if matches!(after(start), Some(b'{' | b']' | b'[')) => return Some(Dialect::plain(Format::Json)),
        b'{' if matches!(after(start), Some(b'"' | b'}')) => {}
        // Lines of JSON among others, such as a banner above them.
        _ => {
            let objects = lines.iter().filter(|line| is_object(line)).count();
            let mostly = lines.len() > 1 && objects * 3 >= (lines.len() - 1) * 2;
            return mostly.then(|| Dialect::plain(Format::JsonLines));
        }
    }
    let many = lines.iter().filter(|line| is_object(line)).count() > 1;
    if is_wrapped(sample, many) {
        return Some(Dialect { wrapped: true, ..Dialect::plain(Format::Json) });
    }
    // A first object that ends on its first line is one of many lines; one that does not end there is laid out in lines.
    let objects = lines.iter().filter(|line| is_object(line)).count();
    let first_is_cut = lines.len() == 1 && !is_object(lines[0]);
    let by_lines = objects * 2 > lines.len().saturating_sub(1) || objects > 0 && is_object(lines[0]) || first_is_cut;
    let joined =
        lines.iter().any(|line| memchr::memmem::find(line.as_bytes(), b"}{\"").is_some() && !is_one_object(line));
    Some(Dialect::plain(if by_lines && !joined { Format::JsonLines } else { Format::Json }))
}

fn is_object(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('{') && line.ends_with('}')
}

fn is_one_object(line: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(line).into_iter::<serde::de::IgnoredAny>();
    matches!((values.next(), values.next()), (Some(Ok(_)), None))
}

/// Whether the first object is one around an array of records. A record may well hold an array under such a key, but a
/// record names its time or itself before; and where there are `many` objects, one per line, most keys are a record's.
fn is_wrapped(sample: &[u8], many: bool) -> bool {
    const SURE: [&[u8]; 4] = [b"Records", b"records", b"value", b"logEvents"];
    const OF_RECORDS: [&str; 7] =
        ["\"timestamp\"", "\"@timestamp\"", "\"time\"", "\"ts\"", "\"eventtime\"", "\"published\"", "\"id\""];
    let Some(start) = sample.iter().position(|byte| *byte == b'{') else { return false };
    if !sample[..start].trim_ascii().is_empty() {
        return false;
    }
    let (mut envelope, mut at) = (framing::Envelope::default(), start);
    if envelope.read(sample, &mut at, true) != framing::Found::Array || many && !SURE.contains(&envelope.key()) {
        return false;
    }
    let before = String::from_utf8_lossy(&sample[start..at]).to_ascii_lowercase();
    !OF_RECORDS.iter().any(|name| before.contains(name))
}

/// A header of directives: Zeek's `#fields`, the `#Fields:` of the W3C format.
fn directives(sample: &[u8], text: &str) -> Option<Dialect> {
    if !text.starts_with('#') {
        return None;
    }
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with('#') {
            return None;
        }
        let is_zeek = line.starts_with("#fields");
        if is_zeek || line.starts_with("#Fields:") {
            let delimiter = if is_zeek { b'\t' } else { b' ' };
            let header = Some(Arc::from(line.trim_end_matches(['\r', '\n'])));
            return Some(Dialect {
                delimiter,
                header,
                header_end: after_line(sample, number),
                ..Dialect::plain(Format::Zeek)
            });
        }
    }
    None
}

/// Where the line behind this one begins, in bytes: the sample's letters may be others than the text's.
fn after_line(sample: &[u8], number: usize) -> usize {
    memchr::memchr_iter(b'\n', sample).nth(number).map_or(sample.len(), |at| at + 1)
}

/// A table with a line of names: the delimiter under which most lines have as many fields as the first.
fn table(sample: &[u8], text: &str, lines: &[&str], asked: Option<Format>) -> Result<Dialect, Refusal> {
    let Some(first) = lines.first() else { return Err(Refusal::NoHeader(String::new())) };
    let first = first.trim_start_matches('\u{feff}');
    let candidates: &[u8] = match asked {
        Some(Format::Tsv) => b"\t",
        Some(_) => b",;\t|",
        None => b",\t;| ",
    };
    let fits = |delimiter: u8| {
        let columns = super::delimited::split_names(first, delimiter).len();
        let agreeing = lines[1..].iter().filter(|line| has_columns(line, delimiter, columns)).count();
        (delimiter, columns, agreeing)
    };
    // Spaces stand within names, so they separate only what nothing else does.
    let best = candidates
        .iter()
        .map(|&delimiter| fits(delimiter))
        .filter(|&(delimiter, columns, _)| delimiter != b' ' && columns >= 2)
        .max_by_key(|&(_, columns, agreeing)| (agreeing, columns))
        .or_else(|| candidates.contains(&b' ').then(|| fits(b' ')).filter(|&(_, columns, _)| columns >= 5))
        .map(|(delimiter, columns, _)| (delimiter, columns));
    let Some((delimiter, columns)) = best.or(asked.map(|_| (candidates[0], 1))) else {
        return Err(Refusal::NoHeader(shorten(first)));
    };
    let names = super::delimited::split_names(first, delimiter);
    let like_names = names.iter().filter(|name| is_name(name)).count();
    if like_names * 10 < names.len() * 8 || names.is_empty() {
        return Err(Refusal::NoHeader(shorten(first)));
    }
    // Quoted line feeds make some lines shorter; prose makes most lines differ.
    let agreeing = lines[1..].iter().filter(|line| has_columns(line, delimiter, columns)).count();
    let is_table = agreeing * 2 >= lines.len() - 1 && (lines.len() > 1 || delimiter != b' ');
    if asked.is_none() && !is_table {
        return Err(Refusal::NoHeader(shorten(first)));
    }
    let format = if delimiter == b'\t' { Format::Tsv } else { Format::Csv };
    let number = text.lines().position(|line| !line.trim().is_empty()).unwrap_or(0);
    let header = Some(Arc::from(first));
    Ok(Dialect { delimiter, header, header_end: after_line(sample, number), ..Dialect::plain(format) })
}

fn has_columns(line: &str, delimiter: u8, columns: usize) -> bool {
    let fields = super::delimited::split_names(line, delimiter).len();
    fields == columns || line.contains('"')
}

/// Like a name of a column: begins with a letter, and is neither a sentence nor a value.
fn is_name(name: &str) -> bool {
    let name = name.trim();
    let letters = |letter: char| letter.is_alphanumeric() || " _-.@#$%/()[]:".contains(letter);
    let starts = name.starts_with(|letter: char| letter.is_alphabetic() || "_@#$".contains(letter));
    (1..=80).contains(&name.len())
        && starts
        && name.chars().all(letters)
        && name.parse::<std::net::IpAddr>().is_err()
        && super::time::parse_time(name, &jiff::tz::TimeZone::UTC).is_none()
        && name.split(' ').count() <= 6
}

/// Whether lines look like a table whose names are missing: the same number of fields, three or more, on every one.
fn is_regular_table(lines: &[&str]) -> bool {
    lines.len() >= 2
        && b",\t;|".iter().any(|&delimiter| {
            let count = |line: &str| line.bytes().filter(|byte| *byte == delimiter).count();
            let first = count(lines[0]);
            first >= 2 && lines.iter().all(|line| count(line) == first)
        })
}

fn shorten(line: &str) -> String {
    line.chars().take(80).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
