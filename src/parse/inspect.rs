//! A look into a log: what it is, what was understood, and what was not.

use std::collections::BTreeMap;

use super::{
    Complaint, ComplaintReason, Event, EventBatch, Format, NO_TIME, Outcome, ParseOptions, Text, build::MappedField,
    open_log,
};
use crate::source::{SourceError, SourceFile};

/// Events and complaints of one reason that are shown.
const SAMPLES: usize = 5;

/// What a log is and how it was understood.
#[derive(Debug)]
pub struct Inspection {
    /// Its format.
    pub format: Format,
    /// The format and what is special about it, for people.
    pub dialect: String,
    /// Records seen.
    pub records: u64,
    /// Events understood.
    pub events: u64,
    /// Bytes of decompressed text.
    pub bytes: u64,
    /// Which input field filled which slot, and how often.
    pub mapping: Vec<MappedField>,
    /// The first events.
    pub samples: Vec<SampleEvent>,
    /// What was not understood, by reason: how often, and the first few.
    pub complaints: BTreeMap<ComplaintReason, (u64, Vec<LocatedComplaint>)>,
    /// Why the reading ended before the log did.
    pub error: Option<SourceError>,
}

/// One event, its fields by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleEvent {
    /// Line (or record) in the file, from 1.
    pub line: u64,
    /// Name of the field and its value, those present.
    pub fields: Vec<(&'static str, String)>,
}

/// A complaint and where in the file it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedComplaint {
    /// Line (or record) in the file, from 1.
    pub line: u64,
    /// The complaint.
    pub complaint: Complaint,
}

/// Reads a whole log and says what was understood.
///
/// # Errors
/// When it cannot be opened; an error on the way is part of the result.
pub fn inspect(file: &SourceFile, options: &ParseOptions) -> Result<Inspection, SourceError> {
    let mut log = open_log(file, 0, options)?;
    let mut inspection = Inspection {
        format: log.format,
        dialect: log.dialect,
        records: 0,
        events: 0,
        bytes: 0,
        mapping: Vec::new(),
        samples: Vec::new(),
        complaints: BTreeMap::new(),
        error: None,
    };
    for block in log.blocks.by_ref() {
        match block {
            Ok(block) => inspection.add(&log.parser.parse(block)),
            Err(error) => inspection.error = Some(error),
        }
    }
    inspection.bytes = log.blocks.end_offset();
    inspection.mapping = log.parser.mapping();
    Ok(inspection)
}

impl Inspection {
    fn add(&mut self, batch: &EventBatch) {
        self.records += batch.records;
        self.events += batch.events.len() as u64;
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(batch.events.iter().take(room).map(|event| sample(batch, event)));
        for complaint in &batch.complaints {
            let (count, samples) = self.complaints.entry(complaint.reason).or_default();
            *count += 1;
            if samples.len() < SAMPLES {
                let line = batch.first_line + u64::from(complaint.line);
                samples.push(LocatedComplaint { line, complaint: complaint.clone() });
            }
        }
    }
}

fn sample(batch: &EventBatch, event: &Event) -> SampleEvent {
    let mut fields = Vec::new();
    if event.time != NO_TIME
        && let Ok(time) = jiff::Timestamp::from_millisecond(event.time)
    {
        fields.push(("time", time.to_string()));
    }
    let texts: [(&'static str, Text); 8] = [
        ("user", event.user),
        ("source_ip", event.source_ip),
        ("host", event.host),
        ("action", event.action),
        ("resource", event.resource),
        ("country", event.country),
        ("process", event.process),
        ("user_agent", event.user_agent),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| text.is_present()) {
        fields.push((name, batch.text(text).into_owned()));
    }
    match event.outcome {
        Outcome::Unknown => {}
        Outcome::Success => fields.push(("outcome", "success".to_owned())),
        Outcome::Failure => fields.push(("outcome", "failure".to_owned())),
    }
    if let Some(bytes) = event.bytes {
        fields.push(("bytes", bytes.to_string()));
    }
    SampleEvent { line: batch.first_line + u64::from(event.line), fields }
}
