//! The file of API keys: JSON that only its owner reads, replaced as a whole by one rename.
//!
//! Whoever changes it holds the lock on the file beside it, so that two commands at once lose no key. Nothing is written
//! when a key is used: reading must not need a writable disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    KeyCard, KeyRequest, NewKey,
    key::{KeptKey, PREFIX, id_of},
};

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
    /// What would be written could not be read by those who read it now.
    #[error(
        "{} belongs to the user with the number {owner} (group {group}), and what is written now would not, so that a server \
         of theirs could not read it; nothing was changed: run this as that user, or as root",
        path.display()
    )]
    Owner {
        /// The file, or the folder that it is to be made in.
        path: PathBuf,
        /// The number of its user.
        owner: u32,
        /// The number of its group.
        group: u32,
        /// Why it can't be given to them.
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
        let request = sound(request, now)?;
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
        fs::create_dir_all(folder_of(&self.path)).map_err(self.failed("make the folder of"))?;
        // What the name leads to is replaced, so that a link stays a link.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let _lock = self.locked(&target)?;
        let mut keys = self.read()?.unwrap_or_default();
        let changed = change(&mut keys)?;
        self.write(&target, &Content { version: VERSION, keys })?;
        Ok(changed)
    }

    /// The lock beside the file, held until it is dropped, however this process ends.
    fn locked(&self, target: &Path) -> Result<File, KeyError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".lock");
        let mut options = OpenOptions::new();
        options.write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = match options.clone().create_new(true).open(&beside) {
            // Only one that was made right now is given away: another may be a link to a file of somebody else.
            Ok(made) => belonging(target, &made).map(|()| made)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                options.create(true).truncate(false).open(&beside).map_err(self.failed("lock"))?
            }
            Err(error) => return Err(self.failed("lock")(error)),
        };
        lock.lock().map_err(self.failed("lock"))?;
        Ok(lock)
    }

    fn write(&self, target: &Path, content: &Content) -> Result<(), KeyError> {
        // A temporary file is its owner's alone from the beginning, and keeps that when it is renamed.
        let mut file = tempfile::NamedTempFile::new_in(folder_of(target)).map_err(self.failed("write"))?;
        belonging(target, file.as_file())?;
        let mut written = || {
            serde_json::to_writer_pretty(&mut file, content)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()
        };
        written().map_err(self.failed("write"))?;
        file.persist(target).map_err(|error| self.failed("write")(error.error))?;
        Ok(())
    }

    fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> KeyError + use<> {
        let path = self.path.clone();
        move |source| KeyError::File { action, path: path.clone(), source }
    }
}

/// Gives a file that was just made to the user and the group that the target belongs to, so that a server that could read
/// the keys still can after another user changed them. Where there is no target yet, root gives it to the folder's.
#[cfg(unix)]
fn belonging(target: &Path, made: &File) -> Result<(), KeyError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let failed = |action| move |source| KeyError::File { action, path: target.to_owned(), source };
    let own = made.metadata().map_err(failed("write"))?;
    let (path, model) = match fs::metadata(target) {
        Ok(target_now) => (target, target_now),
        Err(error) if error.kind() == io::ErrorKind::NotFound && own.uid() == 0 => {
            let folder = folder_of(target);
            (folder, fs::metadata(folder).map_err(failed("write"))?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read")(error)),
    };
    let (owner, group) = (model.uid(), model.gid());
    if (own.uid(), own.gid()) != (owner, group) {
        let refused = |source| KeyError::Owner { path: path.to_owned(), owner, group, source };
        fchown(made, Some(owner), Some(group)).map_err(refused)?;
    }
    // A group that was let in on purpose stays in; all others never were.
    let mode = if model.is_file() { model.mode() & 0o660 | 0o600 } else { 0o600 };
    if own.mode() & 0o777 != mode {
        made.set_permissions(PermissionsExt::from_mode(mode)).map_err(failed("write"))?;
    }
    Ok(())
}

/// Who may read a file is inherited from its folder here.
#[cfg(not(unix))]
fn belonging(_target: &Path, _made: &File) -> Result<(), KeyError> {
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sound(request: KeyRequest, now: Timestamp) -> Result<KeyRequest, KeyError> {
    let refused = |expected: &str| Err(KeyError::Request(format!("expected {expected}")));
    let name = request.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return refused("a name of 1 to 100 characters that says what the key is for");
    }
    if request.scopes.iter().next().is_none() {
        return refused("at least one scope");
    }
    if request.expires.is_some_and(|expires| expires <= now) {
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
        KeyRequest { name: name.to_owned(), scopes: Scopes::all(), expires: None }
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

    /// Whether this process may give files away, as root does.
    #[cfg(unix)]
    fn is_root(folder: &Path) -> bool {
        std::os::unix::fs::chown(folder, Some(4711), Some(4712)).is_ok()
    }

    #[cfg(unix)]
    fn owner(path: &Path) -> (u32, u32, u32) {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o777)
    }

    #[cfg(unix)]
    #[test]
    fn root_leaves_the_file_to_the_servers_user() {
        use std::os::unix::fs::{PermissionsExt, chown};
        let folder = tempfile::tempdir().unwrap();
        if !is_root(folder.path()) {
            return;
        }
        let path = folder.path().join("keys.json");
        let file = KeyFile::at(&path);
        let key = file.create(request("soc"), Timestamp::UNIX_EPOCH).unwrap();
        for name in ["keys.json", "keys.json.lock"] {
            assert_eq!(owner(&folder.path().join(name)), (4711, 4712, 0o600), "the first one: {name}");
        }
        chown(&path, Some(4713), Some(4714)).unwrap();
        file.revoke(&key.card.id, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(owner(&path), (4713, 4714, 0o600), "a later one");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        file.create(request("siem"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(owner(&path), (4713, 4714, 0o640), "one that a group may read");
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
        let over = KeyRequest { expires: Some(Timestamp::UNIX_EPOCH), ..request("x") };
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
