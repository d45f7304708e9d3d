//! Tail probabilities beyond what was seen (stand-in until the tail is fitted properly).

use serde::{Deserialize, Serialize};

/// The calibration of one voice.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Spot {
    sorted: Vec<f64>,
    cut: f64,
    scale: f64,
}

impl Spot {
    /// Fits.
    #[must_use]
    pub fn fit(scores: &[f64]) -> Self {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = sorted.len() * 98 / 100;
        let cut = sorted.get(at).copied().unwrap_or(1.0);
        let peaks = &sorted[at.min(sorted.len())..];
        let scale = (peaks.iter().map(|peak| peak - cut).sum::<f64>() / peaks.len().max(1) as f64).max(0.01);
        Self { sorted, cut, scale }
    }

    /// Probability of at least this score.
    #[must_use]
    pub fn tail_probability(&self, score: f64) -> f64 {
        if score > self.cut {
            return 0.02 * (-(score - self.cut) / self.scale).exp();
        }
        let below = self.sorted.partition_point(|&seen| seen < score);
        (self.sorted.len() - below + 1) as f64 / (self.sorted.len() + 1) as f64
    }
}
