//! Why a round did not take place.

use std::{io, path::PathBuf};

use crate::{config::values::Bytes, source::SourceError};

/// Why a round did not take place, or ended before it was committed. Single files do not fail a round.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Another process writes to the same directory.
    #[error(
        "another watchbell{holder} is at work in {}; wait for it to end, or choose another output directory", output_dir.display()
    )]
    Busy {
        /// The output directory.
        output_dir: PathBuf,
        /// ` (process 123)`, or empty when it is not known.
        holder: String,
    },
    /// The reports would lie among the logs, and neither could be told from the other.
    #[error("{} is both log directory and output directory; choose another output directory", path.display())]
    SameDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The disk is too full to begin.
    #[error(
        "only {} free for {}, expected at least {}; free some space, or lower `low_disk_refuse`",
        Bytes(*free), output_dir.display(), Bytes(*needed)
    )]
    DiskFull {
        /// The output directory.
        output_dir: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes expected.
        needed: u64,
    },
    /// The findings could not be handed over, so the round does not count.
    #[error("the findings were not taken over, and the logs will be read again: {0}")]
    NotTaken(String),
    /// The ledger is not what was written.
    #[error(
        "the ledger {} is damaged ({reason}); restore it from a backup, or delete it to read every log again", path.display()
    )]
    LedgerDamaged {
        /// The ledger.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The ledger was written by a newer program.
    #[error(
        "the ledger {} has version {found}, this program knows version {known}; use the newer watchbell, or another \
         output directory", path.display()
    )]
    LedgerVersion {
        /// The ledger.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that is known here.
        known: u64,
    },
    /// Something can't be written.
    #[error("cannot {action} {}", path.display())]
    Write {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it can't be.
        source: io::Error,
    },
    /// The logs can't be listed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl BatchError {
    /// Gives an I/O error its place.
    pub(super) fn write(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { action, path, source }
    }
}
