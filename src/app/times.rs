//! Times as people write them: a moment, a date, a length.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil::Date, tz::TimeZone};

/// From now on: so long, or until a moment.
///
/// # Errors
/// It is neither.
pub fn from_now(text: &str, now: Timestamp) -> Result<SignedDuration, String> {
    length(text).or_else(|_| moment(text).map(|moment| moment.duration_since(now)))
}

/// A length, like `12h` or `30d`. A day has 24 hours.
///
/// # Errors
/// It is none.
pub fn length(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())
}

/// A time, or a date, which is its midnight in UTC.
///
/// # Errors
/// It is neither.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let date = || text.parse::<Date>().and_then(midnight);
    text.parse::<Timestamp>()
        .or_else(|_| date())
        .map_err(|_| "expected a time like 2026-12-31T08:00:00Z, a date, or a length like 12h or 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moments_or_lengths() {
        assert_eq!(moment("2026-12-31").unwrap().to_string(), "2026-12-31T00:00:00Z");
        assert_eq!(length("30d").unwrap(), SignedDuration::from_hours(720));
        assert_eq!(length("2w").unwrap(), SignedDuration::from_hours(336));
        assert!(moment("tomorrow").unwrap_err().contains("expected a time"));
        let day = moment("1970-01-02").unwrap();
        assert_eq!(from_now("1970-01-02T01:00:00Z", day).unwrap(), SignedDuration::from_hours(1));
    }
}
