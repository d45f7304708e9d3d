//! The unsupervised voices on rows of bytes, calibrated and fused to one opinion.
//!
//! Three voices look at a row: an isolation forest (what is easily cut off), a fair-cut forest (what is cut off by the
//! gaps in the data) and the tails of each feature (what is extreme by itself). Each is calibrated to a tail
//! probability on the rows it was fitted on. The opinion is the middle one of the three: one voice's excitement alone,
//! or its extrapolation gone wrong, does not ring.

use serde::{Deserialize, Serialize};

use super::{
    bits::{BLOCK_ROWS, BitForest, CompileError, Ladder, Planes},
    forest::{Forest, ForestOptions, Split},
    matrix::ByteRows,
    spot::{Spot, SpotOptions},
    tails::{ByteCounts, ByteTails},
};

/// Trees of each forest: two forests of 64 have the variance of one of 128, at the cost of that.
const TREES: usize = 64;

/// Steps of the table from a voice's score to its strength.
const STEPS: usize = 4_096;

/// What is learned of a log's rows; the part of it that a model file keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Learned {
    isolation: Forest,
    fair_cut: Forest,
    tails: ByteTails,
    medians: Vec<u8>,
    calibrations: [Spot; 3],
}

/// The voices, ready to score.
#[derive(Debug, Clone)]
pub struct Voices {
    learned: Learned,
    isolation: BitForest,
    fair_cut: BitForest,
    columns: usize,
    strengths: [Strengths; 3],
}

/// A voice's score to `-log10` of its tail probability, as a table.
#[derive(Debug, Clone)]
struct Strengths {
    per_score: f32,
    table: Vec<f32>,
}

impl Strengths {
    fn new(calibration: &Spot, highest: f32) -> Self {
        let at = |step: usize| f64::from(highest) * (step as f64 + 0.5) / STEPS as f64;
        let table = (0..STEPS).map(|step| -calibration.tail_probability(at(step)).log10() as f32).collect();
        Self { per_score: STEPS as f32 / highest, table }
    }

    fn of(&self, score: f32) -> f32 {
        self.table[((score * self.per_score) as usize).min(STEPS - 1)]
    }
}

impl Voices {
    /// Learns from a sample of rows, row-major with `columns` bytes each.
    ///
    /// # Errors
    /// When the forests do not fit the compiled form.
    pub fn fit(sample: &[u8], columns: usize, seed: u64) -> Result<Self, CompileError> {
        let rows = ByteRows::new(sample, columns);
        let options = |split, seed| ForestOptions { trees: TREES, split, seed, ..ForestOptions::default() };
        let isolation = Forest::fit(&rows, options(Split::Random, seed));
        let fair_cut = Forest::fit(&rows, options(Split::PooledGain, seed.wrapping_add(1)));
        let mut counts = ByteCounts::new(columns);
        counts.add(sample);
        let medians = (0..columns).map(|column| median(counts.column(column))).collect();
        let tails = ByteTails::new(&counts);
        let calibrations = std::array::from_fn(|_| Spot::fit(&[], SpotOptions::default()));
        let mut voices = Self::try_from(Learned { isolation, fair_cut, tails, medians, calibrations })?;
        let mut scores: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::new());
        let mut workspace = Workspace::default();
        for block in sample.chunks(BLOCK_ROWS * columns.max(1)) {
            let raw = voices.raw_scores(block, &mut workspace);
            for (voice, scores) in raw.iter().zip(&mut scores) {
                scores.extend(voice[..block.len() / columns.max(1)].iter().map(|&score| f64::from(score)));
            }
        }
        voices.learned.calibrations = scores.map(|scores| Spot::fit(&scores, SpotOptions::default()));
        voices.strengths = strengths(&voices.learned);
        Ok(voices)
    }

    /// What a model file keeps.
    #[must_use]
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// `-log10` of the fused tail probability of each row, appended to `out`.
    pub fn opinions(&self, rows: &[u8], workspace: &mut Workspace, out: &mut Vec<f32>) {
        for block in rows.chunks(BLOCK_ROWS * self.columns) {
            let scores = self.raw_scores(block, workspace);
            out.extend(
                (0..block.len() / self.columns)
                    .map(|row| self.middle([scores[0][row], scores[1][row], scores[2][row]])),
            );
        }
    }

    /// The opinion on one row, walking the trees: a block of 512 costs as much with one row in it as with all. It differs
    /// from [`Self::opinions`] by the rounding of paths there, below .1 %.
    #[must_use]
    pub fn opinion(&self, row: &[u8]) -> f32 {
        let values: Vec<f64> = row.iter().map(|&value| f64::from(value)).collect();
        let Learned { isolation, fair_cut, tails, .. } = &self.learned;
        let scores = [isolation.score(&values) as f32, fair_cut.score(&values) as f32, tails.score(row)];
        self.middle(scores)
    }

    /// The middle one of the voices' strengths.
    fn middle(&self, scores: [f32; 3]) -> f32 {
        let [a, b, c] = std::array::from_fn(|voice| self.strengths[voice].of(scores[voice]));
        a.max(b).min(a.min(b).max(c))
    }

    /// Share of each column in the opinion on a row: how far it is out in its tail. They sum to 1 unless nothing is.
    #[must_use]
    pub fn shares(&self, row: &[u8]) -> Vec<f32> {
        // What one row in three reaches tells nothing.
        const COMMON: f32 = 1.1;
        let mut shares: Vec<f32> = self.learned.tails.shares(row).map(|share| (share - COMMON).max(0.0)).collect();
        let sum: f32 = shares.iter().sum();
        if sum > 0.0 {
            shares.iter_mut().for_each(|share| *share /= sum);
        }
        shares
    }

    /// Median of each column.
    #[must_use]
    pub fn medians(&self) -> &[u8] {
        &self.learned.medians
    }

    fn raw_scores<'a>(&self, block: &[u8], workspace: &'a mut Workspace) -> &'a [[f32; BLOCK_ROWS]; 3] {
        let columns = self.columns;
        workspace.ladder.set(&Planes::from_rows(block, columns));
        let [isolation, fair_cut, tails] = &mut *workspace.scores;
        self.isolation.climb(&workspace.ladder, isolation);
        self.fair_cut.climb(&workspace.ladder, fair_cut);
        for (row, sum) in block.chunks_exact(columns).zip(tails.iter_mut()) {
            *sum = self.learned.tails.score(row);
        }
        &workspace.scores
    }
}

