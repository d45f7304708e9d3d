//! The file of decisions: JSON lines, only ever appended to, each line synced before the caller hears of it.
//!
//! Several processes may write at once, so each takes the system's lock on the file for the moment of its line. A line that
//! can't be read, by a crash or an editor, is told with its number; the others count.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{Entry, Judgments};
use crate::files;

/// The file's name, in the folder of the outbox.
const NAME: &str = "judgments.jsonl";

/// The file of decisions.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
}

/// Why decisions can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file can't be used.
    #[error("can't {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Journal {
    /// The journal in this folder; it need not exist yet.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(NAME) }
    }

    /// What holds, from all lines that can be read.
    ///
    /// # Errors
    /// The file is there and can't be read. A missing file is no decisions.
    pub fn read(&self) -> Result<Judgments, JournalError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(self.failed("read")(error)),
        };
        Ok(self.fold(&bytes))
    }

    /// Writes a decision down; on disk when this returns.
    ///
    /// # Errors
    /// The file can't be written. Nothing was decided then.
    pub fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        let write = || {
            let mut file = files::append(&self.path)?;
            // Ends with the file, however this process ends.
            file.lock()?;
            let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
            line.push(b'\n');
            if !ends_a_line(&self.path)? {
                // A line that a crash cut off is closed, so that it takes this one not with it.
                line.insert(0, b'\n');
            }
            file.write_all(&line)?;
            file.sync_all()
        };
        write().map_err(self.failed("write to"))
    }

    fn fold(&self, bytes: &[u8]) -> Judgments {
        let mut judgments = Judgments::default();
        for (number, line) in (1_usize..).zip(bytes.split(|&byte| byte == b'\n')) {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<Entry>(line) {
                Ok(entry) => judgments.add(entry),
                Err(error) => {
                    judgments.problems.push(format!("{}:{number}: no decision: {error}", self.path.display()));
                }
            }
        }
        judgments
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> JournalError + use<> {
        let path = self.path.clone();
        move |source| JournalError::File { action, path: path.clone(), source }
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tempfile::tempdir;

    use super::*;
    use crate::{
        judgment::{Action, Feedback, Scope, Suppression, Truth},
        sink::testkit::findings,
    };

    fn entry(action: Action) -> Entry {
        Entry { time: Timestamp::UNIX_EPOCH, by: "ada".to_owned(), action }
    }

    fn feedback() -> Entry {
        entry(Action::Feedback(Feedback::on(&findings::sample(), Truth::FalsePositive, None)))
    }

    #[test]
    fn what_is_written_is_read_again_and_a_missing_file_is_nothing() {
        let folder = tempdir().unwrap();
        let journal = Journal::in_folder(&folder.path().join("not yet"));
        assert!(journal.read().unwrap().suppressions().next().is_none());
        let finding = findings::sample();
        let times = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let suppression = Suppression::new(Scope::like(&finding), "backup".to_owned(), times);
        journal.append(&entry(Action::Suppress(suppression.clone()))).unwrap();
        journal.append(&feedback()).unwrap();
        let judgments = journal.read().unwrap();
        assert!(judgments.problems.is_empty());
        assert_eq!(judgments.suppressions().next().unwrap().suppression, suppression);
        assert_eq!(judgments.feedback_on(&finding.id).unwrap().truth, Truth::FalsePositive);
    }

    #[test]
    fn a_damaged_line_is_named_and_costs_no_other() {
        let folder = tempdir().unwrap();
        let journal = Journal::in_folder(folder.path());
        journal.append(&feedback()).unwrap();
        let whole = fs::read(&journal.path).unwrap();
        fs::write(&journal.path, [&whole[..], b"{\"time\":\"2026-01-01T00:00:00Z\",\"by\""].concat()).unwrap();
        journal.append(&feedback()).unwrap();
        let judgments = journal.read().unwrap();
        assert_eq!(judgments.problems.len(), 1);
        assert!(judgments.problems[0].contains("judgments.jsonl:2: "), "{}", judgments.problems[0]);
        assert_eq!(fs::read(&journal.path).unwrap().iter().filter(|&&byte| byte == b'\n').count(), 3);
    }

    #[test]
    fn many_writers_lose_no_line() {
        let folder = tempdir().unwrap();
        let journal = Journal::in_folder(folder.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..25).for_each(|_| journal.append(&feedback()).unwrap()));
            }
        });
        let text = fs::read_to_string(&journal.path).unwrap();
        assert_eq!(text.lines().count(), 200);
        assert!(journal.read().unwrap().problems.is_empty());
    }
}
