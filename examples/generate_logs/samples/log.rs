//! A log while it is written: records with their times, in any order, some of them part of a planted incident.

use std::io::Write as _;

use jiff::Timestamp;
use serde_json::json;

/// Monday 2026-03-02 00:00:00 UTC, the first second of every sample.
const START: i64 = 1_772_409_600;
/// Days that every sample spans.
pub(crate) const DAYS: i64 = 14;
/// Seconds.
pub(crate) const MINUTE: i64 = 60;
/// Seconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Seconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// Milliseconds since the start of the samples: what the builders calculate with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// So many seconds after the start of that day; day 0 is a Monday.
    pub(crate) const fn on(day: i64, seconds: i64) -> Self {
        Self((day * DAY + seconds) * 1000)
    }

    /// Later by so many milliseconds.
    pub(crate) const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0 + millis)
    }

    /// As a time in whole seconds, which is what the logs write.
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_second(START + self.0.div_euclid(1000)).expect("the samples lie in one month of 2026")
    }

    /// `2026-03-02T08:00:00Z`.
    pub(crate) fn rfc3339(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// In UTC, with `strftime`'s letters.
    pub(crate) fn format(self, format: &str) -> String {
        self.timestamp().strftime(format).to_string()
    }
}

/// Saturday or Sunday.
pub(crate) const fn is_weekend(day: i64) -> bool {
    day % 7 >= 5
}

/// Something that an analyst should find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incident {
    /// Unique over all samples.
    pub(crate) id: &'static str,
    /// Name of the threat type.
    pub(crate) threat_type: &'static str,
    /// Kind and value of the entity it is about.
    pub(crate) entity: (&'static str, &'static str),
    /// What happens, in one sentence.
    pub(crate) story: &'static str,
}

/// An incident as it stands in its file.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    /// What happens.
    pub(crate) incident: Incident,
    /// In which file.
    pub(crate) file: &'static str,
    /// Time of its first event.
    pub(crate) first: Timestamp,
    /// Time of its last event.
    pub(crate) last: Timestamp,
    /// Line of each of its events in the unpacked file (in the wrapped array: number of the record), from 1.
    pub(crate) lines: Vec<u64>,
}

/// How a sample is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As it is.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

struct Record {
    time: Moment,
    incident: Option<&'static str>,
    bytes: Vec<u8>,
}

/// One log, complete.
pub(crate) struct Sample {
    /// Name of its file.
    pub(crate) name: &'static str,
    /// How the file is stored.
    pub(crate) packing: Packing,
    head: &'static str,
    separator: &'static str,
    tail: &'static str,
    records: Vec<Record>,
    incidents: Vec<Incident>,
}

impl Sample {
    /// A log with one record a line.
    pub(crate) fn lines(name: &'static str, packing: Packing) -> Self {
        Self { name, packing, head: "", separator: "\n", tail: "\n", records: Vec::new(), incidents: Vec::new() }
    }

    /// The same under a line of column names.
    pub(crate) fn with_header(mut self, header: &'static str) -> Self {
        self.head = header;
        self
    }

    /// Records in one array inside one object.
    pub(crate) fn wrapped(name: &'static str, packing: Packing) -> Self {
        Self { head: "{\"Records\":[", separator: ",", tail: "]}\n", ..Self::lines(name, packing) }
    }

    /// Adds a record of every day's life.
    pub(crate) fn add(&mut self, time: Moment, bytes: impl Into<Vec<u8>>) {
        self.records.push(Record { time, incident: None, bytes: bytes.into() });
    }

    /// Adds a record of an incident.
    pub(crate) fn plant(&mut self, incident: &Incident, time: Moment, bytes: impl Into<Vec<u8>>) {
        if self.incidents.iter().all(|known| known.id != incident.id) {
            self.incidents.push(*incident);
        }
        self.records.push(Record { time, incident: Some(incident.id), bytes: bytes.into() });
    }

    /// The records in order of time; of two at the same time the one added first stands first.
    pub(crate) fn sorted(mut self) -> Self {
        self.records.sort_by_key(|record| record.time);
        self
    }

    /// The file's bytes before packing.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let mut bytes = self.head.as_bytes().to_vec();
        for (number, record) in self.records.iter().enumerate() {
            if number > 0 {
                bytes.extend_from_slice(self.separator.as_bytes());
            }
            bytes.extend_from_slice(&record.bytes);
        }
        bytes.extend_from_slice(self.tail.as_bytes());
        bytes
    }

    /// The file's bytes.
    pub(crate) fn packed(&self) -> std::io::Result<Vec<u8>> {
        let plain = self.plain();
        match self.packing {
            Packing::Plain => Ok(plain),
            Packing::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(&plain)?;
                encoder.finish()
            }
            Packing::Zstd => zstd::encode_all(plain.as_slice(), 19),
        }
    }

    /// What is planted in it.
    pub(crate) fn planted(&self) -> Vec<Planted> {
        let head_lines = self.head.bytes().filter(|&byte| byte == b'\n').count() as u64;
        let of = |incident: &Incident| {
            let records = || self.records.iter().enumerate().filter(|(_, record)| record.incident == Some(incident.id));
            let times = || records().map(|(_, record)| record.time.timestamp());
            Planted {
                incident: *incident,
                file: self.name,
                first: times().min().expect("an incident is named by its first record"),
                last: times().max().expect("an incident is named by its first record"),
                lines: records().map(|(number, _)| head_lines + number as u64 + 1).collect(),
            }
        };
        self.incidents.iter().map(of).collect()
    }
}

/// What is planted, for tests and for those who want to know how well the detector does.
pub(crate) fn planted_json(planted: &[Planted]) -> String {
    let rows: Vec<String> = planted
        .iter()
        .map(|planted| {
            let (kind, value) = planted.incident.entity;
            json!({
                "incident": planted.incident.id,
                "file": planted.file,
                "threat_type": planted.incident.threat_type,
                "entity": { "kind": kind, "value": value },
                "first": planted.first,
                "last": planted.last,
                "events": planted.lines.len(),
                "story": planted.incident.story,
                "lines": planted.lines,
            })
            .to_string()
        })
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}
