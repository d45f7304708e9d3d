//! What jobs do: rounds of the batch, and training.

use std::{path::PathBuf, sync::Arc, time::Instant};

use super::{Change, Desk, Job, JobKind, JobResult, counts::Analyzed, models::check_name};
use crate::{
    app::{AppError, ModelCard, models::train_on, run_batch},
    batch::{self, BatchError, Handover, Nobody, Repeat, RunEnd},
    detect::family_of,
    report::{BatchSummary, FileStatus},
    source,
};

/// Files that the result of a round names one by one, those that failed first.
const MOST_FILES: usize = 1_000;
/// Models that the result of a training names.
const MOST_MODELS: usize = 1_000;

/// A round of the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchRequest {
    /// Only files that match, seen from the log directory; empty: as the configuration says.
    pub include: Vec<String>,
    /// Not the files that match, beside those that the configuration leaves out.
    pub exclude: Vec<String>,
}

/// What is to be learned from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainRequest {
    /// Files, and directories with all that is in them that the configuration takes; empty: the configured logs.
    pub paths: Vec<PathBuf>,
    /// The one name of what is learned; otherwise each log has its own.
    pub name: Option<String>,
}

impl Desk {
    /// Begins a round of the batch over the plan's logs.
    ///
    /// # Errors
    /// A pattern is none, another process has the output directory, or too many jobs wait.
    pub fn start_batch(self: &Arc<Self>, request: BatchRequest, by: &str) -> Result<Job, AppError> {
        for (list, patterns) in [("include", &request.include), ("exclude", &request.exclude)] {
            for (number, pattern) in patterns.iter().enumerate() {
                source::check_pattern(pattern)
                    .map_err(|error| AppError::Request(error.to_string()).at(format!("/{list}/{number}")))?;
            }
        }
        // A round of this process gives the directory back before the next one's turn comes.
        if !self.jobs.any(JobKind::Batch) {
            batch::check_free(&self.plan.batch.output_dir).map_err(|error| match error {
                BatchError::Busy { .. } => AppError::Conflict(self.by_name(&error)),
                error => error.into(),
            })?;
        }
        let mut plan = self.plan.clone();
        if !request.include.is_empty() {
            plan.input.include = request.include;
        }
        plan.input.exclude.extend(request.exclude);
        let work = move |desk: &Desk, watch: crate::app::Watch<'_>| {
            let bells = desk.bells();
            let handover: &dyn Handover = bells.as_deref().map_or(&Nobody, |bells| bells);
            // Taken before: the round itself brings its findings there.
            let before = desk.shelf.view().ok();
            let (began, mut summary) = (Instant::now(), None);
            let end = run_batch(&plan, Repeat::Once, (watch, handover), &mut |round| {
                summary = round.ok().map(|round| {
                    let (reports, failed) = (&round.reports, round.summary.files_failed);
                    desk.counts.analyzed(Analyzed { source: "batch", reports, failed, took: began.elapsed() });
                    desk.counts.found(reports, before.as_deref());
                    round.summary.clone()
                });
            });
            desk.shelf.look_again();
            let (end, summary) = (end?, summary.map(bounded));
            let count = summary.as_ref().map_or(0, |summary| summary.total_findings);
            if count > 0 {
                desk.tell(Change::Findings { count: usize::try_from(count).unwrap_or(usize::MAX) });
            }
            match (end, summary) {
                (RunEnd::Done, Some(summary)) => Ok(JobResult::Batch(Box::new(summary))),
                _ => Err(AppError::Stopped),
            }
        };
        self.start(JobKind::Batch, by, Box::new(work))
    }

    /// Begins to learn; the models are written into the model directory. What is learned under a name is what logs of
    /// this name are judged with.
    ///
    /// # Errors
    /// The name is none, a path is not there, or too many jobs wait.
    pub fn start_training(self: &Arc<Self>, request: TrainRequest, by: &str) -> Result<Job, AppError> {
        request.name.as_deref().map(check_name).transpose()?;
        there(&request.paths)?;
        let work = move |desk: &Desk, watch: crate::app::Watch<'_>| {
            let family = request.name.as_deref().map(family_of);
            let mut models = train_on(&desk.plan, (&request.paths, family.as_deref()), watch)?;
            if models.is_empty() {
                return Err(AppError::Request("there is no event to learn from in these logs".to_owned()));
            }
            models.truncate(MOST_MODELS);
            let models = models.into_iter().map(ModelCard::by_name).collect();
            Ok(JobResult::Models(models))
        };
        self.start(JobKind::Train, by, Box::new(work))
    }
}

/// What is not there is better said at once than in a job that failed.
fn there(paths: &[PathBuf]) -> Result<(), AppError> {
    match paths.iter().find(|path| !path.exists()) {
        Some(path) => Err(AppError::Request(format!("{}: no such file or folder; check the spelling", path.display()))),
        None => Ok(()),
    }
}

fn bounded(mut summary: BatchSummary) -> BatchSummary {
    if summary.results.len() > MOST_FILES {
        // Stable: within each kind the order of reading stays.
        summary.results.sort_by_key(|result| match result.status {
            FileStatus::Error => 0,
            FileStatus::Success => 1,
            FileStatus::Skipped => 2,
        });
        summary.results.truncate(MOST_FILES);
    }
    summary
}