impl TryFrom<Learned> for Voices {
    type Error = CompileError;

    fn try_from(learned: Learned) -> Result<Self, Self::Error> {
        let columns = learned.tails.columns();
        let sound = columns > 0
            && learned.medians.len() == columns
            && learned.isolation.columns() == columns
            && learned.fair_cut.columns() == columns;
        if !sound {
            return Err(CompileError::Columns(columns));
        }
        Ok(Self {
            isolation: BitForest::compile(&learned.isolation)?,
            fair_cut: BitForest::compile(&learned.fair_cut)?,
            strengths: strengths(&learned),
            columns,
            learned,
        })
    }
}

fn strengths(learned: &Learned) -> [Strengths; 3] {
    // No column is further out than one in all rows and one.
    let highest = [1.0, 1.0, 12.0 * learned.tails.columns() as f32];
    std::array::from_fn(|voice| Strengths::new(&learned.calibrations[voice], highest[voice]))
}

/// What scoring needs over and over; one per thread.
#[derive(Debug)]
pub struct Workspace {
    ladder: Ladder,
    scores: Box<[[f32; BLOCK_ROWS]; 3]>,
}

impl Default for Workspace {
    fn default() -> Self {
        Self { ladder: Ladder::default(), scores: Box::new([[0.0; BLOCK_ROWS]; 3]) }
    }
}

/// The value that half of the rows do not exceed.
fn median(counts: &[u64; 256]) -> u8 {
    let half = counts.iter().sum::<u64>().div_ceil(2);
    let mut below = 0;
    let reached = counts.iter().position(|count| {
        below += count;
        below >= half
    });
    reached.unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::random::Random;

    fn rows(count: usize) -> Vec<u8> {
        let mut random = Random::new(3);
        (0..count * 4).map(|_| (128.0 + 12.0 * random.normal()).clamp(0.0, 255.0) as u8).collect()
    }

    #[test]
    fn what_lies_outside_has_the_strongest_opinion_and_its_column_the_largest_share() {
        let mut sample = rows(5_000);
        sample[4 * 77..4 * 78].copy_from_slice(&[255, 0, 255, 0]);
        let voices = Voices::fit(&sample, 4, 1).unwrap();
        let (mut workspace, mut opinions) = (Workspace::default(), Vec::new());
        voices.opinions(&sample, &mut workspace, &mut opinions);
        let stronger = opinions.iter().filter(|&&opinion| opinion > opinions[77]).count();
        assert_eq!(stronger, 0, "of 5000 rows are held for stranger");
        let shares = voices.shares(&[128, 128, 255, 128]);
        assert!(shares[2] > 0.9 && (shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
        assert!((120..136).contains(&voices.medians()[0]));
    }

    #[test]
    fn a_block_and_its_rows_one_by_one_have_the_same_opinions() {
        let sample = rows(700);
        let voices = Voices::fit(&sample, 4, 1).unwrap();
        let (mut workspace, mut together) = (Workspace::default(), Vec::new());
        voices.opinions(&sample, &mut workspace, &mut together);
        for (row, block) in sample.chunks(4).zip(together) {
            assert!((voices.opinion(row) - block).abs() < 0.2, "{row:?}: {} {block}", voices.opinion(row));
        }
    }

    #[test]
    fn constant_rows_are_not_rare() {
        let voices = Voices::fit(&[7; 400], 4, 1).unwrap();
        let (mut workspace, mut opinions) = (Workspace::default(), Vec::new());
        voices.opinions(&[7; 4], &mut workspace, &mut opinions);
        assert!(opinions[0] < 0.5, "{opinions:?}");
    }
}
