//! The words of a reason: one sentence, what was observed, what is typical.

use watchbell_sink::Reason;

use super::{Cause, VoiceOpinion, feature_name};
use crate::features::{
    Dimension, FEATURE_LIST, Shown,
    evidence::{Circumstances, Level},
    memory::DAY,
};

/// What to say of a cause: feature name, sentence, observed, typical.
struct Words {
    feature: &'static str,
    text: String,
    observed: String,
    typical: String,
}

/// A cause's reason; `share` is what the evidence loses without it.
pub(super) fn reason(cause: Cause, seen: &Circumstances, share: f64) -> Reason {
    let Words { feature, text, observed, typical } = words(cause, seen);
    Reason { feature: feature.to_owned(), text, observed, typical, share }
}

fn words(cause: Cause, seen: &Circumstances) -> Words {
    match cause {
        Cause::FailedLogins => {
            level("failed_logins", seen.actor_failures, "failed logins of the account within 5 minutes")
        }
        Cause::FailingAccounts => level(
            "failing_accounts",
            seen.failing_actors,
            "accounts failed to log in from one address within 40 minutes",
        ),
        Cause::StrangerAttempts => level(
            "stranger_attempts",
            seen.stranger_attempts,
            "accounts were tried from addresses never seen before, within 40 minutes",
        ),
        Cause::NewCountry => new_to("new_country", seen, Dimension::Country, "comes from a country it never came from"),
        Cause::NewAddress => {
            new_to("new_address", seen, Dimension::Address, "comes from an address it never came from")
        }
        Cause::NewAction => new_to("new_action", seen, Dimension::Action, "does something it never did"),
        Cause::UnusualHour => {
            let share = 100.0 / 24.0 / 10_f32.powf(seen.hour_surprise);
            Words {
                feature: "unusual_hour",
                text: format!("{} % of the activity falls in this hour; an even spread has 4.2 %", number(share)),
                observed: format!("{} %", number(share)),
                typical: "4.2 %".to_owned(),
            }
        }
        Cause::NewResources if seen.new_resources.observed <= seen.new_resources.usual => {
            let one_in = number(10_f32.powf(seen.reach_rarity));
            let observed = number(seen.new_resources.observed.round());
            Words {
                feature: "new_resources",
                text: format!(
                    "{observed} resources never touched before, within 40 minutes; 1 in {one_in} reaches so far"
                ),
                observed,
                typical: format!("1 in {one_in} reaches so far"),
            }
        }
        Cause::NewResources => {
            level("new_resources", seen.new_resources, "resources never touched before, within 40 minutes")
        }
        Cause::Refusals => level("refusals", seen.denials, "requests refused within 20 minutes"),
        Cause::NewHosts => level("new_hosts", seen.new_hosts, "hosts never entered before, within 40 minutes"),
        Cause::RareAction => {
            let one_in = number(10_f32.powf(seen.action_rarity));
            Words {
                feature: "rare_action",
                text: format!("the action is one in {one_in} events of the log"),
                observed: format!("1 in {one_in}"),
                typical: "common".to_owned(),
            }
        }
        Cause::AdministrativeActs => level("administrative_acts", seen.privileges, "administrative acts within a day"),
        Cause::Volume => Words {
            feature: "volume",
            text: format!(
                "{} moved within 30 minutes; {} are usual, {} were the most so far",
                bytes(seen.volume.observed),
                bytes(seen.volume.usual),
                bytes(seen.volume_highest)
            ),
            observed: bytes(seen.volume.observed),
            typical: bytes(seen.volume.usual),
        },
        Cause::RegularIntervals => {
            let jitter = number(100.0 * seen.jitter);
            Words {
                feature: "regular_intervals",
                text: format!(
                    "{} calls every {} s, with {jitter} % deviation; people deviate by more than 50 %",
                    number(seen.intervals + 1.0),
                    number(seen.interval)
                ),
                observed: format!("every {} s ± {jitter} %", number(seen.interval)),
                typical: "± 50 % or more".to_owned(),
            }
        }
        Cause::DestinationVolume => Words {
            feature: "destination_volume",
            text: format!(
                "{} sent to one destination in {} events on {} days; {} accounts use it",
                bytes(seen.flow_bytes),
                number(seen.flow_events),
                number(seen.flow_days),
                number(seen.destination_actors)
            ),
            observed: bytes(seen.flow_bytes),
            typical: "none".to_owned(),
        },
        Cause::CountryChange => Words {
            feature: "country_change",
            text: format!("seen in another country {} before", duration(seen.country_gap as f32)),
            observed: duration(seen.country_gap as f32),
            typical: "12 h or more".to_owned(),
        },
        Cause::Silence => Words {
            feature: "silence",
            text: format!(
                "no sign of the account for {}; pauses of up to {} are usual",
                duration(seen.silence as f32),
                duration(seen.usual_silence)
            ),
            observed: duration(seen.silence as f32),
            typical: duration(seen.usual_silence),
        },
        Cause::Tampering => Words {
            feature: "tampering",
            text: "the act weakens logging, auditing or protection".to_owned(),
            observed: "tampering".to_owned(),
            typical: "none".to_owned(),
        },
    }
}

