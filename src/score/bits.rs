//! The forests over byte features, 512 rows at a time: the hot path of the product.
//!
//! Rows are kept as bit planes. A cut `x < c` of 512 rows is a handful of logic operations on 512-bit words, the rows
//! that reach a node are one such word, and a leaf ORs its length, as a fixed-point number, into bit-sliced sums. All
//! of it is integers, so every machine gets the same result; the words are arrays that the compiler turns into
//! whatever registers the machine at hand has. What is lost is the rounding of a leaf's length to 1/14 or so, below
//! .1 % of the mean path.

mod ladder;
mod planes;

use multiversion::multiversion;
use thiserror::Error;

pub use self::ladder::Ladder;
use self::ladder::Rungs;
pub use self::planes::Planes;
use super::forest::{Forest, Node, Tree};

/// Rows in one block.
pub const BLOCK_ROWS: usize = 512;

/// Machine words per bit plane.
const WORDS: usize = BLOCK_ROWS / 64;

/// One bit of each row of a block.
type Word = [u64; WORDS];

/// Bits of a leaf's length.
const LEAF_BITS: usize = 8;

/// Fixed-point steps per unit of length, at the least; a sample of 256 rows allows 13.
const LEAST_STEPS: f32 = 8.0;

/// Bits of the sum over all trees.
const SUM_BITS: usize = 16;

/// As many trees as the sum has room for.
const MOST_TREES: usize = ((1 << SUM_BITS) - 1) / ((1 << LEAF_BITS) - 1);

/// Places for the rows that wait at a node: one more than the depth of the deepest tree that is compiled.
const SLOTS: usize = 40;

/// Smaller subtrees are gone through even when no row reaches them: guessing wrong whether one is empty costs more.
const LEAST_SKIP: u16 = 7;

/// Why a forest can't be compiled.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CompileError {
    /// The sums would overflow, or there is nothing to compile.
    #[error("expected 1 to {MOST_TREES} trees, found {0}")]
    Trees(usize),
    /// A row of so many columns does not fit the compiled form.
    #[error("expected at most {most} columns, found {0}", most = u16::MAX)]
    Columns(usize),
    /// A path that the fixed-point numbers have no room for.
    #[error("expected trees of a depth below {SLOTS}, with less than 65536 nodes and paths below 31")]
    Depth,
}

/// One node, in preorder. A leaf has a `skip` of 1.
///
/// `slot` right children wait while the node's subtree is gone through. A cut puts its own right child's rows on top of
/// them and goes on with the left child's; where a subtree ends, the one on top comes next.
#[derive(Debug, Clone, Copy)]
struct Step {
    column: u16,
    /// Nodes of the whole subtree.
    skip: u16,
    slot: u8,
    /// Upper half of the cut, 0..=16: rows below the cut go left.
    high: u8,
    /// Lower half of the cut, 0..16; of a leaf its fixed-point length.
    low: u8,
}

/// A forest compiled for blocks of byte rows.
#[derive(Debug, Clone)]
pub struct BitForest {
    columns: usize,
    trees: Vec<Vec<Step>>,
    /// Exponent per fixed-point step of the summed path.
    exponent: f32,
}

impl BitForest {
    /// Compiles a forest that was grown on byte rows. Thresholds between two bytes lose nothing.
    ///
    /// # Errors
    /// When the forest is larger than the compiled form allows.
    pub fn compile(forest: &Forest) -> Result<Self, CompileError> {
        let count = forest.trees().len();
        if !(1..=MOST_TREES).contains(&count) {
            return Err(CompileError::Trees(count));
        }
        if u16::try_from(forest.columns()).is_err() {
            return Err(CompileError::Columns(forest.columns()));
        }
        let longest = forest.trees().iter().flat_map(Tree::nodes).fold(1.0, |most, node| match *node {
            Node::Leaf { path, .. } => path.max(most),
            Node::Split { .. } => most,
        });
        // A whole number of steps, so that the paths that end in a single row, the anomalous ones, are exact.
        let steps = (f32::from(u8::MAX) / longest).floor();
        if steps < LEAST_STEPS {
            return Err(CompileError::Depth);
        }
        let trees = forest.trees().iter().map(|tree| compile_tree(tree, steps)).collect::<Result<_, _>>()?;
        // Of a forest that has seen one row every score is one half, whatever the path.
        let expected = super::forest::expected_path(forest.sample());
        let exponent = if expected > 0.0 { 1.0 / (expected * f64::from(steps) * count as f64) } else { 0.0 };
        Ok(Self { columns: forest.columns(), trees, exponent: exponent as f32 })
    }

    /// Anomaly scores of a block, 0..1, as [`Forest::score`] gives them up to .1 % of the mean path.
    ///
    /// To score one block with several forests, make a [`Ladder`] once and use [`Self::climb`]. Panics when the block
    /// has fewer columns than the forest. Scores past the block's last row mean nothing.
    pub fn score(&self, planes: &Planes, out: &mut [f32; BLOCK_ROWS]) {
        let mut ladder = Ladder::default();
        ladder.set(planes);
        self.climb(&ladder, out);
    }

