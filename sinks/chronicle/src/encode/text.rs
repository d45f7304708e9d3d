//! Texts and times that fit: cut by bytes at a character's end, times within the years that UDM writes.

use jiff::Timestamp;

/// The first and last second that RFC 3339 with four digits of a year can say.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

/// The text in at most `most` bytes; a cut shows as `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(MARK.len()));
    format!("{}{MARK}", &text[..end])
}

/// RFC 3339 in UTC.
pub(super) fn rfc3339(time: Timestamp) -> String {
    let second = time.as_second().clamp(FIRST_SECOND, LAST_SECOND);
    if second == time.as_second() {
        return time.to_string();
    }
    Timestamp::from_second(second).map_or_else(|_| Timestamp::UNIX_EPOCH.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdef", 5), "ab…");
        assert_eq!(cut("ääää", 7), "ää…");
        assert_eq!(cut("ääää", 6), "ä…");
        for most in 3..20 {
            assert!(cut("日本語のログ", most).len() <= most);
        }
    }

    #[test]
    fn times_are_within_four_digits() {
        assert_eq!(rfc3339("2026-01-15T03:12:07.25Z".parse().unwrap()), "2026-01-15T03:12:07.25Z");
        assert_eq!(rfc3339(Timestamp::MIN), "0001-01-01T00:00:00Z");
        assert_eq!(&rfc3339(Timestamp::MAX)[..19], "9999-12-30T22:00:00");
    }
}
