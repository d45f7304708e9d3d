//! From the fields of a record to an event. (A small stand-in for the full builder.)

use std::{ops::Range, sync::Arc};

use super::{
    Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome, ParseOptions, Text,
    fields::{FieldTable, Slot},
    time,
};

/// A value as a format knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Letters.
    Text(&'a str),
    /// A number, as it is spelled.
    Number(&'a str),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
}

/// Which input field filled which slot, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedField {
    /// The slot.
    pub slot: Slot,
    /// The field.
    pub path: String,
    /// How often.
    pub count: u64,
}

/// Fills events from fields.
#[derive(Debug, Clone)]
pub struct EventBuilder {
    table: Arc<FieldTable>,
    zone: jiff::tz::TimeZone,
    event: Event,
    batch: EventBatch,
    lossy: Vec<String>,
    mapping: Vec<MappedField>,
}

impl EventBuilder {
    /// A builder without events.
    #[must_use]
    pub fn new(table: Arc<FieldTable>, options: &ParseOptions) -> Self {
        Self {
            table,
            zone: options.time_zone.clone(),
            event: Event::EMPTY,
            batch: EventBatch::default(),
            lossy: Vec::new(),
            mapping: Vec::new(),
        }
    }

    /// Starts a record.
    pub fn begin(&mut self, block: &[u8], record: Range<usize>, line: u32) {
        self.lossy = vec![String::from_utf8_lossy(&block[record.clone()]).chars().take(200).collect()];
        self.event = Event::EMPTY;
        self.event.line = line;
        self.event.record_start = record.start as u32;
        self.event.record_len = record.len() as u32;
    }

    /// A field by its name.
    pub fn field(&mut self, block: &[u8], path: &str, value: Scalar<'_>) {
        if let Some(slot) = self.table.slot(path) {
            match self.mapping.iter_mut().find(|mapped| mapped.slot == slot && mapped.path == path) {
                Some(mapped) => mapped.count += 1,
                None => self.mapping.push(MappedField { slot, path: path.to_owned(), count: 1 }),
            }
            self.set(block, slot, value);
        }
    }

    /// A value whose meaning the format knows by itself.
    pub fn set(&mut self, block: &[u8], slot: Slot, value: Scalar<'_>) {
        let (Scalar::Text(text) | Scalar::Number(text)) = value else { return };
        if text.is_empty() {
            return;
        }
        let start = block.len() + self.batch.arena.len();
        let place = Text {
            hash: rapidhash::v3::rapidhash_v3(text.as_bytes()).max(1),
            start: start as u32,
            len: text.len() as u32,
        };
        self.batch.arena.extend_from_slice(text.as_bytes());
        let event = &mut self.event;
        match slot {
            Slot::Time => event.time = time::parse_time(text, &self.zone).unwrap_or(NO_TIME),
            Slot::User => event.user = place,
            Slot::SourceIp => event.source_ip = place,
            Slot::Host => event.host = place,
            Slot::Action => event.action = place,
            Slot::Outcome => event.outcome = if text == "success" { Outcome::Success } else { Outcome::Failure },
            Slot::Resource => event.resource = place,
            Slot::Bytes => event.bytes = text.parse().ok(),
            Slot::Country => event.country = place,
            Slot::Process => event.process = place,
            Slot::UserAgent => event.user_agent = place,
            Slot::Message => event.template = place.hash,
        }
    }

    /// The time.
    pub fn set_time(&mut self, millis: i64) {
        self.event.time = millis;
    }

    /// How it ended.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.event.outcome = outcome;
    }

    /// The hash of the message's fixed parts.
    pub fn set_template(&mut self, hash: u64) {
        self.event.template = hash;
    }

    /// A complaint about the record begun last.
    pub fn complain(&mut self, reason: ComplaintReason, detail: String) {
        let sample = self.lossy.first().cloned().unwrap_or_default();
        self.batch.complaints.push(Complaint { reason, line: self.event.line, detail, sample });
    }

    /// The record becomes an event.
    pub fn finish(&mut self) {
        self.batch.records += 1;
        self.batch.events.push(self.event);
    }

    /// The record is lost.
    pub fn discard(&mut self) {
        self.batch.records += 1;
    }

    /// The batch.
    pub fn take(&mut self, file: u32, first_line: u64, block: Vec<u8>) -> EventBatch {
        let mut batch = std::mem::take(&mut self.batch);
        batch.file = file;
        batch.first_line = first_line;
        batch.block = block;
        batch
    }

    /// Which input fields filled which slots.
    #[must_use]
    pub fn mapping(&self) -> Vec<MappedField> {
        self.mapping.clone()
    }
}
