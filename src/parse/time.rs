//! Times as logs write them, to milliseconds since 1970.
//!
//! RFC 3339 and its relatives go a short way by hand, because a time is parsed for every record of every log; all else
//! is cut into tokens, whose shapes say what they are. Years outside 1970..=2100 are no times: a log that says 1601 or
//! 9999 means *none*.

mod loose;

use jiff::{civil, tz::TimeZone};

use self::loose::{Fields, month_by_name};

const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2100;
const DAY_MILLIS: i64 = 86_400_000;

/// The time that a text names, in milliseconds since 1970; `zone` is that of times that name none.
///
/// Reads RFC 3339 with any of its usual liberties, seconds, milliseconds, microseconds and nanoseconds since 1970 (told
/// apart by their size), Windows file times, `/Date(0)/`, RFC 2822, the times of web servers, and dates with slashes,
/// dots or names of months. A date alone is its midnight. A time without a year is none; see [`parse_yearless`].
#[must_use]
pub fn parse_time(text: &str, zone: &TimeZone) -> Option<i64> {
    let bytes = text.as_bytes();
    if let Some(millis) = iso(bytes, zone) {
        return Some(millis);
    }
    if let Some(millis) = web(bytes, zone) {
        return Some(millis);
    }
    let text = text.trim().trim_matches(['[', ']', '"']);
    if let Some(millis) = parse_epoch(text) {
        return Some(millis);
    }
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        let digits = inner.find(['+', '-']).filter(|&at| at > 0).map_or(inner, |at| &inner[..at]);
        return digits.parse().ok().filter(|millis| within_range(*millis));
    }
    let fields = Fields::read(text)?;
    fields.date(None).and_then(|date| fields.millis(date, zone))
}

/// As [`parse_time`], for texts that may lack the year (`Mar  3 12:00:00`): it becomes the last one in which the time is
/// not later than a day after `reference`, in milliseconds since 1970.
#[must_use]
pub fn parse_yearless(text: &str, zone: &TimeZone, reference: i64) -> Option<i64> {
    let bytes = text.as_bytes();
    if let Some(millis) = iso(bytes, zone).or_else(|| web(bytes, zone)) {
        return Some(millis);
    }
    let fields = match classic(bytes) {
        Some(fields) => fields,
        None => Fields::read(text)?,
    };
    if fields.year.is_some() {
        return fields.date(None).and_then(|date| fields.millis(date, zone));
    }
    let latest = year_of(reference.saturating_add(DAY_MILLIS));
    // Nine years back, because 29 February may need as many.
    (0..9).find_map(|back| {
        let date = fields.date(Some(latest - back))?;
        fields.millis(date, zone).filter(|millis| *millis <= reference.saturating_add(DAY_MILLIS))
    })
}

/// The time that a number names by its size: seconds, milliseconds, microseconds or nanoseconds since 1970, or a Windows
/// file time (tenths of microseconds since 1601).
#[must_use]
pub fn parse_epoch(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(9..=19).contains(&digits) {
        return if bytes.contains(&b'e') || bytes.contains(&b'E') { exponent(text) } else { None };
    }
    let whole: i64 = text[..digits].parse().ok()?;
    let rest = &bytes[digits..];
    let fraction = match rest.split_first() {
        None => 0,
        Some((b'.', fraction)) if fraction.iter().all(u8::is_ascii_digit) => milli_digits(fraction),
        Some((b'e' | b'E' | b'.', _)) => return exponent(text),
        Some(_) => return None,
    };
    scale(whole, fraction)
}

/// A whole number of some unit, and the thousandths that follow it if the unit is the second.
fn scale(whole: i64, thousandths: i64) -> Option<i64> {
    let millis = match whole {
        100_000_000..=99_999_999_999 => whole * 1_000 + thousandths,
        100_000_000_000..=99_999_999_999_999 => whole,
        100_000_000_000_000..=99_999_999_999_999_999 => whole / 1_000,
        // 11,644,473,600 s lie between 1601 and 1970.
        116_444_736_000_000_000..=160_000_000_000_000_000 => whole / 10_000 - 11_644_473_600_000,
        _ => whole / 1_000_000,
    };
    within_range(millis).then_some(millis)
}

