//! Stand-in for the reader of times: RFC 3339 and epoch numbers.

use jiff::tz::TimeZone;

/// Milliseconds since 1970-01-01T00:00:00Z of a time as logs write it.
#[must_use]
pub fn parse_time(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(number) = text.parse::<f64>() {
        let scale = match number.abs() {
            size if size < 1e11 => 1e3,
            size if size < 1e14 => 1.0,
            size if size < 1e17 => 1e-3,
            _ => 1e-6,
        };
        return Some((number * scale) as i64);
    }
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
    })
}
