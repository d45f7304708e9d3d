//! The ledger: what was read of which file, and which staged files are on their way to their places.
//!
//! One line of JSON with version and checksum, then the content. It is only ever replaced as a whole; a checksum that
//! does not fit means that somebody or something else wrote to it, and going on would double or lose events.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{BatchError, durable, fingerprint::Fingerprint};

const VERSION: u64 = 1;

/// What the ledger holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// By the file's full path, as [`super::names::listed`] writes it.
    pub(super) files: BTreeMap<String, Entry>,
    /// What was read under a path that now holds something else: rotation may show it again under another name.
    pub(super) former: Vec<Entry>,
    /// What the commit of this ledger began: staged files that may not yet be in their places, and a list of processed
    /// files that may not yet be written.
    pub(super) pending: Option<Vec<Move>>,
}

/// What was read of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The file as the user named it, and as it stands in `processed_files.txt`.
    pub(super) name: String,
    /// What the file was like just before it was read.
    pub(super) stat: Stat,
    /// Its content then.
    pub(super) fingerprint: Fingerprint,
    /// Where the next reading begins, in the decompressed text.
    pub(super) offset: u64,
    /// Line (or record) of that place.
    pub(super) next_line: u64,
    /// Events read so far.
    pub(super) events: u64,
    /// The reading broke off; it is tried again from there.
    pub(super) is_incomplete: bool,
}

/// What the file system says of a file; as long as it says the same, the file is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    /// In bytes.
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: Option<i64>,
    /// Device and inode, where there are such.
    pub(super) identity: Option<(u64, u64)>,
}

/// A staged file and the name that it gets in the output directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Move {
    /// Name in the stage.
    pub(super) staged: String,
    /// Name in the output directory.
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    watchbell_ledger: u64,
    blake3: String,
}

/// Most contents that are remembered after their file was replaced: more than rotation leaves on a disk at once.
const FORMER: usize = 1_000;

impl Ledger {
    /// Notes that a file was read. What was known under its path is kept when it was about other content.
    pub(super) fn note(&mut self, key: String, entry: Entry, continues: bool) {
        if let Some(displaced) = self.files.insert(key, entry)
            && !continues
        {
            self.former.push(displaced);
            let surplus = self.former.len().saturating_sub(FORMER);
            self.former.drain(..surplus);
        }
    }

    /// Forgets a content that is now noted under another path. Where its path holds something else by now, it is
    /// among the former ones.
    pub(super) fn forget(&mut self, origin: &Origin) {
        let is_it = |entry: &Entry| entry.fingerprint == origin.fingerprint;
        if self.files.get(&origin.key).is_some_and(is_it) {
            self.files.remove(&origin.key);
        } else if let Some(position) = self.former.iter().position(is_it) {
            self.former.remove(position);
        }
    }
}

/// A content that was noted before it appeared under a new path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The key under which it was noted; empty for a former content.
    pub(super) key: String,
    /// What it was.
    pub(super) fingerprint: Fingerprint,
}

impl Stat {
    /// Asks the file system.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified().ok().and_then(|time| {
            time.duration_since(std::time::UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_nanos()).ok())
        });
        Ok(Self { size: metadata.len(), modified, identity: identity(&metadata) })
    }
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Where the ledger is, beside what it needs to be replaced.
#[derive(Debug, Clone)]
pub(super) struct LedgerFile {
    path: PathBuf,
    scratch: PathBuf,
}

impl LedgerFile {
    /// The ledger in this folder.
    pub(super) fn within(folder: &Path) -> Self {
        Self { path: folder.join("ledger"), scratch: folder.join("ledger.new") }
    }

    /// Reads it; without a file it is empty.
    pub(super) fn load(&self) -> Result<Ledger, BatchError> {
        match fs::read(&self.path) {
            Ok(bytes) => self.parse(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
            Err(error) => Err(BatchError::write("read", &self.path)(error)),
        }
    }

    /// Replaces it.
    pub(super) fn store(&self, ledger: &Ledger) -> Result<(), BatchError> {
        let body = serde_json::to_vec(ledger).expect("a ledger has only text keys and finite numbers");
        let header = Header { watchbell_ledger: VERSION, blake3: blake3::hash(&body).to_hex().to_string() };
        let mut content = serde_json::to_vec(&header).expect("a header has only text and a number");
        content.push(b'\n');
        content.extend_from_slice(&body);
        durable::replace(&self.path, &self.scratch, &content)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Ledger, BatchError> {
        let damaged = |reason: &str| BatchError::LedgerDamaged { path: self.path.clone(), reason: reason.to_owned() };
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("its first line is cut short"))?;
        let (header, body) = (&bytes[..end], &bytes[end + 1..]);
        let header: Header = serde_json::from_slice(header).map_err(|_| damaged("its first line is not a header"))?;
        if header.watchbell_ledger != VERSION {
            let (found, known) = (header.watchbell_ledger, VERSION);
            return Err(BatchError::LedgerVersion { path: self.path.clone(), found, known });
        }
        if blake3::hash(body).to_hex().as_str() != header.blake3 {
            return Err(damaged("its checksum does not fit"));
        }
        serde_json::from_slice(body).map_err(|error| damaged(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> (tempfile::TempDir, LedgerFile, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let file = LedgerFile::within(folder.path());
        let log = folder.path().join("a.log");
        fs::write(&log, "x").unwrap();
        let entry = Entry {
            name: "a.log".to_owned(),
            stat: Stat::of(&log).unwrap(),
            fingerprint: Fingerprint::of_file(&log, 1).unwrap(),
            offset: 1,
            next_line: 2,
            events: 1,
            is_incomplete: false,
        };
        let ledger = Ledger {
            files: [("/a.log".to_owned(), entry)].into(),
            former: Vec::new(),
            pending: Some(vec![Move { staged: "1".to_owned(), name: "b.json".to_owned() }]),
        };
        file.store(&ledger).unwrap();
        (folder, file, ledger)
    }

    #[test]
    fn it_reads_back_what_was_stored() {
        let (_folder, file, ledger) = stored();
        assert_eq!(file.load().unwrap(), ledger);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_noticed() {
        let (_folder, file, ledger) = stored();
        let good = fs::read(&file.path).unwrap();
        for position in 0..good.len() {
            assert!(file.parse(&good[..position]).is_err(), "cut at {position}");
            let mut bad = good.clone();
            bad[position] ^= 1;
            // The header's own spaces and digits aside, nothing may be taken for what was stored.
            assert!(file.parse(&bad).is_err(), "flipped at {position}");
        }
        assert_eq!(file.parse(&good).unwrap(), ledger);
    }

    #[test]
    fn a_newer_version_is_not_called_damaged() {
        let (_folder, file, _) = stored();
        let error = file.parse(b"{\"watchbell_ledger\":2,\"blake3\":\"\"}\n").unwrap_err();
        assert!(matches!(error, BatchError::LedgerVersion { found: 2, known: 1, .. }), "{error}");
    }
}
