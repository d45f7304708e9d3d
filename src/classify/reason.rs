//! Why: what the score loses when a cause is taken away.
//!
//! Each [`Cause`] can be taken out of an event's circumstances. The evidence is weighed again without it, and what it
//! loses is the cause's share. So the reasons hold by construction: remove the cause, and the score falls.

use watchbell_sink::{Reason, ThreatType};

use super::judge::Judgment;
use crate::features::{
    Dimension, FEATURE_LIST, FEATURES,
    evidence::{self, Circumstances, Level},
};
use crate::parse::ActionClass;

mod wording;

pub use wording::feature_value;

/// Most reasons that are told of one anomaly.
const MOST: usize = 5;

/// What the unsupervised voices say of an event.
#[derive(Debug, Clone, Copy)]
pub struct VoiceOpinion<'a> {
    /// `-log10` of the fused tail probability.
    pub strength: f32,
    /// Values of the features.
    pub features: &'a [f32; FEATURES],
    /// Share of each feature in the opinion; they sum to 1 (or all are 0 when there is no opinion).
    pub shares: &'a [f32; FEATURES],
    /// Median of each feature in the log.
    pub medians: &'a [f32; FEATURES],
}

/// A reason with less of the score than this explains nothing.
const LEAST_SHARE: f64 = 0.02;

/// Something about an event that can make it suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Failed logins of one account.
    FailedLogins,
    /// Accounts failing from one address.
    FailingAccounts,
    /// Accounts that strangers failed to enter.
    StrangerAttempts,
    /// A country new to the account.
    NewCountry,
    /// An address new to the account.
    NewAddress,
    /// An hour at which the account is rarely active.
    UnusualHour,
    /// Resources new to the account.
    NewResources,
    /// Requests that were refused.
    Refusals,
    /// Hosts new to the account.
    NewHosts,
    /// An action new to the account.
    NewAction,
    /// An action that is rare in the log.
    RareAction,
    /// Administrative acts.
    AdministrativeActs,
    /// Data moved in half an hour.
    Volume,
    /// Intervals as regular as a machine's.
    RegularIntervals,
    /// Data sent to one destination over time.
    DestinationVolume,
    /// Another country shortly before.
    CountryChange,
    /// A long silence before.
    Silence,
    /// An act against the watch itself.
    Tampering,
}

impl Cause {
    const ALL: [Self; 18] = [
        Self::FailedLogins,
        Self::FailingAccounts,
        Self::StrangerAttempts,
        Self::NewCountry,
        Self::NewAddress,
        Self::UnusualHour,
        Self::NewResources,
        Self::Refusals,
        Self::NewHosts,
        Self::NewAction,
        Self::RareAction,
        Self::AdministrativeActs,
        Self::Volume,
        Self::RegularIntervals,
        Self::DestinationVolume,
        Self::CountryChange,
        Self::Silence,
        Self::Tampering,
    ];

    /// The circumstances as they were if this cause were not there.
    #[must_use]
    pub fn removed_from(self, seen: &Circumstances) -> Circumstances {
        let mut without = *seen;
        let calm = |level: Level| Level { observed: level.observed.min(level.usual), ..level };
        match self {
            Self::FailedLogins => without.actor_failures = calm(seen.actor_failures),
            Self::FailingAccounts => without.failing_actors = calm(seen.failing_actors),
            Self::StrangerAttempts => without.stranger_attempts = calm(seen.stranger_attempts),
            Self::NewCountry => without.novelty[Dimension::Country as usize] = 0.0,
            Self::NewAddress => without.novelty[Dimension::Address as usize] = 0.0,
            Self::UnusualHour => without.hour_surprise = 0.0,
            Self::NewResources => {
                without.new_resources = calm(seen.new_resources);
                without.reach_rarity = 0.0;
            }
            Self::Refusals => without.denials = calm(seen.denials),
            Self::NewHosts => without.new_hosts = calm(seen.new_hosts),
            Self::NewAction => without.novelty[Dimension::Action as usize] = 0.0,
            Self::RareAction => without.action_rarity = 0.0,
            Self::AdministrativeActs => without.privileges = calm(seen.privileges),
            Self::Volume => {
                without.volume = calm(seen.volume);
                without.volume_deviation = 0.0;
                without.volume_rarity = 0.0;
            }
            Self::RegularIntervals => without.jitter = 1.0,
            Self::DestinationVolume => without.flow_bytes = 0.0,
            Self::CountryChange => without.country_gap = 0,
            Self::Silence => without.silence = 0,
            Self::Tampering
                if matches!(seen.class, ActionClass::Tamper | ActionClass::Configure | ActionClass::Delete) =>
            {
                without.class = ActionClass::Other;
            }
            Self::Tampering => {}
        }
        without
    }
}

