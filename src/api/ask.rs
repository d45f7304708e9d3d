//! From async code to the desk and back: its calls wait, so each gets a thread that may.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::http::StatusCode;

use super::{Shared, problem::Problem};
use crate::app::{AppError, Desk};

/// Says stop when the request is over, answered or not: nobody waits for the work any more.
struct StopWhenGone(Arc<AtomicBool>);

impl Drop for StopWhenGone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
        match tokio::time::timeout(longest, work).await {
            Ok(Ok(done)) => done.map_err(|error| Problem::of(&error)),
            Ok(Err(panicked)) => Err(Problem::unexpected(&panicked)),
            Err(_) => {
                let detail = format!("this took longer than {} seconds", longest.as_secs());
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
            }
        }
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
