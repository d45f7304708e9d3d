//! Making a round visible: stage, commit, move; and doing the rest of it after a crash.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    BatchError, durable,
    ledger::{Ledger, LedgerFile, Move},
    lock, names,
};

use crate::outbox::lock::Lock;

/// Where a directory keeps what is not for its readers.
const INNER: &str = ".watchbell";

/// Whether a round could write to this directory now. Nothing is made there.
///
/// # Errors
/// [`BatchError::Busy`] when another process, or another round of this one, has it.
pub fn check_free(folder: &Path) -> Result<(), BatchError> {
    let path = folder.join(INNER).join("lock");
    if path.exists() { lock::take(&path, folder).map(drop) } else { Ok(()) }
}

/// An output directory that this process alone writes to.
#[derive(Debug)]
pub(super) struct Output {
    folder: PathBuf,
    inner: PathBuf,
    stage: PathBuf,
    ledger: LedgerFile,
    _lock: Lock,
}

/// Files that wait for the commit.
#[derive(Debug, Default)]
pub(super) struct Stage {
    moves: Vec<Move>,
    names: HashSet<String>,
}

impl Output {
    /// Makes the directory if need be, takes its lock, and ends what a killed process had begun.
    pub(super) fn open(folder: &Path) -> Result<Self, BatchError> {
        let inner = folder.join(INNER);
        fs::create_dir_all(&inner).map_err(BatchError::write("make the directory", &inner))?;
        let lock = lock::take(&inner.join("lock"), folder)?;
        let output = Self {
            folder: folder.to_owned(),
            stage: inner.join("stage"),
            ledger: LedgerFile::within(&inner),
            inner,
            _lock: lock,
        };
        output.recover()?;
        Ok(output)
    }

    /// The ledger as it was committed. Files whose line was taken out of `processed_files.txt` are forgotten, as
    /// people expect who have always done so to have a file read again.
    pub(super) fn load(&self) -> Result<Ledger, BatchError> {
        // A round that failed half way through its moves left them to be done.
        self.recover()?;
        let mut ledger = self.ledger.load()?;
        let listed = match fs::read_to_string(self.processed()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                ledger.former.clear();
                String::new()
            }
            Err(error) => return Err(BatchError::write("read", self.processed())(error)),
        };
        let listed: HashSet<&str> = listed.lines().collect();
        ledger.files.retain(|_, entry| entry.is_incomplete || listed.contains(entry.name.as_str()));
        Ok(ledger)
    }

    /// Writes one more file to the stage. `name` gets a function that says which names are taken, and chooses one.
    pub(super) fn add(
        &self,
        stage: &mut Stage,
        name: impl FnOnce(&mut dyn FnMut(&str) -> bool) -> String,
        content: &[u8],
    ) -> Result<PathBuf, BatchError> {
        let name = name(&mut |name| stage.names.contains(name) || self.folder.join(name).symlink_metadata().is_ok());
        if stage.moves.is_empty() {
            // What a failed round has left there was announced nowhere.
            self.clear_stage()?;
            fs::create_dir_all(&self.stage).map_err(BatchError::write("make the directory", &self.stage))?;
        }
        let staged = stage.moves.len().to_string();
        durable::write_new(&self.stage.join(&staged), content)?;
        stage.names.insert(name.clone());
        let path = self.folder.join(&name);
        stage.moves.push(Move { staged, name });
        Ok(path)
    }

    /// The commit, and the moves after it.
    pub(super) fn commit(&self, stage: Stage, mut ledger: Ledger) -> Result<(), BatchError> {
        if !stage.moves.is_empty() {
            durable::sync_folder(&self.stage)?;
        }
        ledger.pending = Some(stage.moves);
        self.ledger.store(&ledger)?;
        self.finish(ledger)
    }

    fn recover(&self) -> Result<(), BatchError> {
        let ledger = self.ledger.load()?;
        if ledger.pending.is_none() { self.clear_stage() } else { self.finish(ledger) }
    }

    /// Everything that comes after the commit. It can be done again, from any point where it was left.
    fn finish(&self, mut ledger: Ledger) -> Result<(), BatchError> {
        for Move { staged, name } in ledger.pending.iter().flatten() {
            let to = self.folder.join(name);
            match fs::rename(self.stage.join(staged), &to) {
                Ok(()) => {}
                // Moved before the process was killed.
                Err(error) if error.kind() == io::ErrorKind::NotFound && to.symlink_metadata().is_ok() => {}
                Err(error) => return Err(BatchError::write("write", to)(error)),
            }
        }
        let complete = ledger.files.values().filter(|entry| !entry.is_incomplete);
        let mut listed: Vec<&str> = complete.map(|entry| entry.name.as_str()).collect();
        listed.sort_unstable();
        listed.dedup();
        let mut text = listed.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        durable::replace(&self.processed(), &self.inner.join("processed_files.new"), text.as_bytes())?;
        ledger.pending = None;
        self.ledger.store(&ledger)?;
        self.clear_stage()
    }

    fn clear_stage(&self) -> Result<(), BatchError> {
        match fs::remove_dir_all(&self.stage) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BatchError::write("clear", &self.stage)(error))
            }
            _ => Ok(()),
        }
    }

    fn processed(&self) -> PathBuf {
        self.folder.join("processed_files.txt")
    }
}

