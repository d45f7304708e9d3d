//! Times as people write them, read in one way for all fronts. Pure: what time it is comes in, and with it the time zone of dates.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Zoned, civil, tz::TimeZone};

use crate::config::Plan;

/// Now, in the time zone of the configuration.
#[must_use]
pub fn now(plan: &Plan) -> Zoned {
    Timestamp::now().to_zoned(plan.input.time_zone.zone().clone())
}

/// The moment that a text means where something has been: `today`, `yesterday`, a length like `24h` or `7d` (so long ago), a
/// date, which is its midnight, or a time. What names no zone is of the zone of `now`.
///
/// # Errors
/// What was expected.
pub fn past(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    match text {
        "now" => return Ok(now.timestamp()),
        "today" => return Ok(midnight(now.date(), now.time_zone())),
        "yesterday" => {
            return now.date().yesterday().map_err(told).map(|day| midnight(day, now.time_zone()));
        }
        _ => {}
    }
    if let Some(length) = length(text)? {
        return Ok(now.timestamp().saturating_sub(length.abs()).unwrap_or(Timestamp::MIN));
    }
    let expected = "expected a length like 24h or 7d, `today`, `yesterday`, a date like 2026-12-31, or a time like \
                    2026-12-31T08:00:00Z";
    moment(text, now.time_zone()).ok_or_else(|| expected.to_owned())
}

/// The moment that a text means where something is to end: a length like `12h` or `30d` (from now on), a date, which is its
/// midnight, or a time. Whether it lies in the future is not asked here.
///
/// # Errors
/// What was expected.
pub fn future(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Some(length) = length(text)? {
        return now.timestamp().checked_add(length).map_err(told);
    }
    let expected = "expected a length like 12h or 30d, a date like 2026-12-31, or a time like 2026-12-31T08:00:00Z";
    moment(text, now.time_zone()).ok_or_else(|| expected.to_owned())
}

/// A length, if it is one. A day has 24 hours.
fn length(text: &str) -> Result<Option<SignedDuration>, String> {
    let Ok(span) = text.parse::<Span>() else { return Ok(None) };
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map(Some).map_err(told)
}

/// A time or a date, if it is one.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    // A date is read from a longer text too, whose time would be lost.
    let is_date = text.len() <= "2026-12-31".len();
    if is_date && let Ok(date) = text.parse::<civil::Date>() {
        return Some(midnight(date, zone));
    }
    Some(within(text.parse().ok()?, zone))
}

fn midnight(date: civil::Date, zone: &TimeZone) -> Timestamp {
    within(date.to_datetime(civil::Time::midnight()), zone)
}

/// The moment in this time zone; what lies before or after all that can be told is the first or the last of it.
fn within(civil: civil::DateTime, zone: &TimeZone) -> Timestamp {
    let end = if civil.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    civil.to_zoned(zone.clone()).map_or(end, |zoned| zoned.timestamp())
}

fn told(error: jiff::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zoned {
        "2026-11-22T10:30:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn people_say_times_in_many_ways() {
        let at = |text: &str| past(text, &berlin()).unwrap().to_string();
        assert_eq!(at("24h"), "2026-11-21T09:30:00Z");
        assert_eq!(at("7d"), "2026-11-15T09:30:00Z");
        assert_eq!(at("-90m"), "2026-11-22T08:00:00Z");
        assert_eq!(at("today"), "2026-11-21T23:00:00Z");
        assert_eq!(at("yesterday"), "2026-11-20T23:00:00Z");
        assert_eq!(at("2026-11-01"), "2026-10-31T23:00:00Z");
        assert_eq!(at("2026-11-01T12:00"), "2026-11-01T11:00:00Z");
        assert_eq!(at("2026-11-01T12:00:00Z"), "2026-11-01T12:00:00Z");
        assert_eq!(at(" now "), "2026-11-22T09:30:00Z");
        assert!(past("last tuesday", &berlin()).unwrap_err().starts_with("expected a length"));
        assert!(past("9999999h", &berlin()).is_ok());
        assert_eq!(past("9999-12-31", &berlin()).unwrap(), Timestamp::MAX);
        assert_eq!(past("9999-12-31T23:59:59-12:00", &berlin()).unwrap(), Timestamp::MAX);
        assert!(past("1y", &berlin()).is_err(), "a year has no fixed length");
    }

    #[test]
    fn an_end_is_a_length_from_now_on_or_exactly_a_moment() {
        let at = |text: &str| future(text, &berlin()).unwrap().to_string();
        assert_eq!(at("12h"), "2026-11-22T21:30:00Z");
        assert_eq!(at("2w"), "2026-12-06T09:30:00Z");
        assert_eq!(at("2027-06-30"), "2027-06-29T22:00:00Z");
        assert_eq!(at("2027-06-30T08:00:00Z"), "2027-06-30T08:00:00Z");
        for wrong in ["soon", "yesterday", "", "2026-13-01"] {
            assert!(future(wrong, &berlin()).unwrap_err().starts_with("expected a length"), "{wrong}");
        }
    }
}
