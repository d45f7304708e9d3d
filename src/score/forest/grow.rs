//! Grows one tree from its sample.
//!
//! The sample is copied column by column first: a node then runs over one short column at a time, whatever the table
//! is made of.

use super::{Node, Split, expected_path, narrow_value};
use crate::score::matrix::Table;
use crate::score::random::Random;

/// Below this spread a feature counts as constant in a node (scikit-learn's `FEATURE_THRESHOLD`).
const LEAST_SPREAD: f32 = 1e-7;

/// The nodes of a tree over some rows of a table, in preorder.
pub(super) fn grow(table: &impl Table, rows: &[usize], split: Split, random: &mut Random) -> Vec<Node> {
    let columns: Vec<Vec<f32>> = (0..table.columns())
        .map(|column| rows.iter().map(|&row| narrow_value(table.value(row, column))).collect())
        .collect();
    let features = (0..columns.len()).collect();
    let height = rows.len().max(2).next_power_of_two().trailing_zeros();
    let mut grower = Grower { columns, split, random, nodes: Vec::new(), order: Vec::new() };
    let mut members: Vec<u32> = (0..rows.len() as u32).collect();
    grower.node(&mut members, features, Place { depth: 0, height, density: 0.0 });
    grower.nodes
}

struct Grower<'a> {
    /// The sample, column by column.
    columns: Vec<Vec<f32>>,
    split: Split,
    random: &'a mut Random,
    nodes: Vec<Node>,
    /// Scratch of [`Grower::gain_cut`].
    order: Vec<f64>,
}

/// Where in the tree a node stands.
#[derive(Clone, Copy)]
struct Place {
    depth: u32,
    height: u32,
    /// Log density gathered on the way.
    density: f64,
}

/// A chosen cut.
struct Cut {
    feature: usize,
    threshold: f32,
    low: f32,
    high: f32,
}

impl Grower<'_> {
    /// Appends the subtree over `members`. `features` are those that may still vary here.
    fn node(&mut self, members: &mut [u32], mut features: Vec<usize>, place: Place) {
        let cut =
            if members.len() < 2 || place.depth >= place.height { None } else { self.draw_cut(members, &mut features) };
        let Some(cut) = cut else {
            let path = f64::from(place.depth) + expected_path(members.len());
            self.nodes.push(Node::Leaf { path: path as f32, density: place.density as f32 });
            return;
        };
        let column = &self.columns[cut.feature];
        let middle = partition(members, |member| column[member as usize] <= cut.threshold);
        let at = self.nodes.len();
        self.nodes.push(Node::Split { feature: cut.feature as u32, threshold: cut.threshold, right: 0 });
        let total = members.len() as f64;
        let (left, right) = members.split_at_mut(middle);
        let child = |count: usize, share: f64| Place {
            depth: place.depth + 1,
            height: place.height,
            density: place.density + (count as f64 / total).ln() - share.clamp(1e-6, 1.0).ln(),
        };
        let range = f64::from(cut.high) - f64::from(cut.low);
        let share = (f64::from(cut.threshold) - f64::from(cut.low)) / range;
        let (left_place, right_place) = (child(left.len(), share), child(right.len(), 1.0 - share));
        self.node(left, features.clone(), left_place);
        let next = self.nodes.len() as u32;
        if let Node::Split { right, .. } = &mut self.nodes[at] {
            *right = next;
        }
        self.node(right, features, right_place);
    }

    /// Draws features until one varies; those that do not are dropped for the whole subtree.
    fn draw_cut(&mut self, members: &[u32], features: &mut Vec<usize>) -> Option<Cut> {
        while !features.is_empty() {
            let drawn = self.random.below(features.len());
            let feature = features[drawn];
            let column = &self.columns[feature];
            let (low, high) = members.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &member| {
                let value = column[member as usize];
                (low.min(value), high.max(value))
            });
            if high > low + LEAST_SPREAD {
                let threshold = match self.split {
                    Split::Random => self.uniform_cut(low, high),
                    Split::PooledGain => self.gain_cut(members, feature),
                };
                return Some(Cut { feature, threshold, low, high });
            }
            features.swap_remove(drawn);
        }
        None
    }

    fn uniform_cut(&mut self, low: f32, high: f32) -> f32 {
        let (from, to) = (f64::from(low), f64::from(high));
        let threshold = (from + self.random.unit() * (to - from)) as f32;
        // Rounding may reach the upper end, which would leave the right side empty.
        if threshold < high { threshold.max(low) } else { low }
    }

    fn gain_cut(&mut self, members: &[u32], feature: usize) -> f32 {
        let column = &self.columns[feature];
        self.order.clear();
        self.order.extend(members.iter().map(|&member| f64::from(column[member as usize])));
        self.order.sort_unstable_by(f64::total_cmp);
        let cut = best_cut(&self.order);
        // Rounding may lead past the upper neighbor, which would leave nothing between the two sides.
        let place = self.order.partition_point(|&value| value <= cut);
        let (below, above) = (self.order[place - 1] as f32, self.order[place] as f32);
        if (cut as f32) < above { (cut as f32).max(below) } else { below }
    }
}

