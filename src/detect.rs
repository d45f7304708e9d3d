//! The floors below, wired: the [`Detector`].

/// Learns from a log what is normal in it, and scores it.
#[derive(Debug, Default)]
pub struct Detector {}
