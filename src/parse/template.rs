//! The fixed part of a message, as a hash: what is left when numbers, addresses, paths and quoted texts are taken out.
//!
//! Messages that one line of some program prints have one template, whatever they are about; so a rare template is a
//! rare thing happening.

/// Longest part of a message that counts; prose behind it varies freely.
const LONGEST: usize = 512;

/// Hash of the fixed part of a message's first line; never 0.
pub(super) fn hash(message: &str, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let bytes = &line.as_bytes()[..line.len().min(LONGEST)];
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => match memchr::memchr(byte, &bytes[at + 1..]) {
                // An apostrophe is no quote: quotes hold something and end a word.
                Some(length) if length > 0 && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
                    scratch.push(b'"');
                    at += length + 2;
                }
                _ => {
                    scratch.push(byte);
                    at += 1;
                }
            },
            b' ' | b'\t' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'=' | b'<' | b'>' | b'{' | b'}' => {
                if byte != b' ' || scratch.last() != Some(&b' ') {
                    scratch.push(byte);
                }
                at += 1;
            }
            _ => {
                let length = bytes[at..].iter().position(|byte| is_separator(*byte)).unwrap_or(bytes.len() - at);
                let word = &bytes[at..at + length];
                if is_variable(word) {
                    scratch.push(b'#');
                } else {
                    scratch.extend_from_slice(word);
                }
                at += length;
            }
        }
    }
    rapidhash::v3::rapidhash_v3(scratch).max(1)
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
        hash(a, &mut Vec::new()) == hash(b, &mut Vec::new())
    }

    #[test]
    fn variable_parts_do_not_count() {
        assert!(same("Accepted password from 10.0.0.1 port 22", "Accepted password from 2001:db8::1 port 51000"));
        assert!(same("opened /etc/passwd for reading", "opened /var/log/auth.log for reading"));
        assert!(same("user 'alice' unknown", "user 'bob smith' unknown"));
        assert!(same("id=7f3a9 done", "id=00 done"));
        assert!(!same("Accepted password", "Failed password"));
        assert!(!same("can't open", "can't close"));
        assert!(same("first line\r\nsecond", "\nfirst line\nthird"));
    }

    #[test]
    fn any_bytes_will_do() {
        for text in ["", "\"", "'", "a'b'c", "é\"ü", "[[[", "\\", &"ä".repeat(400)] {
            assert_ne!(hash(text, &mut Vec::new()), 0);
        }
    }
}
