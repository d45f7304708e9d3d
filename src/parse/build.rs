//! From the fields of a record to an event.
//!
//! Every field is judged when it comes: the table of names says which slot it may fill and how well, and only a value
//! that beats the one already there is hashed. Nothing is copied that stands in the block letter for letter.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use super::draft::{Draft, NO_TALLY, NOWHERE, Origin};
use super::fields::{BUILT_IN, Claim, FieldTable, Slot, Target};
use super::json::Frame;
use super::keys::{Keys, NodeId, ROOT};
use super::options::ParseOptions;
use super::value::Kind;
use super::vendor::{self, Notes};
use super::{Complaint, ComplaintReason, Event, EventBatch, NO_TIME, Outcome};

pub use super::value::Scalar;

/// Complaints of one reason in one block that show a sample and a detail; the others are only counted.
const SAMPLES_PER_REASON: u32 = 16;
/// Characters of a record that a complaint shows.
const SAMPLE_CHARS: usize = 200;
/// Fields that [`EventBuilder::mapping`] tells apart.
const MAX_MAPPED: usize = 4096;

const SECRETS: RapidSecrets = RapidSecrets::seed(0x5761_7463_6862_656c);

/// Hash of a text, the same in every run, on every machine; never 0, which stands for "absent".
#[inline]
#[must_use]
pub fn hash_text(bytes: &[u8]) -> u64 {
    rapidhash_v3_nano_inline::<true, false>(bytes, &SECRETS).max(1)
}

/// A field of the log that fills a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedField {
    /// The slot.
    pub slot: Slot,
    /// The field's (dotted) name as the log spells it.
    pub path: String,
    /// In how many events it gave the slot its value.
    pub count: u64,
}

/// Makes events from the fields of records.
#[derive(Debug, Clone)]
pub struct EventBuilder {
    pub(super) table: Arc<FieldTable>,
    pub(super) keys: Keys,
    pub(super) max_depth: usize,
    /// What the JSON scanner keeps from record to record, to allocate nothing: its stack, a text to unescape into, and
    /// the number of objects so far.
    pub(super) frames: Vec<Frame>,
    pub(super) scratch: String,
    pub(super) objects: u64,
    draft: Draft,
    notes: Notes,
    events: Vec<Event>,
    records: u64,
    complaints: Vec<(Complaint, Range<usize>)>,
    complained: HashMap<ComplaintReason, u32>,
    mapped: Vec<MappedField>,
    mapped_index: HashMap<(Slot, String), u32>,
}

impl EventBuilder {
    /// A builder without events.
    #[must_use]
    pub fn new(table: Arc<FieldTable>, options: &ParseOptions) -> Self {
        Self {
            table,
            keys: Keys::new(),
            max_depth: options.max_depth,
            frames: Vec::new(),
            scratch: String::new(),
            objects: 0,
            draft: Draft::new(options.time_zone.clone()),
            notes: Notes::default(),
            events: Vec::new(),
            records: 0,
            complaints: Vec::new(),
            complained: HashMap::new(),
            mapped: Vec::new(),
            mapped_index: HashMap::new(),
        }
    }

    /// A record begins: the bytes `record` of `block`, at this line of the block.
    pub fn begin(&mut self, block: &[u8], record: Range<usize>, line: u32) {
        if self.events.is_empty() {
            // As many as there are if they are all like the first, so that the list does not grow by copying.
            self.events.reserve(block.len().saturating_sub(record.start) / record.len().max(64) + 1);
        }
        self.records += 1;
        self.keys.begin();
        self.notes.clear();
        self.draft.begin(block.len(), record, line);
    }

    /// A field by its name; nested names are joined with dots. A value that stands in `block` is not copied.
    pub fn field(&mut self, block: &[u8], path: &str, value: Scalar<'_>) {
        let id = self.keys.child(&self.table, ROOT, path);
        if let Some((text, kind)) = value.letters() {
            self.offer(id, text, kind, place_in(block, text));
        }
    }