    /// As [`Self::score`], from a ladder that several forests share.
    pub fn climb(&self, ladder: &Ladder, out: &mut [f32; BLOCK_ROWS]) {
        assert!(ladder.columns() >= self.columns, "a block of at least {} columns", self.columns);
        let mut sums = [[0; WORDS]; SUM_BITS];
        sum_paths(&self.trees, ladder.rungs(), &mut sums);
        let mut steps = [0; BLOCK_ROWS];
        planes::gather(&sums, &mut steps);
        if self.exponent == 0.0 {
            out.fill(0.5);
        } else {
            exponentials(&steps, self.exponent, out);
        }
    }
}

fn compile_tree(tree: &Tree, per_unit: f32) -> Result<Vec<Step>, CompileError> {
    let nodes = tree.nodes();
    let mut steps = vec![Step { column: 0, skip: 1, slot: 0, high: 0, low: 0 }; nodes.len()];
    // A preorder read backwards meets children before their parents.
    for at in (0..nodes.len()).rev() {
        match nodes[at] {
            Node::Split { feature, threshold, right } => {
                let skip = 1 + u32::from(steps[at + 1].skip) + u32::from(steps[right as usize].skip);
                steps[at].skip = u16::try_from(skip).map_err(|_| CompileError::Depth)?;
                steps[at].column = feature as u16;
                // Among whole numbers, x <= threshold is x < cut. 0 sends all to the right, 256 all to the left.
                let cut = (threshold.floor() + 1.0).clamp(0.0, 256.0) as u16;
                steps[at].high = (cut >> 4) as u8;
                steps[at].low = (cut & 15) as u8;
            }
            Node::Leaf { path, .. } => {
                steps[at].low = (path * per_unit).round() as u8;
            }
        }
    }
    for at in 0..nodes.len() {
        if let Node::Split { right, .. } = nodes[at] {
            let slot = steps[at].slot;
            if usize::from(slot) + 1 >= SLOTS {
                return Err(CompileError::Depth);
            }
            steps[at + 1].slot = slot + 1;
            steps[right as usize].slot = slot;
        }
    }
    Ok(steps)
}

/// Four bits, each as wide as a machine word.
const MASKS: [[u64; 4]; 16] = {
    let mut masks = [[0; 4]; 16];
    let mut at = 0;
    while at < 64 {
        if (at / 4) >> (at % 4) & 1 == 1 {
            masks[at / 4][at % 4] = u64::MAX;
        }
        at += 1;
    }
    masks
};

/// Adds up, bit by bit, the fixed-point paths of all rows through all trees.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+bmi1+bmi2", "x86_64+avx2+bmi1+bmi2"))]
fn sum_paths(trees: &[Vec<Step>], rungs: &[Rungs], sums: &mut [Word; SUM_BITS]) {
    let mut reach = [[0; WORDS]; SLOTS];
    for tree in trees {
        let mut here = [u64::MAX; WORDS];
        let mut leaf = [[0; WORDS]; LEAF_BITS];
        let mut at = 0;
        while let Some(step) = tree.get(at) {
            let slot = usize::from(step.slot);
            // A leaf that no row reaches adds nothing, and asking first would cost more.
            if step.skip == 1 {
                at += 1;
                let masks = [MASKS[usize::from(step.low & 15)], MASKS[usize::from(step.low >> 4)]];
                for (plane, mask) in leaf.iter_mut().zip(masks.as_flattened()) {
                    for word in 0..WORDS {
                        plane[word] |= here[word] & mask;
                    }
                }
                here = reach[slot];
            } else if step.skip > LEAST_SKIP && is_empty(&here) {
                at += usize::from(step.skip);
                here = reach[slot];
            } else {
                at += 1;
                let rungs = &rungs[usize::from(step.column)];
                let high = usize::from(step.high);
                let (below, upto, low) = (&rungs.high[high], &rungs.high[high + 1], &rungs.low[usize::from(step.low)]);
                for word in 0..WORDS {
                    let left = below[word] | (upto[word] & low[word]);
                    reach[slot + 1][word] = here[word] & !left;
                    here[word] &= left;
                }
            }
        }
        add(&leaf, sums);
    }
}

#[inline(always)]
fn is_empty(word: &Word) -> bool {
    word.iter().fold(0, |any, part| any | part) == 0
}

/// Bit-sliced addition: one full adder per bit of the leaf, half adders above.
#[inline(always)]
fn add(leaf: &[Word; LEAF_BITS], sums: &mut [Word; SUM_BITS]) {
    let mut carry = [0; WORDS];
    for bit in 0..SUM_BITS {
        for word in 0..WORDS {
            let (sum, more) = (sums[bit][word], if bit < LEAF_BITS { leaf[bit][word] } else { 0 });
            let half = sum ^ more;
            sums[bit][word] = half ^ carry[word];
            carry[word] = (sum & more) | (half & carry[word]);
        }
    }
}

