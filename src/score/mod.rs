//! Rows to anomaly scores: forests, tail probabilities, their calibration and fusion. Pure and deterministic.
