//! Rounds, one or again and again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    BatchError,
    publish::Output,
    round::{Job, Round, round},
};

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// One round.
    Once,
    /// A round begins this long after the one before it began, or when that one ends, if it takes longer.
    Every(Duration),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Everything that was asked for is done.
    Done,
    /// It was stopped within a round; what was not read is read at the next start.
    Cut,
    /// It was stopped between two rounds; nothing was waiting to be done.
    Idle,
}

/// How often a waiting job looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Runs rounds and shows each, until the job is done or stopped. In [`Repeat::Every`] a round that fails does not end
/// the job; only an output directory that can't be taken at the start does.
///
/// # Errors
/// When the output directory can't be taken, and in [`Repeat::Once`] when the round fails.
pub fn run(
    job: Job<'_>,
    repeat: Repeat,
    show: &mut dyn FnMut(Result<&Round, &BatchError>),
) -> Result<RunEnd, BatchError> {
    let output = Output::open(&job.plan.batch.output_dir)?;
    loop {
        let began = Instant::now();
        let outcome = round(job, &output);
        match (&outcome, repeat) {
            (Err(_), Repeat::Once) => return outcome.map(|_| RunEnd::Done),
            _ => show(outcome.as_ref()),
        }
        let was_cut = outcome.is_ok_and(|round| round.stopped);
        if was_cut {
            return Ok(RunEnd::Cut);
        }
        let Repeat::Every(interval) = repeat else { return Ok(RunEnd::Done) };
        if !wait(began, interval, job.stop) {
            return Ok(RunEnd::Idle);
        }
    }
}

/// Waits for the next round; false when the job is to stop.
fn wait(began: Instant, interval: Duration, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let left = interval.saturating_sub(began.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(LOOK));
    }
}
