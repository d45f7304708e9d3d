//! What a reader of logs may be told: the format, the meaning of fields, and the limits.
//!
//! The limits exist because a log is written by strangers: without them one line could take all memory.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::tz::TimeZone;

use super::fields::Slot;

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One JSON object per line.
    JsonLines,
    /// JSON objects in an array, in an array inside an object, or one after another.
    Json,
    /// Values with a separator between them, below a line of names.
    Csv,
    /// As [`Format::Csv`], with tabs.
    Tsv,
    /// Columns named by a `#fields` line: Zeek's own format and the W3C extended log format of IIS.
    Zeek,
    /// RFC 3164, RFC 5424, or rsyslog's files with either kind of time.
    Syslog,
    /// `key=value` pairs.
    Logfmt,
    /// The common and the combined format of web servers.
    Access,
    /// Lines of any text.
    Text,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::JsonLines,
        Self::Json,
        Self::Csv,
        Self::Tsv,
        Self::Zeek,
        Self::Syslog,
        Self::Logfmt,
        Self::Access,
        Self::Text,
    ];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "json-lines",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Zeek => "zeek",
            Self::Syslog => "syslog",
            Self::Logfmt => "logfmt",
            Self::Access => "access",
            Self::Text => "text",
        }
    }

    /// Whether places in it are counted in lines; otherwise in records.
    #[must_use]
    pub const fn has_lines(self) -> bool {
        !matches!(self, Self::Json)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: expected json-lines, json, csv, tsv, zeek, syslog, logfmt, access or text")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let lower = name.to_ascii_lowercase();
        let known = match lower.as_str() {
            "jsonl" | "ndjson" | "jsonlines" => Some(Self::JsonLines),
            "w3c" | "iis" => Some(Self::Zeek),
            "apache" | "nginx" | "combined" | "common" => Some(Self::Access),
            _ => Self::ALL.into_iter().find(|format| format.name() == lower),
        };
        known.ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// How logs are read.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// The format; found from the content when absent.
    pub format: Option<Format>,
    /// The user's own mapping: the fields that fill a slot, strongest first.
    pub fields: BTreeMap<Slot, Vec<String>>,
    /// The zone of times that name none.
    pub time_zone: TimeZone,
    /// In milliseconds since 1970: dates without a year belong to the last year in which they are not later than a day
    /// after this. The file's time of change when absent.
    pub reference_time: Option<i64>,
    /// Longest record; longer ones are complained of and left out. 1 MiB, four times the largest CloudTrail record.
    pub max_record_bytes: usize,
    /// Deepest nesting of JSON.
    pub max_depth: usize,
    /// Most bytes that one compressed input may become. 1 TiB: more than a log, less than what a bomb makes.
    pub max_decompressed_bytes: u64,
    /// Most bytes out of one byte in, once 64 MiB have come out. 1,000: repetitive logs reach some hundreds, zip bombs
    /// in gzip 1,030 and in zstd far more.
    pub max_compression_ratio: u64,
    /// Whether a last line without a line feed is left for the next run, as fits a file that is being written.
    /// Otherwise the end of the file ends the record.
    pub keep_unfinished_line: bool,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            format: None,
            fields: BTreeMap::new(),
            time_zone: TimeZone::UTC,
            reference_time: None,
            max_record_bytes: 1 << 20,
            max_depth: 64,
            max_decompressed_bytes: 1 << 40,
            max_compression_ratio: 1_000,
            keep_unfinished_line: false,
        }
    }
}
