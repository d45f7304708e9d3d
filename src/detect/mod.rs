//! The floors below, wired: the [`Detector`] for files and the [`Stream`] for events as they come.
//!
//! A log is read twice. The first pass measures every event and keeps 48 bytes of each; then the voices learn from a
//! sample of them, and every event is judged with the knowledge of the whole log, so that there is no cold start. Only
//! when something was found is the log read again, to explain it: the texts, the circumstances, the raw records.

mod explain;
mod family;
mod intake;
mod judging;
mod measure;
mod rows;
mod stream;
mod tally;

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use jiff::Timestamp;
use thiserror::Error;

pub use family::family_of;
pub use judging::ScoredEvent;
pub use stream::{Observed, Stream};

use crate::{
    classify::attack::AttackVersion,
    model::Model,
    parse::ParseOptions,
    report::FileReport,
    score::bits::CompileError,
    source::{SourceError, SourceFile},
};

/// How the detector works.
#[derive(Debug, Clone)]
pub struct DetectSettings {
    /// Events with at least this score are anomalies, 0..1.
    pub threshold: f64,
    /// Most findings per day of log time; the threshold rises until they fit.
    pub budget_per_day: Option<f64>,
    /// Threads; 0 takes one per core.
    pub threads: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Version of ATT&CK that techniques are named after.
    pub attack_version: AttackVersion,
    /// Seconds without a further anomaly after which a finding is closed.
    pub gap_secs: u32,
    /// Most anomalies that are told of one file, the strongest ones; all are counted.
    pub max_anomalies: usize,
    /// Most events that are kept as evidence of one finding.
    pub max_evidence: usize,
}

impl Default for DetectSettings {
    fn default() -> Self {
        Self {
            threshold: 0.7,
            budget_per_day: None,
            threads: 0,
            seed: 0,
            attack_version: AttackVersion::default(),
            gap_secs: 3_600,
            max_anomalies: 10_000,
            max_evidence: 20,
        }
    }
}

impl DetectSettings {
    fn threads(&self) -> usize {
        if self.threads > 0 { self.threads } else { std::thread::available_parallelism().map_or(1, usize::from) }
    }
}

/// A file, or the part of it that was not read before.
#[derive(Debug, Clone)]
pub struct LogPart {
    /// The file.
    pub file: SourceFile,
    /// What comes before this byte was reported already: it is learned from, as far as it is short, and not reported.
    pub report_from: u64,
    /// Line (or record) of that byte, from 1.
    pub first_line: u64,
    /// Number of the first event from there, from 0.
    pub first_event: u64,
}

impl LogPart {
    /// A file as a whole.
    #[must_use]
    pub fn whole(file: SourceFile) -> Self {
        Self { file, report_from: 0, first_line: 1, first_event: 0 }
    }

    /// Whether it is so short, and in memory, that one thread is faster than several.
    fn is_small(&self) -> bool {
        /// What one thread reads and parses while others are being started a few times.
        const SMALL: usize = 256 << 10;
        self.file.content.as_ref().is_some_and(|content| content.as_ref().len() <= SMALL)
    }

    /// Where reading begins: at the start, if what was reported before is short enough to learn from it once more and
    /// no model remembers it.
    fn start(&self, has_model: bool) -> u64 {
        /// Reading this much takes about a second.
        const SHORT: u64 = 256 << 20;
        if has_model || self.report_from > SHORT { self.report_from } else { 0 }
    }
}

