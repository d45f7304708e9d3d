//! What the service makes of a run frequency: it keeps another one than it was told, and that is no drift.

use super::facts::Facts;
use crate::sink::rules::RunFrequency;

/// Rules whose window is at most this long can run every hour, so the service runs none of them daily.
const LONGEST_HOURLY_WINDOW: u64 = 2 * 24 * 3600;

/// What the service keeps when it is told this.
#[must_use]
pub fn as_kept(told: RunFrequency, facts: &Facts) -> RunFrequency {
    match (facts.multi_event, told) {
        (Some(false), _) => RunFrequency::Live,
        (Some(true), RunFrequency::Daily) if facts.window_seconds.is_some_and(|w| w <= LONGEST_HOURLY_WINDOW) => {
            RunFrequency::Hourly
        }
        _ => told,
    }
}

/// Whether the service runs a rule as it was told to.
#[must_use]
pub fn holds(told: RunFrequency, kept: Option<RunFrequency>, facts: &Facts) -> bool {
    kept == Some(told) || kept == Some(as_kept(told, facts))
}

/// Whether the service is known to refuse this: rules over several events with a window of an hour or more run every hour at
/// most, those with one of more than two days every day.
#[must_use]
pub fn is_too_often(told: RunFrequency, facts: &Facts) -> bool {
    let Some(window) = facts.window_seconds.filter(|_| facts.multi_event == Some(true)) else { return false };
    match told {
        RunFrequency::Live => window >= 3600,
        RunFrequency::Hourly => window > LONGEST_HOURLY_WINDOW,
        RunFrequency::Daily => false,
    }
}

/// How seldom a rule runs.
#[must_use]
pub const fn rank(frequency: RunFrequency) -> u8 {
    match frequency {
        RunFrequency::Live => 0,
        RunFrequency::Hourly => 1,
        RunFrequency::Daily => 2,
    }
}

#[cfg(test)]
mod tests {
    use RunFrequency::{Daily, Hourly, Live};

    use super::*;

    #[test]
    fn what_the_service_keeps_instead_is_no_drift() {
        let single = Facts { multi_event: Some(false), ..Facts::default() };
        let short = Facts { multi_event: Some(true), window_seconds: Some(48 * 3600), ..Facts::default() };
        let long = Facts { window_seconds: Some(48 * 3600 + 1), ..short };
        let unknown = Facts::default();
        // Told, kept, whether that is as it should be.
        let table = [
            (single, Live, Live, true),
            (single, Hourly, Live, true),
            (single, Daily, Live, true),
            (single, Live, Hourly, false),
            (short, Live, Live, true),
            (short, Live, Hourly, false),
            (short, Hourly, Hourly, true),
            (short, Hourly, Live, false),
            (short, Daily, Hourly, true),
            (short, Daily, Daily, true),
            (short, Daily, Live, false),
            (long, Daily, Hourly, false),
            (long, Daily, Daily, true),
            (unknown, Daily, Hourly, false),
            (unknown, Hourly, Live, false),
        ];
        for (facts, told, kept, expected) in table {
            assert_eq!(holds(told, Some(kept), &facts), expected, "told {told}, kept {kept}, {facts:?}");
        }
        assert!(!holds(Live, None, &single));
    }
}
