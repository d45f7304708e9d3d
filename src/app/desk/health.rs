//! Whether the program can do its work.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Desk, JobState};
use crate::{
    app::{AppError, sink_plans},
    config::values::Bytes,
    outbox::{SinkStatus, Status},
};

/// So long an answer is good for everybody who asks: the checks write to the disk.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// Whether the program can do its work, check by check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    /// Whether every check that counts holds.
    pub ready: bool,
    /// The checks.
    pub checks: Vec<HealthCheck>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HealthCheck {
    /// What was checked: `outbox`, `reports`, `disk`, `models`, `jobs`, `sink:NAME`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// Whether the program can't work without it.
    pub required: bool,
    /// What was seen.
    pub detail: String,
}

/// The last answer, and when it was given.
#[derive(Debug, Default)]
pub(super) struct LastHealth(Mutex<Option<(Instant, Health)>>);

impl Desk {
    /// Checks what the program needs. Nothing secret is in the answer, for it is told to everybody.
    #[must_use]
    pub fn health(&self) -> Health {
        // Held all the while: whoever asks at the same time gets the same answer.
        let mut last = self.health.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, health)) = last.as_ref().filter(|(when, _)| when.elapsed() < GOOD_FOR) {
            return health.clone();
        }
        let health = self.check_all();
        // Once, and not with every question.
        let known = last.as_ref().map_or(&[][..], |(_, health)| &health.checks);
        for check in health.checks.iter().filter(|check| !check.ok && !known.contains(check)) {
            tracing::warn!(check = check.name, required = check.required, detail = check.detail, "not healthy");
        }
        *last = Some((Instant::now(), health.clone()));
        health
    }

    fn check_all(&self) -> Health {
        let outbox = self.outbox();
        let mut checks = vec![self.check_outbox(outbox.as_ref()), self.check_reports(), self.check_disk()];
        checks.extend([self.check_models(), self.check_jobs()]);
        checks.extend(self.check_sinks(outbox.as_ref()));
        Health { ready: checks.iter().all(|check| check.ok || !check.required), checks }
    }

    fn check_outbox(&self, status: Result<&Status, &AppError>) -> HealthCheck {
        // Without sinks nobody has it open; decisions about findings are written beside it all the same.
        let written = match self.bells() {
            Some(bells) => bells.outbox().probe().map_err(AppError::Outbox),
            None => probe_folder(&self.plan.outbox.folder)
                .map_err(|source| AppError::Write { path: self.plan.outbox.folder.clone(), source }),
        };
        match (status, &written) {
            (Err(error), _) => failed("outbox", "can't be read", error),
            (_, Err(error)) => failed("outbox", "can't be written", error),
            (Ok(status), Ok(())) => HealthCheck {
                ok: status.bytes < status.max_bytes,
                ..required("outbox", format!("{} of {} in use", Bytes(status.bytes), Bytes(status.max_bytes)))
            },
        }
    }

    fn check_reports(&self) -> HealthCheck {
        match probe_folder(&self.plan.batch.output_dir) {
            Ok(()) => required("reports", "the folder can be written".to_owned()),
            Err(error) => failed("reports", "the folder can't be written", &error),
        }
    }

    fn check_disk(&self) -> HealthCheck {
        let needed = self.plan.batch.low_disk.refuse;
        let folders = [&self.plan.batch.output_dir, &self.plan.outbox.folder];
        match folders.into_iter().filter_map(|folder| free_bytes(folder)).min() {
            Some(free) => HealthCheck {
                ok: free >= needed,
                ..required("disk", format!("{} free, {} needed", Bytes(free >> 20 << 20), Bytes(needed)))
            },
            None => HealthCheck { required: false, ..required("disk", "its free space is not known".to_owned()) },
        }
    }

    fn check_models(&self) -> HealthCheck {
        match self.models() {
            Ok(models) => {
                let unreadable = models.iter().filter(|model| model.card.is_none()).count();
                let readable = models.len() - unreadable;
                let detail = match unreadable {
                    0 => format!("{readable} can be read"),
                    _ => format!("{readable} can be read, {unreadable} can't; the list of models says why"),
                };
                // The other logs are judged all the same; a load balancer would take away every server with the file.
                HealthCheck { ok: unreadable == 0, required: false, ..required("models", detail) }
            }
            Err(error) => failed("models", "the directory can't be read", &error),
        }
    }

    fn check_jobs(&self) -> HealthCheck {
        let jobs = self.jobs.look(|job| (job.state, job.ended));
        let count = |state| jobs.iter().filter(|job| job.0 == state).count();
        let last = jobs.iter().filter(|(state, _)| state.is_over()).max_by_key(|(_, ended)| *ended);
        let has_failed = last.is_some_and(|(state, _)| *state == JobState::Failed);
        let detail = format!("{} running, {} waiting", count(JobState::Running), count(JobState::Waiting));
        let detail = if has_failed { format!("{detail}; the last one failed, the log says why") } else { detail };
        HealthCheck { name: "jobs".to_owned(), ok: !has_failed, required: false, detail }
    }

    fn check_sinks(&self, status: Result<&Status, &AppError>) -> Vec<HealthCheck> {
        let Ok(status) = status else { return Vec::new() };
        // Sinks that can't be planned any more kept the desk from opening.
        let plans = sink_plans(&self.plan, &[]).unwrap_or_default();
        let check = |name: String| match status.sinks.iter().find(|sink| sink.name == name) {
            Some(sink) => check_sink(sink),
            None => lane(&name, true, "nothing was given to it yet".to_owned()),
        };
        plans.into_iter().map(|plan| check(plan.name)).collect()
    }
}

