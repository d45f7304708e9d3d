//! What can go wrong with the outbox itself. A destination's troubles are no errors here: they are states of deliveries.

use std::{io, path::PathBuf, sync::Arc};

/// Why the outbox did not do what it was asked.
///
/// It can be cloned, because one commit answers many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OutboxError {
    /// Another process delivers from this folder.
    #[error(
        "the outbox {} is in use by another process{holder}; stop it, or give this one a folder of its own",
        folder.display()
    )]
    Busy {
        /// The outbox's folder.
        folder: PathBuf,
        /// The process, as ` (process 17)`, where it is known.
        holder: String,
    },
    /// There is no outbox here yet.
    #[error("there is no outbox in {}: nothing was delivered from there yet", folder.display())]
    Absent {
        /// The outbox's folder.
        folder: PathBuf,
    },
    /// What came in does not fit below the limit; nothing of it was taken.
    #[error(
        "the outbox {} is full: it would hold {used} bytes and may hold {max}; nothing of this was taken; \
         deliver or purge what is there, or raise the limit",
        folder.display()
    )]
    Full {
        /// The outbox's folder.
        folder: PathBuf,
        /// The bytes it would hold.
        used: u64,
        /// The most it may hold.
        max: u64,
    },
    /// The disk is full; nothing of what came in was taken.
    #[error("the disk of the outbox {} is full; nothing of this was taken; make room there", folder.display())]
    DiskFull {
        /// The outbox's folder.
        folder: PathBuf,
    },
    /// A newer version wrote it.
    #[error("{} has format {found} and this version knows {known}: use the newer watchbell", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// It was opened for reading only.
    #[error("the outbox was opened for reading only")]
    ReadOnly,
    /// The thread that writes has ended.
    #[error("the outbox was closed")]
    Closed,
    /// Files.
    #[error("cannot {action} {}: {source}", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// The database.
    #[error("cannot {action} the outbox: {source}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: Arc<rusqlite::Error>,
    },
}

impl OutboxError {
    /// For `map_err` of file operations.
    pub(super) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { action, path, source: Arc::new(source) }
    }

    /// For `map_err` of database operations.
    pub(super) fn database(action: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| Self::Database { action, source: Arc::new(source) }
    }

    /// Whether there was no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::DiskFull { .. })
    }

    /// Tells a full disk from other troubles of the database.
    pub(super) fn in_folder(self, folder: &std::path::Path) -> Self {
        match &self {
            Self::Database { source, .. } if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
                Self::DiskFull { folder: folder.to_owned() }
            }
            _ => self,
        }
    }
}
