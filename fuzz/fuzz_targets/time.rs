//! Any text as a time: no panic, and what comes out is a time of the years that logs are from.
#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use watchbell::parse::time::{parse_epoch, parse_time, parse_yearless};

/// 2101-01-01T00:00:00Z
const END: i64 = 4_133_980_800_000;

fuzz_target!(|data: (&str, i64, i32)| {
    let (text, reference, seconds) = data;
    let offset = jiff::tz::Offset::from_seconds(seconds % 80_000).unwrap_or(jiff::tz::Offset::UTC);
    for zone in [TimeZone::UTC, offset.to_time_zone()] {
        for millis in [parse_time(text, &zone), parse_yearless(text, &zone, reference), parse_epoch(text)] {
            assert!(millis.is_none_or(|millis| (0..END).contains(&millis)));
        }
    }
});
