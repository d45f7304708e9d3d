//! Questions that every schema asks of a finding: who, from where, on which host, when, in which sentence.

// Only address types; `core` has no sockets.
use core::net::IpAddr;
use std::borrow::Cow;

use jiff::Timestamp;
use watchbell_sink::{EntityKind, Evidence, Finding};

/// What stands where a schema demands a value and the log had none.
pub(crate) const UNKNOWN: &str = "unknown";
/// Marks a finding from a log without times, where the schema demands one.
pub(crate) const NO_TIME: &str = "watchbell_no_time";

/// Shows that something was cut off.
pub(crate) const ELLIPSIS: char = '\u{2026}';

/// A finding with the answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a>(pub(crate) &'a Finding);

impl<'a> View<'a> {
    /// The entity's value when it is of this kind, then the observables' of this kind, most frequent first; no value
    /// twice, none empty.
    pub(crate) fn all(self, kind: EntityKind) -> Vec<&'a str> {
        let entity = (self.0.entity.kind == kind).then_some(self.0.entity.value.as_str());
        let observables = self.0.observables.iter().filter(|it| it.kind == kind).map(|it| it.value.as_str());
        let values = entity.into_iter().chain(observables);
        distinct(values.filter(|value| !value.trim().is_empty()))
    }

    /// The first of [`View::all`].
    pub(crate) fn one(self, kind: EntityKind) -> Option<&'a str> {
        self.all(kind).into_iter().next()
    }

    /// The source addresses that are addresses.
    pub(crate) fn ips(self) -> Vec<IpAddr> {
        distinct(self.all(EntityKind::Ip).into_iter().filter_map(|value| value.parse().ok()))
    }

    /// Resources that say of themselves that they are URLs.
    pub(crate) fn url(self) -> Option<&'a str> {
        self.all(EntityKind::Resource).into_iter().find(|value| is_url(value))
    }

    /// When it was last seen, or first where that is all there is.
    pub(crate) fn time(self) -> Option<Timestamp> {
        self.0.last_seen.or(self.0.first_seen)
    }

    /// The sentence for people; never empty.
    pub(crate) fn sentence(self) -> &'a str {
        first_said([self.0.summary.as_str(), &self.0.title]).unwrap_or(self.0.threat_type.title())
    }

    /// The line for people; never empty.
    pub(crate) fn title(self) -> &'a str {
        first_said([self.0.title.as_str()]).unwrap_or(self.0.threat_type.title())
    }

    /// The event with the highest score, the first of several.
    pub(crate) fn strongest(self) -> Option<&'a Evidence> {
        let mut events = self.0.evidence.iter();
        let first = events.next()?;
        Some(events.fold(first, |best, next| if next.score > best.score { next } else { best }))
    }

    /// The log file's name, unless it was standard input.
    pub(crate) fn file(self) -> Option<&'a str> {
        self.strongest().map(|event| event.file.as_str()).filter(|file| *file != "-" && !file.trim().is_empty())
    }

    /// The number of events, in the signed 64 bits that the stores have.
    pub(crate) fn event_count(self) -> i64 {
        i64::try_from(self.0.event_count).unwrap_or(i64::MAX)
    }
}

/// Whether it names its scheme.
pub(crate) fn is_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// A number of 0..=1 whatever comes in: JSON has no other.
pub(crate) fn unit(number: f64) -> f64 {
    if number.is_finite() { number.clamp(0.0, 1.0) } else { 0.0 }
}

/// A share as a whole number of 0..=100.
pub(crate) fn percent(share: f64) -> u8 {
    (unit(share) * 100.0).round() as u8
}

/// RFC 3339 in UTC. `None` outside the years that four digits can say, which is all that parsers of dates take.
pub(crate) fn rfc3339(time: Timestamp) -> Option<String> {
    let text = time.to_string();
    (text.as_bytes().get(4) == Some(&b'-') && !text.starts_with('-')).then_some(text)
}

/// In their order, without repetitions.
pub(crate) fn distinct<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    values.into_iter().fold(Vec::new(), |mut known, value| {
        if !known.contains(&value) {
            known.push(value);
        }
        known
    })
}

/// At most so many bytes, cut between characters, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len_utf8()));
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

fn first_said<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    texts.into_iter().find(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use watchbell_sink::{Entity, Observable};

    use super::*;

    #[test]
    fn a_cut_is_between_characters_and_shows() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alice1", 5), "al\u{2026}");
        assert_eq!(cut("\u{1f514}\u{1f514}", 7), "\u{1f514}\u{2026}");
        assert_eq!(cut("\u{1f514}\u{1f514}", 6), "\u{2026}");
    }

    #[test]
    fn the_entity_comes_first_and_only_addresses_are_addresses() {
        let ip = |value: &str| Observable { kind: EntityKind::Ip, value: value.to_owned(), count: 1 };
        let mut finding = watchbell_sink::testkit::findings::sample();
        finding.entity = Entity { kind: EntityKind::Ip, value: "2001:db8:0::1".to_owned() };
        finding.observables = vec![ip("203.0.113.7"), ip(""), ip("10.0.0.1/8"), ip("2001:DB8::1"), ip("fe80::1%eth0")];
        let ips: Vec<String> = View(&finding).ips().iter().map(ToString::to_string).collect();
        assert_eq!(ips, ["2001:db8::1", "203.0.113.7"]);
    }

    #[test]
    fn only_years_of_four_digits_are_said() {
        assert_eq!(rfc3339(Timestamp::MIN), None);
        assert_eq!(rfc3339(Timestamp::UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert!(rfc3339(Timestamp::MAX).is_some_and(|text| text.starts_with("9999-")));
    }
}
