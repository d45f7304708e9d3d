//! Work that outlasts a call: one job at a time, in the order in which they were asked for; each can be watched and ended.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Change, Desk};
use crate::{
    app::{AppError, ModelCard, Watch, plain, with_causes},
    batch::Progress,
    report::BatchSummary,
};

/// Jobs that may wait for their turn.
const MOST_WAITING: usize = 16;
/// Jobs that are over and still told about.
const MOST_ENDED: usize = 100;
/// Letters of what the log is told about why a job failed.
const LONGEST_CAUSE: usize = 2_000;

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
    /// When its turn came.
    pub started: Option<Timestamp>,
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
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Batch, Self::Train];

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

/// What came of a job. Long lists are cut; the numbers beside them are those of the whole.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum JobResult {
    /// The round's summary.
    Batch(Box<BatchSummary>),
    /// The models that were written.
    Models(Vec<ModelCard>),
}

/// What a job does.
pub(super) type Work = Box<dyn FnOnce(&Desk, Watch<'_>) -> Result<JobResult, AppError> + Send>;

/// The jobs that are known.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    queue: Mutex<Queue>,
    idle: Condvar,
}

#[derive(Default)]
struct Queue {
    known: VecDeque<Arc<Entry>>,
    waiting: VecDeque<(Arc<Entry>, Work)>,
    /// Whether a thread works on them.
    is_worked_on: bool,
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("known", &self.known).finish_non_exhaustive()
    }
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

    /// Notes the end; `told` says what is told of an error.
    fn end(&self, ended: Result<JobResult, AppError>, told: impl FnOnce(&AppError) -> String) -> String {
        let mut job = self.job();
        job.ended = Some(Timestamp::now());
        match ended {
            Ok(result) => (job.state, job.result) = (JobState::Succeeded, Some(result)),
            Err(AppError::Stopped) => job.state = JobState::Cancelled,
            Err(error) => {
                // Its words may be those of a caller or of a log, and must not begin a line of their own.
                let cause = plain(&with_causes(&error), LONGEST_CAUSE);
                tracing::error!(job = job.id, kind = job.kind.name(), by = job.by, error = %cause, "a job failed");
                (job.state, job.error) = (JobState::Failed, Some(told(&error)));
            }
        }
        job.id.clone()
    }
}

/// A job's progress, and everybody who looks on told of each stage.
struct Told<'a> {
    entry: &'a Entry,
    desk: &'a Desk,
}

impl Progress for Told<'_> {
    fn begin(&self, what: &str, bytes: u64) {
        let id = {
            let mut job = self.entry.job();
            (job.stage, job.done_bytes, job.total_bytes) = (what.to_owned(), 0, bytes);
            job.id.clone()
        };
        self.desk.tell(Change::Job { id });
    }

    fn advance(&self, bytes: u64) {
        self.entry.job().done_bytes += bytes;
    }

    fn end(&self) {}
}

impl Jobs {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Result<Arc<Entry>, AppError> {
        let queue = self.queue();
        let found = queue.known.iter().find(|entry| entry.job().id == id);
        found.cloned().ok_or_else(|| AppError::NoSuchJob(id.to_owned()))
    }

    /// What is seen of each job, the newest first. Results stay where they are: there may be a hundred long ones.
    pub(super) fn look<T>(&self, see: impl Fn(&Job) -> T) -> Vec<T> {
        self.queue().known.iter().rev().map(|entry| see(&entry.job())).collect()
    }

    /// Whether a job of this kind waits or goes on.
    pub(super) fn any(&self, kind: JobKind) -> bool {
        self.queue().known.iter().map(|entry| entry.job()).any(|job| job.kind == kind && !job.state.is_over())
    }

    /// The job that goes on, and how many bytes it has done.
    pub(super) fn running(&self) -> Option<(String, u64)> {
        let queue = self.queue();
        let running = queue.known.iter().map(|entry| entry.job()).find(|job| job.state == JobState::Running);
        running.map(|job| (job.id.clone(), job.done_bytes))
    }