/// Why a log can't be analyzed at all.
#[derive(Debug, Error)]
pub enum DetectError {
    /// The rows between the passes could not be kept.
    #[error("rows between the passes need space for temporary files in {}", std::env::temp_dir().display())]
    Rows(#[source] io::Error),
    /// The voices do not compile; a model file that was tampered with.
    #[error("the learned forests can't be used")]
    Voices(#[from] CompileError),
    /// Nobody wants the scores any more, or they can't be written.
    #[error("the scores can't be written")]
    Write(#[source] io::Error),
    /// Stopped before the end.
    #[error("stopped before the end")]
    Stopped,
}

/// What was found in one file.
#[derive(Debug)]
pub struct PartAnalysis {
    /// The report. Of a file that could not be read to its end it tells what was read.
    pub report: FileReport,
    /// Offset up to which the decompressed file was read.
    pub end_offset: u64,
    /// Line (or record) of that place, from 1.
    pub next_line: u64,
    /// What cut the reading short.
    pub error: Option<SourceError>,
}

/// Told how far the work is.
pub trait Progress: Sync {
    /// So many more decompressed bytes of the log were read; each pass reads them once.
    fn bytes(&self, count: u64);
    /// Another stage begins: `reading`, `learning`, `judging`, `explaining`.
    fn stage(&self, name: &str);
}

/// Progress that nobody watches.
#[derive(Debug, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn bytes(&self, _count: u64) {}
    fn stage(&self, _name: &str) {}
}

/// What a run brings along beside its logs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// How records are read.
    pub parse: &'a ParseOptions,
    /// The time that reports are stamped with.
    pub now: Timestamp,
    /// Who is told how far the work is.
    pub progress: &'a dyn Progress,
    /// Set from outside to end the run between blocks.
    pub stop: &'a AtomicBool,
}

/// Learns from logs what is normal in them, and says what is not and why.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    settings: DetectSettings,
    model: Option<Arc<Model>>,
}

impl Detector {
    /// A detector that learns from what it is given.
    #[must_use]
    pub fn new(settings: DetectSettings) -> Self {
        Self { settings, model: None }
    }

    /// A detector that knows what a model learned before.
    #[must_use]
    pub fn with_model(settings: DetectSettings, model: impl Into<Arc<Model>>) -> Self {
        Self { settings, model: Some(model.into()) }
    }

    /// Analyzes parts of one log, oldest first, as one history.
    ///
    /// # Errors
    /// When the analysis as a whole can't go on. What is wrong with one part stands in its [`PartAnalysis::error`].
    pub fn analyze(&self, parts: &[LogPart], run: Run<'_>) -> Result<Vec<PartAnalysis>, DetectError> {
        let mut measured = measure::measure(&self.settings, self.model.as_deref(), parts, run)?;
        run.progress.stage("learning");
        let voices = measured.voices(&self.settings, self.model.as_deref())?;
        run.progress.stage("judging");
        let mut verdict = judging::flag(&self.settings, &mut measured, &voices)?;
        judging::keep_to_budget(&self.settings, &measured, &mut verdict);
        run.progress.stage("explaining");
        let found = (&measured, &verdict, &*voices);
        let explained = explain::explain(&self.settings, self.model.as_deref(), parts, run, found)?;
        Ok(explain::reports(&self.settings, parts, run.now, (measured, verdict), explained))
    }

    /// Scores every event of a log and gives them in order.
    ///
    /// # Errors
    /// When the log can't be read to its end, or the scores can't be written.
    pub fn score(
        &self,
        part: &LogPart,
        run: Run<'_>,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<ScoreSummary, DetectError> {
        let mut measured = measure::measure(&self.settings, self.model.as_deref(), std::slice::from_ref(part), run)?;
        run.progress.stage("learning");
        let voices = measured.voices(&self.settings, self.model.as_deref())?;
        run.progress.stage("judging");
        let anomalies = judging::write_scores(&self.settings, &mut measured, &voices, write)?;
        Ok(ScoreSummary { anomalies, ..measured.summary() })
    }

    /// Learns from parts of one log and gives what was learned.
    ///
    /// # Errors
    /// When the analysis as a whole can't go on.
    pub fn train(
        &self,
        name: &str,
        parts: &[LogPart],
        run: Run<'_>,
    ) -> Result<(Model, Vec<ScoreSummary>), DetectError> {
        let measured = measure::measure(&self.settings, self.model.as_deref(), parts, run)?;
        run.progress.stage("learning");
        let voices = measured.voices(&self.settings, None)?;
        let summaries = measured.part_summaries();
        Ok((measured.into_model(name, run.now, &voices), summaries))
    }
}

/// What was read for scoring or training.
#[derive(Debug, Default)]
pub struct ScoreSummary {
    /// The file as the user named it.
    pub file: String,
    /// Events scored.
    pub events: u64,
    /// Those at or above the threshold, where events were judged.
    pub anomalies: u64,
    /// Records that are left out because they can't be read.
    pub lost: u64,
    /// What cut the reading short.
    pub error: Option<String>,
}
