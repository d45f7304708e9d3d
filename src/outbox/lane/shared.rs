//! What the tasks of one lane share, and how they reach the store without blocking others.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rusqlite::Connection;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use watchbell_sink::{ErrorKind, Sink, SinkError};

use crate::outbox::{OutboxError, clock::Millis, store::Inner, writer::Durability};

/// Wait before the store is tried again when it failed, for example because its disk is full.
const STORE_WAIT: Duration = Duration::from_secs(1);
/// A sink that is silent for longer is taken for gone; its own timeouts are far below.
const LONGEST_CALL: Duration = Duration::from_secs(600);

pub(super) struct Shared {
    pub(super) name: String,
    /// The sink's number in the database.
    pub(super) number: i64,
    pub(super) store: Arc<Inner>,
    sink: RwLock<Arc<dyn Sink>>,
    stays_held: AtomicBool,
}

impl Shared {
    pub(super) fn new(name: String, number: i64, store: Arc<Inner>, sink: Arc<dyn Sink>) -> Self {
        Self { name, number, store, sink: RwLock::new(sink), stays_held: AtomicBool::new(false) }
    }

    pub(super) fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.sink.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace_sink(&self, sink: Arc<dyn Sink>) {
        *self.sink.write().unwrap_or_else(PoisonError::into_inner) = sink;
    }

    /// Whether the lane is held, and a check did not help.
    pub(super) fn stays_held(&self) -> bool {
        self.stays_held.load(Ordering::Relaxed)
    }

    pub(super) fn set_stays_held(&self, stays: bool) {
        self.stays_held.store(stays, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Millis {
        self.store.clock.now()
    }

    /// Reads the store on a thread that may wait.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let store = Arc::clone(&self.store);
        let read = tokio::task::spawn_blocking(move || store.read("read", work));
        read.await.unwrap_or(Err(OutboxError::Closed))
    }

    /// Writes to the store until it takes it: what a destination said must not be forgotten. Gives up only when the
    /// lane stops; then the deliveries stay as they were.
    pub(super) async fn write(
        &self,
        stop: &mut watch::Receiver<bool>,
        work: impl Fn(&Connection) -> Result<(), OutboxError> + Send + Sync + 'static,
    ) {
        let work = Arc::new(work);
        loop {
            let (store, work) = (Arc::clone(&self.store), Arc::clone(&work));
            let write = move || store.write(Durability::Process, move |connection| work(connection));
            let Err(error) = tokio::task::spawn_blocking(write).await.unwrap_or(Err(OutboxError::Closed)) else {
                return;
            };
            tracing::error!(sink = %self.name, %error, "what the destination said could not be written down");
            if pause(stop, Some(Instant::now() + STORE_WAIT)).await == Paused::Stopping {
                return;
            }
        }
    }
}

/// Runs a sink's own code in a task, so that a panic or an endless wait there is an error here.
pub(super) async fn guarded<T: Send + 'static>(
    what: &'static str,
    call: impl Future<Output = Result<T, SinkError>> + Send + 'static,
) -> Result<T, SinkError> {
    // Dropped, and so aborted, with the task that waits here.
    let mut task = JoinSet::new();
    task.spawn(call);
    let message = match tokio::time::timeout(LONGEST_CALL, task.join_next()).await {
        Ok(Some(Ok(result))) => return result,
        Ok(_) => format!("the sink panicked while it {what}"),
        Err(_) => format!("the sink {what} for more than {} s", LONGEST_CALL.as_secs()),
    };
    Err(SinkError::new(ErrorKind::Unavailable, message))
}

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paused {
    Over,
    Stopping,
}

/// Sleeps until then (or for ever), or until the lane is to stop.
pub(super) async fn pause(stop: &mut watch::Receiver<bool>, until: Option<Instant>) -> Paused {
    let sleep = async {
        match until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = sleep => Paused::Over,
        // Its sender is gone: nobody is left to deliver for.
        _ = stop.wait_for(|&stopping| stopping) => Paused::Stopping,
    }
}

/// From a time of the store's clock to one that can be slept to.
pub(super) fn instant(now: Millis, then: Millis) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(then.saturating_sub(now)).unwrap_or_default())
}
