//! The progress bar: on standard error, on a terminal, for work that takes long.

use std::{
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::clean;
use crate::app::Progress;

/// Shorter work shows no bar: it would only flicker.
const LONG: Duration = Duration::from_millis(500);

/// A bar that comes when the work takes long.
#[derive(Debug, Default)]
pub(super) struct Bar {
    wanted: bool,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    /// When the first stage began.
    began: Option<Instant>,
    what: String,
    bytes: u64,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// A bar, unless it is not wanted or nobody would see it.
    pub(super) fn new(quiet: bool) -> Self {
        Self { wanted: !quiet && io::stderr().is_terminal(), work: Mutex::default() }
    }

    fn with_work(&self, change: impl FnOnce(&mut Work)) {
        if self.wanted {
            // A panic elsewhere leaves a number that is a little off, which is no reason for another.
            change(&mut self.work.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Work {
    fn draw(&mut self) {
        let is_long = self.began.is_some_and(|began| began.elapsed() >= LONG);
        if self.bar.is_none() && is_long {
            self.bar = Some(drawn(&self.what, self.bytes));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done.min(self.bytes));
        }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, bytes: u64) {
        self.with_work(|work| {
            work.began.get_or_insert_with(Instant::now);
            (work.what, work.bytes, work.done) = (clean(what), bytes, 0);
            work.draw();
        });
    }

    fn advance(&self, bytes: u64) {
        self.with_work(|work| {
            work.done += bytes;
            work.draw();
        });
    }

    fn end(&self) {
        self.with_work(|work| {
            if let Some(bar) = work.bar.take() {
                bar.finish_and_clear();
            }
        });
    }
}

/// How many of so many are done, for work that is counted.
#[derive(Debug)]
pub(super) struct Counter {
    what: &'static str,
    wanted: bool,
    began: Instant,
    bar: Mutex<Option<ProgressBar>>,
}

impl Counter {
    /// A counter, unless it is not wanted or nobody would see it.
    pub(super) fn new(what: &'static str, quiet: bool) -> Self {
        Self { what, wanted: !quiet && io::stderr().is_terminal(), began: Instant::now(), bar: Mutex::default() }
    }

    /// So many of so many are done.
    pub(super) fn show(&self, done: u64, of: u64) {
        if !self.wanted || self.began.elapsed() < LONG {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left")
                .expect("the template is constant")
                .progress_chars("=> ");
            ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr_with_hz(8))
                .with_style(style)
                .with_message(self.what)
        });
        bar.set_length(of);
        bar.set_position(done);
    }

    /// The work is done.
    pub(super) fn end(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// A bar, or for work of unknown length something that moves.
fn drawn(what: &str, bytes: u64) -> ProgressBar {
    let template = match bytes {
        0 => "{msg} {spinner} {elapsed}",
        _ => "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left",
    };
    let style = ProgressStyle::with_template(template)
        .expect("the templates are constant, and a test draws both")
        .progress_chars("=> ");
    let target = ProgressDrawTarget::stderr_with_hz(8);
    let bar = ProgressBar::with_draw_target(Some(bytes), target).with_style(style).with_message(what.to_owned());
    if bytes == 0 {
        bar.enable_steady_tick(Duration::from_millis(125));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        drawn("reading", 10).finish_and_clear();
        drawn("scoring", 0).finish_and_clear();
    }
}