/// `1.7000000001E9`, as some writers of JSON spell their numbers.
fn exponent(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    if !(1e8..=9e18).contains(&number) {
        return None;
    }
    scale(number as i64, (number.fract() * 1_000.0) as i64)
}

fn within_range(millis: i64) -> bool {
    // 2101-01-01T00:00:00Z
    (0..4_133_980_800_000).contains(&millis)
}

/// `YYYY-MM-DDTHH:MM:SS`, then perhaps a fraction, then perhaps an offset: nothing before, between or after.
fn iso(bytes: &[u8], zone: &TimeZone) -> Option<i64> {
    let head: &[u8; 19] = bytes.first_chunk()?;
    let year = digits2(head[0], head[1])? * 100 + digits2(head[2], head[3])?;
    let month = digits2(head[5], head[6])?;
    let day = digits2(head[8], head[9])?;
    let hour = digits2(head[11], head[12])?;
    let minute = digits2(head[14], head[15])?;
    let second = digits2(head[17], head[18])?;
    let separators = head[4] == b'-' && head[7] == b'-' && head[13] == b':' && head[16] == b':';
    if !separators || !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let mut rest = &bytes[19..];
    let mut millis = 0;
    if let [b'.' | b',', tail @ ..] = rest {
        let length = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        millis = milli_digits(&tail[..length]);
        rest = &tail[length..];
    }
    let offset = match rest {
        [] => None,
        [b'Z' | b'z'] => Some(0),
        [b' ', zone @ ..] | zone => Some(offset_seconds(zone)?),
    };
    let clock = Clock { hour, minute, second, millis };
    to_millis((year, month, day), clock, offset, zone)
}

/// `03/Mar/2025:12:00:00 +0000`, as every web server writes it.
fn web(bytes: &[u8], zone: &TimeZone) -> Option<i64> {
    let head: &[u8; 26] = bytes.try_into().ok()?;
    if head[2] != b'/' || head[6] != b'/' || head[11] != b':' || head[20] != b' ' {
        return None;
    }
    let year = digits2(head[7], head[8])? * 100 + digits2(head[9], head[10])?;
    let clock = colon_clock(head[12..20].try_into().ok()?)?;
    let month = month_by_name(&[head[3], head[4], head[5]].map(|letter| letter.to_ascii_lowercase()))?;
    to_millis((year, month, digits2(head[0], head[1])?), clock, Some(offset_seconds(&head[21..])?), zone)
}

/// `Mar  3 12:00:00`, as every syslog daemon writes it.
fn classic(bytes: &[u8]) -> Option<Fields> {
    let head: &[u8; 15] = bytes.try_into().ok()?;
    if head[3] != b' ' || head[6] != b' ' {
        return None;
    }
    let month = month_by_name(&[head[0], head[1], head[2]].map(|letter| letter.to_ascii_lowercase()))?;
    let day = digits2(if head[4] == b' ' { b'0' } else { head[4] }, head[5])?;
    let clock = colon_clock(head[7..].try_into().ok()?)?;
    Some(Fields {
        clock: Some(clock),
        month: Some(month),
        numbers: [(day, 2), (0, 0), (0, 0)],
        count: 1,
        ..Fields::default()
    })
}

/// `12:00:00`.
fn colon_clock(digits: &[u8; 8]) -> Option<Clock> {
    if digits[2] != b':' || digits[5] != b':' {
        return None;
    }
    let hour = digits2(digits[0], digits[1])?;
    let (minute, second) = (digits2(digits[3], digits[4])?, digits2(digits[6], digits[7])?);
    Some(Clock { hour, minute, second, millis: 0 })
}

