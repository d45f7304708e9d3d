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
    spot::Spot,
};

/// Steps of the table from a voice's score to its strength.
const STEPS: usize = 4_096;

/// What is learned of a log's rows; the part of it that a model file keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Learned {
    columns: usize,
    isolation: Forest,
    fair_cut: Forest,
    /// `-log10` of the share of rows with at least this value, 256 per column.
    tails: Vec<f32>,
    medians: Vec<u8>,
    calibrations: [Spot; 3],
}

/// The voices, ready to score.
#[derive(Debug, Clone)]
pub struct Voices {
    learned: Learned,
    isolation: BitForest,
    fair_cut: BitForest,
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
        let options = |split, seed| ForestOptions { split, seed, ..ForestOptions::default() };
        let isolation = Forest::fit(&rows, options(Split::Random, seed));
        let fair_cut = Forest::fit(&rows, options(Split::PooledGain, seed.wrapping_add(1)));
        let (tails, medians) = tails(sample, columns);
        let mut learned = Learned {
            columns,
            isolation,
            fair_cut,
            tails,
            medians,
            calibrations: std::array::from_fn(|_| Spot::default()),
        };
        let uncalibrated = Self::try_from(learned.clone())?;
        let mut scores: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::new());
        let mut workspace = Workspace::default();
        for block in sample.chunks(BLOCK_ROWS * columns.max(1)) {
            let raw = uncalibrated.raw_scores(block, &mut workspace);
            for (voice, scores) in raw.iter().zip(&mut scores) {
                scores.extend(voice[..block.len() / columns.max(1)].iter().map(|&score| f64::from(score)));
            }
        }
        learned.calibrations = scores.map(|scores| Spot::fit(&scores));
        Self::try_from(learned)
    }

    /// What a model file keeps.
    #[must_use]
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// `-log10` of the fused tail probability of each row, appended to `out`.
    pub fn opinions(&self, rows: &[u8], workspace: &mut Workspace, out: &mut Vec<f32>) {
        for block in rows.chunks(BLOCK_ROWS * self.learned.columns) {
            let scores = self.raw_scores(block, workspace);
            out.extend((0..block.len() / self.learned.columns).map(|row| {
                let [a, b, c] = std::array::from_fn(|voice| self.strengths[voice].of(scores[voice][row]));
                a.max(b).min(a.min(b).max(c))
            }));
        }
    }

    /// Share of each column in the opinion on a row: how far it is out in its tail. They sum to 1 unless nothing is.
    #[must_use]
    pub fn shares(&self, row: &[u8]) -> Vec<f32> {
        // What one row in three reaches tells nothing.
        const COMMON: f32 = 0.5;
        let mut shares: Vec<f32> =
            row.iter().enumerate().map(|(column, &value)| (self.tail(column, value) - COMMON).max(0.0)).collect();
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

    fn tail(&self, column: usize, value: u8) -> f32 {
        self.learned.tails[column * 256 + usize::from(value)]
    }

    fn raw_scores<'a>(&self, block: &[u8], workspace: &'a mut Workspace) -> &'a [[f32; BLOCK_ROWS]; 3] {
        let columns = self.learned.columns;
        workspace.ladder.set(&Planes::from_rows(block, columns));
        let [isolation, fair_cut, tails] = &mut *workspace.scores;
        self.isolation.climb(&workspace.ladder, isolation);
        self.fair_cut.climb(&workspace.ladder, fair_cut);
        for (row, sum) in block.chunks_exact(columns).zip(tails.iter_mut()) {
            *sum = row
                .iter()
                .zip(self.learned.tails.chunks_exact(256))
                .map(|(&value, tail)| tail[usize::from(value)])
                .sum();
        }
        &workspace.scores
    }
}

impl TryFrom<Learned> for Voices {
    type Error = CompileError;

    fn try_from(learned: Learned) -> Result<Self, Self::Error> {
        let columns = learned.columns;
        let sound = columns > 0
            && learned.tails.len() == columns * 256
            && learned.medians.len() == columns
            && learned.isolation.columns() == columns
            && learned.fair_cut.columns() == columns
            && learned.tails.iter().all(|tail| tail.is_finite() && *tail >= 0.0);
        if !sound {
            return Err(CompileError::Columns(columns));
        }
        let most: f32 = learned.tails.chunks_exact(256).map(|tails| tails.iter().copied().fold(0.0, f32::max)).sum();
        let highest = [1.0, 1.0, most.max(1.0)];
        Ok(Self {
            isolation: BitForest::compile(&learned.isolation)?,
            fair_cut: BitForest::compile(&learned.fair_cut)?,
            strengths: std::array::from_fn(|voice| Strengths::new(&learned.calibrations[voice], highest[voice])),
            learned,
        })
    }
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

/// Upper tails and medians of the columns.
fn tails(sample: &[u8], columns: usize) -> (Vec<f32>, Vec<u8>) {
    let rows = sample.len() / columns.max(1);
    let mut tails = vec![0.0; columns * 256];
    let mut medians = vec![0; columns];
    for column in 0..columns {
        let mut counts = [0_u32; 256];
        sample.iter().skip(column).step_by(columns).for_each(|&value| counts[usize::from(value)] += 1);
        let mut at_least = 0;
        for value in (0..256).rev() {
            at_least += counts[value];
            let share = (f64::from(at_least) + 0.5) / (rows as f64 + 1.0);
            tails[column * 256 + value] = (-share.log10()).max(0.0) as f32;
            if 2 * at_least as usize <= rows {
                continue;
            }
            medians[column] = medians[column].max(value as u8);
        }
    }
    (tails, medians)
}
