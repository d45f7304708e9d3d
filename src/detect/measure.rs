//! The first pass: every event measured against its entities' past, a compact row of each kept.

use std::{
    borrow::Cow,
    io,
    sync::{atomic::Ordering, mpsc::sync_channel},
    thread,
};

use jiff::Timestamp;

use super::{DetectError, DetectSettings, LogPart, Run, ScoreSummary, intake, rows::RowStore, tally::Tally};
use crate::{
    classify::{Candidate, EpisodeBook, threat},
    features::{FEATURES, Observation, Row, Signal, Tracker, TrackerOptions, quantize},
    model::Model,
    parse::{Event, EventBatch, OpenLog, open_log},
    score::{random::Random, voices::Voices},
    source::SourceError,
};

use watchbell_sink::ThreatType;

/// Rows that the voices learn from.
const SAMPLE: usize = 1 << 16;

/// What the first pass knows of one part.
#[derive(Debug, Default)]
pub(super) struct PartMeasure {
    pub(super) file: String,
    pub(super) tally: Tally,
    /// Number of the part's first reported row among all rows.
    pub(super) first_row: u64,
    pub(super) format: String,
    pub(super) bytes: u64,
    pub(super) end_offset: u64,
    pub(super) next_line: u64,
    /// Row number less event number in the file.
    pub(super) row_of_event_0: i64,
    pub(super) error: Option<SourceError>,
}

/// What the first pass gives.
#[derive(Debug)]
pub(super) struct Measured {
    tracker: Tracker,
    pub(super) rows: RowStore,
    pub(super) book: EpisodeBook,
    pub(super) parts: Vec<PartMeasure>,
    sample: Sample,
    has_model: bool,
}

impl Measured {
    /// The voices: those of the model, or what the log itself teaches.
    pub(super) fn voices<'m>(
        &self,
        settings: &DetectSettings,
        model: Option<&'m Model>,
    ) -> Result<Cow<'m, Voices>, DetectError> {
        match model {
            Some(model) => Ok(Cow::Borrowed(&model.voices)),
            None => Ok(Cow::Owned(Voices::fit(&self.sample.rows, FEATURES, settings.seed)?)),
        }
    }

    pub(super) fn summary(&self) -> ScoreSummary {
        self.part_summaries().pop().unwrap_or_default()
    }

    pub(super) fn part_summaries(&self) -> Vec<ScoreSummary> {
        let summary = |part: &PartMeasure| ScoreSummary {
            file: part.file.clone(),
            events: part.tally.events,
            anomalies: 0,
            lost: part.tally.lost(),
            error: part.error.as_ref().map(ToString::to_string),
        };
        self.parts.iter().map(summary).collect()
    }

    pub(super) fn into_model(self, name: &str, now: Timestamp, voices: &Voices) -> Model {
        Model {
            name: name.to_owned(),
            trained_at: now,
            events: self.rows.len(),
            voices: voices.clone(),
            tracker: self.tracker,
        }
    }

    /// Days that the reported events span, at least one.
    pub(super) fn days(&self) -> f64 {
        let first = self.parts.iter().filter_map(|part| part.tally.first_event()).min();
        let last = self.parts.iter().filter_map(|part| part.tally.last_event()).max();
        let secs = first.zip(last).map_or(0, |(first, last)| last.as_second() - first.as_second());
        (secs as f64 / 86_400.0).max(1.0)
    }
}

/// A uniform sample of rows (Vitter's algorithm R), the same for the same rows and seed.
#[derive(Debug)]
struct Sample {
    rows: Vec<u8>,
    seen: u64,
    random: Random,
}

impl Sample {
    fn push(&mut self, row: &Row) {
        self.seen += 1;
        if self.rows.len() < SAMPLE * FEATURES {
            self.rows.extend_from_slice(row);
            return;
        }
        let at = self.random.below(self.seen as usize);
        if at < SAMPLE {
            self.rows[at * FEATURES..(at + 1) * FEATURES].copy_from_slice(row);
        }
    }
}