    /// A value whose meaning the format knows. Only a user's mapping of a field stands above it.
    pub fn set(&mut self, block: &[u8], slot: Slot, value: Scalar<'_>) {
        if let Some((text, kind)) = value.letters() {
            let origin = Origin { kind, place: place_in(block, text), tally: NO_TALLY };
            self.draft.offer(Claim { slot, rank: BUILT_IN }, text, origin);
        }
    }

    /// The record's time.
    pub fn set_time(&mut self, millis: i64) {
        self.draft.set_time(millis);
    }

    /// How the record's action ended.
    pub fn set_outcome(&mut self, outcome: Outcome) {
        self.draft.set_outcome(outcome);
    }

    /// Hash of the record's message with its variable parts taken out.
    pub fn set_template(&mut self, hash: u64) {
        self.draft.event.template = hash;
    }

    /// Complains about the record begun last.
    pub fn complain(&mut self, reason: ComplaintReason, detail: String) {
        let seen = self.complained.entry(reason).or_default();
        *seen += 1;
        let shown = *seen <= SAMPLES_PER_REASON;
        let detail = if shown { detail } else { String::new() };
        let record = if shown { self.draft.record.clone() } else { 0..0 };
        let complaint = Complaint { reason, line: self.draft.event.line, detail, sample: String::new() };
        self.complaints.push((complaint, record));
    }

    /// The record is complete and becomes an event.
    pub fn finish(&mut self) {
        vendor::derive(&self.notes, &mut self.draft);
        if self.draft.event.time == NO_TIME {
            match self.draft.unreadable_time.take() {
                Some(text) => {
                    self.complain(ComplaintReason::UnreadableTime, format!("expected a time, found `{text}`"));
                }
                None => self.complain(ComplaintReason::MissingTime, String::new()),
            }
        }
        if self.draft.is_empty() && self.notes.is_empty() {
            self.complain(ComplaintReason::NoKnownField, String::new());
        }
        for &tally in self.draft.tallies() {
            if let Some(field) = self.mapped.get_mut(tally as usize) {
                field.count += 1;
            }
        }
        let event = self.draft.finished();
        self.events.push(event);
    }

    /// The record is lost; complain about it first.
    pub fn discard(&mut self) {
        self.notes.clear();
        self.draft.forget();
    }

    /// What was built from `block`, which must be the one that every call since the last `take` was given.
    pub fn take(&mut self, file: u32, first_line: u64, block: Vec<u8>) -> EventBatch {
        let complaints = std::mem::take(&mut self.complaints);
        let complaints = complaints.into_iter().map(|(complaint, record)| with_sample(complaint, &block[record]));
        let complaints = complaints.collect();
        self.complained.clear();
        let events = std::mem::take(&mut self.events);
        let records = std::mem::take(&mut self.records);
        EventBatch { file, offset: 0, first_line, block, arena: self.draft.take_arena(), events, complaints, records }
    }

    /// Takes back the memory of a batch that is no longer needed, for the next one.
    pub fn reuse(&mut self, batch: EventBatch) {
        let EventBatch { mut events, mut arena, .. } = batch;
        events.clear();
        arena.clear();
        if self.events.is_empty() && events.capacity() > self.events.capacity() {
            self.events = events;
        }
        self.draft.reuse_arena(arena);
    }

    /// Which fields filled which slots so far, by slot, most used first.
    #[must_use]
    pub fn mapping(&self) -> Vec<MappedField> {
        let mut mapping: Vec<_> = self.mapped.iter().filter(|field| field.count > 0).cloned().collect();
        mapping.sort_by(|a, b| a.slot.cmp(&b.slot).then(b.count.cmp(&a.count)).then(a.path.cmp(&b.path)));
        mapping
    }

    /// Drops what is known of the record begun last, to read it anew.
    pub(super) fn restart(&mut self) {
        self.keys.begin();
        self.notes.clear();
        let (line, record) = (self.draft.event.line, self.draft.record.clone());
        self.draft.restart(record, line);
    }

