//! Isolation forests (Liu, Ting, Zhou 2008): what a few cuts separate from the rest is anomalous.
//!
//! With [`Split::Random`] the forest is on a par with scikit-learn's `IsolationForest`; with [`Split::PooledGain`] it
//! is the axis-parallel fair-cut forest of isotree (Cortes 2021), which finds clustered anomalies that random cuts
//! miss and fails elsewhere: they belong side by side. Values are compared as `f32`, as scikit-learn does.

mod grow;
mod wire;

use serde::{Deserialize, Serialize};

pub(super) use self::grow::best_cut;
pub use self::wire::ForestError;
use super::matrix::{Matrix, Table};
use super::random::Random;

/// How a node chooses its cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// A random feature among those that vary, at a uniformly random value of its range (isolation forest).
    #[default]
    Random,
    /// A random feature, cut where the pooled standard deviation of the two sides is least (fair-cut forest).
    PooledGain,
}

/// How a forest is grown. The defaults are those of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForestOptions {
    /// Number of trees.
    pub trees: usize,
    /// Rows that each tree sees, drawn without replacement.
    pub sample: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// How cuts are chosen.
    pub split: Split,
}

impl Default for ForestOptions {
    fn default() -> Self {
        Self { trees: 100, sample: 256, seed: 0, split: Split::Random }
    }
}

/// One node of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// A cut: rows with `value <= threshold` go on at the next node, the others at `right`.
    Split {
        /// Column that is compared.
        feature: u32,
        /// Largest value of the left side.
        threshold: f32,
        /// Place of the right child; the left child is the next node.
        right: u32,
    },
    /// The end of a path.
    Leaf {
        /// Length of the path, with the expected length of what the height limit cut off.
        path: f32,
        /// Log of the share of the sample in this leaf over the leaf's share of the range, cut by cut. Low is empty.
        density: f32,
    },
}

/// A tree in preorder: a node's left child follows it, which makes cycles impossible to write down.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// The nodes, in preorder.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Path length and log density of the leaf where a row ends.
    fn leaf(&self, row: &[f32]) -> (f32, f32) {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Split { feature, threshold, right } => {
                    at = if row[feature as usize] <= threshold { at + 1 } else { right as usize };
                }
                Node::Leaf { path, density } => return (path, density),
            }
        }
    }
}

/// Trees, each grown from a sample of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "wire::ForestWire", into = "wire::ForestWire")]
pub struct Forest {
    columns: usize,
    sample: usize,
    trees: Vec<Tree>,
}

/// What a forest says about one row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Verdict {
    /// 0..1: two to the power of minus the mean path length over the expected one. High is anomalous.
    pub isolation: f64,
    /// Minus the mean log density of the row's leaves. High is anomalous; no fixed range.
    pub sparsity: f64,
}

impl Forest {
    /// Grows a forest. Without rows every score is one half.
    #[must_use]
    pub fn fit(table: &impl Table, options: ForestOptions) -> Self {
        let sample = options.sample.max(1).min(table.rows());
        let trees = (0..options.trees)
            .map(|index| {
                let mut random = Random::stream(options.seed, index as u64);
                let rows = random.sample(table.rows(), sample);
                Tree { nodes: grow::grow(table, &rows, options.split, &mut random) }
            })
            .collect();
        Self { columns: table.columns(), sample, trees }
    }

    /// Values per row.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Rows that each tree has seen.
    #[must_use]
    pub const fn sample(&self) -> usize {
        self.sample
    }

    /// The trees.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Anomaly score of a row, 0..1. Panics when the row has fewer columns than the forest.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        self.verdict(&narrow(row)).isolation
    }

    /// Anomaly scores of all rows; the same for any number of threads.
    #[must_use]
    pub fn score_all(&self, matrix: &Matrix, threads: usize) -> Vec<f64> {
        self.verdicts(matrix, threads).into_iter().map(|verdict| verdict.isolation).collect()
    }

    /// What the forest says about all rows; the same for any number of threads.
    #[must_use]
    pub fn verdicts(&self, matrix: &Matrix, threads: usize) -> Vec<Verdict> {
        super::matrix::map_rows(matrix, threads, |row| self.verdict(&narrow(row)))
    }

    /// Score of a mean path length, 0..1.
    #[must_use]
    pub fn isolation(&self, mean_path: f64) -> f64 {
        isolation(mean_path, self.sample)
    }

    fn verdict(&self, row: &[f32]) -> Verdict {
        let (mut path, mut density) = (0.0, 0.0);
        for tree in &self.trees {
            let leaf = tree.leaf(row);
            path += f64::from(leaf.0);
            density += f64::from(leaf.1);
        }
        let count = self.trees.len().max(1) as f64;
        Verdict { isolation: self.isolation(path / count), sparsity: -density / count }
    }
}

