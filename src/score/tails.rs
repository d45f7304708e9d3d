//! How far out each value of a row lies, feature by feature: empirical tails (ECOD; Li and others 2022).
//!
//! A row's score is the sum over its features of minus the log of the smaller of its two tail probabilities, as the
//! reference implementation in PyOD has it. Each summand says how much its feature contributes, which is why this
//! voice also explains. It comes twice: over floats for tables, and over byte histograms for the log pipeline, where
//! histograms of many threads add up to the same table in any order.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::matrix::{Matrix, Table};

/// Tails of float columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Tails {
    /// The sorted values of each column.
    columns: Vec<Vec<f64>>,
    /// Per column the side that its distribution is drawn out to.
    long_below: Vec<bool>,
}

impl Tails {
    /// Learns the distribution of each column.
    #[must_use]
    pub fn fit(matrix: &Matrix) -> Self {
        let columns = (0..matrix.columns()).map(|column| {
            let mut values: Vec<f64> = matrix.column(column).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        });
        let columns: Vec<Vec<f64>> = columns.collect();
        let long_below = columns.iter().map(|values| is_long_below(values)).collect();
        Self { columns, long_below }
    }

    /// Sum of [`Self::shares`].
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        self.shares(row).sum()
    }

    /// Per feature, minus the natural log of the probability of the tail that begins at its value, 0 or more.
    pub fn shares(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.sides(row).map(|(below, above)| below.max(above))
    }

    /// Two scores: the sum of [`Self::shares`], and the score of the paper: of all lower tails, of all upper tails and
    /// of the tails on the long side of each column, the largest sum. Its sums let many small surprises on one side
    /// add up, where the first takes each feature for itself.
    #[must_use]
    pub fn scores(&self, row: &[f64]) -> (f64, f64) {
        let (mut own, mut lower, mut upper, mut long) = (0.0, 0.0, 0.0, 0.0);
        for ((below, above), &long_below) in self.sides(row).zip(&self.long_below) {
            own += below.max(above);
            lower += below;
            upper += above;
            long += if long_below { below } else { above };
        }
        (own, f64::max(lower, upper).max(long))
    }

    /// Minus the log of the lower and of the upper tail, per feature.
    fn sides(&self, row: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        self.columns.iter().zip(row).map(|(sorted, value)| {
            let total = sorted.len() as u64;
            let below = sorted.partition_point(|other| other <= value) as u64;
            let above = total - sorted.partition_point(|other| other < value) as u64;
            (surprise(below, total), surprise(above, total))
        })
    }
}

/// Whether the skewness is negative.
fn is_long_below(values: &[f64]) -> bool {
    let most = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    if most == 0.0 {
        return false;
    }
    let mean = values.iter().map(|value| value / most).sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value / most - mean).powi(3)).sum::<f64>() < 0.0
}

/// Minus the log of a probability, counting the value itself as one more: unseen is rare, never impossible.
fn surprise(count: u64, total: u64) -> f64 {
    ((total + 1) as f64 / (count + 1).min(total + 1) as f64).ln()
}

/// Counts of byte values per column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteCounts {
    counts: Vec<[u64; 256]>,
}

impl ByteCounts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { counts: vec![[0; 256]; columns] }
    }

    /// Counts row-major rows; an incomplete last one is left out.
    pub fn add(&mut self, rows: &[u8]) {
        for row in rows.chunks_exact(self.counts.len().max(1)) {
            for (counts, &value) in self.counts.iter_mut().zip(row) {
                counts[usize::from(value)] += 1;
            }
        }
    }

    /// Adds what another part of the input has counted. Panics when it has other columns.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.counts.len(), other.counts.len(), "counts of the same columns");
        for (counts, more) in self.counts.as_flattened_mut().iter_mut().zip(other.counts.as_flattened()) {
            *counts += more;
        }
    }

    /// Counts per value of one column. Panics when out of range.
    #[must_use]
    pub fn column(&self, column: usize) -> &[u64; 256] {
        &self.counts[column]
    }
}

/// Why a stored table of tails is not one.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected 256 finite values of 0 or more in column {0}")]
pub struct TailsError(usize);

/// Tails of byte columns: minus log probabilities, looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f32>>", into = "Vec<Vec<f32>>")]
pub struct ByteTails {
    table: Vec<[f32; 256]>,
}

