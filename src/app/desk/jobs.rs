//! Work that outlasts a call: rounds of the batch, training. One at a time; each can be watched and ended.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Change, Desk, gauges::Analyzed};
use crate::{
    app::{AppError, ModelCard, Watch, run_batch, train},
    batch::{Handover, Nobody, Progress, Repeat, RunEnd},
    report::BatchSummary,
};

/// Jobs that may wait for their turn.
const MOST_WAITING: usize = 16;
/// Jobs that are over and still told about.
const MOST_ENDED: usize = 100;

/// A round of the batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchRequest {
    /// Only files that match, seen from the log directory; empty: as the configuration says.
    pub include: Vec<String>,
    /// Not the files that match, beside those that the configuration leaves out.
    pub exclude: Vec<String>,
}

/// Work that goes on, or is over.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Job {
    /// 32 hexadecimal digits.
    pub id: String,
    /// What is done.
    pub kind: JobKind,
    /// How far it is.
    pub state: JobState,
    /// What it does at the moment, for example `reading auth.log`.
    pub stage: String,
    /// Bytes done in this stage.
    pub done_bytes: u64,
    /// Bytes of this stage; 0 when nobody knows.
    pub total_bytes: u64,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// What came of it.
    pub result: Option<JobResult>,
    /// Why nothing came of it.
    pub error: Option<String>,
}

/// Kinds of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// A round of the batch.
    Batch,
    /// Learning from the logs.
    Train,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Waiting,
    /// It goes on.
    Running,
    /// It is done.
    Succeeded,
    /// It could not be done.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl JobKind {
    /// The `snake_case` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Train => "train",
        }
    }
}

impl JobState {
    /// The `snake_case` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more comes.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What came of a job.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// The round's summary; `null` when nothing was new.
    Batch(Box<BatchSummary>),
    /// The models that were written.
    Models(Vec<ModelCard>),
}

/// The jobs that are known.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    known: Mutex<VecDeque<Arc<Entry>>>,
    /// Held by the job whose turn it is.
    turn: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Entry {
    job: Mutex<Job>,
    stop: AtomicBool,
}

