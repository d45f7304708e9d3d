//! What tests of sinks share. Behind the feature `testkit`, so that no program carries it.

pub mod findings;
pub mod peer;