impl ByteTails {
    /// The tails of counted values.
    #[must_use]
    pub fn new(counts: &ByteCounts) -> Self {
        let table = counts.counts.iter().map(|counts| {
            let total: u64 = counts.iter().sum();
            let mut below = 0;
            std::array::from_fn(|value| {
                let above = total - below;
                below += counts[value];
                surprise(below.min(above), total) as f32
            })
        });
        Self { table: table.collect() }
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.table.len()
    }

    /// Sum of [`Self::shares`].
    #[must_use]
    pub fn score(&self, row: &[u8]) -> f32 {
        self.shares(row).sum()
    }

    /// Per feature, minus the natural log of the probability of the tail that begins at its value, 0 or more.
    pub fn shares(&self, row: &[u8]) -> impl Iterator<Item = f32> {
        self.table.iter().zip(row).map(|(table, &value)| table[usize::from(value)])
    }
}

impl From<ByteTails> for Vec<Vec<f32>> {
    fn from(tails: ByteTails) -> Self {
        tails.table.iter().map(|column| column.to_vec()).collect()
    }
}

impl TryFrom<Vec<Vec<f32>>> for ByteTails {
    type Error = TailsError;

    fn try_from(columns: Vec<Vec<f32>>) -> Result<Self, TailsError> {
        let table = columns.into_iter().enumerate().map(|(at, values)| {
            let sound = values.iter().all(|value| (0.0..f32::MAX).contains(value));
            <[f32; 256]>::try_from(values).ok().filter(|_| sound).ok_or(TailsError(at))
        });
        Ok(Self { table: table.collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::random::Random;

    #[test]
    fn both_tails_count_and_the_middle_does_not() {
        let matrix = Matrix::new((0..1000).map(f64::from).collect(), 1).unwrap();
        let tails = Tails::fit(&matrix);
        let at = |value: f64| tails.score(&[value]);
        assert!((at(0.0) - (1001.0_f64 / 2.0).ln()).abs() < 1e-12);
        assert_eq!(at(0.0), at(999.0));
        assert!(at(500.0) < 0.7 && at(100.0) > at(200.0) && at(900.0) > at(800.0));
        assert!((at(1e9) - 1001.0_f64.ln()).abs() < 1e-12, "unseen is rare, not impossible");
        let constant = Tails::fit(&Matrix::new(vec![3.0; 10], 1).unwrap());
        assert_eq!(constant.score(&[3.0]), 0.0);
        assert_eq!(Tails::fit(&Matrix::new(vec![], 1).unwrap()).score(&[3.0]), 0.0);
    }

    #[test]
    fn bytes_say_what_floats_say() {
        let mut random = Random::new(4);
        let bytes: Vec<u8> = (0..3000).map(|_| (random.unit().powi(3) * 255.0) as u8).collect();
        let matrix = Matrix::new(bytes.iter().map(|&byte| f64::from(byte)).collect(), 3).unwrap();
        let (mut counts, mut rest) = (ByteCounts::new(3), ByteCounts::new(3));
        counts.add(&bytes[..900]);
        rest.add(&bytes[900..]);
        counts.merge(&rest);
        let (floats, bytes) = (Tails::fit(&matrix), ByteTails::new(&counts));
        for value in 0..=255_u8 {
            let (row, float) = ([value; 3], [f64::from(value); 3]);
            assert!((f64::from(bytes.score(&row)) - floats.score(&float)).abs() < 1e-5, "{value}");
        }
        let shares: f32 = bytes.shares(&[1, 2, 3]).sum();
        assert_eq!(shares, bytes.score(&[1, 2, 3]));
    }

    #[test]
    fn a_table_survives_the_file_and_hostile_ones_are_refused() {
        let mut counts = ByteCounts::new(2);
        counts.add(&[1, 2, 3, 4]);
        let tails = ByteTails::new(&counts);
        let text = serde_json::to_string(&tails).unwrap();
        assert_eq!(serde_json::from_str::<ByteTails>(&text).unwrap(), tails);
        assert_eq!(ByteTails::try_from(vec![vec![0.0; 256], vec![0.0; 255]]), Err(TailsError(1)));
        assert_eq!(ByteTails::try_from(vec![vec![f32::NAN; 256]]), Err(TailsError(0)));
        assert_eq!(ByteTails::try_from(vec![vec![-1.0; 256]]), Err(TailsError(0)));
    }
}
