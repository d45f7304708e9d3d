//! Whether a file is another one than a moment ago.

use std::{fs, io, path::Path, time::SystemTime};

/// What is looked at to see that a file changed, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStamp {
    /// There is none.
    Missing,
    /// It can't be looked at.
    Hidden(io::ErrorKind),
    /// There is one.
    Seen {
        /// When it was last written.
        modified: Option<SystemTime>,
        /// Its length in bytes.
        length: u64,
        /// Its number on its disk; another one after a rename over it.
        number: u64,
    },
}

impl FileStamp {
    /// Looks at the file now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::Seen {
                modified: metadata.modified().ok(),
                length: metadata.len(),
                #[cfg(unix)]
                number: std::os::unix::fs::MetadataExt::ino(&metadata),
                #[cfg(not(unix))]
                number: 0,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Hidden(error.kind()),
        }
    }
}
