//! Scores to tail probabilities: peaks over threshold (Siffer and others 2017, after Pickands 1975).
//!
//! Below a cut the sample itself says how rare a score is; above it a generalised Pareto tail fitted to the excesses
//! does. It is fitted by moments, which needs one pass and no iteration; a shape below 0 is taken as 0, because the
//! bound that such a tail has is a bound of the sample, not of the future. The probability is never 0.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Anomaly score from which an event is reported, unless the user says otherwise: a tail probability of 1.6e-3.
pub const DEFAULT_THRESHOLD: f64 = 0.7;

/// Points that are kept of the sample's distribution below the cut.
const BODY_POINTS: usize = 256;

/// Fewer excesses than this tell nothing about the shape; the tail is then exponential.
const LEAST_EXCESSES: usize = 10;

/// How much rarer than the rarest of the sample a score may be called. Beyond it is guessing.
const MOST_EXTRAPOLATION: f64 = 1e4;

/// How a tail is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpotOptions {
    /// Share of the sample above the cut.
    pub tail: f64,
    /// Minimum effect size, in units of the score: each such step above the cut divides the probability by e at most.
    /// It keeps a sample without spread, 2, 2, 2, from calling a 3 impossible.
    pub least_scale: f64,
}

impl Default for SpotOptions {
    fn default() -> Self {
        Self { tail: 0.02, least_scale: 0.01 }
    }
}

/// How rare scores are, learned from a sample of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SpotWire", into = "SpotWire")]
pub struct Spot(SpotWire);

/// Why a stored distribution is not one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SpotError {
    /// Scores that do not rise, probabilities that do not fall or are not in 0..=1.
    #[error("expected rising finite scores with falling probabilities above 0, at point {0}")]
    Body(usize),
    /// A tail that no fit gives.
    #[error("expected a tail with a shape of 0 to 1, a positive scale and a probability that follows the body's")]
    Tail,
}

/// The stored form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpotWire {
    /// Scores and the probability to reach them, up to the cut.
    body: Vec<(f64, f64)>,
    /// Probability to exceed the cut.
    beyond: f64,
    shape: f64,
    scale: f64,
    least_scale: f64,
    /// The least probability that is given out.
    least: f64,
}

impl Spot {
    /// Learns from a sample. What is not a number is left out; without anything left, no score is rare.
    #[must_use]
    pub fn fit(scores: &[f64], options: SpotOptions) -> Self {
        let mut sorted: Vec<f64> = scores.iter().copied().filter(|score| score.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let total = sorted.len() as f64 + 1.0;
        // One more than were seen: the next score may be the rarest yet.
        let reach = |score: f64| (sorted.len() - sorted.partition_point(|&other| other < score) + 1) as f64 / total;
        let place = (sorted.len() as f64 * (1.0 - options.tail.clamp(0.0, 1.0))) as usize;
        let cut = sorted.get(place.min(sorted.len().saturating_sub(1))).copied();
        let above = cut.map_or(0, |cut| sorted.partition_point(|&other| other <= cut));
        let least_scale = if options.least_scale > 0.0 { options.least_scale } else { f64::MIN_POSITIVE };
        let (shape, scale) = moments(&sorted[above..], cut.unwrap_or(0.0));
        let mut body: Vec<(f64, f64)> = Vec::new();
        let points = above.min(BODY_POINTS);
        for point in 1..=points {
            let score = sorted[point * above / points - 1];
            if body.last().is_none_or(|last| last.0 < score) {
                body.push((score, reach(score)));
            }
        }
        let beyond = (sorted.len() - above + 1) as f64 / total;
        let scale = scale.max(least_scale);
        Self(SpotWire { body, beyond, shape, scale, least_scale, least: 1.0 / (total * MOST_EXTRAPOLATION) })
    }

    /// Probability that a score like those of the sample is this high or higher. Above 0, and never rising.
    #[must_use]
    pub fn tail_probability(&self, score: f64) -> f64 {
        let SpotWire { body, beyond, shape, scale, least_scale, least } = &self.0;
        let Some(&(cut, reach)) = body.last() else { return 1.0 };
        if score > cut {
            let excess = score - cut;
            let tail =
                if *shape < 1e-9 { (-excess / scale).exp() } else { (1.0 + shape * excess / scale).powf(-1.0 / shape) };
            // Right above a cut that many scores share, the minimum effect size leads down from their probability.
            let effect = reach * (-excess / least_scale).exp();
            return (beyond * tail).max(effect).clamp(*least, 1.0);
        }
        let next = body.partition_point(|point| point.0 < score);
        match (next.checked_sub(1), body.get(next)) {
            (Some(before), Some(&(high, least))) => {
                let (low, most) = body[before];
                most + (least - most) * (score - low) / (high - low)
            }
            // At or below the lowest score, or not a number.
            _ => 1.0,
        }
    }

    /// Anomaly score 0..1 of a raw score: [`probability_to_score`] of its tail probability.
    #[must_use]
    pub fn score(&self, score: f64) -> f64 {
        probability_to_score(self.tail_probability(score))
    }
}

/// A tail probability as a score: linear in the decades, 1 -> 0, 1e-2 -> 0.5, 1e-3 -> 0.75, 1e-5 and less -> 1.
///
/// So a score says the same on every log: 0.75 is what one event in a thousand reaches by chance.
#[must_use]
pub fn probability_to_score(probability: f64) -> f64 {
    let decades = -probability.clamp(1e-300, 1.0).log10();
    if decades <= 3.0 { decades / 4.0 } else { (0.75 + (decades - 3.0) / 8.0).min(1.0) }
}

/// Shape and scale of a generalised Pareto distribution with the mean and variance of the excesses.
fn moments(above: &[f64], cut: f64) -> (f64, f64) {
    let count = above.len() as f64;
    if above.is_empty() {
        return (0.0, 0.0);
    }
    let mean = above.iter().map(|score| score - cut).sum::<f64>() / count;
    let variance = above.iter().map(|score| (score - cut - mean).powi(2)).sum::<f64>() / count;
    let ratio = if variance > 0.0 { mean * mean / variance } else { 1.0 };
    if above.len() < LEAST_EXCESSES || ratio >= 1.0 || !ratio.is_finite() {
        return (0.0, mean);
    }
    ((1.0 - ratio) / 2.0, mean * (1.0 + ratio) / 2.0)
}

impl From<Spot> for SpotWire {
    fn from(spot: Spot) -> Self {
        spot.0
    }
}

impl TryFrom<SpotWire> for Spot {
    type Error = SpotError;

