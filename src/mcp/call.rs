//! One call on its way: on a thread that may wait, with progress to the client, ended when the client cancels it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{catalog::Toolset, failure::Failure};
use crate::app::{AuditLog, Desk, Progress, Watch};

/// Clients need no more than this many notes a second.
const BETWEEN_NOTES: Duration = Duration::from_millis(100);

/// What every tool works with.
#[derive(Debug, Clone)]
pub(super) struct Office {
    /// What stays between calls.
    pub(super) desk: Arc<Desk>,
    /// The only folder from which logs are read.
    pub(super) root: PathBuf,
    /// Which tools are offered.
    pub(super) toolset: Toolset,
    /// The configuration without its secrets.
    pub(super) configuration: Arc<str>,
    /// Where calls are written down.
    pub(super) audit: Option<Arc<AuditLog>>,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) office: &'a Office,
    /// Who asks, as it stands in decisions about findings.
    pub(super) by: &'a str,
    pub(super) watch: Watch<'a>,
}

/// How far the work is.
struct Note {
    done: f64,
    total: f64,
    stage: String,
}

/// Counts what is done and sends notes about it.
struct Meter {
    notes: Option<UnboundedSender<Note>>,
    state: Mutex<State>,
}

struct State {
    done: u64,
    total: u64,
    stage: String,
    sent: Instant,
}

impl Meter {
    fn new(notes: Option<UnboundedSender<Note>>) -> Self {
        let state = State { done: 0, total: 0, stage: String::new(), sent: Instant::now() };
        Self { notes, state: Mutex::new(state) }
    }

    fn send(&self, state: &mut State) {
        #[expect(clippy::cast_precision_loss, reason = "a bar on a screen")]
        let note =
            Note { done: state.done as f64, total: state.total.max(state.done) as f64, stage: state.stage.clone() };
        state.sent = Instant::now();
        if let Some(notes) = &self.notes {
            // An error says that the client is gone.
            let _ = notes.send(note);
        }
    }
}

impl Progress for Meter {
    fn begin(&self, what: &str, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The first word is ours; what follows is a file's name.
        state.stage = what.split_whitespace().next().unwrap_or_default().to_owned();
        // A stage counts for one, so that the number grows with every note, as the protocol wants.
        state.done += 1;
        state.total = state.done + bytes;
        self.send(&mut state);
    }

    fn advance(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.done += bytes;
        if bytes > 0 && state.sent.elapsed() >= BETWEEN_NOTES {
            self.send(&mut state);
        }
    }

    fn end(&self) {}
}

/// Does the work on a thread that may wait.
pub(super) async fn work<T: Send + 'static>(
    office: Office,
    by: String,
    context: &RequestContext<RoleServer>,
    work: impl FnOnce(&Call<'_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, told) = match context.meta.get_progress_token() {
        Some(token) => {
            let (sender, receiver) = unbounded_channel();
            let peer = context.peer.clone();
            (Some(sender), Some(tokio::spawn(tell(receiver, peer, token))))
        }
        None => (None, None),
    };
    let seen = Arc::clone(&stop);
    let mut done = tokio::task::spawn_blocking(move || {
        let meter = Meter::new(sender);
        let watch = Watch { progress: &meter, stop: &seen };
        work(&Call { office: &office, by: &by, watch })
    });
    let result = tokio::select! {
        result = &mut done => result,
        () = context.ct.cancelled() => {
            stop.store(true, Ordering::Relaxed);
            done.await
        }
    };
    // The last note is to arrive before the answer.
    if let Some(told) = told {
        let _ = told.await;
    }
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "a call broke off");
        Err(Failure::broke_off())
    })
}

async fn tell(mut notes: UnboundedReceiver<Note>, peer: rmcp::Peer<RoleServer>, token: rmcp::model::ProgressToken) {
    while let Some(note) = notes.recv().await {
        let param = ProgressNotificationParam::new(token.clone(), note.done).with_total(note.total);
        if peer.notify_progress(param.with_message(note.stage)).await.is_err() {
            break;
        }
    }
}
