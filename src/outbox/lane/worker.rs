//! The worker of one lane: gathers, sends, settles, and knows when to wait, to probe, and to be held.
//!
//! One batch is on its way at a time, so what is leased is what is in a local variable: a restart finds everything ready.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use watchbell_sink::{Batch, ErrorKind, Receipt, SinkError};

use super::{
    BatchOptions, Renew, RetryOptions,
    backoff::Backoff,
    gather::{Gathered, Outgoing, Wanted, gather},
    hold::Hold,
    judge::{Effect, Judged, Sent, judge},
    shared::{Paused, Shared, guarded, instant, pause},
};
use crate::outbox::settle::{Outcome, Settlement, settle};

/// Rows of one write: what other sinks accept and settle goes between, so that a large failure here delays nobody there.
const SETTLED_AT_ONCE: usize = 64;
/// After so many failures in a row one delivery tries for all.
const PROBE_AFTER: u32 = 5;
/// How often secrets and certificates are looked at in normal work.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(60);
/// Wait when the store could not be read.
const STORE_WAIT: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) batch: BatchOptions,
    pub(super) retry: RetryOptions,
    pub(super) renew: Arc<Renew>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) wakes: watch::Receiver<u64>,
    pub(super) backoff: Backoff,
    /// In a row.
    pub(super) failures: u32,
    pub(super) not_before: Option<Instant>,
    pub(super) last_call: Option<Instant>,
    /// The most items while the sink decides about nothing.
    pub(super) narrowed: Option<usize>,
    pub(super) hold: Option<Hold>,
    /// Holds and failed checks since something was last delivered.
    pub(super) holds: u32,
    pub(super) renewed: Instant,
}

/// What the worker does next.
enum Next {
    /// Go on at once.
    Now,
    /// Nothing until then.
    At(Instant),
    /// Nothing until then, or until something is accepted.
    Work(Option<Instant>),
}

impl Worker {
    pub(super) async fn run(mut self) {
        while !*self.stop.borrow() {
            let next = match self.hold {
                Some(_) => self.probe_hold().await.map_or(Next::Now, Next::At),
                None => {
                    if self.renewed.elapsed() >= RENEW_EVERY {
                        self.renew_sink().await;
                    }
                    self.turn().await
                }
            };
            match next {
                Next::Now => {}
                Next::At(then) => drop(pause(&mut self.stop, Some(then)).await),
                Next::Work(then) => {
                    let renewal = self.renewed + RENEW_EVERY;
                    let until = then.map_or(renewal, |then| then.min(renewal));
                    tokio::select! {
                        _ = pause(&mut self.stop, Some(until)) => {}
                        _ = self.wakes.changed() => {}
                    }
                }
            }
        }
    }

    /// One batch, if one is due.
    async fn turn(&mut self) -> Next {
        if let Some(then) = self.not_before.filter(|then| *then > Instant::now()) {
            return Next::At(then);
        }
        self.wakes.mark_unchanged();
        let (sink, wanted) = (self.shared.sink(), self.wanted());
        let now = wanted.now;
        match self.shared.read(move |connection| gather(connection, sink.as_ref(), &wanted)).await {
            Err(error) => {
                tracing::error!(sink = %self.shared.name, %error, "what is due could not be read");
                Next::At(Instant::now() + STORE_WAIT)
            }
            Ok(Gathered::Nothing { until }) => Next::Work(until.map(|until| instant(now, until))),
            Ok(Gathered::Batch { outgoing, dead }) => {
                if !dead.is_empty() {
                    tracing::warn!(sink = %self.shared.name, deliveries = dead.len(), "not to be encoded: dead letters");
                    self.settle(dead).await;
                }
                self.deliver(outgoing).await;
                Next::Now
            }
        }
    }

    fn wanted(&self) -> Wanted {
        let limits = self.shared.sink().limits();
        let is_probe = self.failures >= PROBE_AFTER;
        let most = [self.batch.items, self.narrowed, is_probe.then_some(1)];
        let items = most.into_iter().flatten().fold(limits.items, usize::min).max(1);
        Wanted {
            sink: self.shared.number,
            name: self.shared.name.clone(),
            items,
            bytes: self.batch.bytes.map_or(limits.bytes, |bytes| bytes.min(limits.bytes)),
            wait: self.batch.wait,
            together_above: limits.together_above,
            now: self.shared.now(),
        }
    }

    /// Sends a batch, in halves of halves where it is rejected, until it is settled or the lane has to wait.
    async fn deliver(&mut self, outgoing: Vec<Outgoing>) {
        let mut pieces = VecDeque::from([outgoing]);
        while let Some(mut piece) = pieces.pop_front() {
            let sent: Vec<Sent> = piece.iter().map(|outgoing| outgoing.sent).collect();
            if sent.is_empty() || self.keep_pace().await == Paused::Stopping {
                return;
            }
            let answer = self.send(&piece).await;
            let (backoff, now) = (&mut self.backoff, self.shared.now());
            let judged = judge(&sent, &answer, &mut |attempts, error| {
                let wait = backoff.wait(attempts, error.retry_after);
                now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
            });
            if matches!(judged.effect, Effect::Halve) {
                let second = piece.split_off(piece.len() / 2);
                pieces.push_front(second);
                pieces.push_front(piece);
                continue;
            }
            if !self.follow(judged, sent.len()).await {
                return;
            }
        }
    }

