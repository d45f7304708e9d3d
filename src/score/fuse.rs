//! The ensemble for tables: three families of voices that fail on different data, of equal weight.
//!
//! * Cuts: two oblique forests, one with random and one with gain-guided cuts; isolated rows and small clusters.
//! * Tails: the empirical tails, two-sided and skew-corrected; single extreme values.
//! * Distances: the nearest of a few random rows; unusual combinations.
//!
//! A voice is put in units of its own spread over what was learned from, then the voices are averaged. Ranks would be
//! safer against a voice that runs away, but they forget by how much the first row leads, and the first rows are those
//! that somebody looks at. The algorithm knows nothing about the table but its numbers and has no setting to tune.

use super::forest::{ForestOptions, Split};
use super::matrix::{Matrix, Table};
use super::neighbors::Neighbors;
use super::oblique::ObliqueForest;
use super::random::Random;
use super::tails::Tails;

/// Handfuls of the neighbor voice: twice as many as trees, because they differ more from each other.
const HANDFULS: usize = 200;

/// Rows that the spread of the voices is measured on, at most.
const SCALE_ROWS: usize = 4096;

/// Voices, and how much each counts: every family 2.
const WEIGHTS: [f64; VOICES] = [1.0, 1.0, 1.0, 1.0, 2.0];
const VOICES: usize = 5;

/// Several detectors as one.
#[derive(Debug, Clone)]
pub struct Ensemble {
    cuts: [ObliqueForest; 2],
    tails: Tails,
    neighbors: Neighbors,
    /// Mean and spread of each voice.
    scales: [(f64, f64); VOICES],
}

impl Ensemble {
    /// Learns from a table; the same seed gives the same ensemble.
    #[must_use]
    pub fn fit(matrix: &Matrix, seed: u64) -> Self {
        let forest = |split| ObliqueForest::fit(matrix, ForestOptions { seed, split, ..ForestOptions::default() });
        let mut ensemble = Self {
            cuts: [forest(Split::Random), forest(Split::PooledGain)],
            tails: Tails::fit(matrix),
            neighbors: Neighbors::fit(matrix, HANDFULS, seed),
            scales: [(0.0, 1.0); VOICES],
        };
        let rows = Random::new(seed).sample(matrix.rows(), SCALE_ROWS);
        let voices: Vec<[f64; VOICES]> = rows.iter().map(|&row| ensemble.voices(matrix.row(row))).collect();
        ensemble.scales = std::array::from_fn(|voice| scale(&voices, voice));
        ensemble
    }

    /// How far a row stands out, without bounds: the weighted mean of the voices, each in units of its spread. An
    /// average row has 0.
    ///
    /// Panics when the row has fewer columns than the table had.
    #[must_use]
    pub fn strength(&self, row: &[f64]) -> f64 {
        let sum: f64 = (self.voices(row).iter().zip(&self.scales).zip(WEIGHTS))
            .map(|((voice, (mean, spread)), weight)| weight * (voice - mean) / spread)
            .sum();
        sum / WEIGHTS.iter().sum::<f64>()
    }

    /// Strengths of all rows; the same for any number of threads.
    #[must_use]
    pub fn strength_all(&self, matrix: &Matrix, threads: usize) -> Vec<f64> {
        super::matrix::map_rows(matrix, threads, |row| self.strength(row))
    }

    /// Anomaly score of a row, 0..1, 1/2 for an average one: the logistic function of its strength.
    ///
    /// Panics when the row has fewer columns than the table had.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        1.0 / (1.0 + (-self.strength(row)).exp())
    }

    /// Anomaly scores of all rows; the same for any number of threads.
    #[must_use]
    pub fn score_all(&self, matrix: &Matrix, threads: usize) -> Vec<f64> {
        super::matrix::map_rows(matrix, threads, |row| self.score(row))
    }

    fn voices(&self, row: &[f64]) -> [f64; VOICES] {
        let [random, guided] = &self.cuts;
        let (two_sided, skewed) = self.tails.scores(row);
        [random.score(row), guided.score(row), two_sided, skewed, self.neighbors.score(row)]
    }
}

/// Mean and standard deviation of one voice; a voice that says nothing counts nothing.
fn scale(voices: &[[f64; VOICES]], voice: usize) -> (f64, f64) {
    let count = voices.len().max(1) as f64;
    let mean = voices.iter().map(|row| row[voice]).sum::<f64>() / count;
    let spread = (voices.iter().map(|row| (row[voice] - mean).powi(2)).sum::<f64>() / count).sqrt();
    if spread > 1e-9 { (mean, spread) } else { (mean, f64::INFINITY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odd_rows_lead_whatever_is_odd_about_them() {
        let mut random = Random::new(8);
        let mut values = Vec::new();
        for _ in 0..600 {
            let x = random.normal();
            values.extend([x, x + 0.1 * random.normal(), random.normal(), 4.0]);
        }
        values.extend([0.0, 0.0, 9.0, 4.0]); // one extreme value
        values.extend([2.5, -2.5, 0.0, 4.0]); // a pair that does not go together
        let matrix = Matrix::new(values, 4).unwrap();
        let ensemble = Ensemble::fit(&matrix, 1);
        let scores = ensemble.score_all(&matrix, 2);
        assert_eq!(scores, ensemble.score_all(&matrix, 5));
        assert_eq!(scores, Ensemble::fit(&matrix, 1).score_all(&matrix, 1));
        for odd in [600, 601] {
            let higher = scores.iter().filter(|&&score| score > scores[odd]).count();
            assert!(higher <= 12, "{odd}: {higher} rows lead it");
        }
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    }

    #[test]
    fn nothing_one_row_and_constants_are_average() {
        for (values, columns) in [(vec![], 2), (vec![1.0, 2.0], 2), (vec![3.0; 40], 2)] {
            let matrix = Matrix::new(values, columns).unwrap();
            let ensemble = Ensemble::fit(&matrix, 1);
            assert!(ensemble.score_all(&matrix, 3).iter().all(|&score| (score - 0.5).abs() < 1e-9));
            assert!(ensemble.score(&[5.0, 1e300]).is_finite());
        }
    }
}
