//! The leaves of JSON: strings, their escapes, numbers.
//!
//! Strings are searched eight bytes at a time with ordinary arithmetic, which for the short strings of logs is quicker
//! than a call into a vectorized search.

/// What was expected, and where.
pub(super) type Expected = (&'static str, usize);

/// A string that was passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Place of the quote that ends it.
    pub(super) end: usize,
    /// Whether it holds escapes.
    pub(super) escaped: bool,
    /// Whether one of them is a surrogate without its partner.
    pub(super) surrogate: bool,
    /// Whether one of them is `\u0000`.
    pub(super) nul: bool,
}

/// Passes over the string whose first byte after the quote is `at`.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize) -> Result<Passed, Expected> {
    let end = special(bytes, at);
    if bytes.get(end) == Some(&b'"') {
        return Ok(Passed { end, ..Passed::default() });
    }
    string_with_escapes(bytes, end)
}

fn string_with_escapes(bytes: &[u8], mut at: usize) -> Result<Passed, Expected> {
    let mut passed = Passed { escaped: true, ..Passed::default() };
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(Passed { end: at, ..passed }),
            Some(b'\\') => at = escape(bytes, at + 1, &mut passed)?,
            Some(_) => return Err(("no control character in a string", at)),
            None => return Err(("the end of a string", at)),
        }
        at = special(bytes, at);
    }
}

/// Passes over the escape whose letter is at `at`.
fn escape(bytes: &[u8], at: usize, passed: &mut Passed) -> Result<usize, Expected> {
    match bytes.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let unit = hex(bytes, at + 1).ok_or(("four hexadecimal digits", at + 1))?;
            passed.nul |= unit == 0;
            match unit {
                0xd800..0xdc00 if low_surrogate(bytes, at + 5).is_some() => Ok(at + 11),
                0xd800..0xe000 => {
                    passed.surrogate = true;
                    Ok(at + 5)
                }
                _ => Ok(at + 5),
            }
        }
        _ => Err(("an escape", at)),
    }
}

/// The low surrogate that is escaped at `at`, if one is.
fn low_surrogate(bytes: &[u8], at: usize) -> Option<u32> {
    let unit = bytes.get(at..)?.starts_with(b"\\u").then(|| hex(bytes, at + 2)).flatten()?;
    (0xdc00..0xe000).contains(&unit).then_some(unit)
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Writes a string that was passed over, without its escapes and without NULs.
pub(super) fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let mut length = 2;
        match rest.as_bytes().get(at + 1) {
            Some(b'u') => {
                let (letter, units) = unescape_unit(rest.as_bytes(), at + 2);
                out.extend(letter.filter(|letter| *letter != '\0'));
                length = units * 6;
            }
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(b'n') => out.push('\n'),
            Some(b'r') => out.push('\r'),
            Some(b't') => out.push('\t'),
            Some(&other) => out.push(char::from(other)),
            None => {}
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// The character of one or two escaped UTF-16 units, and how many they are.
fn unescape_unit(bytes: &[u8], at: usize) -> (Option<char>, usize) {
    let unit = hex(bytes, at).unwrap_or(0xfffd);
    match (unit, low_surrogate(bytes, at + 4)) {
        (0xd800..0xdc00, Some(low)) => (char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), 2),
        (0xd800..0xe000, _) => (Some('\u{fffd}'), 1),
        _ => (char::from_u32(unit), 1),
    }
}

/// Passes over the number that starts at `at`.
#[inline]
pub(super) fn number(bytes: &[u8], mut at: usize) -> Result<usize, Expected> {
    at += usize::from(bytes.get(at) == Some(&b'-'));
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits(bytes, at),
        _ => return Err(("a value", at)),
    };
    if bytes.get(at) == Some(&b'.') {
        at = some_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = some_digits(bytes, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

fn some_digits(bytes: &[u8], at: usize) -> Result<usize, Expected> {
    let end = digits(bytes, at);
    if end == at { Err(("a digit", at)) } else { Ok(end) }
}

#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Place of the next quote, backslash or control character, or the end.
#[inline]
pub(super) fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        // Each term has the high bit of every byte that is zero (or, in the last, below a space); borrows only reach
        // bytes above the first such one, which is the one looked for.
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte != b'"' && byte != b'\\' && byte >= 0x20) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_end_at_their_quote() {
        for (text, end) in [("abc\"", 3), ("abcdefgh\"", 8), ("\"", 0), ("äöü€\u{7f}\"", 10), ("a\\\"b\"", 4)] {
            assert_eq!(string(text.as_bytes(), 0).map(|passed| passed.end), Ok(end), "{text}");
        }
        for text in ["abc", "a\\", "a\\x\"", "a\\u12\"", "a\nb\"", "0123456\u{1f}\"", "a\\u123g\""] {
            assert!(string(text.as_bytes(), 0).is_err(), "{text:?}");
        }
    }

    #[test]
    fn surrogates_pair_or_are_replaced() {
        let raw = r"\ud83d\ude00 \ud83d \ude00 \u0000\u00e4\n";
        let passed = string(format!("{raw}\"").as_bytes(), 0).unwrap();
        assert!(passed.escaped && passed.surrogate && passed.nul);
        let mut out = String::new();
        unescape(raw, &mut out);
        assert_eq!(out, "\u{1f600} \u{fffd} \u{fffd} ä\n");
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for text in ["0", "-0", "12", "1.5", "1e5", "1E-5", "-1.0e+10"] {
            assert_eq!(number(text.as_bytes(), 0), Ok(text.len()), "{text}");
        }
        assert_eq!(number(b"012", 0), Ok(1));
        for text in ["", "-", ".5", "1.", "1e", "1e+", "+1", "NaN", "Infinity"] {
            assert!(number(text.as_bytes(), 0).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_wide_search_agrees_with_the_narrow(bytes in prop::collection::vec(any::<u8>(), 0..40), at in 0_usize..8) {
            let narrow = (at..bytes.len())
                .find(|&at| bytes[at] == b'"' || bytes[at] == b'\\' || bytes[at] < 0x20)
                .unwrap_or(bytes.len().max(at));
            prop_assert_eq!(special(&bytes, at), narrow);
        }

        #[test]
        fn what_serde_writes_is_read_back(text in "\\PC{0,30}[\\x00-\\x1f\"\\\\]{0,5}\\PC{0,10}") {
            let written = serde_json::to_string(&text).unwrap();
            let passed = string(written.as_bytes(), 1).unwrap();
            prop_assert_eq!(passed.end, written.len() - 1);
            let mut out = String::new();
            unescape(&written[1..passed.end], &mut out);
            prop_assert_eq!(out, text.replace('\0', ""));
        }
    }
}
