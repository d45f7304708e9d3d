//! One round: what is new is analyzed, reported and noted.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use jiff::Timestamp;

use super::{
    BatchError, disk,
    ledger::{Entry, Ledger, Stat},
    names,
    publish::{Output, Stage, report_name},
    seam::{Analyzer, Handover, PartAnalysis, PartError, Progress},
    triage::{Basis, Task, triage},
};
use crate::{
    config::Plan,
    report::{BatchSummary, FileReport, FileResult, FileStatus},
    sink::Severity,
    source::{self, DiscoverRequest, SourceError},
};

/// What a batch works with.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What to read and where to write.
    pub plan: &'a Plan,
    /// Who finds what is not normal.
    pub analyzer: &'a dyn Analyzer,
    /// Who is told how long it goes.
    pub progress: &'a dyn Progress,
    /// Becomes true when the job is to end.
    pub stop: &'a AtomicBool,
    /// Who takes the findings over, before the round counts as done.
    pub handover: &'a dyn Handover,
}

/// What a round did.
#[derive(Debug)]
pub struct Round {
    /// The summary, with one result for each file.
    pub summary: BatchSummary,
    /// Where the summary was written; `None` when nothing was new, and so nothing was written.
    pub summary_file: Option<PathBuf>,
    /// The reports, in the order of reading.
    pub reports: Vec<FileReport>,
    /// The highest severity among the findings.
    pub highest: Option<Severity>,
    /// What the user should know beside.
    pub warnings: Vec<String>,
    /// Whether it was stopped before everything was read.
    pub stopped: bool,
}

/// Runs one round, at most until `job.stop` becomes true.
pub(super) fn round(job: Job<'_>, output: &Output) -> Result<Round, BatchError> {
    let started_at = Timestamp::now();
    let batch = &job.plan.batch;
    let warnings = Vec::from_iter(disk::check(&batch.output_dir, batch.low_disk)?);
    let found = source::discover(&request(job.plan))?;
    let mut ledger = output.load()?;
    let before = ledger.clone();
    let sorted = triage(found.files, &mut ledger);
    let mut work =
        Work { ledger, output, stage: Stage::default(), started_at, results: Vec::new(), reports: Vec::new() };

    let (new, unchanged, unreadable) = (sorted.tasks.len(), sorted.skipped.len(), sorted.failed.len());
    tracing::info!(new, unchanged, unreadable, "looked for logs");
    for Task { part, basis, .. } in &sorted.tasks {
        tracing::debug!(file = part.file.name, from_offset = part.from_offset, ?basis, "to be read");
    }

    let parts: Vec<_> = sorted.tasks.iter().map(|task| task.part.clone()).collect();
    let analyses = if parts.is_empty() { Vec::new() } else { job.analyzer.analyze(&parts, job.progress, job.stop) };
    debug_assert_eq!(analyses.len(), parts.len());
    let stopped = analyses.iter().any(|analysis| matches!(analysis, Err(PartError::Stopped)));
    for problem in &found.problems {
        work.failed(&path_of(problem).map_or_else(String::new, |path| path.display().to_string()), problem.to_string());
    }
    for (file, error) in &sorted.failed {
        work.failed(&file.name, error.clone());
    }
    for file in &sorted.skipped {
        work.result(&file.name, FileStatus::Skipped, None);
    }
    for (task, analysis) in sorted.tasks.into_iter().zip(analyses) {
        work.settle(task, analysis)?;
    }
    let (summary, summary_file, reports) = work.close(&before, job.handover)?;
    let highest = reports.iter().flat_map(|report| &report.findings).map(|finding| finding.severity).max();
    Ok(Round { summary, summary_file, reports, highest, warnings, stopped })
}

/// What the plan says to look for.
#[must_use]
pub fn request(plan: &Plan) -> DiscoverRequest {
    let own = [Some(&plan.batch.output_dir), plan.batch.model_dir.as_ref(), plan.batch.html.as_ref()];
    DiscoverRequest {
        paths: vec![plan.input.log_dir.clone()],
        include: plan.input.include.clone(),
        exclude: plan.input.exclude.clone(),
        own_outputs: own.into_iter().flatten().cloned().collect(),
    }
}

/// A round on its way to the commit.
struct Work<'a> {
    ledger: Ledger,
    output: &'a Output,
    stage: Stage,
    started_at: Timestamp,
    results: Vec<FileResult>,
    reports: Vec<FileReport>,
}

