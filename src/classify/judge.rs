//! One event's evidence, its episodes and the voices' opinion to one score, threat type and severity.

use watchbell_sink::{Severity, ThreatType};

use super::{
    episode::{Candidate, EpisodeBook},
    threat,
};

/// What is held of one event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgment {
    /// What kind of threat it points to.
    pub threat: ThreatType,
    /// `-log10` of how probable it would be if nothing were wrong.
    pub strength: f32,
    /// Number of the event at the height of the episode that decided, if one did.
    pub height: Option<u64>,
}

/// Below this the evidence for a threat type is no better than the bare opinion that an event is unusual.
const NAMED: f32 = 1.5;

/// An act with evidence of this strength keeps its name within a stranger's visit.
const CLEAR: f32 = 4.0;

/// How much the voices' opinion counts where evidence speaks too, and where it stands alone.
const VOICES_BESIDE: f32 = 0.15;
const VOICES_ALONE: f32 = 0.9;

impl Judgment {
    /// Weighs an event. `voices` is `-log10` of the fused tail probability of the unsupervised voices.
    #[must_use]
    pub fn of(candidate: &Candidate, book: &EpisodeBook, voices: f32) -> Self {
        let is_habit = candidate.strength >= NAMED && book.is_habit(candidate.actor, candidate.threat);
        let own = if is_habit { 1.0 } else { candidate.strength };
        let episode = book.strongest(candidate).filter(|episode| episode.strength > own);
        let (evidence, threat, height) = match episode {
            // A stranger's act is told as the act, with the strength of what is known of the stranger.
            Some(episode)
                if threat::is_stranger(episode.threat) && threat::is_act(candidate.threat) && own >= CLEAR =>
            {
                (episode.strength + 0.05 * own, candidate.threat, None)
            }
            Some(episode) => (episode.strength + 0.05 * own, episode.threat, Some(episode.height)),
            None => (own, candidate.threat, None),
        };
        let alone = voices * VOICES_ALONE;
        if evidence < NAMED && alone >= evidence {
            return Self { threat: ThreatType::AnomalousAccess, strength: alone, height: None };
        }
        Self { threat, strength: evidence + VOICES_BESIDE * voices.min(6.0), height }
    }

    /// The anomaly score, 0..1.
    #[must_use]
    pub fn score(&self) -> f32 {
        score_of_strength(self.strength)
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        severity_of(self.threat, self.strength)
    }
}

/// Evidence terms are built by hand and many are tried on every event, so that their strength overstates: a strength of 5
/// is met by chance about as often as a probability of 1e-3 says.
const SOBER: f32 = 0.6;

/// The score 0..1 of a strength, on a log scale: one in 100 is 0.5, one in 1,000 is 0.75, and each further factor of ten
/// halves what is left to 1. So a score means the same on every log, and no two strengths have the same score.
#[must_use]
pub fn score_of_strength(strength: f32) -> f32 {
    let tens = (strength * SOBER).max(0.0);
    if tens < 3.0 { 0.25 * tens } else { 1.0 - 0.25 * (3.0 - tens).exp2() }
}

/// The strength that has this score; the inverse of [`score_of_strength`].
#[must_use]
pub fn strength_of_score(score: f32) -> f32 {
    let score = score.clamp(0.0, 0.999_999);
    let tens = if score < 0.75 { score * 4.0 } else { 3.0 - ((1.0 - score) / 0.25).log2() };
    tens.min(20.0) / SOBER
}

/// How much an event of this threat and strength matters: how improbable it is times what is lost when it is true.
#[must_use]
pub fn severity_of(threat: ThreatType, strength: f32) -> Severity {
    let weighed = strength * threat::impact(threat);
    match weighed {
        _ if weighed >= 9.0 => Severity::Critical,
        _ if weighed >= 6.5 => Severity::High,
        _ if weighed >= 4.5 => Severity::Medium,
        _ => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_grows_with_the_strength_and_turns_back() {
        let mut last = -1.0;
        for tenth in 0..200 {
            let strength = tenth as f32 * 0.1;
            let score = score_of_strength(strength);
            assert!(score > last && (0.0..1.0).contains(&score), "{strength} {score}");
            assert!((strength_of_score(score) - strength).abs() < 0.02, "{strength} {score}");
            last = score;
        }
    }

    #[test]
    fn known_scores() {
        for (tens, score) in [(0.0, 0.0), (2.0, 0.5), (3.0, 0.75), (4.0, 0.875), (5.0, 0.9375)] {
            assert!((score_of_strength(tens / SOBER) - score).abs() < 1e-5, "{tens}");
        }
    }

    #[test]
    fn severity_is_monotone_in_strength() {
        for threat in ThreatType::ALL {
            let severities: Vec<_> = (0..200).map(|tenth| severity_of(threat, tenth as f32 * 0.1)).collect();
            assert!(severities.is_sorted());
        }
    }
}
