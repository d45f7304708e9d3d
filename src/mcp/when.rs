//! Times as people say them: `24h`, `today`, a date, a moment. Pure: what time it is comes in.

use jiff::{Span, SpanRelativeTo, Timestamp, Zoned, civil, tz::TimeZone};

/// The moment that a text means.
///
/// # Errors
/// What was expected.
pub(super) fn moment(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    let zone = now.time_zone();
    match text {
        "now" => return Ok(now.timestamp()),
        "today" => return midnight(now.date(), zone),
        "yesterday" => {
            return now.date().yesterday().map_err(|error| error.to_string()).and_then(|day| midnight(day, zone));
        }
        _ => {}
    }
    if let Ok(span) = text.parse::<Span>() {
        let length = span.abs().to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
        return now.timestamp().checked_sub(length).map_err(|error| error.to_string());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let is_date = text.len() <= "2026-12-31".len();
    if is_date && let Ok(date) = text.parse::<civil::Date>() {
        return midnight(date, zone);
    }
    let expected = "expected a length like 24h or 7d, `today`, `yesterday`, a date like 2026-12-31, or a time";
    let civil = text.parse::<civil::DateTime>().map_err(|_| expected.to_owned())?;
    civil.to_zoned(zone.clone()).map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
}

fn midnight(date: civil::Date, zone: &TimeZone) -> Result<Timestamp, String> {
    date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_times_in_many_ways() {
        let now: Zoned = "2026-11-22T10:30:00+01:00[Europe/Berlin]".parse().unwrap();
        let at = |text: &str| moment(text, &now).unwrap().to_string();
        assert_eq!(at("24h"), "2026-11-21T09:30:00Z");
        assert_eq!(at("7d"), "2026-11-15T09:30:00Z");
        assert_eq!(at("-90m"), "2026-11-22T08:00:00Z");
        assert_eq!(at("today"), "2026-11-21T23:00:00Z");
        assert_eq!(at("yesterday"), "2026-11-20T23:00:00Z");
        assert_eq!(at("2026-11-01"), "2026-10-31T23:00:00Z");
        assert_eq!(at("2026-11-01T12:00"), "2026-11-01T11:00:00Z");
        assert_eq!(at("2026-11-01T12:00:00Z"), "2026-11-01T12:00:00Z");
        assert_eq!(at(" now "), "2026-11-22T09:30:00Z");
        assert!(moment("last tuesday", &now).unwrap_err().starts_with("expected a length"));
    }
}
