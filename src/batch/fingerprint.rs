//! Whether a file still begins with the bytes that were read before.
//!
//! Hashing all of them would cost as much as reading the file again. Of a small file everything is hashed; of a large
//! one its beginning, its end (where appending is told from rewriting) and samples between. A large file that is
//! changed in place, between two samples, and keeps its length is taken for unchanged.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::source::{Input, Limits, SourceFile};

/// Of files up to this size everything is hashed.
const WHOLE: u64 = 1 << 20;
/// Bytes hashed at the beginning and at the end of larger ones.
const EDGE: u64 = 64 << 10;
/// Samples between, and their size.
const SAMPLES: u64 = 32;
const SAMPLE: u64 = 4 << 10;
/// Bytes of the head by which a renamed file is looked up.
const HEAD: u64 = 1 << 10;

/// What the first [`Fingerprint::bytes`] bytes of a file hash to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// How many bytes it covers: the size of the file, as it lies on the disk, when it was read.
    pub(super) bytes: u64,
    /// Hash of the windows.
    pub(super) hash: String,
    /// Hash of the first bytes, at most [`HEAD`].
    pub(super) head: String,
}

impl Fingerprint {
    /// Of a file's first bytes. It is an error when there are not so many.
    pub(super) fn of_file(path: &Path, bytes: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        Self::from_windows(bytes, |start, buffer| {
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(buffer)
        })
    }

    /// Of the first bytes of what a compressed file holds.
    pub(super) fn of_content(file: &SourceFile, limits: Limits, bytes: u64) -> io::Result<Self> {
        let mut input = Input::open(file, limits).map_err(io::Error::other)?;
        let mut scratch = Vec::new();
        Self::from_windows(bytes, |start, buffer| {
            input.skip_to(start).map_err(io::Error::other)?;
            scratch.clear();
            let read = input.read_into(&mut scratch, buffer.len()).map_err(io::Error::other)?;
            if read < buffer.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer.copy_from_slice(&scratch);
            Ok(())
        })
    }

    /// How many bytes of the head a fingerprint over so many bytes has.
    pub(super) fn head_bytes(&self) -> usize {
        self.bytes.min(HEAD) as usize
    }

    fn from_windows(bytes: u64, mut read: impl FnMut(u64, &mut [u8]) -> io::Result<()>) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut head = None;
        let mut buffer = Vec::new();
        hasher.update(&bytes.to_le_bytes());
        for (start, len) in windows(bytes) {
            buffer.resize(len as usize, 0);
            read(start, &mut buffer)?;
            head.get_or_insert_with(|| head_hash(&buffer[..bytes.min(HEAD) as usize]));
            hasher.update(&buffer);
        }
        let head = head.unwrap_or_else(|| head_hash(b""));
        Ok(Self { bytes, hash: hasher.finalize().to_hex().to_string(), head })
    }
}

/// Hash of the head of a file, to look it up by.
pub(super) fn head_hash(head: &[u8]) -> String {
    blake3::hash(head).to_hex().to_string()
}

/// The first bytes of a file as it lies on the disk.
pub(super) fn head_of_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// The first bytes of what a compressed file holds; `None` for one that is not compressed.
pub(super) fn head_of_content(file: &SourceFile, limits: Limits) -> Option<Vec<u8>> {
    let mut input = Input::open(file, limits).ok()?;
    input.compression()?;
    let mut head = Vec::new();
    // A damaged file is reported when it is analyzed; here its head decides nothing.
    input.read_into(&mut head, HEAD as usize).ok()?;
    Some(head)
}

/// Start and length of what is hashed, in ascending order and without overlap.
fn windows(bytes: u64) -> Vec<(u64, u64)> {
    if bytes <= WHOLE {
        return if bytes == 0 { Vec::new() } else { vec![(0, bytes)] };
    }
    let between = bytes - 2 * EDGE;
    let step = between / SAMPLES;
    let samples = (0..SAMPLES).map(|number| (EDGE + number * step + (step - SAMPLE) / 2, SAMPLE));
    std::iter::once((0, EDGE)).chain(samples).chain(std::iter::once((bytes - EDGE, EDGE))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8], bytes: u64) -> io::Result<Fingerprint> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Fingerprint::of_file(file.path(), bytes)
    }

    #[test]
    fn windows_lie_apart_and_within_the_file() {
        for bytes in [0, 1, WHOLE, WHOLE + 1, WHOLE + 4097, 10 << 30] {
            let mut end = 0;
            for (start, len) in windows(bytes) {
                assert!(start >= end && start + len <= bytes, "{start}+{len} of {bytes}");
                end = start + len;
            }
            assert_eq!(end, bytes);
        }
    }

    #[test]
    fn appending_keeps_it_and_rewriting_does_not() {
        for size in [10, 3 << 20] {
            let before = vec![b'a'; size];
            let mut grown = before.clone();
            grown.extend_from_slice(b"more");
            let print = of(&before, size as u64).unwrap();
            assert_eq!(of(&grown, size as u64).unwrap(), print);
            for changed in [0, size - 1] {
                let mut other = grown.clone();
                other[changed] = b'b';
                assert_ne!(of(&other, size as u64).unwrap(), print);
            }
            assert!(of(&before, size as u64 + 1).is_err());
        }
    }

    #[test]
    fn a_small_file_is_hashed_whole() {
        let before = vec![b'a'; 900 << 10];
        let mut other = before.clone();
        other[444_444] = b'b';
        assert_ne!(of(&before, before.len() as u64).unwrap(), of(&other, other.len() as u64).unwrap());
    }
}