/// Two to the power of minus each sum times the factor.
///
/// Own arithmetic, because the platforms' `exp2` differ in the last bit: the Taylor series of the fraction, within
/// 1e-7 of it, and the whole part put into the exponent.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn exponentials(steps: &[u16; BLOCK_ROWS], factor: f32, out: &mut [f32; BLOCK_ROWS]) {
    /// ln(2)^n / n!, with alternating signs for 2^-x.
    const SERIES: [f32; 8] = [
        1.0,
        -std::f32::consts::LN_2,
        0.240_226_5,
        -0.055_504_11,
        0.009_618_129,
        -0.001_333_355_8,
        0.000_154_035_3,
        -0.000_015_252_734,
    ];
    for (score, &step) in out.iter_mut().zip(steps) {
        let exponent = (f32::from(step) * factor).min(60.0);
        let whole = exponent as i32;
        let rest = exponent - whole as f32;
        let fraction = SERIES.iter().rev().fold(0.0, |sum, term| sum * rest + term);
        *score = fraction * f32::from_bits(((127 - whole) as u32) << 23);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::forest::{ForestOptions, Split};
    use crate::score::matrix::{ByteRows, Matrix};
    use crate::score::random::Random;

    /// Rows as features look: some columns wide, some with few values, one constant.
    fn bytes(rows: usize, columns: usize) -> Vec<u8> {
        let mut random = Random::new(11);
        (0..rows * columns)
            .map(|at| match at % columns {
                0 => 7,
                1 => random.below(3) as u8 * 100,
                2 => 255 - random.below(2) as u8,
                _ => (128.0 + 40.0 * random.normal()).clamp(0.0, 255.0) as u8,
            })
            .collect()
    }

    #[test]
    fn blocks_score_as_the_plain_forest_does() {
        for split in [Split::Random, Split::PooledGain] {
            let (columns, rows) = (11, 1300);
            let bytes = bytes(rows, columns);
            let options = ForestOptions { split, ..ForestOptions::default() };
            let forest = Forest::fit(&ByteRows::new(&bytes, columns), options);
            let compiled = BitForest::compile(&forest).unwrap();
            let (mut worst, mut sum) = (0.0_f64, 0.0);
            for block in bytes.chunks(BLOCK_ROWS * columns) {
                let planes = Planes::from_rows(block, columns);
                let mut out = [0.0; BLOCK_ROWS];
                compiled.score(&planes, &mut out);
                for (row, &score) in block.chunks(columns).zip(&out) {
                    let row: Vec<f64> = row.iter().map(|&byte| f64::from(byte)).collect();
                    let (found, expected) = (f64::from(score).log2(), forest.score(&row).log2());
                    let error = (found - expected) / expected;
                    worst = worst.max(error.abs());
                    sum += error;
                }
            }
            assert!(worst < 1e-3, "{split:?}: {worst}");
            assert!((sum / rows as f64).abs() < 2e-4, "{split:?}: {sum}");
        }
    }

    #[test]
    fn thresholds_beyond_bytes_send_all_rows_to_one_side() {
        for (threshold, path) in [(-3.5, 2.0), (254.5, 1.0), (255.0, 1.0), (1e9, 1.0), (f32::MIN, 2.0)] {
            let text = format!(
                r#"{{"columns":1,"sample":4,"trees":[[{{"Split":{{"feature":0,"threshold":{threshold},"right":2}}}},
                {{"Leaf":{{"path":1.0,"density":0.0}}}},{{"Leaf":{{"path":2.0,"density":0.0}}}}]]}}"#
            );
            let forest: Forest = serde_json::from_str(&text).unwrap();
            let mut out = [0.0; BLOCK_ROWS];
            BitForest::compile(&forest).unwrap().score(&Planes::from_rows(&[0, 254, 255], 1), &mut out);
            let high = if threshold == 254.5 { 2.0 } else { path };
            for (score, path) in out.iter().zip([path, path, high]) {
                assert!((f64::from(*score) - forest.isolation(path)).abs() < 1e-6, "{threshold} {path}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let matrix = Matrix::new(vec![1.0, 2.0, 3.0, 4.0], 1).unwrap();
        let many = Forest::fit(&matrix, ForestOptions { trees: MOST_TREES + 1, ..ForestOptions::default() });
        assert_eq!(BitForest::compile(&many).unwrap_err(), CompileError::Trees(MOST_TREES + 1));
        let none = Forest::fit(&matrix, ForestOptions { trees: 0, ..ForestOptions::default() });
        assert_eq!(BitForest::compile(&none).unwrap_err(), CompileError::Trees(0));
        let long = r#"{"columns":1,"sample":4,"trees":[[{"Leaf":{"path":40.0,"density":0.0}}]]}"#;
        let long: Forest = serde_json::from_str(long).unwrap();
        assert_eq!(BitForest::compile(&long).unwrap_err(), CompileError::Depth);
    }

    #[test]
    fn a_forest_that_has_seen_one_row_scores_one_half() {
        let forest = Forest::fit(&ByteRows::new(&[4, 5], 2), ForestOptions::default());
        let mut out = [0.0; BLOCK_ROWS];
        BitForest::compile(&forest).unwrap().score(&Planes::from_rows(&[9, 9], 2), &mut out);
        assert_eq!(out[0], 0.5);
    }
}