/// Expected length of an unsuccessful search in a binary tree of `count` leaves: the `c(n)` of the paper.
#[must_use]
pub fn expected_path(count: usize) -> f64 {
    /// Euler and Mascheroni's constant, which turns a logarithm into a harmonic number.
    const GAMMA: f64 = 0.577_215_664_901_532_9;
    match count {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let count = count as f64;
            2.0 * ((count - 1.0).ln() + GAMMA) - 2.0 * (count - 1.0) / count
        }
    }
}

/// Score of a mean path length in trees over `sample` rows.
pub(super) fn isolation(mean_path: f64, sample: usize) -> f64 {
    let expected = expected_path(sample);
    // One row cannot be told from the others.
    if expected > 0.0 { (-mean_path / expected).exp2() } else { 0.5 }
}

/// Values as the trees compare them. What is too large for `f32` becomes its largest value.
fn narrow(row: &[f64]) -> Vec<f32> {
    row.iter().map(|&value| narrow_value(value)).collect()
}

fn narrow_value(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cloud with one far point at the end.
    fn cloud(rows: usize) -> Matrix {
        let mut random = Random::new(3);
        let mut values: Vec<f64> = (0..rows * 2).map(|_| random.normal()).collect();
        values.extend([9.0, -9.0]);
        Matrix::new(values, 2).unwrap()
    }

    #[test]
    fn the_far_point_has_the_highest_score() {
        for split in [Split::Random, Split::PooledGain] {
            let matrix = cloud(1000);
            let forest = Forest::fit(&matrix, ForestOptions { split, ..ForestOptions::default() });
            let scores = forest.score_all(&matrix, 2);
            let highest = scores.iter().copied().fold(0.0, f64::max);
            assert_eq!(scores[1000], highest, "{split:?}");
            assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
            let mean = scores.iter().sum::<f64>() / 1001.0;
            assert!(scores[1000] > 0.6 && scores[1000] > mean + 0.1, "{split:?}: {} {mean}", scores[1000]);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_forest_on_any_number_of_threads() {
        let matrix = cloud(300);
        let forest = Forest::fit(&matrix, ForestOptions::default());
        assert_eq!(forest, Forest::fit(&matrix, ForestOptions::default()));
        assert_ne!(forest, Forest::fit(&matrix, ForestOptions { seed: 1, ..ForestOptions::default() }));
        assert_eq!(forest.score_all(&matrix, 1), forest.score_all(&matrix, 7));
        assert_eq!(forest.score(matrix.row(17)), forest.score_all(&matrix, 3)[17]);
    }

    #[test]
    fn nothing_one_row_and_constants_are_neither_errors_nor_anomalies() {
        let options = ForestOptions::default();
        let empty = Matrix::new(Vec::new(), 2).unwrap();
        assert!(Forest::fit(&empty, options).score_all(&empty, 4).is_empty());
        assert_eq!(Forest::fit(&empty, options).score(&[1.0, 2.0]), 0.5);
        let one = Matrix::new(vec![1.0, 2.0], 2).unwrap();
        assert_eq!(Forest::fit(&one, options).score_all(&one, 4), [0.5]);
        let constant = Matrix::new(vec![3.0; 800], 2).unwrap();
        let scores = Forest::fit(&constant, options).score_all(&constant, 4);
        assert!(scores.iter().all(|score| (score - 0.5).abs() < 1e-6), "{}", scores[0]);
        let huge = Matrix::new(vec![-1e308, 1e308, 0.0, 1.0], 1).unwrap();
        assert!(Forest::fit(&huge, options).score_all(&huge, 1).iter().all(|score| score.is_finite()));
    }

    #[test]
    fn expected_paths_are_those_of_the_paper() {
        assert_eq!(expected_path(1), 0.0);
        assert_eq!(expected_path(2), 1.0);
        assert!((expected_path(256) - 10.244_770).abs() < 1e-5);
    }
}