/// Names of the reports and the summary of one round.
pub(super) fn report_name<'a>(
    log: &'a Path,
    stamp: &'a str,
) -> impl FnOnce(&mut dyn FnMut(&str) -> bool) -> String + 'a {
    move |is_taken| names::report(log, stamp, is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output directory with two staged files, and a ledger that is about to be committed.
    fn staged(folder: &Path) -> (Output, Stage, Ledger) {
        let output = Output::open(folder).unwrap();
        let mut stage = Stage::default();
        for name in ["a.json", "b.json"] {
            output.add(&mut stage, |_| name.to_owned(), name.as_bytes()).unwrap();
        }
        (output, stage, Ledger::default())
    }

    fn content(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_not_committed_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        drop(staged(folder.path()));
        assert!(folder.path().join(".watchbell/stage/0").exists());
        drop(Output::open(folder.path()).unwrap());
        assert_eq!(content(folder.path()), [".watchbell"]);
        assert_eq!(content(&folder.path().join(".watchbell")), ["lock"]);
    }

    #[test]
    fn what_was_committed_is_ended_from_any_point() {
        for moved in 0..=2 {
            for is_listed in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let (output, stage, mut ledger) = staged(folder.path());
                ledger.pending = Some(stage.moves.clone());
                output.ledger.store(&ledger).unwrap();
                for Move { staged, name } in &stage.moves[..moved] {
                    fs::rename(output.stage.join(staged), folder.path().join(name)).unwrap();
                }
                if is_listed {
                    fs::write(output.processed(), "").unwrap();
                }
                drop(output);
                let output = Output::open(folder.path()).unwrap();
                assert_eq!(content(folder.path()), [".watchbell", "a.json", "b.json", "processed_files.txt"]);
                assert_eq!(fs::read(folder.path().join("b.json")).unwrap(), b"b.json");
                assert_eq!(output.ledger.load().unwrap().pending, None);
                assert_eq!(content(&folder.path().join(".watchbell")), ["ledger", "lock"]);
            }
        }
    }

    #[test]
    fn a_staged_file_that_is_gone_is_not_taken_for_a_moved_one() {
        let folder = tempfile::tempdir().unwrap();
        let (output, stage, ledger) = staged(folder.path());
        fs::remove_file(output.stage.join("1")).unwrap();
        let error = output.commit(stage, ledger).unwrap_err().to_string();
        assert!(error.ends_with("b.json"), "{error}");
    }
}
