//! The main job: a directory in, reports out, again and again.
//!
//! # What a round writes, and in which order
//!
//! A round must neither lose nor double an event, whenever the process is killed. Everything that it has to say is
//! therefore made visible by one rename:
//!
//! 1. Reports and summary are written to `.watchbell/stage`, and synced. Nothing of it counts yet: what is found there
//!    at the next start without being announced in the ledger is thrown away, and its files are read again.
//! 2. The ledger (`.watchbell/ledger`) is replaced by one that has the new offsets and announces the staged files.
//!    This rename is the commit.
//! 3. The staged files are moved to their places, `processed_files.txt` is written anew from the ledger, and the ledger
//!    is replaced by one that announces nothing. A process killed in between does the rest at its next start; each
//!    step can be done twice without harm.
//!
//! A lock keeps a second process out of the same output directory all the while.

mod disk;
mod durable;
mod error;
mod fingerprint;
mod ledger;
mod lock;
mod names;
mod publish;
mod round;
mod run;
mod seam;
mod triage;

pub use error::BatchError;
pub use publish::check_free;
pub use round::{Job, Round, request};
pub use run::{Repeat, RunEnd, run};
pub use seam::{Analyzer, Handover, LogPart, NoProgress, Nobody, PartAnalysis, PartError, Progress};
