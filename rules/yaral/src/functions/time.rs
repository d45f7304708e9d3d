//! `timestamp.*`. The clock is the caller's, the time zones are built in.

use std::fmt::Write as _;

use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};

use super::{Arguments, FunctionError, MAX_TEXT};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

pub(super) fn now(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(arguments.environment()?.now.as_second()))
}

pub(super) fn minute(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(moment(arguments, 1)?.minute().into()))
}

pub(super) fn hour(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(moment(arguments, 1)?.hour().into()))
}

pub(super) fn day_of_week(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(moment(arguments, 1)?.weekday().to_sunday_one_offset().into()))
}

pub(super) fn week(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Int(week_of(&moment(arguments, 1)?, 0)))
}

pub(super) fn date(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(moment(arguments, 1)?.strftime("%Y-%m-%d").to_string()))
}

/// The week of the year; days before the first Sunday, or another first day counted from it, are week 0.
fn week_of(moment: &Zoned, first_day: i64) -> i64 {
    let weekday = (i64::from(moment.weekday().to_sunday_zero_offset()) - first_day).rem_euclid(7);
    (i64::from(moment.day_of_year()) - 1 + 7 - weekday) / 7
}

/// The seconds of the first argument in the zone of another.
fn moment(arguments: &Arguments<'_>, zone: usize) -> Result<Zoned, FunctionError> {
    let seconds = arguments.int(0)?;
    let zone = arguments.optional_text(zone)?;
    let zone = zone_of(zone.as_deref().unwrap_or("GMT"))?;
    let expected = "seconds since 1970 of a year up to 9999";
    let time = Timestamp::from_second(seconds).map_err(|_| FunctionError::Argument { position: 1, expected })?;
    Ok(time.to_zoned(zone))
}

fn zone_of(name: &str) -> Result<TimeZone, FunctionError> {
    // The database has them as they are in America; the service refuses them.
    const REFUSED: [&str; 3] = ["EST", "MST", "HST"];
    let found = if name.starts_with(['+', '-']) {
        offset(name).map(TimeZone::fixed)
    } else if REFUSED.contains(&name.to_ascii_uppercase().as_str()) {
        None
    } else if matches!(name, "UTC" | "GMT") {
        Some(TimeZone::UTC)
    } else {
        TimeZoneDatabase::bundled().get(name).ok()
    };
    found.ok_or_else(|| FunctionError::zone(name))
}

/// `+H`, `-HH`, `+H:M`, `-HH:MM`.
fn offset(text: &str) -> Option<Offset> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "0"));
    let number = |digits: &str, most: i32| {
        let short = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|&number: &i32| short && number <= most)
    };
    Offset::from_seconds(sign * (number(hours, 14)? * 3600 + number(minutes, 59)? * 60)).ok()
}

pub(super) fn as_unix_seconds(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let zone = arguments.optional_text(1)?;
    let zone = zone_of(zone.as_deref().unwrap_or("GMT"))?;
    if text.is_empty() {
        return Ok(Value::Int(0));
    }
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text.as_ref()).map_err(|_| FunctionError::time(&text))?;
    let zoned = time.to_zoned(zone).map_err(|_| FunctionError::time(&text))?;
    Ok(Value::Int(zoned.timestamp().as_second()))
}

pub(super) fn timestamp(arguments: &Arguments<'_>) -> Outcome {
    let moment = moment(arguments, 2)?;
    let format = arguments.optional_text(1)?;
    let format = match format.as_deref().unwrap_or("SECOND") {
        "SECOND" => "%F %T",
        "MINUTE" => "%F %H:%M",
        "HOUR" => "%F %H",
        "DATE" => "%F",
        "MONTH" => "%Y-%m",
        "YEAR" => "%Y",
        "WEEK" => {
            let days = i64::from(moment.weekday().to_sunday_zero_offset());
            let sunday = moment.date().checked_sub(jiff::Span::new().days(days));
            let sunday = sunday.map_err(|_| FunctionError::time(&moment.date().to_string()))?;
            return Ok(Value::from(sunday.to_string()));
        }
        format => format,
    };
    formatted(&moment, format).map(Value::from)
}

