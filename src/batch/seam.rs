//! What the batch asks of the detector above it: the analysis of parts of logs.
//!
//! It is a trait because the detector is wired on a later floor, and because the batch's promises are tested with one
//! that is slow, fails or is killed on purpose.

use std::sync::atomic::AtomicBool;

use crate::{report::FileReport, source::SourceFile};

/// A file, or the part of it that was not read before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// The file.
    pub file: SourceFile,
    /// First byte to read, in the decompressed text; 0 for a file that is read as a whole.
    pub from_offset: u64,
    /// Line (or record) of that byte, from 1.
    pub first_line: u64,
    /// Number of the first event to come, from 0: the number of events read before.
    pub first_event: u64,
}

/// What the analysis of one part gives.
#[derive(Debug, Clone)]
pub struct PartAnalysis {
    /// The report; the batch itself sets `processed_at`.
    pub report: FileReport,
    /// Where the next reading begins: behind the last whole record, in the decompressed text.
    pub end_offset: u64,
    /// Line (or record) of that place, from 1.
    pub next_line: u64,
    /// Why the part was not read to its end; what came before counts.
    pub cut_short: Option<String>,
}

/// Why there is no analysis of a part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// The run was asked to stop before the part was done.
    #[error("stopped before it was read to its end; it is read in the next round")]
    Stopped,
    /// It can't be read.
    #[error("{0}")]
    Failed(String),
}

/// Finds what is not normal in logs.
pub trait Analyzer {
    /// Analyzes all parts together, because what is normal is learned from all of them. One result for each part, in
    /// their order. When `stop` becomes true it ends between blocks, with [`PartError::Stopped`] for what is not done.
    fn analyze(
        &self,
        parts: &[LogPart],
        progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Vec<Result<PartAnalysis, PartError>>;
}

/// Is told how long work goes.
pub trait Progress: Sync {
    /// Work of this many bytes begins.
    fn begin(&self, what: &str, bytes: u64);
    /// This many bytes more are done.
    fn advance(&self, bytes: u64);
    /// It is done.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _what: &str, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn end(&self) {}
}

/// Takes the findings of a round over before the round counts as done, so that a process killed in between loses none.
pub trait Handover {
    /// Takes the findings of these reports over, durably. The same findings may come again.
    ///
    /// # Errors
    /// Why they were not taken; the round then does not count and is read again.
    fn take(&self, reports: &[FileReport]) -> Result<(), String>;
}

/// Takes nothing over: the reports are all that is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Handover for Nobody {
    fn take(&self, _reports: &[FileReport]) -> Result<(), String> {
        Ok(())
    }
}
