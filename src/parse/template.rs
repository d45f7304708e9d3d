//! The fixed part of a free text, as a hash: what is left when numbers, addresses and names with digits are taken out.

use super::build::hash_text;

/// Only the beginning of a text says what kind of message it is.
const READ_BYTES: usize = 256;

/// Hash of the first line's words; words with digits in them all count as one. 0 for a text without words.
pub(super) fn hash(text: &str) -> u64 {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = &line[..line.floor_char_boundary(READ_BYTES)];
    let mut hash = 0_u64;
    for word in line.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '=' | '"' | '\'')) {
        if word.is_empty() {
            continue;
        }
        let varies = word.bytes().any(|byte| byte.is_ascii_digit());
        let part = if varies { 1 } else { hash_text(word.as_bytes()) };
        hash = (hash.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn variable_parts_do_not_matter_and_words_do() {
        assert_eq!(hash("connect from 10.0.0.1 port 22"), hash("connect from 10.9.0.7 port 4022"));
        assert_ne!(hash("connect from 10.0.0.1"), hash("disconnect from 10.0.0.1"));
        assert_eq!(hash("first line\r\nsecond"), hash("first line\nthird"));
        assert_eq!(hash(""), 0);
        assert_ne!(hash(&"ä".repeat(400)), 0);
    }
}