/// A memory to begin with: the model's, or an empty one.
pub(super) fn first_memory(model: Option<&Model>) -> Tracker {
    model.map_or_else(|| Tracker::new(TrackerOptions::default()), |model| model.tracker.clone())
}

/// Measures all parts, oldest first, as one history.
pub(super) fn measure(
    settings: &DetectSettings,
    model: Option<&Model>,
    parts: &[LogPart],
    run: Run<'_>,
) -> Result<Measured, DetectError> {
    run.progress.stage("reading");
    let mut measured = Measured {
        tracker: first_memory(model),
        rows: RowStore::default(),
        book: EpisodeBook::default(),
        parts: Vec::new(),
        sample: Sample { rows: Vec::new(), seen: 0, random: Random::new(settings.seed) },
        has_model: model.is_some(),
    };
    for part in parts {
        let done = measured.read_part(settings, part, run)?;
        measured.parts.push(done);
        if run.stop.load(Ordering::Relaxed) {
            return Err(DetectError::Stopped);
        }
    }
    let evictions = measured.tracker.evictions();
    if evictions > 0 {
        tracing::warn!(evictions, "the memory is full: entities that were idle longest had to make room");
    }
    measured.book.know_habits(measured.tracker.habits());
    Ok(measured)
}

impl Measured {
    fn read_part(
        &mut self,
        settings: &DetectSettings,
        part: &LogPart,
        run: Run<'_>,
    ) -> Result<PartMeasure, DetectError> {
        let mut done = PartMeasure {
            file: part.file.name.clone(),
            first_row: self.rows.len(),
            end_offset: part.report_from,
            ..PartMeasure::default()
        };
        let (log, lines_before) = match open_part(part, self.has_model, run) {
            Ok(log) => log,
            Err(error) => return Ok(PartMeasure { error: Some(error), ..done }),
        };
        done.format = log.dialect.clone();
        done.row_of_event_0 = self.rows.len() as i64 - if lines_before > 0 { part.first_event as i64 } else { 0 };
        let workers = settings.threads().saturating_sub(1).max(1);
        let Self { tracker, rows, book, sample, .. } = self;
        let mut next_row = rows.len();
        let mut keeper = Keeper { part, has_lines: log.format.has_lines(), rows, sample, done: &mut done };
        let mut measure = |mut batch: EventBatch| {
            run.progress.bytes(batch.block.len() as u64);
            batch.first_line += lines_before;
            let rows = measure_batch(tracker, book, &batch, &mut next_row);
            (batch, rows)
        };
        if part.is_small() {
            let mut kept = Ok(());
            let end = intake::read_here(log, run.stop, |batch| {
                let (batch, rows) = measure(batch);
                if kept.is_ok() {
                    kept = keeper.keep(&batch, &rows);
                }
            });
            kept.map_err(DetectError::Rows)?;
            return Ok(PartMeasure { end_offset: end.offset, error: end.error, ..done });
        }
        let (end, kept) = thread::scope(|scope| {
            let (send, measured) = sync_channel::<(EventBatch, Vec<(Row, Candidate)>)>(WAITING);
            let keeping = scope.spawn(move || measured.iter().try_for_each(|(batch, rows)| keeper.keep(&batch, &rows)));
            let end = intake::read(log, workers, run.stop, |batch| {
                // A keeper that hung up has an error, which is told below.
                let _ = send.send(measure(batch));
            });
            drop(send);
            (end, keeping.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        kept.map_err(DetectError::Rows)?;
        done.end_offset = end.offset;
        done.error = end.error;
        Ok(done)
    }
}

/// Batches that may wait for the keeper.
const WAITING: usize = 2;

/// Keeps what was measured, beside the thread that measures the next batch.
struct Keeper<'a> {
    part: &'a LogPart,
    /// Whether places are counted in lines; otherwise in records.
    has_lines: bool,
    rows: &'a mut RowStore,
    sample: &'a mut Sample,
    done: &'a mut PartMeasure,
}

impl Keeper<'_> {
    fn keep(&mut self, batch: &EventBatch, rows: &[(Row, Candidate)]) -> io::Result<()> {
        let known = usize::try_from(self.part.report_from.saturating_sub(batch.offset)).unwrap_or(usize::MAX);
        self.done.next_line = next_line(batch);
        if known < batch.block.len() {
            let first = batch.events.partition_point(|event| (event.record_start as usize) < known);
            let line = self.first_line(batch, (known, first));
            self.done.tally.add(batch, first, line);
            self.done.bytes += (batch.block.len() - known) as u64;
            self.done.first_row += first as u64;
        } else {
            self.done.first_row += batch.events.len() as u64;
        }
        for (row, candidate) in rows {
            self.sample.push(row);
            self.rows.push(row, candidate)?;
        }
        Ok(())
    }

    /// Line within the batch from which on nothing was reported before: that of the byte `known`. Where there are no lines,
    /// it is the record of the first event from there, the number `first`.
    fn first_line(&self, batch: &EventBatch, (known, first): (usize, usize)) -> u32 {
        if known == 0 {
            return 0;
        }
        if !self.has_lines {
            return batch.events.get(first).map_or(u32::MAX, |event| event.line);
        }
        let before = &batch.block[..known];
        // The rest of a line that was read before it ended belongs to what was reported.
        let begun = usize::from(!before.ends_with(b"\n"));
        u32::try_from(memchr::memchr_iter(b'\n', before).count() + begun).unwrap_or(u32::MAX)
    }
}

/// Events whose memory is fetched together.
const FETCHED: usize = 8;

/// Measures a batch: a row and a candidate for each event, its signals into the book.
fn measure_batch(
    tracker: &mut Tracker,
    book: &mut EpisodeBook,
    batch: &EventBatch,
    next_row: &mut u64,
) -> Vec<(Row, Candidate)> {
    let mut rows = Vec::with_capacity(batch.events.len());
    for events in batch.events.chunks(FETCHED) {
        tracker.fetch(events);
        for event in events {
            let observation = tracker.observe(batch, event);
            let signals = tracker.signals();
            let candidate = candidate(event, &observation, signals);
            for signal in signals {
                book.tell(*next_row, &candidate, signal);
            }
            *next_row += 1;
            rows.push((quantize(&observation.features), candidate));
        }
    }
    rows
}

/// Opens a part where reading begins; tells how many lines of the file come before that.
pub(super) fn open_part(part: &LogPart, has_model: bool, run: Run<'_>) -> Result<(OpenLog, u64), SourceError> {
    let start = part.start(has_model);
    let lines_before = if start > 0 { part.first_line - 1 } else { 0 };
    open_log(&part.file, start, run.parse).map(|log| (log, lines_before))
}

/// Line (or record) behind a batch.
fn next_line(batch: &EventBatch) -> u64 {
    batch.first_line + memchr::memchr_iter(b'\n', &batch.block).count() as u64
}

/// An act is told for what it is from this strength on.
const CLEAR: f32 = 4.0;

/// What is kept of an event for judging it.
pub(super) fn candidate(event: &Event, observation: &Observation, signals: &[Signal]) -> Candidate {
    let by_strength = |a: &&Signal, b: &&Signal| a.strength.total_cmp(&b.strength);
    // What somebody does is told before who it may be: a stranger who stops the audit is an evader first.
    let acts = signals.iter().filter(|signal| threat::is_act(signal.threat) && signal.strength >= CLEAR);
    let strongest = acts.max_by(by_strength).or_else(|| signals.iter().max_by(by_strength));
    Candidate {
        actor: observation.actor,
        address: observation.address,
        time: observation.circumstances.now,
        group: (observation.group >> 32) as u32,
        class: event.class,
        outcome: event.outcome,
        stranger: observation.circumstances.stranger,
        threat: strongest.map_or(ThreatType::AnomalousAccess, |signal| signal.threat),
        strength: strongest.map_or(0.0, |signal| signal.strength.max(0.0)),
    }
}
