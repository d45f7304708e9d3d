//! Forests whose cuts are oblique: each node looks at the sum of two features, in units of their spread in the node.
//!
//! This is the extended isolation forest (Hariri, Carrasco Kind, Brunner 2019) with two features per cut, and with
//! [`Split::PooledGain`] the fair-cut forest of isotree. It sees what stands out only in the relation of two features,
//! at twice the cost of a plain forest and without a bit-sliced form, so it serves tables, not the log pipeline.

use super::forest::{ForestOptions, Split};
use super::matrix::{Matrix, Table};
use super::random::Random;

/// One node, in preorder.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    Cut { features: [u32; 2], weights: [f64; 2], threshold: f64, right: u32 },
    Leaf { path: f64 },
}

/// Trees of oblique cuts.
#[derive(Debug, Clone, PartialEq)]
pub struct ObliqueForest {
    sample: usize,
    trees: Vec<Vec<Node>>,
}

impl ObliqueForest {
    /// Grows a forest. Without rows every score is one half.
    #[must_use]
    pub fn fit(matrix: &Matrix, options: ForestOptions) -> Self {
        let sample = options.sample.max(1).min(matrix.rows());
        let height = sample.max(2).next_power_of_two().trailing_zeros();
        let trees = (0..options.trees)
            .map(|index| {
                let mut random = Random::stream(options.seed, index as u64);
                let mut rows = random.sample(matrix.rows(), sample);
                let mut grower = Grower { matrix, split: options.split, random, nodes: Vec::new(), sums: Vec::new() };
                grower.node(&mut rows, (0..matrix.columns()).collect(), (0, height));
                grower.nodes
            })
            .collect();
        Self { sample, trees }
    }

    /// Anomaly score of a row, 0..1. Panics when the row has fewer columns than the forest.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> f64 {
        let total: f64 = self.trees.iter().map(|tree| path(tree, row)).sum();
        super::forest::isolation(total / self.trees.len().max(1) as f64, self.sample)
    }
}

fn path(tree: &[Node], row: &[f64]) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Cut { features: [a, b], weights: [v, w], threshold, right } => {
                let sum = row[a as usize] * v + row[b as usize] * w;
                at = if sum <= threshold { at + 1 } else { right as usize };
            }
            Node::Leaf { path } => return path,
        }
    }
}

struct Grower<'a> {
    matrix: &'a Matrix,
    split: Split,
    random: Random,
    nodes: Vec<Node>,
    sums: Vec<f64>,
}

impl Grower<'_> {
    fn node(&mut self, members: &mut [usize], mut features: Vec<usize>, (depth, height): (u32, u32)) {
        let cut = if members.len() < 2 || depth >= height { None } else { self.cut(members, &mut features) };
        let Some((features_cut, weights, threshold)) = cut else {
            let path = f64::from(depth) + super::forest::expected_path(members.len());
            self.nodes.push(Node::Leaf { path });
            return;
        };
        let mut middle = 0;
        for at in 0..members.len() {
            let row = self.matrix.row(members[at]);
            if row[features_cut[0] as usize] * weights[0] + row[features_cut[1] as usize] * weights[1] <= threshold {
                members.swap(at, middle);
                middle += 1;
            }
        }
        let at = self.nodes.len();
        self.nodes.push(Node::Cut { features: features_cut, weights, threshold, right: 0 });
        let (left, right) = members.split_at_mut(middle);
        self.node(left, features.clone(), (depth + 1, height));
        let next = self.nodes.len() as u32;
        if let Node::Cut { right, .. } = &mut self.nodes[at] {
            *right = next;
        }
        self.node(right, features, (depth + 1, height));
    }

    fn cut(&mut self, members: &[usize], features: &mut Vec<usize>) -> Option<([u32; 2], [f64; 2], f64)> {
        let (mut chosen, mut weights, mut count) = ([0_u32; 2], [0.0; 2], 0);
        let mut open = features.len();
        while open > 0 && count < 2 {
            let drawn = self.random.below(open);
            let feature = features[drawn];
            let spread = self.spread(members, feature);
            if spread > 0.0 {
                chosen[count] = feature as u32;
                weights[count] = self.random.normal() / spread;
                count += 1;
                open -= 1;
                features.swap(drawn, open);
            } else {
                open -= 1;
                features.swap(drawn, open);
                features.swap_remove(open);
            }
        }
        self.sums.clear();
        for &member in members {
            let row = self.matrix.row(member);
            self.sums.push(row[chosen[0] as usize] * weights[0] + row[chosen[1] as usize] * weights[1]);
        }
        self.sums.sort_unstable_by(f64::total_cmp);
        let (low, high) = (self.sums[0], self.sums[self.sums.len() - 1]);
        if count == 0 || high - low <= 1e-9 {
            return None;
        }
        let threshold = match self.split {
            Split::Random => {
                let drawn = low + self.random.unit() * (high - low);
                if drawn < high { drawn } else { low }
            }
            Split::PooledGain => super::forest::best_cut(&self.sums),
        };
        Some((chosen, weights, threshold))
    }

    fn spread(&self, members: &[usize], feature: usize) -> f64 {
        let count = members.len() as f64;
        let mean = members.iter().map(|&row| self.matrix.value(row, feature)).sum::<f64>() / count;
        let square = members.iter().map(|&row| (self.matrix.value(row, feature) - mean).powi(2)).sum::<f64>() / count;
        let spread = square.sqrt();
        if spread > 1e-7 * (1.0 + mean.abs()) { spread } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_does_not_go_together_stands_out() {
        let mut random = Random::new(8);
        let mut values: Vec<f64> = (0..500).flat_map(|_| [random.normal(); 2]).collect();
        values.chunks_exact_mut(2).for_each(|row| row[1] += 0.1 * random.normal());
        // Neither value is extreme.
        values.extend([2.0, -2.0]);
        let matrix = Matrix::new(values, 2).unwrap();
        for split in [Split::Random, Split::PooledGain] {
            let options = ForestOptions { split, ..ForestOptions::default() };
            let forest = ObliqueForest::fit(&matrix, options);
            assert_eq!(forest, ObliqueForest::fit(&matrix, options));
            let odd = forest.score(matrix.row(500));
            let higher = (0..500).filter(|&row| forest.score(matrix.row(row)) > odd).count();
            assert!(higher <= 10, "{split:?}: {higher} rows lead it");
            assert!((0.0..=1.0).contains(&odd));
        }
    }

    #[test]
    fn nothing_one_row_and_constants_are_neither_errors_nor_anomalies() {
        for (values, columns) in [(vec![], 2), (vec![1.0, 2.0], 2), (vec![3.0; 800], 2), (vec![], 0)] {
            let matrix = Matrix::new(values, columns).unwrap();
            let score = ObliqueForest::fit(&matrix, ForestOptions::default()).score(&[1.0, 2.0]);
            assert!((score - 0.5).abs() < 1e-6, "{score}");
        }
        let single = Matrix::new(vec![1.0, 2.0, 3.0, 50.0], 1).unwrap();
        let forest = ObliqueForest::fit(&single, ForestOptions::default());
        assert!(forest.score(&[50.0]) > forest.score(&[2.0]));
    }
}
