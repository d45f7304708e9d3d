//! Where the overview's links lead: to itself, narrowed to what they are about. Times in addresses are those of the form's
//! fields, in whole minutes, so a span is widened to them and never loses what it is about.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use watchbell_sink::Entity;

use super::{OverviewInput, address, facts::FilterFacts};
use crate::report::html::scale::{Left, newest};

/// The overview with some filters changed, from its first page.
pub(super) fn with(filter: &FilterFacts, changes: &[(&str, &str)]) -> String {
    let changed = |(name, old)| (name, changes.iter().find(|change| change.0 == name).map_or(old, |change| change.1));
    address::overview(filter.pairs().map(changed))
}

/// A time as the form's fields have it, in whole minutes.
fn field(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The same, but never before the time.
fn field_after(time: Timestamp) -> String {
    field(time.saturating_add(SignedDuration::from_secs(60)).unwrap_or(time))
}

/// The list of the findings behind one mark.
pub(super) fn several(input: &OverviewInput<'_>, positions: &[usize], of: Option<&Entity>) -> Option<String> {
    let findings = || positions.iter().map(|&position| input.matching.ranked[position].finding);
    let seen = || findings().filter_map(|finding| finding.last_seen.or(finding.first_seen));
    let (since, until) = (field(seen().min()?), field_after(seen().max()?));
    let severity = findings().map(|finding| finding.severity).min()?;
    let entity = of.map_or(input.filter.entity.as_str(), |entity| &entity.value);
    let changes = [("severity", severity.name()), ("since", &since), ("until", &until), ("entity", entity)];
    Some(with(input.filter, &changes))
}

/// The list of what is too far away for the timeline.
pub(super) fn beyond(filter: &FilterFacts, left: Left) -> Option<String> {
    let (name, time) = if left.is_after { ("since", field_after(left.edge)) } else { ("until", field(left.edge)) };
    (left.findings > 0 || left.events > 0).then(|| with(filter, &[(name, &time)]))
}

/// A length of time that is chosen with one click.
#[derive(Debug, Serialize)]
pub(super) struct Range {
    title: &'static str,
    href: String,
    is_chosen: bool,
}

/// The last day, week and month of what was read: logs that were gathered before may have ended long ago.
pub(super) fn ranges(input: &OverviewInput<'_>) -> Vec<Range> {
    let filter = input.filter;
    let Some(newest) = newest(input.reports, input.ringing).map(|newest| newest.min(input.now)) else {
        return Vec::new();
    };
    let range = |title, days: Option<i64>| {
        let since = days.map(|days| newest.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(newest));
        let since = since.map(field).unwrap_or_default();
        Range {
            title,
            href: with(filter, &[("since", &since), ("until", "")]),
            is_chosen: filter.since == since && filter.until.is_empty(),
        }
    };
    vec![range("24 h", Some(1)), range("7 d", Some(7)), range("30 d", Some(30)), range("all", None)]
}
