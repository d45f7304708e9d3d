//! Readers that stand between a file and its text: the guard against decompression bombs, and UTF-16 to UTF-8.
//!
//! The guard is a matter of time, not of memory: a bomb is never held as a whole, but it would be read for days.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes that may come out before the ratio matters: small inputs may be as dense as they like.
const FREE_OUTPUT: u64 = 64 << 20;

/// Counts what is read through it.
pub(super) struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Counting<R> {
    pub(super) fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Self { inner, count: Arc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The error that a [`Guarded`] reader gives, inside an [`io::Error`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{input} bytes became more than {output}")]
pub(super) struct BombFound {
    pub(super) input: u64,
    pub(super) output: u64,
}

/// Refuses to hand out more than a genuine log would hold.
pub(super) struct Guarded<R> {
    pub(super) inner: R,
    pub(super) input: Arc<AtomicU64>,
    pub(super) output: u64,
    pub(super) max_output: u64,
    pub(super) max_ratio: u64,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.output += read as u64;
        let input = self.input.load(Ordering::Relaxed);
        let too_dense = self.output > FREE_OUTPUT && self.output > input.saturating_mul(self.max_ratio);
        if too_dense || self.output > self.max_output {
            return Err(io::Error::other(BombFound { input, output: self.output - read as u64 }));
        }
        Ok(read)
    }
}

/// Which half of a UTF-16 unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

/// UTF-16 to UTF-8; what is no character becomes U+FFFD.
pub(super) struct Utf16<R> {
    inner: R,
    endian: Endian,
    /// A half unit that the last read ended with.
    half: Option<u8>,
    /// A first surrogate whose second is yet to come.
    surrogate: Option<u16>,
    ready: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(inner: R, endian: Endian) -> Self {
        Self { inner, endian, half: None, surrogate: None, ready: Vec::new(), taken: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut raw = [0_u8; 16 << 10];
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() {
            let read = self.inner.read(&mut raw)?;
            if read == 0 {
                if self.half.take().is_some() | self.surrogate.take().is_some() {
                    self.push(char::REPLACEMENT_CHARACTER);
                }
                return Ok(());
            }
            for &byte in &raw[..read] {
                match self.half.take() {
                    None => self.half = Some(byte),
                    Some(first) => self.unit(match self.endian {
                        Endian::Little => u16::from_le_bytes([first, byte]),
                        Endian::Big => u16::from_be_bytes([first, byte]),
                    }),
                }
            }
        }
        Ok(())
    }

    fn unit(&mut self, unit: u16) {
        let high = self.surrogate.take();
        match (high, unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                let code = 0x1_0000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                self.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                return;
            }
            (Some(_), _) => self.push(char::REPLACEMENT_CHARACTER),
            (None, _) => {}
        }
        if matches!(unit, 0xD800..=0xDBFF) {
            self.surrogate = Some(unit);
        } else {
            self.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    fn push(&mut self, letter: char) {
        self.ready.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.refill()?;
        }
        let read = (self.ready.len() - self.taken).min(buffer.len());
        buffer[..read].copy_from_slice(&self.ready[self.taken..self.taken + read]);
        self.taken += read;
        Ok(read)
    }
}