/// Only what is ours to tell: what the destination said may name addresses.
fn check_sink(sink: &SinkStatus) -> HealthCheck {
    let counts = format!("{} delivered, {} pending, {} dead", sink.delivered, sink.pending.total(), sink.dead);
    match &sink.held {
        Some(held) => lane(&sink.name, false, format!("held since {} ({}); {counts}", held.since, held.kind)),
        None => lane(&sink.name, true, counts),
    }
}

fn lane(name: &str, ok: bool, detail: String) -> HealthCheck {
    HealthCheck { name: format!("sink:{name}"), ok, required: false, detail }
}

fn required(name: &str, detail: String) -> HealthCheck {
    HealthCheck { name: name.to_owned(), ok: true, required: true, detail }
}

/// Errors name paths, which go to the log only.
fn failed(name: &str, what: &str, error: &(dyn std::error::Error + 'static)) -> HealthCheck {
    tracing::warn!(check = name, error, "{what}");
    HealthCheck { ok: false, ..required(name, format!("{what}; the log says why")) }
}

/// Writes a file into a folder and takes it away again. A folder that is not there yet is one that can be made.
fn probe_folder(folder: &Path) -> io::Result<()> {
    // A file is not found under its name with a slash.
    let folder = folder.components().as_path();
    match existing(folder) {
        Some(found) if found == folder => {
            let mut file = tempfile::Builder::new().prefix(".watchbell-probe-").tempfile_in(folder)?;
            file.write_all(b"probe")?;
            file.close()
        }
        Some(above) => may_make(above),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The folder itself, or the nearest one above it that is there.
fn existing(folder: &Path) -> Option<&Path> {
    let here = |path: &&Path| path.as_os_str().is_empty() || path.exists();
    folder.ancestors().find(here).map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path })
}

#[cfg(unix)]
fn may_make(above: &Path) -> io::Result<()> {
    if !above.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(rustix::fs::access(above, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?)
}

#[cfg(not(unix))]
fn may_make(above: &Path) -> io::Result<()> {
    if above.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Bytes free for this folder; `None` where nobody can say.
#[cfg(unix)]
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(existing(folder)?).ok()?;
    // Pseudo file systems say that they have no blocks at all.
    (stat.f_blocks > 0).then(|| stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub(super) fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}
