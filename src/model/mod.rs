//! What was learned, as a file that is safe to load.

mod file;

use jiff::Timestamp;

pub use file::{ModelError, from_bytes, load, save, to_bytes};

use crate::{features::Tracker, score::voices::Voices};

/// What a detector learned of one log.
#[derive(Debug, Clone)]
pub struct Model {
    /// The log's name: that which its files share.
    pub name: String,
    /// When it was learned.
    pub trained_at: Timestamp,
    /// From how many events.
    pub events: u64,
    /// What rows are usual.
    pub voices: Voices,
    /// What is remembered of each entity.
    pub tracker: Tracker,
}
