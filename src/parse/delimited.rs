//! Tables: CSV, TSV, Zeek's format and the W3C extended log format.
//!
//! The names of the columns travel with the block, so a row is read the same by whichever worker reads it.

use super::{
    ComplaintReason, Slot,
    record::{Fault, Record},
};

/// Reads rows under a line of names.
#[derive(Debug, Clone)]
pub(super) struct Table {
    delimiter: u8,
    directives: bool,
    /// The line that `names` was read from.
    header: String,
    names: Vec<String>,
    /// Columns that hold date and time apart, as in W3C logs.
    date_and_time: Option<(usize, usize)>,
    unescaped: String,
}

impl Table {
    pub(super) fn new(delimiter: u8, directives: bool) -> Self {
        Self {
            delimiter,
            directives,
            header: String::new(),
            names: Vec::new(),
            date_and_time: None,
            unescaped: String::new(),
        }
    }

    /// Takes the names of the block's columns.
    pub(super) fn start(&mut self, header: Option<&str>) {
        let header = header.unwrap_or_default();
        if self.header == header {
            return;
        }
        self.header = header.to_owned();
        self.names = split_names(header, self.delimiter);
        let column = |wanted: &str| self.names.iter().position(|name| name == wanted);
        self.date_and_time = column("date").zip(column("time"));
    }

    /// Whether a line is no row: a directive, or the line of names once more.
    pub(super) fn is_aside(&self, line: &str) -> bool {
        self.directives && line.starts_with('#') || line == self.header
    }

    pub(super) fn read(&mut self, record: &mut Record<'_>) -> Result<(), Fault> {
        let text = record.text;
        let mut columns = self.names.iter();
        let mut count = 0;
        let mut stamp = (None, None);
        for field in Fields::new(text, self.delimiter) {
            count += 1;
            let Some(name) = columns.next() else { continue };
            let value = match field {
                Field::Plain(value) => value,
                Field::Escaped(value) => {
                    self.unescaped.clear();
                    unescape(value, &mut self.unescaped);
                    self.unescaped.as_str()
                }
                Field::Unclosed => {
                    return Err(Fault::new(
                        ComplaintReason::Malformed,
                        format!("column {count}: expected a closing quote"),
                    ));
                }
            };
            if let Some((date, time)) = self.date_and_time {
                if count - 1 == date {
                    stamp.0 = Some(value.to_owned());
                    continue;
                } else if count - 1 == time {
                    stamp.1 = Some(value.to_owned());
                    continue;
                }
            }
            if self.directives && matches!(value, "-" | "(empty)") {
                continue;
            }
            if !value.is_empty() {
                record.field(name, value);
            }
        }
        if count != self.names.len() {
            let detail = format!("expected {} fields, as the header has, found {count}", self.names.len());
            return Err(Fault::new(ComplaintReason::Malformed, detail));
        }
        if let (Some(date), Some(time)) = stamp {
            record.text(Slot::Time, &format!("{date} {time}"));
        }
        Ok(())
    }
}

/// The names in a header: of `#fields` and `#Fields:` lines those behind the word.
pub(super) fn split_names(header: &str, delimiter: u8) -> Vec<String> {
    let header = header.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let header = match header.strip_prefix("#fields").or_else(|| header.strip_prefix("#Fields:")) {
        Some(names) => names.trim(),
        None => header,
    };
    Fields::new(header, delimiter)
        .map(|field| match field {
            Field::Plain(name) => name.trim().to_owned(),
            Field::Escaped(name) => name.replace("\"\"", "\""),
            Field::Unclosed => String::new(),
        })
        .collect()
}

enum Field<'a> {
    Plain(&'a str),
    /// Holds doubled quotes.
    Escaped(&'a str),
    Unclosed,
}

/// The fields of one row.
struct Fields<'a> {
    text: &'a str,
    at: Option<usize>,
    delimiter: u8,
}

impl<'a> Fields<'a> {
    fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, at: Some(0), delimiter }
    }

    fn quoted(&mut self, inside: usize) -> Field<'a> {
        let bytes = self.text.as_bytes();
        let (mut at, mut doubled) = (inside, false);
        while let Some(found) = memchr::memchr(b'"', &bytes[at..]) {
            let quote = at + found;
            match bytes.get(quote + 1) {
                Some(b'"') => {
                    doubled = true;
                    at = quote + 2;
                }
                next if next.is_none() || next == Some(&self.delimiter) => {
                    self.at = next.map(|_| quote + 2);
                    let inner = &self.text[inside..quote];
                    return if doubled { Field::Escaped(inner) } else { Field::Plain(inner) };
                }
                // A quote within a quoted field that nobody doubled.
                _ => at = quote + 1,
            }
        }
        self.at = None;
        Field::Unclosed
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at?;
        let bytes = self.text.as_bytes();
        if bytes.get(start) == Some(&b'"') {
            return Some(self.quoted(start + 1));
        }
        let end = memchr::memchr(self.delimiter, &bytes[start..]).map(|found| start + found);
        self.at = end.map(|end| end + 1);
        Some(Field::Plain(&self.text[start..end.unwrap_or(bytes.len())]))
    }
}

fn unescape(quoted: &str, into: &mut String) {
    for (index, part) in quoted.split("\"\"").enumerate() {
        if index > 0 {
            into.push('"');
        }
        into.push_str(part);
    }
}
