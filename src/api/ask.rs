//! From async code to the desk and back: its calls wait, so each gets a thread that may.

use super::{Shared, problem::Problem};
use crate::app::{AppError, Desk};

impl Shared {
    /// Makes a call of the desk.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&std::sync::Arc<Desk>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, Problem> {
        let desk = std::sync::Arc::clone(&self.desk);
        let done = tokio::task::spawn_blocking(move || call(&desk)).await;
        done.map_err(|_| Problem::internal())?.map_err(|error| Problem::of(&error))
    }
}
