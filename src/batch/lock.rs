//! One process per output directory.

use std::path::Path;

use super::BatchError;
use crate::outbox::lock::{Lock, NotLocked};

/// Takes the lock `path` of an output directory.
pub(super) fn take(path: &Path, output_dir: &Path) -> Result<Lock, BatchError> {
    Lock::take(path).map_err(|error| match error {
        NotLocked::Busy(holder) => BatchError::Busy { output_dir: output_dir.to_owned(), holder },
        NotLocked::Failed(action, source) => BatchError::Write { action, path: path.to_owned(), source },
    })
}
