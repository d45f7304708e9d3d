//! The API keys that are in force: read from their file, and read anew when it changes.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use jiff::Timestamp;

use super::{
    Caller, Refusal,
    key::{KeptKey, id_of},
    key_file::{KeyError, KeyFile},
};
use crate::files::FileStamp;

/// The keys of one file.
#[derive(Debug)]
pub(super) struct Ring {
    path: PathBuf,
    held: RwLock<Held>,
}

#[derive(Debug)]
struct Held {
    stamp: FileStamp,
    keys: HashMap<String, KeptKey>,
    /// Whether there ever was a file of keys, readable or not: from then on nobody is let in without a key, whatever
    /// becomes of it.
    ever: bool,
    /// Whether the file could not be read when it was last tried. Who may read it can change without a change of what is
    /// looked at, so it is tried again each time.
    is_hidden: bool,
}

impl Ring {
    /// The keys of this file; without it there are none, until it comes.
    ///
    /// # Errors
    /// The file is there and can't be read.
    pub(super) fn open(path: &Path) -> Result<Self, KeyError> {
        // The stamp first: what is written while the file is read makes another one.
        let stamp = FileStamp::of(path);
        let keys = KeyFile::at(path).read()?;
        let ever = keys.is_some();
        let held = Held { stamp, keys: by_id(keys.unwrap_or_default()), ever, is_hidden: false };
        Ok(Self { path: path.to_owned(), held: RwLock::new(held) })
    }

    /// Whether there is, or ever was, a file of keys.
    pub(super) fn is_used(&self) -> bool {
        self.look(|held| held.ever)
    }

    /// Whether somebody could come in with a key at this time.
    pub(super) fn has_valid(&self, now: Timestamp) -> bool {
        self.look(|held| held.keys.values().any(|key| key.scopes_at(now).is_ok()))
    }

    /// Whose key this text is.
    ///
    /// # Errors
    /// It is nobody's, over or revoked.
    pub(super) fn admit(&self, text: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let id = id_of(text).ok_or(Refusal::Invalid)?;
        self.look(|held| {
            let key = held.keys.get(id).filter(|key| key.is(text)).ok_or(Refusal::Invalid)?;
            Ok(Caller { name: key.id.clone(), scopes: key.scopes_at(now)? })
        })
    }

    /// Somebody who came in with the key of this id before.
    ///
    /// # Errors
    /// The key is gone, over or revoked by now.
    pub(super) fn admit_again(&self, id: &str, now: Timestamp) -> Result<Caller, Refusal> {
        self.look(|held| {
            let key = held.keys.get(id).ok_or(Refusal::Invalid)?;
            Ok(Caller { name: key.id.clone(), scopes: key.scopes_at(now)? })
        })
    }

    fn look<T>(&self, at: impl FnOnce(&Held) -> T) -> T {
        let stamp = FileStamp::of(&self.path);
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if held.stamp == stamp && !held.is_hidden {
            return at(&held);
        }
        drop(held);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.stamp != stamp || held.is_hidden {
            self.renew(&mut held, stamp);
        }
        at(&held)
    }

    /// A damaged file keeps the old keys; a file that is gone takes them along.
    fn renew(&self, held: &mut Held, stamp: FileStamp) {
        // Kept either way, so that the same damage is told once.
        let is_told = held.stamp == stamp && held.is_hidden;
        held.stamp = stamp;
        held.is_hidden = false;
        let file = self.path.display();
        match KeyFile::at(&self.path).read() {
            Ok(keys) => {
                if keys.is_none() {
                    tracing::warn!(%file, "the file of API keys is gone, so no key is valid any more");
                }
                held.ever |= keys.is_some();
                held.keys = by_id(keys.unwrap_or_default());
                tracing::info!(%file, keys = held.keys.len(), "the API keys were read anew");
            }
            Err(error) => {
                // Somebody made a key, or was about to: an open gate must not stay open because it can't be read.
                held.ever = true;
                held.is_hidden = matches!(error, KeyError::File { .. });
                if is_told {
                    return;
                }
                let error: &dyn std::error::Error = &error;
                if held.keys.is_empty() {
                    tracing::error!(error, "the API keys can't be read, so nobody is let in until they can");
                } else {
                    tracing::error!(error, "the API keys can't be read anew, so the old ones stay in force");
                }
            }
        }
    }
}

fn by_id(keys: Vec<KeptKey>) -> HashMap<String, KeptKey> {
    keys.into_iter().map(|key| (key.id.clone(), key)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::access::{KeyRequest, Scopes};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn request() -> KeyRequest {
        KeyRequest { name: "soc".to_owned(), scopes: Scopes::all(), expires: None }
    }

    #[test]
    fn what_changes_in_the_file_counts_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let (file, ring) = (KeyFile::at(&path), Ring::open(&path).unwrap());
        assert!(!ring.is_used());
        let key = file.create(request(), NOW).unwrap();
        let text = key.secret.expose_secret();
        assert_eq!(ring.admit(text, NOW).unwrap().name, key.card.id);
        assert!(ring.admit_again(&key.card.id, NOW).is_ok());
        file.revoke(&key.card.id, NOW).unwrap();
        assert_eq!(ring.admit(text, NOW), Err(Refusal::Invalid));
        assert_eq!(ring.admit_again(&key.card.id, NOW), Err(Refusal::Invalid));
        assert!(!ring.has_valid(NOW));
    }

    #[test]
    fn a_damaged_file_keeps_the_old_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let key = KeyFile::at(&path).create(request(), NOW).unwrap();
        let ring = Ring::open(&path).unwrap();
        let sound = fs::read(&path).unwrap();
        fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        assert!(ring.admit(key.secret.expose_secret(), NOW).is_ok());
        fs::write(&path, &sound).unwrap();
        assert!(ring.admit(key.secret.expose_secret(), NOW).is_ok());
    }

    #[test]
    fn a_file_that_is_gone_takes_its_keys_along_and_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let key = KeyFile::at(&path).create(request(), NOW).unwrap();
        let ring = Ring::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(ring.admit(key.secret.expose_secret(), NOW), Err(Refusal::Invalid));
        assert!(ring.is_used());
    }

    #[test]
    fn a_first_file_that_can_not_be_read_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let ring = Ring::open(&path).unwrap();
        assert!(!ring.is_used());
        fs::write(&path, "{").unwrap();
        assert!(ring.is_used(), "a broken file");
        let ring = Ring::open(&folder.path().join("other.json")).unwrap();
        assert!(!ring.is_used());
        // Whoever runs the tests, a folder is no file to be read.
        fs::create_dir(folder.path().join("other.json")).unwrap();
        assert!(ring.is_used(), "one that can't be read");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_could_not_be_read_is_tried_again_though_it_looks_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let ring = Ring::open(&path).unwrap();
        let key = KeyFile::at(&path).create(request(), NOW).unwrap();
        {
            // As if its owner were another user at first: a change of the owner changes none of this.
            let mut held = ring.held.write().unwrap();
            held.stamp = FileStamp::of(&path);
            held.is_hidden = true;
        }
        assert!(ring.admit(key.secret.expose_secret(), NOW).is_ok());
        assert!(!ring.held.read().unwrap().is_hidden);
    }

    #[test]
    fn a_damaged_file_opens_no_ring() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        fs::write(&path, "{").unwrap();
        assert!(Ring::open(&path).is_err());
    }
}
