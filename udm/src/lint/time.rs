//! Timestamps and durations as protobuf's JSON mapping wants them.
//!
//! Written by hand because the mapping is narrower than RFC 3339 (`T` and `Z` are capital, at most nine digits of fraction).

/// Why `text` is no timestamp; `None` when it is one.
pub(super) fn timestamp_fault(text: &str) -> Option<&'static str> {
    const SHAPE: &str = "expected RFC 3339, for example 2026-08-20T10:15:30.123Z";
    let fault = || -> Option<Option<&'static str>> {
        let (date, rest) = text.split_once('T')?;
        let (year, month_day) = date.split_at_checked(4)?;
        let (month, day) = month_day.strip_prefix('-')?.split_once('-')?;
        let clock_end = rest.find(['Z', '+', '-'])?;
        let (clock, zone) = rest.split_at(clock_end);
        let (hms, fraction) = clock.split_once('.').map_or((clock, None), |(hms, fraction)| (hms, Some(fraction)));
        let mut parts = hms.split(':');
        let (hour, minute, second) =
            (two_digits(parts.next()?)?, two_digits(parts.next()?)?, two_digits(parts.next()?)?);
        if parts.next().is_some() || fraction.is_some_and(|digits| !is_fraction(digits)) || !is_zone(zone) {
            return None;
        }
        let (year, month, day) = (digits(year)?, two_digits(month)?, two_digits(day)?);
        if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return Some(Some("expected a day that exists"));
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Some(Some("expected a time of day that exists"));
        }
        Some(None)
    };
    fault().unwrap_or(Some(SHAPE))
}

/// Why `text` is no duration; `None` when it is one.
pub(super) fn duration_fault(text: &str) -> Option<&'static str> {
    const SHAPE: &str = "expected seconds with the suffix s, for example 3.5s";
    // protobuf allows about 10,000 years to either side.
    const MOST_SECONDS: u64 = 315_576_000_000;
    let seconds = || {
        let number = text.strip_suffix('s')?;
        let number = number.strip_prefix('-').unwrap_or(number);
        let (whole, fraction) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
        fraction.is_none_or(is_fraction).then(|| digits(whole))?
    };
    match seconds() {
        None => Some(SHAPE),
        Some(seconds) if seconds > MOST_SECONDS => Some("expected at most 315576000000 seconds"),
        Some(_) => None,
    }
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn two_digits(text: &str) -> Option<u64> {
    (text.len() == 2).then(|| digits(text))?
}

fn is_fraction(text: &str) -> bool {
    text.len() <= 9 && digits(text).is_some()
}

fn is_zone(zone: &str) -> bool {
    let offset = || {
        let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
        Some(two_digits(hours)? <= 23 && two_digits(minutes)? <= 59)
    };
    zone == "Z" || offset().unwrap_or(false)
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_that_are_taken() {
        for text in [
            "2026-08-20T10:15:30Z",
            "2026-08-20T10:15:30.123Z",
            "2026-08-20T10:15:30.123456789+02:00",
            "2024-02-29T23:59:59-11:30",
            "0001-01-01T00:00:00Z",
        ] {
            assert_eq!(timestamp_fault(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_that_are_not() {
        for text in [
            "",
            "yesterday",
            "2026-08-20",
            "2026-08-20 10:15:30Z",
            "2026-08-20T10:15:30",
            "2026-08-20t10:15:30z",
            "2026-08-20T10:15Z",
            "2026-8-20T10:15:30Z",
            "2026-02-29T10:15:30Z",
            "2026-13-01T10:15:30Z",
            "2026-08-20T24:00:00Z",
            "2026-08-20T10:15:30.1234567890Z",
            "2026-08-20T10:15:30.Z",
            "2026-08-20T10:15:30+0200",
            "20ä6-08-20T10:15:30Z",
            "1766000000",
        ] {
            assert!(timestamp_fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for text in ["3s", "3.5s", "-0.000000001s", "0s"] {
            assert_eq!(duration_fault(text), None, "{text}");
        }
        for text in ["", "s", "3", "3.s", "3.0000000001s", "3m", "--3s", "315576000001s", "99999999999999999999s"] {
            assert!(duration_fault(text).is_some(), "{text}");
        }
    }
}
