//! Times of records, quickly: neighbors in a log share their day, so only the time of day is computed.

use jiff::tz::TimeZone;

use super::time::parse_time;

/// Reads times; remembers the last day.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    zone: TimeZone,
    day: [u8; 10],
    midnight: i64,
}

impl Clock {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, day: [0; 10], midnight: 0 }
    }

    /// Milliseconds since 1970, and whether the text itself says in which zone.
    #[inline]
    pub(super) fn read(&mut self, text: &str) -> Option<(i64, bool)> {
        if let Some(millis) = self.same_day(text.as_bytes()) {
            return Some((millis, true));
        }
        let millis = parse_time(text, &self.zone)?;
        self.remember(text);
        Some((millis, is_zoned(text)))
    }

    /// `2025-03-03T12:00:00[.fraction]Z` on the remembered day.
    #[inline]
    fn same_day(&self, bytes: &[u8]) -> Option<i64> {
        let (day, rest) = bytes.split_first_chunk::<10>()?;
        let (clock, rest) = rest.split_first_chunk::<9>()?;
        if *day != self.day || clock[0] != b'T' || clock[3] != b':' || clock[6] != b':' {
            return None;
        }
        let hours = two_digits(clock[1], clock[2]).filter(|hours| *hours < 24)?;
        let minutes = two_digits(clock[4], clock[5]).filter(|minutes| *minutes < 60)?;
        let seconds = two_digits(clock[7], clock[8]).filter(|seconds| *seconds < 60)?;
        let millis = match rest {
            b"Z" => 0,
            [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => fraction(digits)?,
            _ => return None,
        };
        Some(self.midnight + ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
    }

    /// Remembers the day of a text that `same_day` could have read.
    fn remember(&mut self, text: &str) {
        let Some(day) = text.as_bytes().first_chunk::<10>() else { return };
        if !text.ends_with('Z') || day[4] != b'-' || day[7] != b'-' || text.as_bytes().get(10) != Some(&b'T') {
            return;
        }
        if let Some(midnight) = text.get(..10).and_then(|day| parse_time(&format!("{day}T00:00:00Z"), &TimeZone::UTC)) {
            (self.day, self.midnight) = (*day, midnight);
        }
    }
}

/// Whether a text says in which zone it is: an epoch number does, too.
fn is_zoned(text: &str) -> bool {
    let text = text.trim();
    let bytes = text.as_bytes();
    let offset = bytes.len().checked_sub(6).and_then(|at| bytes.get(at..)).unwrap_or_default();
    let is_number = bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    is_number && !text.get(1..).unwrap_or_default().contains('-')
        || text.ends_with(['Z', 'z', ')'])
        || text.ends_with("UTC")
        || text.ends_with("GMT")
        || text.contains(':') && offset.iter().take(3).any(|byte| matches!(byte, b'+' | b'-'))
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// The milliseconds of a fraction's digits, the rest cut off.
#[inline]
fn fraction(digits: &[u8]) -> Option<i64> {
    let mut millis = 0;
    for place in 0..3 {
        let digit = digits.get(place).map_or(0, |digit| digit.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        millis = millis * 10 + i64::from(digit);
    }
    digits.iter().skip(3).all(u8::is_ascii_digit).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_agrees_with_the_long_one() {
        let mut clock = Clock::new(TimeZone::UTC);
        clock.read("2025-03-03T00:00:00Z");
        for text in [
            "2025-03-03T23:59:59.999Z",
            "2025-03-03T01:02:03Z",
            "2025-03-03T01:02:03.5Z",
            "2025-03-03T01:02:03.123456789Z",
        ] {
            assert_eq!(clock.same_day(text.as_bytes()), parse_time(text, &TimeZone::UTC), "{text}");
            assert!(clock.same_day(text.as_bytes()).is_some());
        }
        for text in [
            "2025-03-04T00:00:00Z",
            "2025-03-03T24:00:00Z",
            "2025-03-03T00:60:00Z",
            "2025-03-03T00:00:60Z",
            "2025-03-03T00:00:00.Z",
            "2025-03-03T00:00:00.1x3Z",
            "2025-03-03T00:00:00.123x5Z",
            "2025-03-03T00:00:00+01:00",
            "2025-03-03T0a:00:00Z",
            "2025-03-03 00:00:00Z",
        ] {
            assert_eq!(clock.same_day(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn zones_are_told() {
        for text in [
            "1740960000",
            "1740960000.25",
            "2025-03-03T00:00:00Z",
            "2025-03-03T00:00:00+0100",
            "2025-03-03T00:00:00-05:00",
            "Mon, 03 Mar 2025 00:00:00 GMT",
            "2025-03-03 00:00:00 UTC",
        ] {
            assert!(is_zoned(text), "{text}");
        }
        for text in ["2025-03-03 00:00:00", "2025-03-03T00:00:00.000", "2025-03-03", "03/03/2025 12:00:00"] {
            assert!(!is_zoned(text), "{text}");
        }
    }
}
