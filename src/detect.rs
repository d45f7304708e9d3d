//! The floors below, wired: the detector.
