//! Scored events to anomalies with threat type, severity and reasons, and those to findings. Pure.
//!
//! * [`threat`]: what each threat type is made of, how long it lasts, whom it is about, how much it matters.
//! * [`attack`]: its ATT&CK techniques, by version of the matrix.
//! * [`episode`]: signals of one threat about one entity that belong together, so that the first event of a burst is
//!   judged with the knowledge of the last.
//! * [`judge`]: one event's evidence, its episodes and the voices' opinion to one score, threat type and severity.
//! * [`reason`]: why: what the score loses when a cause is taken away.
//! * [`group`]: anomalies to findings.

pub mod attack;
pub mod episode;
pub mod group;
pub mod judge;
pub mod reason;
pub mod threat;

pub use episode::{Candidate, Episode, EpisodeBook};
pub use judge::{Judgment, score_of_strength, severity_of, strength_of_score};
