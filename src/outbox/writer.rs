//! The one thread that writes. Whatever waits while it commits goes into its next commit together, so that many callers
//! share one sync of the disk.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::{OutboxError, failpoint::Failpoints};

/// The most jobs of one commit.
const GROUP: usize = 256;
/// After so long without work the journal is folded into the database.
const IDLE: Duration = Duration::from_secs(2);

/// What a commit must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A loss of power: for what was accepted.
    Power,
    /// The end of the process: for what was settled. A loss of power costs a second delivery, never a finding.
    Process,
}

type Announce = Box<dyn FnOnce(Result<(), OutboxError>) + Send>;
type Work = Box<dyn FnOnce(Result<&Connection, OutboxError>) -> (bool, Announce) + Send>;

struct Job {
    durability: Durability,
    work: Work,
}

/// Takes work and answers after its commit.
#[derive(Debug)]
pub(super) struct Writer {
    folder: PathBuf,
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        folder: &Path,
        failpoints: Arc<Failpoints>,
    ) -> Result<Self, OutboxError> {
        let (jobs, received) = sync_channel(GROUP);
        let mut thread = WriterThread {
            connection,
            folder: folder.to_owned(),
            failpoints,
            synchronous: None,
            queue: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || thread.run(&received))
            .map_err(OutboxError::file("start the writer of", folder))?;
        Ok(Self { folder: folder.to_owned(), jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does it in a transaction, and returns when that is committed. Nothing of it happened when it fails.
    pub(super) fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Connection) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let (answer, answers) = sync_channel(1);
        let folder = self.folder.clone();
        let work: Work = Box::new(move |connection| {
            let result = connection.and_then(work).map_err(|error| error.in_folder(&folder));
            let holds = result.is_ok();
            let announce = move |committed: Result<(), OutboxError>| {
                // Whoever asked may be gone; the work is done all the same.
                let _ = answer.send(result.and_then(|value| committed.map(|()| value)));
            };
            (holds, Box::new(announce))
        });
        let jobs = self.jobs.as_ref().ok_or(OutboxError::Closed)?;
        jobs.send(Job { durability, work }).map_err(|_| OutboxError::Closed)?;
        answers.recv().map_err(|_| OutboxError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported there.
            let _ = thread.join();
        }
    }
}

struct WriterThread {
    connection: Connection,
    folder: PathBuf,
    failpoints: Arc<Failpoints>,
    synchronous: Option<Durability>,
    queue: VecDeque<Job>,
}

impl WriterThread {
    fn run(&mut self, jobs: &Receiver<Job>) {
        let mut is_folded = true;
        loop {
            if self.queue.is_empty() {
                match jobs.recv_timeout(IDLE) {
                    Ok(job) => self.queue.push_back(job),
                    Err(RecvTimeoutError::Timeout) if is_folded => continue,
                    Err(RecvTimeoutError::Timeout) => {
                        self.fold("PASSIVE");
                        is_folded = true;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            while self.queue.len() < GROUP
                && let Ok(job) = jobs.try_recv()
            {
                self.queue.push_back(job);
            }
            self.commit_group();
            is_folded = false;
        }
        self.fold("TRUNCATE");
    }

    /// Runs what waits in one transaction, each job in a savepoint, and announces after the commit.
    fn commit_group(&mut self) {
        let is_accept = self.queue.iter().any(|job| job.durability == Durability::Power);
        let is_settle = self.queue.iter().any(|job| job.durability == Durability::Process);
        let begun = self.begin(if is_accept { Durability::Power } else { Durability::Process });
        if let Err(error) = begun {
            for job in std::mem::take(&mut self.queue) {
                let (_, announce) = (job.work)(Err(error.clone()));
                announce(Err(error.clone()));
            }
            return;
        }
        let mut announcements = Vec::with_capacity(self.queue.len());
        let mut lost = None;
        while let Some(job) = self.queue.pop_front() {
            let (announce, outcome) = self.run_one(job);
            announcements.push(announce);
            if let Err(error) = outcome {
                lost = Some(error);
                break;
            }
        }
        if let Some(name) = is_accept.then_some("before_commit") {
            self.failpoints.pass(name);
        }
        if let Some(name) = is_settle.then_some("before_settle") {
            self.failpoints.pass(name);
        }
        let committed = lost.map_or_else(|| self.execute("COMMIT", "write to"), Err);
        if committed.is_err() && !self.connection.is_autocommit() {
            // The error is told to everybody below; without this the next transaction could not begin.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        if is_accept {
            self.failpoints.pass("after_commit");
        }
        if is_settle {
            self.failpoints.pass("after_settle");
        }
        for announce in announcements {
            announce(committed.clone());
        }
    }

    /// `Err` when the whole transaction is lost.
    fn run_one(&self, job: Job) -> (Announce, Result<(), OutboxError>) {
        let saved = self.execute("SAVEPOINT job", "write to");
        let (holds, announce) = (job.work)(Ok(&self.connection));
        // A full disk ends the transaction, and not only the savepoint.
        let keeps = holds || self.connection.is_autocommit();
        let end = if keeps { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        let outcome = saved.and_then(|()| self.execute(end, "write to"));
        (announce, outcome)
    }

    fn begin(&mut self, durability: Durability) -> Result<(), OutboxError> {
        if self.synchronous != Some(durability) {
            let level = match durability {
                Durability::Power => "FULL",
                Durability::Process => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", level).map_err(OutboxError::database("write to"))?;
            self.synchronous = Some(durability);
        }
        self.execute("BEGIN IMMEDIATE", "write to")
    }

    fn execute(&self, sql: &str, action: &'static str) -> Result<(), OutboxError> {
        let done = self.connection.execute_batch(sql);
        done.map_err(|error| OutboxError::database(action)(error).in_folder(&self.folder))
    }

    fn fold(&self, mode: &str) {
        let folded = self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::warn!(%error, "the outbox's journal could not be folded into its database");
        }
    }
}