impl Entry {
    fn job(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Entry {
    fn begin(&self, what: &str, bytes: u64) {
        let mut job = self.job();
        (job.stage, job.done_bytes, job.total_bytes) = (what.to_owned(), 0, bytes);
    }

    fn advance(&self, bytes: u64) {
        self.job().done_bytes += bytes;
    }

    fn end(&self) {}
}

impl Jobs {
    fn known(&self) -> MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Result<Arc<Entry>, AppError> {
        let known = self.known();
        known.iter().find(|entry| entry.job().id == id).cloned().ok_or_else(|| AppError::NoSuchJob(id.to_owned()))
    }

    fn add(&self, kind: JobKind, by: &str) -> Result<Arc<Entry>, AppError> {
        let mut known = self.known();
        let waiting = known.iter().filter(|entry| entry.job().state == JobState::Waiting).count();
        if waiting >= MOST_WAITING {
            return Err(AppError::Busy(format!("{waiting} jobs are waiting already; come back when some are done")));
        }
        let mut ended = known.iter().filter(|entry| entry.job().state.is_over()).count();
        known.retain(|entry| {
            let goes = ended >= MOST_ENDED && entry.job().state.is_over();
            ended -= usize::from(goes);
            !goes
        });
        let job = Job {
            id: uuid::Uuid::new_v4().simple().to_string(),
            kind,
            state: JobState::Waiting,
            stage: String::new(),
            done_bytes: 0,
            total_bytes: 0,
            by: by.to_owned(),
            created: Timestamp::now(),
            ended: None,
            result: None,
            error: None,
        };
        let entry = Arc::new(Entry { job: Mutex::new(job), stop: AtomicBool::new(false) });
        known.push_back(Arc::clone(&entry));
        Ok(entry)
    }

    /// Asks every job to end.
    pub(super) fn close(&self) {
        self.known().iter().for_each(|entry| entry.stop.store(true, Ordering::Relaxed));
        // Held for a moment only when the last one has ended.
        drop(self.turn.lock());
    }
}

impl Desk {
    /// Begins a round of the batch over the plan's logs.
    ///
    /// # Errors
    /// Too many jobs wait.
    pub fn start_batch(self: &Arc<Self>, request: BatchRequest, by: &str) -> Result<Job, AppError> {
        self.start(JobKind::Batch, by, move |desk, watch| {
            let mut plan = desk.plan.clone();
            if !request.include.is_empty() {
                plan.input.include = request.include;
            }
            plan.input.exclude.extend(request.exclude);
            let bells = desk.bells();
            let handover: &dyn Handover = bells.as_deref().map_or(&Nobody, |bells| bells);
            let (began, mut summary) = (Instant::now(), None);
            let end = run_batch(&plan, Repeat::Once, (watch, handover), &mut |round| {
                summary = round.ok().map(|round| {
                    let failed = round.summary.files_failed;
                    let took = began.elapsed();
                    desk.gauges.analyzed(Analyzed { source: "batch", reports: &round.reports, failed, took });
                    round.summary.clone()
                });
            })?;
            let count = summary.as_ref().map_or(0, |summary| summary.total_findings);
            if count > 0 {
                desk.tell(Change::Findings { count: usize::try_from(count).unwrap_or(usize::MAX) });
            }
            match (end, summary) {
                (RunEnd::Done, Some(summary)) => Ok(JobResult::Batch(Box::new(summary))),
                _ => Err(AppError::Stopped),
            }
        })
    }

    /// Begins to learn from the plan's logs; the models are written into the model directory.
    ///
    /// # Errors
    /// Too many jobs wait.
    pub fn start_training(self: &Arc<Self>, by: &str) -> Result<Job, AppError> {
        self.start(JobKind::Train, by, |desk, watch| Ok(JobResult::Models(train(&desk.plan, watch)?)))
    }

    /// The jobs that are known, the newest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.jobs.known().iter().rev().map(|entry| entry.job().clone()).collect()
    }

    /// One job.
    ///
    /// # Errors
    /// It is not known, or not any more.
    pub fn job(&self, id: &str) -> Result<Job, AppError> {
        Ok(self.jobs.find(id)?.job().clone())
    }

    /// Asks a job to end; it ends within moments.
    ///
    /// # Errors
    /// It is not known, or over already.
    pub fn cancel(&self, id: &str) -> Result<Job, AppError> {
        let entry = self.jobs.find(id)?;
        let job = entry.job().clone();
        if job.state.is_over() {
            return Err(AppError::Conflict(format!("the job {id} is over already")));
        }
        entry.stop.store(true, Ordering::Relaxed);
        Ok(job)
    }

    fn start(
        self: &Arc<Self>,
        kind: JobKind,
        by: &str,
        work: impl FnOnce(&Self, Watch<'_>) -> Result<JobResult, AppError> + Send + 'static,
    ) -> Result<Job, AppError> {
        let entry = self.jobs.add(kind, by)?;
        let job = entry.job().clone();
        let desk = Arc::clone(self);
        let spawned = thread::Builder::new().name("job".to_owned()).spawn(move || {
            let _turn = desk.jobs.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = if entry.stop.load(Ordering::Relaxed) {
                Err(AppError::Stopped)
            } else {
                entry.job().state = JobState::Running;
                desk.tell(Change::Job { id: entry.job().id.clone() });
                work(&desk, Watch { progress: entry.as_ref(), stop: &entry.stop })
            };
            let id = {
                let mut job = entry.job();
                job.ended = Some(Timestamp::now());
                match ended {
                    Ok(result) => (job.state, job.result) = (JobState::Succeeded, Some(result)),
                    Err(AppError::Stopped) => job.state = JobState::Cancelled,
                    Err(error) => {
                        (job.state, job.error) = (JobState::Failed, Some(crate::app::analysis::with_causes(&error)));
                    }
                }
                desk.gauges.job_ended(&job);
                job.id.clone()
            };
            desk.tell(Change::Job { id });
        });
        spawned.map_err(AppError::Runtime)?;
        Ok(job)
    }
}
