//! One process per output directory.
//!
//! The lock is the operating system's, on an open file: it ends with the process, however that ends, so that there is
//! no stale lock to clean up. The process id in the file is for people only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use super::BatchError;

/// Held while this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `path` of an output directory.
    pub(super) fn take(path: &Path, output_dir: &Path) -> Result<Self, BatchError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(BatchError::write("open the lock", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Best effort: without the number the message is still right.
                let _ = Read::by_ref(&mut file).take(32).read_to_string(&mut text);
                let holder = text.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"));
                return Err(BatchError::Busy { output_dir: output_dir.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => {
                return Err(BatchError::Write { action: "take the lock", path: path.to_owned(), source });
            }
        }
        let mut write_id = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write_id().map_err(BatchError::write("write the lock", path))?;
        Ok(Self { _file: file })
    }
}