/// Counts are whole; only what is usual may lie between.
fn level(feature: &'static str, level: Level, what: &str) -> Words {
    let (observed, typical) = (number(level.observed.round()), number(level.usual));
    let verb = if typical == "1" { "is" } else { "are" };
    Words { feature, text: format!("{observed} {what}; {typical} {verb} usual"), observed, typical }
}

fn new_to(feature: &'static str, seen: &Circumstances, dimension: Dimension, what: &str) -> Words {
    let once_in = number(10_f32.powf(seen.novelty[dimension as usize]));
    Words {
        feature,
        text: format!("the account {what} before; that happens once in {once_in} events"),
        observed: "new".to_owned(),
        typical: format!("once in {once_in} events"),
    }
}

/// A reason that rests on a feature alone.
pub(super) fn feature_reason(position: usize, voices: &VoiceOpinion<'_>, share: f64) -> Reason {
    let observed = feature_value(position, voices.features[position]);
    let typical = feature_value(position, voices.medians[position]);
    let text = format!("{}: {observed}; {typical} is typical in this log", FEATURE_LIST[position].meaning);
    Reason { feature: feature_name(position).to_owned(), text, observed, typical, share }
}

/// A feature's value as people read it.
#[must_use]
pub fn feature_value(position: usize, value: f32) -> String {
    match FEATURE_LIST[position].shown {
        Shown::OnceIn if value < 0.05 => "common".to_owned(),
        Shown::OnceIn => format!("1 in {}", number(10_f32.powf(value))),
        Shown::Count => number(value.exp() - 1.0),
        Shown::Duration => duration(value.exp() - 1.0),
        Shown::Bytes => bytes(value.exp() - 1.0),
        Shown::Deviations => format!("{} deviations", number(value)),
        Shown::Flag => (if value >= 0.5 { "yes" } else { "no" }).to_owned(),
    }
}

/// Two significant digits below 10, none after the point above.
fn number(value: f32) -> String {
    if value >= 1e9 {
        return "over a billion".to_owned();
    }
    if value >= 1e6 {
        return format!("{:.1} million", value / 1e6);
    }
    let text = if value >= 9.95 { format!("{value:.0}") } else { format!("{value:.1}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn bytes(value: f32) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = value.max(0.0);
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{} {}", number(value), UNITS[unit])
}

fn duration(seconds: f32) -> String {
    let day = DAY as f32;
    match seconds {
        _ if seconds < 100.0 => format!("{} s", number(seconds)),
        _ if seconds < 5_400.0 => format!("{} min", number(seconds / 60.0)),
        _ if seconds < 2.0 * day => format!("{} h", number(seconds / 3_600.0)),
        _ => format!("{} days", number(seconds / day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases =
            [(0.0, "0"), (0.34, "0.3"), (4.0, "4"), (9.96, "10"), (1_234.5, "1234"), (2_500_000.0, "2.5 million")];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(bytes(407_000_000.0), "407 MB");
        assert_eq!(bytes(12.0), "12 B");
        assert_eq!(duration(42.0), "42 s");
        assert_eq!(duration(7_200.0), "2 h");
        assert_eq!(duration(9.0 * 86_400.0), "9 days");
    }
}
