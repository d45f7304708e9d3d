//! The file of API keys: JSON that only its owner reads, replaced as a whole by one rename.
//!
//! Whoever changes it holds the lock on the file beside it, so that two commands at once lose no key. Nothing is written
//! when a key is used: reading must not need a writable disk.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    KeyCard, KeyRequest, NewKey,
    key::{KeptKey, PREFIX, id_of},
};
use crate::files;

/// How the file is written; a file of tomorrow is not misread today.
const VERSION: u32 = 1;
/// The longest name of a key, in characters.
const LONGEST_NAME: usize = 100;

/// The file of API keys.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

/// Why API keys can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
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
    /// It was read, and is no file of API keys.
    #[error("{} is no file of API keys: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There is no key of this id.
    #[error("there is no key `{}` in {}", id.escape_debug(), path.display())]
    NoSuchKey {
        /// The id.
        id: String,
        /// The file.
        path: PathBuf,
    },
    /// Such a key can't be made.
    #[error("{0}")]
    Request(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    keys: Vec<KeptKey>,
}

impl KeyFile {
    /// The file at this path; it need not exist yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Every key, in the order in which they were made; none without a file.
    ///
    /// # Errors
    /// The file can't be read, or is no file of API keys.
    pub fn cards(&self) -> Result<Vec<KeyCard>, KeyError> {
        Ok(self.read()?.unwrap_or_default().iter().map(KeptKey::card).collect())
    }

    /// Makes a key. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// The request makes no sense, or the file can't be changed.
    pub fn create(&self, request: KeyRequest, now: Timestamp) -> Result<NewKey, KeyError> {
        let request = sound(request)?;
        self.change(|keys| {
            let (key, secret) = loop {
                let made = KeptKey::make(request.clone(), now).map_err(KeyError::Random)?;
                if keys.iter().all(|key| key.id != made.0.id) {
                    break made;
                }
            };
            let card = key.card();
            keys.push(key);
            Ok(NewKey { secret, card })
        })
    }

    /// Ends a key. It stays in the file, so that its id in old records still says whose it was.
    ///
    /// # Errors
    /// There is no such key, or the file can't be changed.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<KeyCard, KeyError> {
        // A whole key is accepted too, and never repeated in an error.
        let id = if id.starts_with(PREFIX) { id_of(id).unwrap_or(PREFIX) } else { id };
        let missing = || KeyError::NoSuchKey { id: id.to_owned(), path: self.path.clone() };
        self.change(|keys| {
            let key = keys.iter_mut().find(|key| key.id == id).ok_or_else(missing)?;
            key.revoked = key.revoked.or(Some(now));
            Ok(key.card())
        })
    }

    /// The keys; `None` when there is no file.
    pub(super) fn read(&self) -> Result<Option<Vec<KeptKey>>, KeyError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("read")(error)),
        };
        let damaged = |message: String| KeyError::Damaged { path: self.path.clone(), message };
        let content: Content = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if content.version != VERSION {
            return Err(damaged(format!("expected version {VERSION}, found {}", content.version)));
        }
        let mut ids: Vec<&str> = content.keys.iter().map(|key| key.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(damaged(format!("two keys have the id `{}`", pair[0].escape_debug()))),
            None => Ok(Some(content.keys)),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<KeptKey>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".lock");
        let _lock = files::locked(Path::new(&beside)).map_err(self.failed("lock"))?;
        let mut keys = self.read()?.unwrap_or_default();
        let changed = change(&mut keys)?;
        self.write(&Content { version: VERSION, keys }).map_err(self.failed("write"))?;
        Ok(changed)
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        // What the name leads to is replaced, so that a link stays a link.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        // A temporary file is its owner's alone from the beginning, and keeps that when it is renamed.
        let mut file = tempfile::NamedTempFile::new_in(folder_of(&target))?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(target)?;
        Ok(())
    }

    fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> KeyError + use<> {
        let path = self.path.clone();
        move |source| KeyError::File { action, path: path.clone(), source }
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sound(request: KeyRequest) -> Result<KeyRequest, KeyError> {
    let refused = |expected: &str| Err(KeyError::Request(format!("expected {expected}")));
    let name = request.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refused("a name of 1 to 100 characters that says what the key is for");
    }
    if request.scopes.iter().next().is_none() {
        return refused("at least one scope");
    }
    if request.lasts.is_some_and(|lasts| !lasts.is_positive()) {
        return refused("a key that ends in the future");
    }
    Ok(KeyRequest { name, ..request })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::access::Scopes;

    fn request(name: &str) -> KeyRequest {
        KeyRequest { name: name.to_owned(), scopes: Scopes::all(), lasts: None }
    }

    #[test]
    fn keys_are_made_listed_and_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("deep/keys.json"));
        assert_eq!(file.cards().unwrap(), []);
        let key = file.create(request(" soc "), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(key.card.name, "soc");
        file.create(request("siem"), Timestamp::UNIX_EPOCH).unwrap();
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1);
        assert_eq!(file.revoke(&key.card.id, later).unwrap().revoked, Some(later));
        // The first time counts, and a whole key does too.
        assert_eq!(file.revoke(key.secret.expose_secret(), Timestamp::MAX).unwrap().revoked, Some(later));
        let cards = file.cards().unwrap();
        assert_eq!(cards.iter().map(|card| card.is_valid(later)).collect::<Vec<_>>(), [false, true]);
        let error = file.revoke("wbk_ffffffffff_secret", later).unwrap_err().to_string();
        assert!(error.contains("there is no key `ffffffffff`") && !error.contains("secret"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        KeyFile::at(&path).create(request("soc"), Timestamp::UNIX_EPOCH).unwrap();
        for name in ["keys.json", "keys.json.lock"] {
            assert_eq!(fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
        // Nothing else is left behind.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_file_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target.json"), folder.path().join("keys.json"));
        KeyFile::at(&target).create(request("soc"), Timestamp::UNIX_EPOCH).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        KeyFile::at(&link).create(request("siem"), Timestamp::UNIX_EPOCH).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(KeyFile::at(&target).cards().unwrap().len(), 2);
    }

    #[test]
    fn many_at_once_lose_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("keys.json"));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || file.create(request(&format!("key {number}")), Timestamp::UNIX_EPOCH).unwrap());
            }
        });
        assert_eq!(file.cards().unwrap().len(), 8);
    }

    #[test]
    fn a_request_without_sense_makes_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(&folder.path().join("keys.json"));
        let over = KeyRequest { lasts: Some(SignedDuration::ZERO), ..request("x") };
        let nothing = KeyRequest { scopes: Scopes::default(), ..request("x") };
        for wrong in [request(""), request("a\nb"), request(&"x".repeat(101)), over, nothing] {
            assert!(matches!(file.create(wrong, Timestamp::UNIX_EPOCH), Err(KeyError::Request(_))));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_file_is_told_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        for wrong in ["", "{", "[]", r#"{"version":2,"keys":[]}"#, r#"{"version":1,"keys":[],"more":1}"#] {
            fs::write(&path, wrong).unwrap();
            let file = KeyFile::at(&path);
            assert!(matches!(file.cards(), Err(KeyError::Damaged { .. })), "{wrong}");
            assert!(file.create(request("soc"), Timestamp::UNIX_EPOCH).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), wrong);
        }
    }
}