fn formatted(moment: &Zoned, format: &str) -> Result<String, FunctionError> {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        // `%Ez` and its like are two letters long.
        let letters = if after.starts_with(['E', 'O']) { 2 } else { 1 };
        let code: String = after.chars().take(letters).collect();
        element(&mut out, moment, &code).ok_or_else(|| FunctionError::format(&code))?;
        rest = &after[code.len()..];
        if out.len() > MAX_TEXT {
            return Err(FunctionError::TooLarge);
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// One element of a format; `None`: there is no such one.
fn element(out: &mut String, moment: &Zoned, code: &str) -> Option<()> {
    let half = |hour: i8| if hour % 12 == 0 { 12 } else { hour % 12 };
    let written = match code {
        "%" => out.write_str("%"),
        "n" => out.write_str("\n"),
        "t" => out.write_str("\t"),
        "s" => write!(out, "{}", moment.timestamp().as_second()),
        "Q" => write!(out, "{}", (moment.month() + 2) / 3),
        "U" => write!(out, "{:02}", week_of(moment, 0)),
        "W" => write!(out, "{:02}", week_of(moment, 1)),
        "u" => write!(out, "{}", moment.weekday().to_monday_one_offset()),
        "w" => write!(out, "{}", moment.weekday().to_sunday_zero_offset()),
        "l" => write!(out, "{:2}", half(moment.hour())),
        "P" => out.write_str(if moment.hour() < 12 { "am" } else { "pm" }),
        "p" => out.write_str(if moment.hour() < 12 { "AM" } else { "PM" }),
        "Ez" => write!(out, "{}", moment.strftime("%:z")),
        "c" => write!(out, "{}", moment.strftime("%a %b %e %H:%M:%S %Y")),
        "x" | "D" => write!(out, "{}", moment.strftime("%m/%d/%y")),
        "X" | "T" => write!(out, "{}", moment.strftime("%H:%M:%S")),
        "r" => write!(out, "{}", moment.strftime("%I:%M:%S %p")),
        "R" => write!(out, "{}", moment.strftime("%H:%M")),
        "A" | "a" | "B" | "b" | "h" | "C" | "d" | "e" | "F" | "G" | "g" | "H" | "I" | "j" | "k" | "M" | "m" | "S"
        | "V" | "Y" | "y" | "Z" | "z" => write!(out, "{}", moment.strftime(&format!("%{code}"))),
        _ => return None,
    };
    written.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_a_form() {
        let moment = Timestamp::from_second(1_708_598_631).unwrap().to_zoned(zone_of("America/New_York").unwrap());
        let forms = [
            ("%A %a %B %b %h", "Thursday Thu February Feb Feb"),
            ("%C|%d|%e|%F|%D", "20|22|22|2024-02-22|02/22/24"),
            ("%G %g %V %j %U %W", "2024 24 08 053 07 08"),
            ("%H|%I|%k|%l|%M|%S", "05|05| 5| 5|43|51"),
            ("%p %P %R %T %r", "AM am 05:43 05:43:51 05:43:51 AM"),
            ("%u %w %Q %s", "4 4 1 1708598631"),
            ("%Y %y %m %z %Ez %Z", "2024 24 02 -0500 -05:00 EST"),
            ("%c|%x|%X", "Thu Feb 22 05:43:51 2024|02/22/24|05:43:51"),
            ("100%%%n%t", "100%\n\t"),
            ("é", "é"),
        ];
        for (format, expected) in forms {
            assert_eq!(formatted(&moment, format).unwrap(), expected, "{format}");
        }
        for wrong in ["%", "%é", "%E", "%i", "%Eé"] {
            assert!(formatted(&moment, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zones_are_names_or_offsets() {
        for name in ["GMT", "UTC", "America/Los_Angeles", "Europe/Berlin", "-8", "+05:30", "-08:00", "+0"] {
            assert!(zone_of(name).is_ok(), "{name}");
        }
        for name in ["PST", "EST", "est", "", "+", "+123", "+1:", "+5:60", "+99", "-é", "Mars/Base"] {
            assert!(zone_of(name).is_err(), "{name}");
        }
    }
}