/// The reasons of a judgment, strongest first; their shares sum to 1. `seen` are the circumstances that decided: the
/// event's own, or those of the height of its episode.
#[must_use]
pub fn reasons(judgment: &Judgment, seen: &Circumstances, voices: &VoiceOpinion<'_>) -> Vec<Reason> {
    let evidence = strength_without(seen, judgment.threat, None);
    let mut told: Vec<Reason> = Vec::new();
    let mut lost = 0.0;
    if judgment.threat != ThreatType::AnomalousAccess && evidence > 0.0 {
        for cause in Cause::ALL {
            let loss = evidence - strength_without(seen, judgment.threat, Some(cause));
            if loss > 0.01 {
                lost += loss;
                told.push(wording::reason(cause, seen, f64::from(loss)));
            }
        }
    }
    let voices_share = if lost > 0.0 { 0.15 * voices.strength / (evidence + 0.15 * voices.strength) } else { 1.0 };
    for reason in &mut told {
        reason.share *= f64::from((1.0 - voices_share) / lost);
    }
    for (position, &share) in voices.shares.iter().enumerate() {
        if share > 0.0 {
            told.push(wording::feature_reason(position, voices, f64::from(share * voices_share)));
        }
    }
    keep_strongest(told)
}

/// Strength of the evidence for a threat, with one cause taken away or none.
fn strength_without(seen: &Circumstances, threat: ThreatType, cause: Option<Cause>) -> f32 {
    let circumstances = cause.map_or(*seen, |cause| cause.removed_from(seen));
    let mut strength = 0.0_f32;
    evidence::signals(&circumstances, |signal| {
        if signal.threat == threat {
            strength = strength.max(signal.strength);
        }
    });
    strength
}

/// The strongest few, with shares that sum to 1. Where nothing can be told apart, says so.
fn keep_strongest(mut told: Vec<Reason>) -> Vec<Reason> {
    told.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.feature.cmp(&b.feature)));
    let all: f64 = told.iter().map(|reason| reason.share).sum();
    told.retain(|reason| reason.share >= LEAST_SHARE * all);
    told.truncate(MOST);
    let sum: f64 = told.iter().map(|reason| reason.share).sum();
    if sum <= 0.0 {
        let text = "a combination of features that is rare in this log".to_owned();
        let (observed, typical) = ("rare".to_owned(), "common".to_owned());
        return vec![Reason { feature: "combination".to_owned(), text, observed, typical, share: 1.0 }];
    }
    let last = told.len() - 1;
    let mut rest = 1.0;
    for (position, reason) in told.iter_mut().enumerate() {
        reason.share = if position == last { rest } else { (reason.share / sum * 1e4).round() / 1e4 };
        rest -= reason.share;
        // Two roundings of the same number must not differ in the last bit of the report.
        rest = (rest * 1e4).round() / 1e4;
    }
    told
}

/// Name of a feature by its position.
fn feature_name(position: usize) -> &'static str {
    FEATURE_LIST[position].name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Outcome;

    fn brute_force() -> Circumstances {
        Circumstances {
            class: ActionClass::Login,
            outcome: Outcome::Failure,
            actor_failures: Level { observed: 48.0, usual: 0.4, since: 0 },
            ..Circumstances::default()
        }
    }

    const SILENT: VoiceOpinion<'static> =
        VoiceOpinion { strength: 0.0, features: &[0.0; FEATURES], shares: &[0.0; FEATURES], medians: &[0.0; FEATURES] };

    #[test]
    fn the_cause_leads_the_reasons_and_taking_it_away_lowers_the_score() {
        let judgment = Judgment { threat: ThreatType::BruteForce, strength: 12.0, height: None };
        let reasons = reasons(&judgment, &brute_force(), &SILENT);
        assert_eq!(reasons[0].feature, "failed_logins");
        assert_eq!(reasons[0].text, "48 failed logins of the account within 5 minutes; 0.4 are usual");
        assert_eq!(strength_without(&brute_force(), ThreatType::BruteForce, Some(Cause::FailedLogins)), 0.0);
    }

    #[test]
    fn shares_sum_to_one() {
        let seen = Circumstances {
            class: ActionClass::Read,
            named_actor: true,
            actor_events: 500.0,
            visit_since: 10,
            now: 100,
            novelty: [2.4, 0.0, 0.0, 0.0, 3.1],
            hour_surprise: 1.3,
            ..Circumstances::default()
        };
        let judgment = Judgment { threat: ThreatType::AccountTakeover, strength: 5.0, height: None };
        let mut shares = [0.0; FEATURES];
        shares[0] = 1.0;
        let opinion = VoiceOpinion { strength: 2.0, shares: &shares, ..SILENT };
        let reasons = reasons(&judgment, &seen, &opinion);
        assert_eq!(reasons[0].feature, "new_country");
        assert!((reasons.iter().map(|reason| reason.share).sum::<f64>() - 1.0).abs() < 1e-9, "{reasons:#?}");
    }

    #[test]
    fn an_opinion_without_evidence_is_told_by_its_features() {
        let judgment = Judgment { threat: ThreatType::AnomalousAccess, strength: 5.0, height: None };
        let mut shares = [0.0; FEATURES];
        shares[crate::features::position::BYTES] = 0.75;
        shares[crate::features::position::ACTION_RARITY] = 0.25;
        let mut features = [0.0; FEATURES];
        features[crate::features::position::BYTES] = 15.0;
        let reasons = reasons(
            &judgment,
            &Circumstances::default(),
            &VoiceOpinion { strength: 6.0, features: &features, shares: &shares, ..SILENT },
        );
        assert_eq!((reasons[0].feature.as_str(), reasons[0].share), ("bytes", 0.75));
        assert_eq!(reasons[0].observed, "3.3 MB");
    }
}
