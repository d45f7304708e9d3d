//! A lane that is held: the destination refuses our credentials or is not as we are told. Everything is kept, one alarm
//! is raised, and at growing intervals the secrets are read again and the destination checked.

use tokio::time::Instant;
use watchbell_sink::{ErrorKind, SinkError, Steps};

use super::{shared::guarded, worker::Worker};
use crate::outbox::{
    OutboxError,
    settle::{self, Failure},
};

/// Why, and when the next check is due.
#[derive(Debug)]
pub(super) struct Hold {
    check_at: Instant,
}

impl Worker {
    pub(super) async fn begin_hold(&mut self, error: &SinkError) {
        // A check that passes and a delivery that fails all the same is the same trouble: no second alarm.
        if self.holds == 0 {
            tracing::error!(
                sink = %self.shared.name, kind = %error.kind, message = %error,
                "the lane is held, all findings are kept: {}", advice(error.kind)
            );
        } else {
            self.shared.set_stays_held(true);
        }
        self.holds = self.holds.saturating_add(1);
        self.hold = Some(Hold { check_at: Instant::now() + self.hold_wait() });
        self.write_hold(Some(Failure::from(error))).await;
    }

    /// Checks when it is time; gives the time of the next check, or nothing when the hold is over.
    pub(super) async fn probe_hold(&mut self) -> Option<Instant> {
        let check_at = self.hold.as_ref()?.check_at;
        if check_at > Instant::now() {
            return Some(check_at);
        }
        self.renew_sink().await;
        let sink = self.shared.sink();
        let check = guarded("checked", async move { sink.check(&mut Steps::default()).await });
        let checked = tokio::select! {
            checked = check => checked,
            _ = self.stop.wait_for(|&stopping| stopping) => return None,
        };
        match checked {
            Ok(()) => {
                tracing::info!(sink = %self.shared.name, "the check passes: the lane goes on");
                self.hold = None;
                self.not_before = None;
                self.write_hold(None).await;
                None
            }
            Err(error) => {
                self.holds = self.holds.saturating_add(1);
                self.shared.set_stays_held(true);
                let next = Instant::now() + self.hold_wait();
                tracing::debug!(sink = %self.shared.name, kind = %error.kind, message = %error, "still held");
                self.hold = Some(Hold { check_at: next });
                Some(next)
            }
        }
    }

    async fn write_hold(&mut self, failure: Option<Failure>) {
        let (sink, now) = (self.shared.number, self.shared.now());
        let work = move |connection: &rusqlite::Connection| {
            let write = || {
                if let Some(failure) = &failure {
                    settle::remember_failure(connection, sink, failure, now)?;
                }
                settle::hold(connection, sink, failure.as_ref().map(|failure| (failure, now)))
            };
            write().map_err(OutboxError::database("write to"))
        };
        self.shared.write(&mut self.stop, work).await;
    }
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Auth => "renew its credentials where the configuration reads them",
        _ => "compare its configuration with the destination",
    }
}