impl Work<'_> {
    fn result(&mut self, name: &str, status: FileStatus, error: Option<String>) {
        self.results.push(FileResult {
            source_file: name.to_owned(),
            status,
            output_file: None,
            error,
            total_events: 0,
            anomalies_detected: 0,
        });
    }

    fn failed(&mut self, name: &str, error: String) {
        self.result(name, FileStatus::Error, Some(error));
    }

    fn settle(&mut self, task: Task, analysis: Result<PartAnalysis, PartError>) -> Result<(), BatchError> {
        let name = task.part.file.name.clone();
        let analysis = match analysis {
            Ok(analysis) => analysis,
            Err(error) => {
                self.failed(&name, error.to_string());
                return Ok(());
            }
        };
        if let Some(error) = changed_meanwhile(&task) {
            self.failed(&name, error.to_owned());
            return Ok(());
        }
        let PartAnalysis { mut report, end_offset, next_line, cut_short } = analysis;
        let is_news = report.records > 0 || (task.part.from_offset == 0 && cut_short.is_none());
        let is_incomplete = cut_short.is_some();
        let status = match (&cut_short, is_news) {
            (Some(_), _) => FileStatus::Error,
            (None, true) => FileStatus::Success,
            (None, false) => FileStatus::Skipped,
        };
        let mut result = FileResult {
            source_file: name,
            status,
            output_file: None,
            error: cut_short,
            total_events: report.total_events,
            anomalies_detected: report.anomalies_detected,
        };
        let events = task.part.first_event + report.total_events;
        if is_news {
            report.processed_at = Timestamp::now();
            let json = serde_json::to_vec_pretty(&report).expect("a report has only text keys");
            let stamp = names::stamp(self.started_at);
            let path = self.output.add(&mut self.stage, report_name(&task.part.file.path, &stamp), &json)?;
            result.output_file = Some(path.to_string_lossy().into_owned());
            self.reports.push(report);
        }
        self.results.push(result);
        let Task { part, key, stat, fingerprint, basis } = task;
        if let Basis::Elsewhere(origin) = &basis {
            self.ledger.forget(origin);
        }
        let name = names::listed(Path::new(&part.file.name));
        let entry = Entry { name, stat, fingerprint, offset: end_offset, next_line, events, is_incomplete };
        self.ledger.note(key, entry, basis == Basis::SamePath);
        Ok(())
    }

    /// Writes the summary, if there is something to say, and commits.
    fn close(
        mut self,
        before: &Ledger,
        handover: &dyn Handover,
    ) -> Result<(BatchSummary, Option<PathBuf>, Vec<FileReport>), BatchError> {
        let count = |status| self.results.iter().filter(|result| result.status == status).count() as u64;
        let (succeeded, failed) = (count(FileStatus::Success), count(FileStatus::Error));
        let summary = BatchSummary {
            started_at: self.started_at,
            finished_at: Timestamp::now(),
            files_processed: succeeded + failed,
            files_succeeded: succeeded,
            files_failed: failed,
            total_events: self.results.iter().map(|result| result.total_events).sum(),
            total_anomalies: self.results.iter().map(|result| result.anomalies_detected).sum(),
            total_findings: self.reports.iter().map(|report| report.findings.len() as u64).sum(),
            results: std::mem::take(&mut self.results),
        };
        let mut summary_file = None;
        if summary.files_processed > 0 {
            let json = serde_json::to_vec_pretty(&summary).expect("a summary has only text keys");
            let stamp = names::stamp(self.started_at);
            let name = |is_taken: &mut dyn FnMut(&str) -> bool| names::summary(&stamp, is_taken);
            summary_file = Some(self.output.add(&mut self.stage, name, &json)?);
        }
        if summary_file.is_some() || self.ledger != *before {
            // A process killed in between reads the same again, and hands over the same findings under the same ids.
            handover.take(&self.reports).map_err(BatchError::NotTaken)?;
            self.output.commit(self.stage, self.ledger)?;
        }
        Ok((summary, summary_file, self.reports))
    }
}

/// What was analyzed may be neither the old content nor the new when a file was replaced in the meantime. A file that
/// is gone was read under its open handle; should it have been renamed, it is recognized by its content.
fn changed_meanwhile(task: &Task) -> Option<&'static str> {
    let now = Stat::of(&task.part.file.path).ok()?;
    if now.identity != task.stat.identity {
        Some("was replaced while it was read; it is read in the next round")
    } else if now.size < task.stat.size {
        Some("became shorter while it was read; it is read in the next round")
    } else {
        None
    }
}

fn path_of(error: &SourceError) -> Option<&Path> {
    match error {
        SourceError::NotFound { path }
        | SourceError::Vanished { path }
        | SourceError::Denied { path }
        | SourceError::NotAFile { path, .. }
        | SourceError::Loop { path, .. }
        | SourceError::Shrunk { path, .. }
        | SourceError::Read { path, .. }
        | SourceError::Damaged { path, .. }
        | SourceError::UnknownCompression { path, .. }
        | SourceError::Bomb { path, .. }
        | SourceError::Binary { path, .. } => Some(path),
        _ => None,
    }
}
