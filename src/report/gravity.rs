//! Which version of a finding counts. Its id follows from threat, entity and first anomaly, so that a log that grew gives the
//! same id again, with what was added since: whoever reads findings from several places takes the gravest version.

use std::collections::HashMap;

use jiff::Timestamp;
use watchbell_sink::{Finding, Severity};

/// How grave a version of a finding is; what compares as greater takes the other's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gravity {
    severity: Severity,
    risk_score: u8,
    last_seen: Option<Timestamp>,
}

impl Gravity {
    /// That of this version.
    #[must_use]
    pub const fn of(finding: &Finding) -> Self {
        Self { severity: finding.severity, risk_score: finding.risk_score, last_seen: finding.last_seen }
    }
}

/// Each finding once, in its gravest version, in the order in which their ids first come. Of versions that are alike the
/// first counts.
pub fn each_once<T>(items: impl IntoIterator<Item = T>, finding: impl Fn(&T) -> &Finding) -> Vec<T> {
    let (mut kept, mut places) = (Vec::<T>::new(), HashMap::<String, usize>::new());
    for item in items {
        match places.get(&finding(&item).id) {
            Some(&at) if Gravity::of(finding(&kept[at])) < Gravity::of(finding(&item)) => kept[at] = item,
            Some(_) => {}
            None => {
                places.insert(finding(&item).id.clone(), kept.len());
                kept.push(item);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use watchbell_sink::testkit::findings::samples;

    use super::*;

    #[test]
    fn the_gravest_version_counts_in_the_place_of_the_first() {
        let [first, second] = <[Finding; 2]>::try_from(samples(2, 1)).unwrap();
        let mild = Finding { severity: Severity::Medium, ..first.clone() };
        let grave = Finding { severity: Severity::Critical, risk_score: 1, ..first.clone() };
        let riskier = Finding { risk_score: 2, ..grave.clone() };
        let later = Finding { last_seen: Some(Timestamp::MAX), ..riskier.clone() };
        let kept = each_once([&mild, &second, &later, &grave, &riskier], |finding| finding);
        assert_eq!(kept, [&later, &second]);
        assert_eq!(each_once([&grave, &riskier, &mild], |finding| finding), [&riskier]);
    }
}
