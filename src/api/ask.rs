//! From async code to the desk and back: its calls wait, so each gets a thread that may.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;

use super::{Shared, problem::Problem};
use crate::app::{AppError, Desk};

tokio::task_local! {
    /// Is there while somebody else watches the time, see [`to_its_end`].
    static TO_ITS_END: ();
}

/// Says stop when the request is over, answered or not: nobody waits for the work any more.
struct StopWhenGone(Arc<AtomicBool>);

impl Drop for StopWhenGone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets a request wait for its work however long that takes. For who keeps the answer, and tells the client meanwhile when
/// the time is over: otherwise the request would end with a problem while its work goes on and changes things.
pub(super) async fn to_its_end<F: Future>(request: F) -> F::Output {
    TO_ITS_END.scope((), request).await
}

/// The work takes longer than a request may.
pub(super) fn late(longest: Duration) -> Problem {
    let detail = format!("this took longer than {} seconds", longest.as_secs());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

impl Shared {
    /// Makes a call of the desk, in the time that a request may take. A call that takes longer comes to its end unheard.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Arc<Desk>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = Arc::clone(&self.desk);
        let longest = desk.plan().serve.timeout;
        let work = tokio::task::spawn_blocking(move || call(&desk));
        let done = if TO_ITS_END.try_with(|()| ()).is_ok() {
            work.await
        } else {
            tokio::time::timeout(longest, work).await.map_err(|_| late(longest))?
        };
        done.map_err(|panicked| Problem::unexpected(&panicked))?.map_err(|error| Problem::of(&error))
    }

    /// The same, for work that is stopped when the time is over or the client goes away.
    pub(super) async fn ask_while_wanted<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Arc<Desk>, &AtomicBool) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let _wanted = StopWhenGone(Arc::clone(&stop));
        self.ask(move |desk| call(desk, &stop)).await
    }
}

/// Does work that waits for a disk, which is no call of the desk.
pub(super) async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|panicked| Problem::unexpected(&panicked))?
}
