//! The object around an array of records: `{"Records":[..]}` and its relatives.

use super::restart::LOOK;

/// Keys of objects that are only wrapped around the records.
const WRAPPERS: [&[u8]; 18] = [
    b"Records",
    b"records",
    b"value",
    b"items",
    b"events",
    b"Events",
    b"result",
    b"results",
    b"data",
    b"logs",
    b"logEvents",
    b"entries",
    b"hits",
    b"alerts",
    b"rows",
    b"messages",
    b"content",
    b"Results",
];
const LONGEST: usize = 9;

/// Whether a key is one that wraps records.
fn is_wrapper(key: &[u8]) -> bool {
    key.len() <= LONGEST && WRAPPERS.contains(&key)
}

/// Depth of the deepest array of records: `{"hits":{"hits":[..]}}`.
const DEEPEST: usize = 2;

#[derive(Debug, Default)]
pub(in crate::parse) struct Envelope {
    depth: usize,
    in_string: bool,
    escaped: bool,
    key: Vec<u8>,
    armed: Armed,
    /// An array of records was found in it.
    pub(in crate::parse) has_array: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Armed {
    #[default]
    No,
    /// The key of an array of records, if an array follows.
    Key,
    Colon,
}

#[derive(Debug, PartialEq)]
pub(in crate::parse) enum Found {
    /// The buffer is used up.
    Nothing,
    /// An array of records; `at` is behind its bracket.
    Array,
    /// The object's end; `at` is behind it.
    End,
}

impl Envelope {
    /// The key of the array that was found last.
    pub(in crate::parse) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Reads on at `at`, and moves it.
    pub(in crate::parse) fn read(&mut self, buffer: &[u8], at: &mut usize, at_end: bool) -> Found {
        while let Some(&byte) = buffer.get(*at) {
            if self.in_string {
                self.string(byte);
                *at += 1;
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'"' => {
                    self.in_string = true;
                    self.key.clear();
                }
                b':' if self.armed == Armed::Key => self.armed = Armed::Colon,
                b'[' if self.armed == Armed::Colon => {
                    let ahead = &buffer[*at + 1..buffer.len().min(*at + 1 + LOOK)];
                    match ahead.iter().find(|byte| !byte.is_ascii_whitespace()) {
                        None if ahead.len() < LOOK && !at_end => return Found::Nothing,
                        Some(b'{' | b']') => {
                            *at += 1;
                            self.has_array = true;
                            self.armed = Armed::No;
                            return Found::Array;
                        }
                        _ => self.open(),
                    }
                }
                b'{' | b'[' => self.open(),
                b'}' | b']' => {
                    self.armed = Armed::No;
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        *at += 1;
                        return Found::End;
                    }
                }
                _ => self.armed = Armed::No,
            }
            *at += 1;
        }
        Found::Nothing
    }

    fn open(&mut self) {
        self.depth += 1;
        self.armed = Armed::No;
    }

    fn string(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' | b'\n' => {
                self.in_string = false;
                let is_key = self.depth <= DEEPEST && is_wrapper(&self.key);
                self.armed = if is_key { Armed::Key } else { Armed::No };
            }
            _ if self.key.len() <= LONGEST => self.key.push(byte),
            _ => {}
        }
    }
}
