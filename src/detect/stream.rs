//! Events as they come, one by one, judged with what is known at that moment.
//!
//! The voices begin to speak after a first few thousand events and learn anew from a sample of all events as the log
//! doubles, so that the cost of learning stays a small share of the whole.

use watchbell_sink::{Severity, ThreatType};

use super::{DetectError, DetectSettings, measure};
use crate::{
    classify::{EpisodeBook, Judgment},
    features::{FEATURES, evidence::Circumstances, quantize},
    model::Model,
    parse::{Event, EventBatch},
    score::{random::Random, voices::Voices},
};

/// Events before the voices learn for the first time.
const FIRST_LESSON: u64 = 4_096;

/// Most rows that a lesson is given.
const SAMPLE: usize = 1 << 15;

/// The most events between two lessons.
const LONGEST_WAIT: u64 = 1 << 20;

/// A detector for events as they come.
#[derive(Debug)]
pub struct Stream {
    tracker: crate::features::Tracker,
    book: EpisodeBook,
    voices: Option<Voices>,
    sample: Vec<u8>,
    random: Random,
    seed: u64,
    events: u64,
    next_lesson: u64,
}

/// What is held of one event.
#[derive(Debug, Clone, Copy)]
pub struct Observed {
    /// Number of the event, from 0.
    pub id: u64,
    /// 0..1.
    pub score: f32,
    /// What kind of threat it points to.
    pub threat: ThreatType,
    /// How much it matters.
    pub severity: Severity,
    /// What it was judged on.
    pub circumstances: Circumstances,
}

impl Stream {
    /// A stream that knows nothing yet, or what a model learned before.
    #[must_use]
    pub fn new(settings: &DetectSettings, model: Option<&Model>) -> Self {
        Self {
            tracker: measure::first_memory(model),
            book: EpisodeBook::default(),
            voices: model.map(|model| model.voices.clone()),
            sample: Vec::new(),
            random: Random::new(settings.seed),
            seed: settings.seed,
            events: 0,
            next_lesson: FIRST_LESSON,
        }
    }

    /// Takes an event in and judges it.
    ///
    /// # Errors
    /// When the voices can't be built from what was learned.
    pub fn observe(&mut self, batch: &EventBatch, event: &Event) -> Result<Observed, DetectError> {
        let observation = self.tracker.observe(batch, event);
        let candidate = measure::candidate(event, &observation, self.tracker.signals());
        for signal in self.tracker.signals() {
            self.book.tell(self.events, &candidate, signal);
        }
        let row = quantize(&observation.features);
        let opinion = self.voices.as_ref().map_or(0.0, |voices| voices.opinion(&row));
        let judgment = Judgment::of(&candidate, &self.book, opinion);
        let id = self.events;
        self.events += 1;
        self.remember(&row);
        if self.events == self.next_lesson {
            self.voices = Some(Voices::fit(&self.sample, FEATURES, self.seed)?);
            self.next_lesson += self.events.min(LONGEST_WAIT);
        }
        Ok(Observed {
            id,
            score: judgment.score(),
            threat: judgment.threat,
            severity: judgment.severity(),
            circumstances: observation.circumstances,
        })
    }

    fn remember(&mut self, row: &[u8; FEATURES]) {
        if self.sample.len() < SAMPLE * FEATURES {
            self.sample.extend_from_slice(row);
            return;
        }
        let at = self.random.below(self.events as usize);
        if at < SAMPLE {
            self.sample[at * FEATURES..(at + 1) * FEATURES].copy_from_slice(row);
        }
    }
}
