//! How far away the nearest of a few random rows is, averaged over many such handfuls (LeSiNN; Pang and others 2015,
//! after Sugiyama and Borgwardt 2013).
//!
//! It sees what no single feature shows: rows that are a little unusual in many related features at once. Distances are
//! in standard deviations and each feature counts for at most `MOST_DEVIATIONS` of them: without that bound one
//! heavy-tailed column decides every distance. A handful is small on purpose: in a large one a small cluster of
//! attacks finds its own kind.

use multiversion::multiversion;

use super::matrix::{Matrix, Table};
use super::random::Random;

/// Rows per handful. Also the width in which distances are computed.
const HANDFUL: usize = 8;

/// What lies further out counts as this far out.
const MOST_DEVIATIONS: f64 = 5.0;

/// Below this share of a column's largest value its spread is rounding.
const LEAST_SPREAD: f64 = 1e-9;

/// Handfuls of rows, ready to be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    columns: Vec<Scale>,
    /// Per handful and column the values of its rows.
    handfuls: Vec<[f32; HANDFUL]>,
}

/// From values to deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    column: usize,
    mean: f64,
    deviation: f64,
}

impl Neighbors {
    /// Draws `count` handfuls of rows. Columns without spread are left out.
    #[must_use]
    pub fn fit(matrix: &Matrix, count: usize, seed: u64) -> Self {
        let columns: Vec<Scale> = (0..matrix.columns()).filter_map(|column| scale(matrix, column)).collect();
        let mut handfuls = Vec::with_capacity(count * columns.len());
        for index in 0..count {
            let mut rows = Random::stream(seed, index as u64).sample(matrix.rows(), HANDFUL);
            if rows.is_empty() {
                break;
            }
            // Fewer rows than a handful: some count twice, which changes no minimum.
            rows = rows.iter().copied().cycle().take(HANDFUL).collect();
            handfuls.extend(
                columns
                    .iter()
                    .map(|scale| std::array::from_fn(|at| scale.deviations(matrix.value(rows[at], scale.column)))),
            );
        }
        Self { columns, handfuls }
    }

    /// Mean distance to the nearest row of each handful; 0 when nothing varies. Panics when the row is too short.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        let row: Vec<f32> = self.columns.iter().map(|scale| scale.deviations(row[scale.column])).collect();
        if row.is_empty() || self.handfuls.is_empty() {
            return 0.0;
        }
        mean_nearest(&self.handfuls, &row)
    }
}

impl Scale {
    fn deviations(&self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS) as f32
    }
}

fn scale(matrix: &Matrix, column: usize) -> Option<Scale> {
    let count = matrix.rows() as f64;
    // Halved first: the sum of two largest numbers must not overflow.
    let most = matrix.column(column).fold(0.0, |most: f64, value| most.max(value.abs()));
    if most == 0.0 {
        return None;
    }
    let mean = matrix.column(column).map(|value| value / most).sum::<f64>() / count;
    let variance = matrix.column(column).map(|value| (value / most - mean).powi(2)).sum::<f64>() / count;
    let deviation = variance.sqrt();
    (deviation > LEAST_SPREAD).then_some(Scale { column, mean: mean * most, deviation: deviation * most })
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn mean_nearest(handfuls: &[[f32; HANDFUL]], row: &[f32]) -> f64 {
    let mut total = 0.0;
    for handful in handfuls.chunks_exact(row.len()) {
        let mut distances = [0.0_f32; HANDFUL];
        for (values, &own) in handful.iter().zip(row) {
            for (distance, value) in distances.iter_mut().zip(values) {
                *distance += (value - own) * (value - own);
            }
        }
        total += f64::from(distances.into_iter().fold(f32::INFINITY, f32::min)).sqrt();
    }
    total / (handfuls.len() / row.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_relation_is_far_away() {
        let mut random = Random::new(1);
        let mut values: Vec<f64> = (0..500).flat_map(|_| [random.normal(), 7.0]).collect();
        values.chunks_exact_mut(2).for_each(|row| row[1] = row[0] + 0.05 * random.normal());
        // Neither value is unusual, the pair is.
        values.extend([1.5, -1.5]);
        let matrix = Matrix::new(values, 2).unwrap();
        let neighbors = Neighbors::fit(&matrix, 50, 1);
        let scores: Vec<f64> = (0..500).map(|row| neighbors.score(matrix.row(row))).collect();
        let odd = neighbors.score(matrix.row(500));
        assert!(scores.iter().filter(|&&score| score >= odd).count() <= 5, "{odd}");
        assert_eq!(neighbors, Neighbors::fit(&matrix, 50, 1));
        assert_ne!(neighbors, Neighbors::fit(&matrix, 50, 2));
    }

    #[test]
    fn nothing_one_row_and_constants_have_no_distance() {
        for (values, columns) in [(vec![], 2), (vec![1.0, 2.0], 2), (vec![3.0; 40], 2), (vec![0.0; 8], 1)] {
            let matrix = Matrix::new(values, columns).unwrap();
            assert_eq!(Neighbors::fit(&matrix, 5, 1).score(&[9.0, 9.0]), 0.0);
        }
        let huge = Matrix::new(vec![-1e308, 1e308, 1e308], 1).unwrap();
        assert!(Neighbors::fit(&huge, 5, 1).score(&[-1e308]).is_finite());
    }
}
