//! How many rules will run, against what a license allows. Only enabled rules count, and rules over several events are scarce.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{facts::Facts, plan::Change, steps::Step};
use crate::sink::rules::HostedRule;

/// A license, with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edition {
    /// Google SecOps Standard.
    Standard,
    /// Google SecOps Enterprise.
    Enterprise,
    /// Google SecOps Enterprise Plus.
    EnterprisePlus,
}

impl Edition {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Enterprise, Self::EnterprisePlus];

    /// How many rules may be enabled, and how many of them may be over several events. From Google's page about rule quotas.
    #[must_use]
    pub const fn limits(self) -> (usize, usize) {
        match self {
            Self::Standard => (1_000, 75),
            Self::Enterprise => (2_000, 200),
            Self::EnterprisePlus => (3_500, 400),
        }
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standard => "Standard",
            Self::Enterprise => "Enterprise",
            Self::EnterprisePlus => "Enterprise Plus",
        })
    }
}

/// How many rules run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Enabled rules.
    pub enabled: usize,
    /// Those of them that are over several events.
    pub multi_event: usize,
}

/// A limit that is exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exceeded {
    /// The license.
    pub edition: Edition,
    /// What is counted: `enabled` or `multi_event`.
    pub what: &'static str,
    /// The limit.
    pub limit: usize,
}

/// How many rules run before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Now.
    pub before: Count,
    /// When all is applied.
    pub after: Count,
    /// Enabled rules of which nobody can say how they are counted.
    pub uncounted: usize,
    /// Limits that are exceeded afterwards.
    pub exceeded: Vec<Exceeded>,
}

/// Counts before and after.
#[must_use]
pub fn forecast(changes: &[Change], hosted: &[HostedRule], edition: Option<Edition>) -> Forecast {
    let mut forecast = Forecast::default();
    let by_id: BTreeMap<&str, &Change> =
        changes.iter().filter_map(|change| Some((change.before.as_ref()?.version.id.as_str(), change))).collect();
    for rule in hosted {
        let change = by_id.get(rule.version.id.as_str());
        let is_enabled = rule.deployment.enabled && !rule.deployment.archived;
        let will_be = change.map_or(is_enabled, |change| is_enabled_after(change, is_enabled));
        if !is_enabled && !will_be {
            continue;
        }
        let multi_event = rule.multi_event.or_else(|| Facts::of(&rule.text).multi_event);
        add(&mut forecast.before, is_enabled, multi_event);
        let after =
            change.filter(|change| change.text.is_some()).map_or(multi_event, |change| change.facts.multi_event);
        add(&mut forecast.after, will_be, after);
        forecast.uncounted += usize::from(will_be && after.is_none());
    }
    for change in changes.iter().filter(|change| change.creates() && is_enabled_after(change, false)) {
        add(&mut forecast.after, true, change.facts.multi_event);
        forecast.uncounted += usize::from(change.facts.multi_event.is_none());
    }
    let editions = edition.map_or(Edition::ALL.to_vec(), |edition| vec![edition]);
    for edition in editions {
        let (enabled, multi_event) = edition.limits();
        let counts =
            [("enabled", forecast.after.enabled, enabled), ("multi_event", forecast.after.multi_event, multi_event)];
        let over = counts.into_iter().filter(|(_, count, limit)| count > limit);
        forecast.exceeded.extend(over.map(|(what, _, limit)| Exceeded { edition, what, limit }));
    }
    forecast
}

fn is_enabled_after(change: &Change, now: bool) -> bool {
    let has = |step| change.steps.contains(&step);
    !has(Step::Archive) && !has(Step::Disable) && (now || has(Step::Enable))
}

fn add(count: &mut Count, is_enabled: bool, multi_event: Option<bool>) {
    count.enabled += usize::from(is_enabled);
    count.multi_event += usize::from(is_enabled && multi_event == Some(true));
}