/// The middle between the two neighbors whose gap leaves the least pooled standard deviation. Takes sorted values, of
/// which the first and the last differ, and gives a value that is not the last.
pub(in crate::score) fn best_cut(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let scaled = |value: f64| (value - low) / (high - low);
    let (total, square) = sorted.iter().fold((0.0, 0.0), |(total, square), &value| {
        let value = scaled(value);
        (total + value, square + value * value)
    });
    let (mut left, mut left_square, mut best) = (0.0, 0.0, (f64::INFINITY, 1));
    for (index, pair) in sorted.windows(2).enumerate() {
        let value = scaled(pair[0]);
        left += value;
        left_square += value * value;
        if pair[0] < pair[1] {
            let (count, rest) = ((index + 1) as f64, (sorted.len() - index - 1) as f64);
            let pooled = spread(count, left, left_square) + spread(rest, total - left, square - left_square);
            if pooled < best.0 {
                best = (pooled, index + 1);
            }
        }
    }
    let (below, above) = (sorted[best.1 - 1], sorted[best.1]);
    let middle = f64::midpoint(below, above);
    if middle < above { middle } else { below }
}

/// Count times the standard deviation, from the sums of values and squares.
fn spread(count: f64, sum: f64, square: f64) -> f64 {
    (count * square - sum * sum).max(0.0).sqrt()
}

/// Moves what fits to the front, keeping no order, and says how many fit.
fn partition(members: &mut [u32], fits: impl Fn(u32) -> bool) -> usize {
    let mut middle = 0;
    for at in 0..members.len() {
        if fits(members[at]) {
            members.swap(at, middle);
            middle += 1;
        }
    }
    middle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::matrix::Matrix;

    #[test]
    fn pooled_gain_cuts_in_the_widest_sensible_gap() {
        let values = vec![0.0, 0.1, 0.2, 0.3, 5.0, 5.1, 5.2, 5.3];
        let matrix = Matrix::new(values, 1).unwrap();
        let rows: Vec<usize> = (0..8).collect();
        let nodes = grow(&matrix, &rows, Split::PooledGain, &mut Random::new(1));
        let Node::Split { threshold, right, .. } = nodes[0] else { panic!("a root that is cut") };
        assert!((threshold - 2.65).abs() < 1e-6, "{threshold}");
        assert!(right > 1 && (right as usize) < nodes.len());
    }

    #[test]
    fn leaves_say_how_long_their_path_is() {
        let matrix = Matrix::new(vec![1.0, 1.0, 1.0, 4.0], 1).unwrap();
        let nodes = grow(&matrix, &[0, 1, 2, 3], Split::Random, &mut Random::new(1));
        let paths: Vec<f32> = nodes.iter().filter_map(|node| leaf_path(*node)).collect();
        assert_eq!(paths.len(), 2);
        assert!((f64::from(paths[0]) - 1.0 - expected_path(3)).abs() < 1e-6);
        assert_eq!(paths[1], 1.0);
    }

    fn leaf_path(node: Node) -> Option<f32> {
        match node {
            Node::Leaf { path, .. } => Some(path),
            Node::Split { .. } => None,
        }
    }
}
