//! The detector behind the batch: parts of logs grouped into logs, models found, progress passed on.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;

use super::{AppError, UnreadCause, with_causes};
use crate::{
    batch::{self, Analyzer, PartError},
    config::Plan,
    detect::{self, DetectError, DetectSettings, Detector, LogPart, Run, family_of},
    model::{self, Model},
    parse::{Format, ParseOptions},
};

/// What the plan says to the parser.
pub(super) fn parse_options(plan: &Plan) -> ParseOptions {
    let input = &plan.input;
    let fields = input.fields.iter().map(|(slot, paths)| (*slot, paths.clone())).collect();
    ParseOptions { format: input.format, fields, time_zone: input.time_zone.zone().clone(), ..ParseOptions::default() }
}

/// What the plan says to the detector.
pub(super) fn detect_settings(plan: &Plan) -> DetectSettings {
    let detect = &plan.detect;
    DetectSettings {
        threshold: detect.threshold.value(),
        budget_per_day: detect.budget.map(|budget| budget.per_day()),
        threads: detect.threads.get(),
        seed: detect.seed,
        attack_version: detect.attack_version,
        gap_secs: u32::try_from(detect.gap.as_secs()).unwrap_or(u32::MAX),
        max_anomalies: detect.max_anomalies,
        ..DetectSettings::default()
    }
}

/// The file of a log's model within the model directory.
pub(super) fn model_file(model_dir: &Path, family: &str) -> std::path::PathBuf {
    let name = family.rsplit(['/', '\\']).next().unwrap_or(family);
    let safe: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || ".-_".contains(letter) { letter } else { '_' })
        .collect();
    model_dir.join(format!("{safe}.wbmodel"))
}

/// The model of a log, if the plan names a directory and it holds one.
pub(super) fn find_model(plan: &Plan, family: &str) -> Result<Option<Arc<Model>>, AppError> {
    let Some(folder) = &plan.batch.model_dir else { return Ok(None) };
    let file = model_file(folder, family);
    if !file.exists() {
        tracing::info!(model = %file.display(), "no model of this log; it is learned from its own events");
        return Ok(None);
    }
    Ok(Some(Arc::new(model::load(&file)?)))
}

/// Gives the model of a log, if there is one.
pub(super) type ModelOf<'a> = &'a (dyn Fn(&str) -> Result<Option<Arc<Model>>, AppError> + Sync);

/// Why a part was not read, or not to its end.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) cause: UnreadCause,
    pub(super) reason: String,
}

/// Why there is no analysis of a part.
#[derive(Debug)]
pub(super) enum Unread {
    /// The work was stopped before.
    Stopped,
    /// It can't be read.
    Failed(Fault),
}

/// The analysis of a part, and what cut it short.
pub(super) type Read = (batch::PartAnalysis, Option<UnreadCause>);

/// The detector as the batch asks it.
pub(super) struct FileAnalyzer<'a> {
    parse: ParseOptions,
    settings: DetectSettings,
    model_of: ModelOf<'a>,
}

impl<'a> FileAnalyzer<'a> {
    /// An analyzer that works as the plan says.
    pub(super) fn new(plan: &Plan, model_of: ModelOf<'a>) -> Self {
        Self { parse: parse_options(plan), settings: detect_settings(plan), model_of }
    }

    /// The same, with no more than these threads.
    pub(super) fn with_threads(mut self, threads: usize) -> Self {
        self.settings.threads = threads;
        self
    }

    /// The same, for records of this format; `None` looks at the content.
    pub(super) fn with_format(mut self, format: Option<Format>) -> Self {
        self.parse.format = format;
        self
    }
}

impl Analyzer for FileAnalyzer<'_> {
    fn analyze(
        &self,
        parts: &[batch::LogPart],
        progress: &dyn batch::Progress,
        stop: &AtomicBool,
    ) -> Vec<Result<batch::PartAnalysis, PartError>> {
        let for_batch = |done: Result<Read, Unread>| match done {
            Ok((analysis, _)) => Ok(analysis),
            Err(Unread::Stopped) => Err(PartError::Stopped),
            Err(Unread::Failed(fault)) => Err(PartError::Failed(fault.reason)),
        };
        self.read(parts, progress, stop).into_iter().map(for_batch).collect()
    }
}

