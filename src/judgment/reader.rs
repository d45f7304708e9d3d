//! Decisions for those who ask all the time: the journal is read again only when it has changed.
//!
//! It is only appended to, so that its size tells every change; its time and number tell one that was put in its place.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Journal, JournalError, Judgments};
use crate::files::FileStamp;

/// Reads the journal of a folder, as often as it changes.
#[derive(Debug)]
pub struct Reader {
    journal: Journal,
    seen: Mutex<Option<(FileStamp, Arc<Judgments>)>>,
}

impl Reader {
    /// The journal in this folder; it need not exist yet.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { journal: Journal::in_folder(folder), seen: Mutex::default() }
    }

    /// What holds now.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub fn read(&self) -> Result<Arc<Judgments>, JournalError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Before reading, so that what is written meanwhile counts as a change.
        let stamp = FileStamp::of(self.journal.path());
        if let Some((_, judgments)) = seen.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(Arc::clone(judgments));
        }
        let judgments = Arc::new(self.journal.read()?);
        *seen = Some((stamp, Arc::clone(&judgments)));
        Ok(judgments)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tempfile::tempdir;

    use super::*;
    use crate::{
        judgment::{Action, Entry, Feedback, Truth},
        sink::testkit::findings,
    };

    #[test]
    fn it_is_read_again_when_it_changed_and_only_then() {
        let folder = tempdir().unwrap();
        let reader = Reader::in_folder(folder.path());
        assert!(reader.read().unwrap().feedback().is_empty());
        for count in 1..=2 {
            let finding = &findings::samples(2, 3)[count - 1];
            let action = Action::Feedback(Feedback::on(finding, Truth::FalsePositive, None));
            let entry = Entry { time: Timestamp::UNIX_EPOCH, by: "ada".to_owned(), action };
            Journal::in_folder(folder.path()).append(&entry).unwrap();
            let first = reader.read().unwrap();
            assert_eq!(first.feedback().len(), count);
            assert!(Arc::ptr_eq(&first, &reader.read().unwrap()));
        }
    }
}
