//! One process per outbox.
//!
//! The lock is the operating system's, on an open file: it ends with the process, however that ends. The process id in
//! the file is for people only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

use super::OutboxError;

/// Held while this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an outbox's folder.
    pub(super) fn take(folder: &Path) -> Result<Self, OutboxError> {
        let path = folder.join("outbox.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(OutboxError::file("open the lock", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Best effort: without the number the message is still right.
                let _ = Read::by_ref(&mut file).take(32).read_to_string(&mut text);
                let holder = text.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"));
                return Err(OutboxError::Busy { folder: folder.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(OutboxError::file("take the lock", &path)(error)),
        }
        let mut write_id = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write_id().map_err(OutboxError::file("write the lock", &path))?;
        Ok(Self { _file: file })
    }
}