    /// Offers the value of a known name to the slots that it may fill. `place` is where its letters stand, in the block
    /// or past its end in the arena, or [`NOWHERE`].
    #[inline]
    pub(super) fn offer(&mut self, id: NodeId, text: &str, kind: Kind, place: u32) {
        let node = self.keys.node(id);
        let target = node.target;
        if target.is_none() {
            return;
        }
        let tally = if node.tally[0] == NO_TALLY { self.number(id, target) } else { node.tally };
        if let Some(claim) = target.first {
            self.draft.offer(claim, text, Origin { kind, place, tally: tally[0] });
        }
        if let Some(claim) = target.second {
            self.draft.offer(claim, text, Origin { kind, place, tally: tally[1] });
        }
        if let Some(note) = target.note {
            self.notes.add(note, text);
        }
    }

    /// Whether a value of this name could matter at all.
    #[inline]
    pub(super) fn wants(&self, id: NodeId) -> bool {
        !self.keys.node(id).target.is_none()
    }

    /// Gives a name its place in the tallies of `mapping`.
    fn number(&mut self, id: NodeId, target: Target) -> [u32; 2] {
        let path = self.keys.path(id);
        let tally = [target.first, target.second].map(|claim| {
            claim.map_or(0, |claim| {
                let next = self.mapped.len().min(MAX_MAPPED) as u32;
                let number = *self.mapped_index.entry((claim.slot, path.clone())).or_insert(next);
                if number == next && self.mapped.len() <= MAX_MAPPED {
                    let path = if next < MAX_MAPPED as u32 { path.clone() } else { "(others)".to_owned() };
                    self.mapped.push(MappedField { slot: claim.slot, path, count: 0 });
                }
                number
            })
        });
        self.keys.node_mut(id).tally = tally;
        tally
    }
}

fn with_sample(mut complaint: Complaint, record: &[u8]) -> Complaint {
    // Four bytes are the most that a character takes.
    let start = &record[..record.len().min(SAMPLE_CHARS * 4)];
    complaint.sample = String::from_utf8_lossy(start).chars().take(SAMPLE_CHARS).collect();
    complaint
}

