//! Rows to anomaly scores: forests, tail probabilities, their calibration and fusion. Pure and deterministic.
//!
//! Every voice is a function of its rows and a seed: no clock, no global state, and the same bytes for any number of
//! threads. The modules, from the numbers that come in to the score that goes out:
//!
//! * [`matrix`]: rows of numbers, as floats or as bytes.
//! * [`random`]: the seeded generator that all draws come from.
//! * [`forest`]: isolation forests, with random or gain-guided cuts.
//! * [`bits`]: the same forests over byte features, 512 rows at a time.
//! * [`oblique`]: forests whose cuts see two features at once.
//! * [`neighbors`]: how far away the nearest of a few random rows is.
//! * [`tails`]: how far out each value lies, and so how much each feature contributes.
//! * [`spot`]: scores to tail probabilities, and those to scores that mean the same everywhere.
//! * [`voices`]: three of them on byte rows, calibrated and fused: what scores events.
//! * [`fuse`]: the ensemble for tables.
//! * [`episode`]: what happens around a row in time, on the same entity, as part of its score.
//! * [`metrics`]: how good a ranking is when the truth is known.

pub mod bits;
pub mod episode;
pub mod forest;
pub mod fuse;
pub mod matrix;
pub mod metrics;
pub mod neighbors;
pub mod oblique;
pub mod random;
pub mod spot;
pub mod tails;
pub mod voices;