    /// Ends every job, and waits until the one that goes on has ended.
    pub(super) fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        for (entry, _) in std::mem::take(&mut queue.waiting) {
            entry.end(Err(AppError::Stopped), |error| error.to_string());
        }
        queue.known.iter().for_each(|entry| entry.stop.store(true, Ordering::Relaxed));
        while queue.is_worked_on {
            queue = self.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Does what waits, until nothing does.
    fn work(desk: &Desk) {
        let jobs = &desk.jobs;
        loop {
            let next = {
                let mut queue = jobs.queue();
                let next = queue.waiting.pop_front();
                queue.is_worked_on = next.is_some();
                next
            };
            let Some((entry, work)) = next else {
                jobs.idle.notify_all();
                return;
            };
            let id = {
                let mut job = entry.job();
                (job.state, job.started) = (JobState::Running, Some(Timestamp::now()));
                job.id.clone()
            };
            desk.tell(Change::Job { id });
            let watch = Watch { progress: &Told { entry: &entry, desk }, stop: &entry.stop };
            // What a job held when it broke off goes with it; the desk's own state is behind locks that are whole.
            let ended = catch_unwind(AssertUnwindSafe(|| work(desk, watch)));
            let id = entry.end(ended.unwrap_or_else(|_| Err(AppError::BrokeOff)), |error| desk.by_name(error));
            desk.counts.job_ended(&entry.job());
            desk.tell(Change::Job { id });
        }
    }
}

impl Queue {
    /// Notes a job, and forgets those that are long over.
    fn add(&mut self, kind: JobKind, by: &str) -> Result<Arc<Entry>, AppError> {
        let waiting = self.waiting.len();
        if self.is_closed {
            return Err(AppError::Busy("the program is ending; no job begins".to_owned()));
        }
        if waiting >= MOST_WAITING {
            return Err(AppError::Busy(format!("{waiting} jobs are waiting already; come back when some are done")));
        }
        let mut ended = self.known.iter().filter(|entry| entry.job().state.is_over()).count();
        self.known.retain(|entry| {
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
            started: None,
            ended: None,
            result: None,
            error: None,
        };
        let entry = Arc::new(Entry { job: Mutex::new(job), stop: AtomicBool::new(false) });
        self.known.push_back(Arc::clone(&entry));
        Ok(entry)
    }

    fn forget(&mut self, entry: &Arc<Entry>) {
        self.known.retain(|known| !Arc::ptr_eq(known, entry));
        self.waiting.retain(|(waiting, _)| !Arc::ptr_eq(waiting, entry));
    }
}

impl Desk {
    /// The jobs that are known, the newest first, with their results.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.jobs.look(Job::clone)
    }

    /// One job.
    ///
    /// # Errors
    /// It is not known, or not any more.
    pub fn job(&self, id: &str) -> Result<Job, AppError> {
        Ok(self.jobs.find(id)?.job().clone())
    }

    /// Asks a job to end: one that waits is over at once, one that goes on within moments.
    ///
    /// # Errors
    /// It is not known, or over already.
    pub fn cancel(&self, id: &str) -> Result<Job, AppError> {
        let entry = self.jobs.find(id)?;
        let was_waiting = {
            let mut queue = self.jobs.queue();
            let before = queue.waiting.len();
            queue.waiting.retain(|(waiting, _)| !Arc::ptr_eq(waiting, &entry));
            queue.waiting.len() < before
        };
        if was_waiting {
            entry.end(Err(AppError::Stopped), |error| error.to_string());
            self.counts.job_ended(&entry.job());
            self.tell(Change::Job { id: id.to_owned() });
        } else if entry.job().state.is_over() {
            return Err(AppError::Conflict(format!("the job {id} is over already")));
        }
        entry.stop.store(true, Ordering::Relaxed);
        let job = entry.job().clone();
        Ok(job)
    }

    /// Begins a job, or lets it wait for its turn.
    pub(super) fn start(self: &Arc<Self>, kind: JobKind, by: &str, work: Work) -> Result<Job, AppError> {
        let mut queue = self.jobs.queue();
        let entry = queue.add(kind, by)?;
        queue.waiting.push_back((Arc::clone(&entry), work));
        if !queue.is_worked_on {
            let desk = Arc::clone(self);
            let worker = thread::Builder::new().name("jobs".to_owned()).spawn(move || Jobs::work(&desk));
            if let Err(error) = worker {
                queue.forget(&entry);
                return Err(AppError::Runtime(error));
            }
            queue.is_worked_on = true;
        }
        let job = entry.job().clone();
        Ok(job)
    }
}