/// Where in the block a value's letters stand, told by their address.
fn place_in(block: &[u8], text: &str) -> u32 {
    let start = (text.as_ptr() as usize).wrapping_sub(block.as_ptr() as usize);
    let fits = start.checked_add(text.len()).is_some_and(|end| end <= block.len());
    u32::try_from(start).ok().filter(|_| fits).unwrap_or(NOWHERE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::ActionClass;
    use std::collections::BTreeMap;

    fn builder() -> EventBuilder {
        EventBuilder::new(Arc::new(FieldTable::default()), &ParseOptions::default())
    }

    fn built(fields: &[(&str, Scalar<'_>)]) -> (EventBatch, EventBuilder) {
        let mut builder = builder();
        let block = b"the record".to_vec();
        builder.begin(&block, 0..block.len(), 3);
        for (path, value) in fields {
            builder.field(&block, path, *value);
        }
        builder.finish();
        (builder.take(0, 1, block), builder)
    }

    #[test]
    fn fields_fill_their_slots() {
        let (batch, builder) = built(&[
            ("timestamp", Scalar::Text("2025-03-03T00:00:01.500Z")),
            ("user", Scalar::Text("alice")),
            ("source_ip", Scalar::Text("::ffff:10.0.0.1")),
            ("action", Scalar::Text("login")),
            ("status", Scalar::Text("failure")),
            ("bytes", Scalar::Number("12")),
            ("country", Scalar::Null),
        ]);
        let event = &batch.events[0];
        assert_eq!(event.time, 1_740_960_001_500);
        assert_eq!(batch.text(event.user), "alice");
        assert_eq!(batch.text(event.source_ip), "10.0.0.1");
        assert_eq!(event.user.hash, hash_text(b"alice"));
        assert_eq!((event.class, event.outcome), (ActionClass::Login, Outcome::Failure));
        assert_eq!((event.bytes, event.line), (Some(12), 3));
        assert!(!event.country.is_present());
        assert!(batch.complaints.is_empty());
        let slots: Vec<_> = builder.mapping().iter().map(|field| (field.slot, field.count)).collect();
        let expected = [Slot::Time, Slot::User, Slot::SourceIp, Slot::Action, Slot::Outcome, Slot::Bytes];
        assert_eq!(slots, expected.map(|slot| (slot, 1)));
    }

    #[test]
    fn the_better_name_wins_in_any_order_and_nothing_beats_a_value() {
        let name = [("user_id", Scalar::Text("17")), ("user", Scalar::Text("bob"))];
        for fields in [name, [name[1], name[0]]] {
            let (batch, _) = built(&fields);
            assert_eq!(batch.text(batch.events[0].user), "bob");
        }
        let (batch, _) = built(&[("user", Scalar::Text("-")), ("user_id", Scalar::Number("17"))]);
        assert_eq!(batch.text(batch.events[0].user), "17");
    }

    #[test]
    fn a_user_mapping_beats_the_format() {
        let options = ParseOptions {
            fields: BTreeMap::from([(Slot::User, vec!["kunde".to_owned()])]),
            ..ParseOptions::default()
        };
        let mut builder = EventBuilder::new(Arc::new(FieldTable::new(&options.fields)), &options);
        builder.begin(b"", 0..0, 0);
        builder.field(b"", "kunde", Scalar::Text("k7"));
        builder.field(b"", "user", Scalar::Text("bob"));
        builder.set(b"", Slot::User, Scalar::Text("eve"));
        builder.finish();
        let batch = builder.take(0, 1, Vec::new());
        assert_eq!(batch.text(batch.events[0].user), "k7");
    }

    #[test]
    fn values_in_the_block_are_not_copied() {
        let mut builder = builder();
        let block = b"user=alice".to_vec();
        builder.begin(&block, 0..block.len(), 0);
        let value = std::str::from_utf8(&block[5..]).unwrap();
        builder.field(&block, "user", Scalar::Text(value));
        builder.finish();
        let batch = builder.take(0, 1, block);
        assert_eq!(batch.events[0].user.start, 5);
        assert!(batch.arena.is_empty());
        assert_eq!(batch.record(&batch.events[0]), b"user=alice");
    }

    #[test]
    fn times_missing_and_unreadable_are_complained_of() {
        let (batch, _) = built(&[("user", Scalar::Text("a"))]);
        assert_eq!(batch.complaints[0].reason, ComplaintReason::MissingTime);
        assert_eq!((batch.complaints[0].line, batch.complaints[0].sample.as_str()), (3, "the record"));
        let (batch, _) = built(&[("user", Scalar::Text("a")), ("time", Scalar::Text("noon"))]);
        assert_eq!(batch.complaints[0].reason, ComplaintReason::UnreadableTime);
        assert!(batch.complaints[0].detail.contains("noon"));
        let (batch, _) = built(&[("time", Scalar::Text("noon")), ("created", Scalar::Number("1740960000"))]);
        assert!(batch.complaints.is_empty());
        let (batch, _) = built(&[("zzz", Scalar::Text("a"))]);
        let reasons: Vec<_> = batch.complaints.iter().map(|complaint| complaint.reason).collect();
        assert_eq!(reasons, [ComplaintReason::MissingTime, ComplaintReason::NoKnownField]);
    }

    #[test]
    fn every_complaint_counts_and_the_first_show_samples() {
        let mut builder = builder();
        for line in 0..40 {
            builder.begin(b"rec", 0..3, line);
            builder.complain(ComplaintReason::Malformed, "expected more".to_owned());
            builder.discard();
        }
        let batch = builder.take(0, 1, b"rec".to_vec());
        assert_eq!((batch.records, batch.events.len(), batch.complaints.len()), (40, 0, 40));
        assert_eq!(batch.complaints[15].sample, "rec");
        assert!(batch.complaints[16].sample.is_empty());
    }
}