/// `+02:00`, `+0200`, `+02`; `Z`, `UTC` and `GMT`.
fn offset_seconds(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [a, b] => (digits2(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (digits2(a, b)?, digits2(c, d)?),
        _ => return None,
    };
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn digits2(tens: u8, ones: u8) -> Option<i32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
}

/// The first three digits of a fraction.
fn milli_digits(digits: &[u8]) -> i64 {
    let at = |index: usize| digits.get(index).map_or(0, |byte| i64::from(byte - b'0'));
    at(0) * 100 + at(1) * 10 + at(2)
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Clock {
    hour: i32,
    minute: i32,
    second: i32,
    millis: i64,
}

fn to_millis((year, month, day): (i32, i32, i32), clock: Clock, offset: Option<i32>, zone: &TimeZone) -> Option<i64> {
    let in_range = (FIRST_YEAR..=LAST_YEAR).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && clock.hour <= 23
        && clock.minute <= 59
        && clock.second <= 60;
    if !in_range {
        return None;
    }
    // A leap second is the last moment of its minute.
    let second = clock.second.min(59);
    let seconds =
        days_since_1970(year, month, day) * 86_400 + i64::from(clock.hour * 3_600 + clock.minute * 60 + second);
    let shift = match offset {
        Some(offset) => i64::from(offset),
        None if *zone == TimeZone::UTC => 0,
        None => {
            let time = civil::date(year as i16, month as i8, day as i8).at(
                clock.hour as i8,
                clock.minute as i8,
                second as i8,
                0,
            );
            let stamp = zone.to_ambiguous_timestamp(time).compatible().ok()?;
            seconds - stamp.as_second()
        }
    };
    let millis = (seconds - shift) * 1_000 + clock.millis;
    within_range(millis).then_some(millis)
}

fn days_in(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, by H. Hinnant's `days_from_civil`, for years from 1970.
fn days_since_1970(year: i32, month: i32, day: i32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year - era * 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i64::from(era * 146_097 + day_of_era - 719_468)
}

fn year_of(millis: i64) -> i32 {
    let days = millis.clamp(0, 4_133_980_800_000) / DAY_MILLIS;
    let estimate = 1970 + (days * 400 / 146_097) as i32;
    // The estimate is off by one at the turn of some years.
    if days_since_1970(estimate + 1, 1, 1) <= days {
        estimate + 1
    } else if days_since_1970(estimate, 1, 1) > days {
        estimate - 1
    } else {
        estimate
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARCH_3: i64 = 1_740_960_000_000;

    fn utc(text: &str) -> Option<i64> {
        parse_time(text, &TimeZone::UTC)
    }

    #[test]
    fn iso_and_its_liberties() {
        for text in [
            "2025-03-03T00:00:00Z",
            "2025-03-03T00:00:00.000Z",
            "2025-03-03t00:00:00z",
            "2025-03-03 00:00:00",
            "2025-03-03 00:00:00,000",
            "2025-03-03 00:00:00 UTC",
            "2025-03-03T02:00:00+02:00",
            "2025-03-02T19:00:00.000000-0500",
            "2025-03-03 01:00:00 +01",
            "2025-03-03T00:00:00.000000000+00:00",
            "2025-03-03",
            "2025/03/03 00:00:00",
            "2025-03-03T00:00Z",
            "20250303T000000Z",
            "20250303",
            "20250303000000",
            "20250303010000.000000+060",
        ] {
            assert_eq!(utc(text), Some(MARCH_3), "{text}");
        }
        assert_eq!(utc("2025-03-03T00:00:00.1234567Z"), Some(MARCH_3 + 123));
        assert_eq!(utc("2025-03-03T23:59:60Z"), Some(MARCH_3 + 86_399_000));
    }

    #[test]
    fn numbers_by_their_size() {
        for text in [
            "1740960000",
            "1740960000.000",
            "1740960000.0001",
            "1740960000000",
            "1740960000000000",
            "1740960000000000000",
            "1.74096E9",
            "1.74096e12",
            "133854336000000000",
        ] {
            assert_eq!(utc(text), Some(MARCH_3), "{text}");
        }
        assert_eq!(utc("1588317639.423893"), Some(1_588_317_639_423));
    }

    #[test]
    fn names_of_months_and_other_orders() {
        for text in [
            "03/Mar/2025:00:00:00 +0000",
            "[03/Mar/2025:01:00:00 +0100]",
            "Mon, 3 Mar 2025 00:00:00 +0000",
            "Mon, 03 Mar 2025 00:00:00 GMT",
            "Mon Mar  3 00:00:00 2025",
            "Mon Mar  3 00:00:00 UTC 2025",
            "Mon Mar 03 00:00:00.000000 2025",
            "Mar  3 00:00:00 2025",
            "Mar 3 2025 00:00:00",
            "March 3, 2025 12:00:00 AM",
            "3-Mar-2025 00:00:00",
            "03/03/2025 00:00:00",
            "3/3/2025 12:00 AM",
            "03.03.2025 00:00:00",
            "/Date(1740960000000)/",
            "/Date(1740960000000+0100)/",
            "Sun Mar  2 19:00:00 EST 2025",
        ] {
            assert_eq!(utc(text), Some(MARCH_3), "{text}");
        }
        assert_eq!(utc("03/04/2025 01:02:03 PM"), Some(MARCH_3 + 86_400_000 + 13 * 3_600_000 + 123_000));
        assert_eq!(utc("13/03/2025 00:00:00"), Some(MARCH_3 + 10 * 86_400_000));
    }

    #[test]
    fn zoneless_times_take_the_option() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        assert_eq!(parse_time("2025-03-03 01:00:00", &zone), Some(MARCH_3));
        assert_eq!(parse_time("03/03/2025 01:00:00", &zone), Some(MARCH_3));
        assert_eq!(parse_time("2025-03-03T00:00:00Z", &zone), Some(MARCH_3));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "-",
            "n/a",
            "0",
            "12",
            "login",
            "10.0.0.1",
            "1601-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2025-02-30T00:00:00Z",
            "2025-03-03T24:00:01Z",
            "2025-13-01",
            "99999999999999999999",
            "2025-03-03T00:00:00X",
            "Mar  3 00:00:00",
            "1.2.3.4:80",
            "é",
            "/Date()/",
            "2025",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn missing_years() {
        let yearless = |text: &str, reference: i64| parse_yearless(text, &TimeZone::UTC, reference);
        assert_eq!(yearless("Mar  3 00:00:00", MARCH_3), Some(MARCH_3));
        // A day ahead is a clock that runs fast, two days ahead is last year.
        assert_eq!(yearless("Mar  4 00:00:00", MARCH_3), Some(MARCH_3 + DAY_MILLIS));
        assert_eq!(yearless("Mar  5 00:00:00", MARCH_3), utc("2024-03-05"));
        assert_eq!(yearless("Dec 31 23:59:59", MARCH_3), utc("2024-12-31 23:59:59"));
        assert_eq!(yearless("Feb 29 00:00:00", MARCH_3), utc("2024-02-29"));
        assert_eq!(yearless("Jan  1 00:00:00", utc("2024-12-31 23:00:00").unwrap()), utc("2025-01-01"));
        assert_eq!(yearless("Mar  3 00:00:00 2019", MARCH_3), utc("2019-03-03"));
        assert_eq!(yearless("Mar 32 00:00:00", MARCH_3), None);
    }

    proptest! {
        #[test]
        fn agrees_with_jiff(millis in 0_i64..4_133_980_799_000) {
            let stamp = jiff::Timestamp::from_millisecond(millis).unwrap();
            prop_assert_eq!(utc(&stamp.to_string()), Some(millis));
            prop_assert_eq!(utc(&stamp.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()), Some(millis));
            prop_assert_eq!(utc(&stamp.strftime("%d/%b/%Y:%H:%M:%S %z").to_string()), Some(millis / 1_000 * 1_000));
            prop_assert_eq!(utc(&stamp.strftime("%a, %d %b %Y %T %z").to_string()), Some(millis / 1_000 * 1_000));
            let reference = utc(&stamp.to_string()).unwrap();
            let yearless = stamp.strftime("%b %e %T").to_string();
            prop_assert_eq!(parse_yearless(&yearless, &TimeZone::UTC, reference), Some(millis / 1_000 * 1_000));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}", reference in any::<i64>()) {
            let _ = utc(&text);
            let _ = parse_yearless(&text, &TimeZone::UTC, reference);
        }
    }
}