impl FileAnalyzer<'_> {
    /// Analyzes all parts, one result for each, with what it failed at.
    pub(super) fn read(
        &self,
        parts: &[batch::LogPart],
        progress: &dyn batch::Progress,
        stop: &AtomicBool,
    ) -> Vec<Result<Read, Unread>> {
        let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, part) in parts.iter().enumerate() {
            families.entry(family_of(&part.file.name)).or_default().push(at);
        }
        let mut results: Vec<_> = parts.iter().map(|_| Err(Unread::Stopped)).collect();
        for (family, mut members) in families {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            // Oldest first: a rotated `.2` is older than `.1`, whatever their names say.
            members.sort_by_key(|&at| (parts[at].file.modified, at));
            let logs: Vec<LogPart> = members.iter().map(|&at| log_part(&parts[at])).collect();
            match self.analyze_family(&family, &logs, progress, stop) {
                Ok(done) => {
                    for (at, analysis) in members.into_iter().zip(done) {
                        results[at] = part_result(analysis);
                    }
                }
                Err(Unread::Stopped) => {}
                Err(Unread::Failed(fault)) => {
                    members.into_iter().for_each(|at| results[at] = Err(Unread::Failed(fault.clone())));
                }
            }
        }
        results
    }

    fn analyze_family(
        &self,
        family: &str,
        logs: &[LogPart],
        progress: &dyn batch::Progress,
        stop: &AtomicBool,
    ) -> Result<Vec<detect::PartAnalysis>, Unread> {
        let settings = self.settings.clone();
        let detector = match (self.model_of)(family).map_err(|error| failed(UnreadCause::Model, &error))? {
            Some(model) => Detector::with_model(settings, model),
            None => Detector::new(settings),
        };
        let told = Told::new(progress, logs);
        let run = Run { parse: &self.parse, now: Timestamp::now(), progress: &told, stop };
        let analysis = detector.analyze(logs, run);
        progress.end();
        analysis.map_err(|error| match error {
            DetectError::Stopped => Unread::Stopped,
            DetectError::Voices(_) => failed(UnreadCause::Model, &error),
            _ => failed(UnreadCause::System, &error),
        })
    }
}

fn failed(cause: UnreadCause, error: &dyn std::error::Error) -> Unread {
    Unread::Failed(Fault { cause, reason: with_causes(error) })
}

fn log_part(part: &batch::LogPart) -> LogPart {
    LogPart {
        file: part.file.clone(),
        report_from: part.from_offset,
        first_line: part.first_line,
        first_event: part.first_event,
    }
}

fn part_result(analysis: detect::PartAnalysis) -> Result<Read, Unread> {
    let detect::PartAnalysis { report, end_offset, next_line, error } = analysis;
    let cause = error.as_ref().map(UnreadCause::of);
    match error {
        Some(error) if report.records == 0 => Err(failed(UnreadCause::of(&error), &error)),
        error => {
            let cut_short = error.map(|error| with_causes(&error));
            Ok((batch::PartAnalysis { report, end_offset, next_line, cut_short }, cause))
        }
    }
}

/// Tells a front of the detector's stages.
pub(super) struct Told<'a> {
    progress: &'a dyn batch::Progress,
    bytes: u64,
    what: String,
}

impl<'a> Told<'a> {
    pub(super) fn new(progress: &'a dyn batch::Progress, logs: &[LogPart]) -> Self {
        let bytes = logs.iter().map(|part| part.file.size.unwrap_or(0)).sum();
        let what = logs.first().map_or_else(String::new, |part| family_of(&part.file.name));
        Self { progress, bytes, what }
    }
}

impl detect::Progress for Told<'_> {
    fn bytes(&self, count: u64) {
        self.progress.advance(count);
    }

    fn stage(&self, name: &str) {
        self.progress.end();
        let bytes = if matches!(name, "reading" | "explaining") { self.bytes } else { 0 };
        self.progress.begin(&format!("{name} {}", self.what), bytes);
    }
}
