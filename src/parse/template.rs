//! The fixed part of a message, as a hash: what is left when numbers, addresses, paths and quoted texts are taken out.
//!
//! Messages that one line of some program prints have one template, whatever they are about; so a rare template is a
//! rare thing happening.

use super::build::hash_text;

/// Longest part of a message that counts; prose behind it varies freely.
const LONGEST: usize = 512;

/// Hash of the fixed part of a message's first line; 0 when there is none.
pub(super) fn hash(message: &str) -> u64 {
    let Some(line) = message.lines().map(str::trim).find(|line| !line.is_empty()) else { return 0 };
    let bytes = &line.as_bytes()[..line.len().min(LONGEST)];
    let mut fixed = Fixed { bytes: [0; LONGEST], len: 0 };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => match memchr::memchr(byte, &bytes[at + 1..]) {
                // An apostrophe is no quote: quotes hold something and end a word.
                Some(length) if length > 0 && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
                    fixed.push(b'"');
                    at += length + 2;
                }
                _ => {
                    fixed.push(byte);
                    at += 1;
                }
            },
            b' ' | b'\t' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'=' | b'<' | b'>' | b'{' | b'}' => {
                if byte != b' ' || !fixed.ends_with_space() {
                    fixed.push(byte);
                }
                at += 1;
            }
            _ => {
                let length = bytes[at..].iter().position(|byte| is_separator(*byte)).unwrap_or(bytes.len() - at);
                let word = &bytes[at..at + length];
                if is_variable(word) {
                    fixed.push(b'#');
                } else {
                    fixed.extend(word);
                }
                at += length;
            }
        }
    }
    hash_text(&fixed.bytes[..fixed.len])
}

/// The fixed part so far. It is never longer than the message, because every variable part is longer than its mark.
struct Fixed {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Fixed {
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn ends_with_space(&self) -> bool {
        self.len > 0 && self.bytes[self.len - 1] == b' '
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'=' | b'<' | b'>' | b'{' | b'}' | b'"' | b'\''
    )
}

/// Numbers, hexadecimal, addresses, identifiers, paths.
fn is_variable(word: &[u8]) -> bool {
    let is_path =
        word.contains(&b'\\') || word.iter().filter(|byte| **byte == b'/').count() > usize::from(word[0] != b'/');
    is_path || word.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        hash(a) == hash(b)
    }

    #[test]
    fn variable_parts_do_not_count() {
        assert!(same("Accepted password from 10.0.0.1 port 22", "Accepted password from 2001:db8::1 port 51000"));
        assert!(same("opened /etc/passwd for reading", "opened /var/log/auth.log for reading"));
        assert!(same("user 'alice' unknown", "user 'bob smith' unknown"));
        assert!(same("id=7f3a9 done", "id=00 done"));
        assert!(!same("Accepted password", "Failed password"));
        assert!(!same("can't open", "can't close"));
    }

    #[test]
    fn any_bytes_will_do() {
        for text in ["\"", "'", "a'b'c", "é\"ü", "[[[", "\\"] {
            assert_ne!(hash(text), 0);
        }
        assert_eq!(hash(" \n"), 0);
        assert_ne!(hash(&"ä".repeat(400)), 0);
        assert!(same("first line\r\nsecond", "first line\nthird"));
    }
}
