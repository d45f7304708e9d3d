//! Numbers, times and spans as people read them.
//!
//! Everything is a pure function of its arguments and in UTC, so that the same reports give the same bytes anywhere.

use jiff::Timestamp;

/// Narrow no-break space: groups digits on a page without letting the number break.
pub const THIN: char = '\u{202f}';

/// The number with its digits in groups of three: `1 204 311`.
#[must_use]
pub fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `12 events`.
#[must_use]
pub fn counted(number: u64, noun: &str, separator: char) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{}{separator}{noun}{ending}", grouped(number, separator))
}

/// Two decimals; what is below 1 is never shown as 1.
#[must_use]
pub fn score(value: f64) -> String {
    let text = format!("{value:.2}");
    if value < 1.0 && text == "1.00" { "0.99".to_owned() } else { text }
}

/// A share of the whole as per cent; what is not everything is never shown as 100, what is not nothing never as 0.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "n/a".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with four digits")]
    let value = part as f64 * 100.0 / whole as f64;
    let text = format!("{value:.1}");
    match text.as_str() {
        "100.0" if part < whole => "> 99.9 %".to_owned(),
        "0.0" if part > 0 => "< 0.1 %".to_owned(),
        "100.0" => "100 %".to_owned(),
        "0.0" => "0 %".to_owned(),
        _ => format!("{text} %"),
    }
}

/// A length of time in its two largest units: `3 h 12 min`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(first) = UNITS.iter().position(|&(size, _)| seconds >= size) else {
        return "0 s".to_owned();
    };
    let (size, name) = UNITS[first];
    let mut text = format!("{} {name}", seconds / size);
    if let Some(&(next, next_name)) = UNITS.get(first + 1) {
        let rest = seconds % size / next;
        if rest > 0 {
            text.push_str(&format!(" {rest} {next_name}"));
        }
    }
    text
}

/// `2026-11-14 03:12:07`, in UTC.
#[must_use]
pub fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// From the first to the last time, without repeating the day: `2026-11-14 03:12:07 to 03:17:40`.
#[must_use]
pub fn span(first: Option<Timestamp>, last: Option<Timestamp>) -> String {
    match (first, last) {
        (Some(first), Some(last)) if first != last => {
            let same_day = first.strftime("%Y-%m-%d").to_string() == last.strftime("%Y-%m-%d").to_string();
            let end = if same_day { last.strftime("%H:%M:%S").to_string() } else { instant(last) };
            format!("{} to {end}", instant(first))
        }
        (Some(time), _) | (None, Some(time)) => instant(time),
        (None, None) => "no time in the log".to_owned(),
    }
}

/// Seconds between two times, 0 if they stand the wrong way round.
#[must_use]
pub fn seconds_between(first: Timestamp, last: Timestamp) -> u64 {
    u64::try_from(last.as_second() - first.as_second()).unwrap_or(0)
}

/// Bytes with a decimal unit: `1.2 GB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    UNITS
        .iter()
        .find(|&&(size, _)| number >= size)
        .map_or_else(|| format!("{number} B"), |&(size, name)| format!("{:.1} {name}", number as f64 / size as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_from_the_right() {
        assert_eq!(grouped(7, ' '), "7");
        assert_eq!(grouped(999, ' '), "999");
        assert_eq!(grouped(1_204_311, ' '), "1 204 311");
        assert_eq!(counted(1, "event", ' '), "1 event");
        assert_eq!(counted(1_000, "event", ' '), "1 000 events");
    }

    #[test]
    fn rounding_never_claims_all_or_nothing() {
        assert_eq!(score(0.999), "0.99");
        assert_eq!(score(1.0), "1.00");
        assert_eq!(percent(999_999, 1_000_000), "> 99.9 %");
        assert_eq!(percent(1, 1_000_000), "< 0.1 %");
        assert_eq!(percent(5, 5), "100 %");
        assert_eq!(percent(0, 5), "0 %");
        assert_eq!(percent(0, 0), "n/a");
    }

    #[test]
    fn spans_do_not_repeat_the_day() {
        let first: Timestamp = "2026-11-14T03:12:07Z".parse().unwrap();
        let last: Timestamp = "2026-11-14T03:17:40Z".parse().unwrap();
        let later: Timestamp = "2026-11-15T00:00:00Z".parse().unwrap();
        assert_eq!(span(Some(first), Some(last)), "2026-11-14 03:12:07 to 03:17:40");
        assert_eq!(span(Some(first), Some(later)), "2026-11-14 03:12:07 to 2026-11-15 00:00:00");
        assert_eq!(span(Some(first), Some(first)), "2026-11-14 03:12:07");
        assert_eq!(span(None, None), "no time in the log");
        assert_eq!(seconds_between(last, first), 0);
    }

    #[test]
    fn sizes_and_lengths_have_at_most_two_parts() {
        assert_eq!(duration(0), "0 s");
        assert_eq!(duration(11_520), "3 h 12 min");
        assert_eq!(duration(86_401), "1 d");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_234_567_890), "1.2 GB");
    }
}
