//! The model file: `WBMODEL` and a newline, version, length, payload, BLAKE3 checksum.
//!
//! The checksum finds damage, not malice: whoever writes a file can compute it. So the payload is parsed into types that
//! check themselves (trees without cycles, tables that place their own entries), and a length is believed only as far as
//! there are bytes.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Model;
use crate::{
    features::Tracker,
    score::voices::{Learned, Voices},
};

const MAGIC: &[u8; 8] = b"WBMODEL\n";

/// Changes whenever an older program could not read the payload.
const VERSION: u32 = 1;

const HEADER: usize = MAGIC.len() + 4 + 8;
const CHECKSUM: usize = blake3::OUT_LEN;

/// Largest file that is read.
const LARGEST: u64 = 1 << 30;

/// Why a model file can't be used.
#[derive(Debug, Error)]
pub enum ModelError {
    /// It can't be read or written.
    #[error("{path}: can't be {verb}")]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{0}: not a model file; `watchbell train` writes one")]
    NotAModel(PathBuf),
    /// It was written by another version of this program.
    #[error("{path}: model version {found}, expected {VERSION}; train it anew")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u32,
    },
    /// It was damaged.
    #[error("{path}: {what}; train it anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
}

impl ModelError {
    /// The same with the file's name alone, for those who are not to know where it lies.
    #[must_use]
    pub fn by_name(mut self) -> Self {
        let (Self::Io { path, .. } | Self::NotAModel(path) | Self::Version { path, .. } | Self::Damaged { path, .. }) =
            &mut self;
        *path = path.file_name().map_or_else(PathBuf::new, PathBuf::from);
        self
    }
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    trained_at: i64,
    events: u64,
    learned: &'a Learned,
    tracker: &'a Tracker,
}

#[derive(Deserialize)]
struct Found {
    name: String,
    trained_at: i64,
    events: u64,
    learned: Learned,
    tracker: Tracker,
}

/// The model as bytes.
///
/// # Errors
/// When it can't be serialized.
pub fn to_bytes(model: &Model) -> Result<Vec<u8>, postcard::Error> {
    let payload = postcard::to_stdvec(&Written {
        name: &model.name,
        trained_at: model.trained_at.as_millisecond(),
        events: model.events,
        learned: model.voices.learned(),
        tracker: &model.tracker,
    })?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&payload);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

/// The model in these bytes; `path` is named in errors.
///
/// # Errors
/// When they are not a whole, sound model file of this version.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Model, ModelError> {
    let damaged = |what: &str| ModelError::Damaged { path: path.to_owned(), what: what.to_owned() };
    if !bytes.starts_with(MAGIC) {
        return Err(ModelError::NotAModel(path.to_owned()));
    }
    let header = bytes.get(MAGIC.len()..HEADER).ok_or_else(|| damaged("cut off in its header"))?;
    let (version, length) = header.split_at(4);
    let found = version.try_into().map(u32::from_le_bytes).unwrap_or_default();
    if found != VERSION {
        return Err(ModelError::Version { path: path.to_owned(), found });
    }
    let length = length.try_into().map(u64::from_le_bytes).unwrap_or_default();
    if length.checked_add((HEADER + CHECKSUM) as u64) != Some(bytes.len() as u64) {
        return Err(damaged("its length is not what its header says"));
    }
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if blake3::hash(content).as_bytes() != checksum {
        return Err(damaged("its checksum does not match"));
    }
    let found: Found = postcard::from_bytes(&content[HEADER..]).map_err(|error| damaged(&error.to_string()))?;
    Ok(Model {
        name: found.name,
        trained_at: Timestamp::from_millisecond(found.trained_at).map_err(|_| damaged("its date is out of range"))?,
        events: found.events,
        voices: Voices::try_from(found.learned).map_err(|error| damaged(&error.to_string()))?,
        tracker: found.tracker,
    })
}

/// Reads a model file.
///
/// # Errors
/// See [`ModelError`].
pub fn load(path: &Path) -> Result<Model, ModelError> {
    let failed = |source| ModelError::Io { path: path.to_owned(), verb: "read", source };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    from_bytes(&bytes, path)
}

