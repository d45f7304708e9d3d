//! One process for one folder: the outbox's, and the batch's output directory.
//!
//! The lock is the operating system's, on an open file: it ends with the process, however that ends, so that there is
//! no stale lock to clean up. The process id in the file is for people only.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
    thread,
    time::Duration,
};

/// A process that starts another one shares its locks with it until the other has become its own program. So a lock whose
/// owner is gone may be held for some milliseconds more.
const PATIENCE: [Duration; 5] = [Duration::from_millis(100); 5];

/// Held while this lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why the lock is not ours.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Another process has it: ` (process 123)`, or empty when it is not known.
    Busy(String),
    /// The file can't be used: what was done, and why it went wrong.
    Failed(&'static str, io::Error),
}

impl Lock {
    /// Takes the lock that this file stands for.
    pub(crate) fn take(path: &Path) -> Result<Self, NotLocked> {
        let failed = |action| move |error| NotLocked::Failed(action, error);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(failed("open the lock"))?;
        let mut waits = PATIENCE.into_iter();
        while let Err(error) = file.try_lock() {
            match (error, waits.next()) {
                (TryLockError::WouldBlock, Some(wait)) => thread::sleep(wait),
                (TryLockError::WouldBlock, None) => return Err(NotLocked::Busy(holder(&mut file))),
                (TryLockError::Error(error), _) => return Err(NotLocked::Failed("take the lock", error)),
            }
        }
        let mut write_id = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write_id().map_err(failed("write the lock"))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // Best effort: without the number the message is still right.
    let _ = Read::by_ref(file).take(32).read_to_string(&mut text);
    text.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"))
}
