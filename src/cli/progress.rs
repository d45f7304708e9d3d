//! The progress bar: on standard error, on a terminal, for work that takes long.

use std::{
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::Progress;

/// Shorter work shows no bar: it would only flicker.
const LONG: Duration = Duration::from_millis(500);

/// A bar that comes when the work takes long.
#[derive(Debug, Default)]
pub(super) struct Bar {
    wanted: bool,
    work: Mutex<Option<Work>>,
}

#[derive(Debug)]
struct Work {
    what: String,
    began: Instant,
    bytes: u64,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// A bar, unless it is not wanted or nobody would see it.
    pub(super) fn new(quiet: bool) -> Self {
        Self { wanted: !quiet && io::stderr().is_terminal(), work: Mutex::default() }
    }

    fn with_work(&self, change: impl FnOnce(&mut Option<Work>)) {
        if self.wanted {
            // A panic elsewhere leaves a number that is a little off, which is no reason for another.
            change(&mut self.work.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, bytes: u64) {
        let work = Work { what: what.to_owned(), began: Instant::now(), bytes, done: 0, bar: None };
        self.with_work(|current| *current = Some(work));
    }

    fn advance(&self, bytes: u64) {
        self.with_work(|current| {
            let Some(work) = current else { return };
            work.done += bytes;
            if work.bar.is_none() && work.began.elapsed() >= LONG {
                work.bar = Some(drawn(&work.what, work.bytes));
            }
            if let Some(bar) = &work.bar {
                bar.set_position(work.done.min(work.bytes));
            }
        });
    }

    fn end(&self) {
        self.with_work(|current| {
            if let Some(bar) = current.take().and_then(|work| work.bar) {
                bar.finish_and_clear();
            }
        });
    }
}

fn drawn(what: &str, bytes: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:12} {bar:30} {bytes:>10} of {total_bytes}  {bytes_per_sec}  {eta} left")
            .expect("the template is constant, and a test draws it")
            .progress_chars("=> ");
    ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(8))
        .with_style(style)
        .with_message(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        drawn("reading", 10).finish_and_clear();
    }
}