    fn try_from(wire: SpotWire) -> Result<Self, SpotError> {
        for (at, &(score, reach)) in wire.body.iter().enumerate() {
            let rises = at == 0 || (wire.body[at - 1].0 < score && wire.body[at - 1].1 >= reach);
            if !(score.is_finite() && reach > 0.0 && reach <= 1.0 && rises) {
                return Err(SpotError::Body(at));
            }
        }
        let reach = wire.body.last().map_or(1.0, |last| last.1);
        let positive = |number: f64| number.is_finite() && number > 0.0;
        let sound = (0.0..=1.0).contains(&wire.shape)
            && positive(wire.scale)
            && positive(wire.least_scale)
            && positive(wire.beyond)
            && wire.beyond <= reach
            && positive(wire.least)
            && wire.least <= reach;
        if sound { Ok(Self(wire)) } else { Err(SpotError::Tail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::random::Random;
    use proptest::prelude::*;

    fn fit(scores: &[f64]) -> Spot {
        Spot::fit(scores, SpotOptions::default())
    }

    #[test]
    fn the_tail_of_known_distributions() {
        let mut random = Random::new(1);
        let exponential: Vec<f64> = (0..100_000).map(|_| -(1.0 - random.unit()).ln()).collect();
        let spot = fit(&exponential);
        for probability in [0.5, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6] {
            let found = spot.tail_probability(-f64::ln(probability));
            assert!((found / probability).ln().abs() < 0.7, "{found} is not {probability}");
        }
        // Pareto with shape 1/4: P(X > x) = x^-4.
        let heavy: Vec<f64> = (0..100_000).map(|_| (1.0 - random.unit()).powf(-0.25)).collect();
        let spot = fit(&heavy);
        for probability in [1e-2, 1e-3, 1e-4, 1e-5] {
            let found = spot.tail_probability(f64::powf(probability, -0.25));
            assert!((found / probability).ln().abs() < 0.9, "{found} is not {probability}");
        }
    }

    #[test]
    fn constant_data_and_then_a_little_more_is_not_astronomically_rare() {
        let spot = Spot::fit(&[2.0; 10_000], SpotOptions { least_scale: 1.0, ..SpotOptions::default() });
        assert_eq!(spot.tail_probability(2.0), 1.0);
        assert!((spot.tail_probability(3.0) - (-1.0_f64).exp()).abs() < 1e-12);
        assert!(spot.score(3.0) < DEFAULT_THRESHOLD);
        assert!(spot.tail_probability(1e300) > 0.0);
    }

    #[test]
    fn few_rows_say_little() {
        assert_eq!(fit(&[]).tail_probability(1e9), 1.0);
        assert_eq!(fit(&[f64::NAN]).score(5.0), 0.0);
        let five = fit(&[0.1, 0.2, 0.3, 0.4, 0.5]);
        assert!((five.tail_probability(0.5) - 2.0 / 6.0).abs() < 1e-12);
        assert!(five.tail_probability(100.0) > 1e-6);
        assert_eq!(five.tail_probability(f64::NAN), 1.0);
    }

    #[test]
    fn scores_are_decades() {
        for (probability, score) in [(1.0, 0.0), (1e-2, 0.5), (1e-3, 0.75), (1e-5, 1.0), (0.0, 1.0), (2.0, 0.0)] {
            assert!((probability_to_score(probability) - score).abs() < 1e-12, "{probability}");
        }
    }

    #[test]
    fn hostile_numbers_are_refused() {
        let good = serde_json::to_value(fit(&[0.1, 0.2, 0.3])).unwrap();
        assert!(serde_json::from_value::<Spot>(good.clone()).is_ok());
        for (key, value) in [("beyond", 0.0), ("beyond", 2.0), ("shape", -1.0), ("scale", 0.0), ("least", -1.0)] {
            let mut bad = good.clone();
            bad[key] = value.into();
            assert!(serde_json::from_value::<Spot>(bad).is_err(), "{key} {value}");
        }
        let mut bad = good;
        bad["body"][1][0] = 0.0.into();
        assert!(serde_json::from_value::<Spot>(bad).is_err());
    }

    proptest! {
        #[test]
        fn probabilities_never_rise(
            scores in prop::collection::vec(prop_oneof![Just(0.5), 0.0..1.0, -1e6..1e6], 0..400),
            mut probes in prop::collection::vec(-2e6..2e6, 2..40),
        ) {
            let spot = fit(&scores);
            probes.extend(&scores);
            probes.sort_unstable_by(f64::total_cmp);
            for pair in probes.windows(2) {
                let (low, high) = (spot.tail_probability(pair[0]), spot.tail_probability(pair[1]));
                prop_assert!(low >= high && high > 0.0 && low <= 1.0, "{pair:?}: {low} {high}");
            }
            let text = serde_json::to_string(&spot).unwrap();
            prop_assert!(serde_json::from_str::<Spot>(&text).is_ok(), "{text}");
        }
    }
}