    /// Writes an answer down and does what it asks for; says whether the next piece may go.
    async fn follow(&mut self, judged: Judged, count: usize) -> bool {
        let Judged { settlements, effect, progressed } = judged;
        self.settle(settlements).await;
        if progressed {
            (self.failures, self.holds, self.narrowed) = (0, 0, None);
            self.shared.set_stays_held(false);
        }
        match effect {
            Effect::GoOn => true,
            Effect::Halve => false,
            Effect::Narrow if count > 1 => {
                self.narrowed = Some(count / 2);
                false
            }
            Effect::Narrow => {
                let error = SinkError::new(ErrorKind::Unavailable, "the sink decided nothing about a single delivery");
                self.wait(&error);
                false
            }
            Effect::Wait(error) => {
                self.wait(&error);
                false
            }
            Effect::Hold(error) => {
                self.begin_hold(&error).await;
                false
            }
        }
    }

    fn wait(&mut self, error: &SinkError) {
        self.failures = self.failures.saturating_add(1);
        let wait = self.backoff.wait(self.failures, error.retry_after);
        tracing::debug!(
            sink = %self.shared.name, kind = %error.kind, message = %error, wait_ms = wait.as_millis(),
            failures = self.failures, "the destination does not take deliveries at the moment"
        );
        self.not_before = Some(Instant::now() + wait);
    }

    /// Waits until the next call may begin.
    async fn keep_pace(&mut self) -> Paused {
        let pace = self.shared.sink().limits().pace;
        let then = self.last_call.map(|last| last + pace).filter(|then| *then > Instant::now());
        match then {
            Some(then) => pause(&mut self.stop, Some(then)).await,
            None if *self.stop.borrow() => Paused::Stopping,
            None => Paused::Over,
        }
    }

    /// One call.
    async fn send(&mut self, piece: &[Outgoing]) -> Result<Receipt, SinkError> {
        let deliveries = piece.iter().map(|outgoing| outgoing.delivery.clone()).collect();
        let batch = Batch::new(deliveries).expect("a piece that is sent is not empty");
        self.shared.store.failpoints.pass("before_send");
        self.last_call = Some(Instant::now());
        let sink = self.shared.sink();
        let answer = guarded("delivered", async move { sink.deliver(&batch).await }).await;
        self.shared.store.failpoints.pass("after_send");
        answer
    }

    async fn settle(&mut self, settlements: Vec<Settlement>) {
        let (sink, now) = (self.shared.number, self.shared.now());
        for one in &settlements {
            if let Outcome::Dead(failure) | Outcome::Waits { failure, .. } = &one.outcome {
                self.shared.store.failures.add(&self.shared.name, failure.kind);
            }
        }
        // What waits for one acknowledgement is written at once: a destination says it once, and a question between two
        // writes would spend that answer on the first part.
        let (awaiting, others): (Vec<_>, Vec<_>) =
            settlements.into_iter().partition(|one| matches!(one.outcome, Outcome::Awaiting { .. }));
        let writes = std::iter::once(awaiting).chain(others.chunks(SETTLED_AT_ONCE).map(<[_]>::to_vec));
        for some in writes.filter(|some| !some.is_empty()) {
            self.shared.write(&mut self.stop, move |connection| settle(connection, sink, &some, now)).await;
        }
    }

    /// Looks for changed secrets and certificates; a changed sink takes the old one's place.
    pub(super) async fn renew_sink(&mut self) {
        self.renewed = Instant::now();
        let renew = Arc::clone(&self.renew);
        match tokio::task::spawn_blocking(move || renew()).await {
            Ok(Ok(super::Renewed::Sink(sink))) => {
                tracing::info!(sink = %self.shared.name, "its secrets or files changed: it was built anew");
                self.shared.replace_sink(sink);
                // What was wrong may be mended.
                self.not_before = None;
            }
            Ok(Ok(super::Renewed::Unchanged)) => {}
            Ok(Err(why)) => {
                tracing::warn!(sink = %self.shared.name, reason = %why, "it can't be built anew; the old one goes on");
            }
            Err(_) => tracing::warn!(sink = %self.shared.name, "building it anew panicked; the old one goes on"),
        }
    }

    pub(super) fn hold_wait(&self) -> Duration {
        let hold = Backoff::new(self.retry.hold_initial, self.retry.hold_max, 0);
        hold.whole(self.holds.max(1))
    }
}