/// Writes a model file in one step: a reader sees the old one or the new one, whole.
///
/// # Errors
/// When it can't be written.
pub fn save(model: &Model, path: &Path) -> Result<(), ModelError> {
    let failed = |source| ModelError::Io { path: path.to_owned(), verb: "written", source };
    let bytes = to_bytes(model).map_err(|error| failed(io::Error::other(error)))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        features::{FEATURES, TrackerOptions},
        parse::{Event, EventBatch, Outcome, Text},
        score::random::Random,
    };

    fn small_model() -> Model {
        let mut random = Random::new(7);
        let rows: Vec<u8> = (0..300 * FEATURES).map(|_| random.below(256) as u8).collect();
        let mut tracker = Tracker::new(TrackerOptions::default());
        for number in 0..200_u64 {
            tracker.observe(&EventBatch::default(), &event(number));
        }
        Model {
            name: "auth.log".to_owned(),
            trained_at: Timestamp::UNIX_EPOCH,
            events: 200,
            voices: Voices::fit(&rows, FEATURES, 1).unwrap(),
            tracker,
        }
    }

    fn event(number: u64) -> Event {
        let text = |hash: u64| Text { hash: hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, start: 0, len: 0 };
        Event {
            time: 1_700_000_000_000 + number as i64 * 60_000,
            user: text(number % 5),
            source_ip: text(number % 7 + 10),
            resource: text(number % 31 + 100),
            bytes: Some(number * 1_000),
            outcome: Outcome::Success,
            ..Event::EMPTY
        }
    }

    fn in_place() -> &'static Path {
        Path::new("a.wbmodel")
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        let model = small_model();
        let bytes = to_bytes(&model).unwrap();
        let mut again = from_bytes(&bytes, in_place()).unwrap();
        assert_eq!((again.name.as_str(), again.events), ("auth.log", 200));
        assert_eq!(again.tracker.pairs(), model.tracker.pairs());
        let row = [200; FEATURES];
        assert_eq!(again.voices.opinion(&row), model.voices.opinion(&row));
        let mut tracker = model.tracker;
        let (before, after) = (EventBatch::default(), event(500));
        assert_eq!(tracker.observe(&before, &after).features, again.tracker.observe(&before, &after).features);
    }

    #[test]
    fn damage_is_told_for_what_it_is() {
        let bytes = to_bytes(&small_model()).unwrap();
        let told = |bytes: &[u8]| from_bytes(bytes, in_place()).unwrap_err().to_string();
        assert_eq!(told(b"{}"), "a.wbmodel: not a model file; `watchbell train` writes one");
        assert_eq!(told(&bytes[..100]), "a.wbmodel: its length is not what its header says; train it anew");
        assert_eq!(told(&bytes[..10]), "a.wbmodel: cut off in its header; train it anew");
        let mut flipped = bytes.clone();
        flipped[5_000] ^= 1;
        assert_eq!(told(&flipped), "a.wbmodel: its checksum does not match; train it anew");
        let mut newer = bytes;
        newer[8] = 9;
        assert_eq!(told(&newer), "a.wbmodel: model version 9, expected 1; train it anew");
    }

    #[test]
    fn hostile_content_with_a_right_checksum_never_panics() {
        let bytes = to_bytes(&small_model()).unwrap();
        let mut random = Random::new(11);
        for _ in 0..400 {
            let mut hostile = bytes.clone();
            let content = hostile.len() - CHECKSUM;
            for _ in 0..=random.below(6) {
                hostile[HEADER + random.below(content - HEADER)] = random.below(256) as u8;
            }
            let checksum = blake3::hash(&hostile[..content]);
            hostile[content..].copy_from_slice(checksum.as_bytes());
            if let Ok(mut model) = from_bytes(&hostile, in_place()) {
                let observation = model.tracker.observe(&EventBatch::default(), &event(900));
                let row = crate::features::quantize(&observation.features);
                assert!(model.voices.opinion(&row) >= 0.0);
            }
        }
    }
}
