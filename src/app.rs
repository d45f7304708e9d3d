//! What a front may ask.
//!
//! A front imports nothing but this module; what it needs of the floors below for arguments and presentation is
//! re-exported here.

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use serde::Serialize;

pub use crate::{
    batch::{BatchError, NoProgress, Progress, Repeat, Round, RunEnd},
    config::{
        AttackVersion, Budget, ConfigError, Given, Overrides, Plan, Settings, Threshold, TimeZone, example, load, show,
    },
    report::{BatchSummary, ComplaintSummary, FileReport, FileResult, FileStatus},
    sink::{Finding, Severity},
    source::SourceError,
};

/// Why a front does not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A batch did not take place.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A log can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The work was stopped.
    #[error("stopped")]
    Stopped,
    /// This build does not have it.
    #[error("{0} is not in this build")]
    NotInThisBuild(&'static str),
}

/// Who is told how long work goes, and who may end it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Becomes true when the work is to end.
    pub stop: &'a AtomicBool,
}

/// Runs the batch job and shows each round.
///
/// # Errors
/// When the output directory can't be taken, and in [`Repeat::Once`] when the round fails.
pub fn batch(
    plan: &Plan,
    repeat: Repeat,
    watch: Watch<'_>,
    show: &mut dyn FnMut(Result<&Round, &BatchError>),
) -> Result<RunEnd, AppError> {
    let job = crate::batch::Job { plan, analyzer: &NoDetector, progress: watch.progress, stop: watch.stop };
    Ok(crate::batch::run(job, repeat, show)?)
}

/// Stands where the detector will be: says of every file that it can't be analyzed.
struct NoDetector;

impl crate::batch::Analyzer for NoDetector {
    fn analyze(
        &self,
        parts: &[crate::batch::LogPart],
        _progress: &dyn Progress,
        _stop: &AtomicBool,
    ) -> Vec<Result<crate::batch::PartAnalysis, crate::batch::PartError>> {
        let error = crate::batch::PartError::Failed(AppError::NotInThisBuild("the detector").to_string());
        parts.iter().map(|_| Err(error.clone())).collect()
    }
}

/// What a report over several files is made of, and where it was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reported {
    /// The reports.
    pub reports: Vec<FileReport>,
    /// The HTML file.
    pub html: Option<PathBuf>,
}

/// Runs the detector over the logs that travel inside the program, and writes `report.html` into a folder.
///
/// # Errors
/// When the folder can't be written.
pub fn demo(_folder: &Path, _watch: Watch<'_>) -> Result<Reported, AppError> {
    Err(AppError::NotInThisBuild("`demo`"))
}

/// What is in a file, as it is understood.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file as the user named it.
    pub file: String,
    /// How it is compressed: `gzip`, `zstd`; `None` for plain text.
    pub compression: Option<String>,
    /// Format and dialect, for example `json lines (CloudTrail)`.
    pub format: String,
    /// Records seen, understood or not.
    pub records: u64,
    /// Events among them.
    pub events: u64,
    /// For each field of an event what fills it.
    pub fields: Vec<FieldMapping>,
    /// Fields of the records that fill nothing, most frequent first.
    pub unused: Vec<String>,
    /// What was not understood.
    pub complaints: Vec<ComplaintSummary>,
}

/// What fills one field of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldMapping {
    /// The field.
    pub field: String,
    /// The names in the records that fill it, most frequent first.
    pub names: Vec<String>,
    /// In how many events it is filled.
    pub filled: u64,
    /// The first value.
    pub example: Option<String>,
}

/// Reads the beginning of a file, or all of it, and says how it is understood.
///
/// # Errors
/// When it can't be read.
pub fn inspect(_file: &Path, _plan: &Plan, _watch: Watch<'_>) -> Result<Inspection, AppError> {
    Err(AppError::NotInThisBuild("`inspect`"))
}

/// What scoring a file gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// Events scored: lines written.
    pub events: u64,
    /// Those at or over the threshold.
    pub anomalies: u64,
    /// Records that were not understood.
    pub complaints: u64,
}

/// Writes one line for each event of a file, in its order: `{"id","anomaly_score","threat_type","severity"}`. `-` as
/// `out` is standard output.
///
/// # Errors
/// When the file can't be read, the model can't be loaded, or the lines can't be written.
pub fn score(_file: &Path, _out: &Path, _plan: &Plan, _watch: Watch<'_>) -> Result<Scored, AppError> {
    Err(AppError::NotInThisBuild("`score`"))
}

/// What a model is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCard {
    /// The file.
    pub file: PathBuf,
    /// Its parts by name: version, events learned from, checksum and so on, in the order in which people read them.
    pub facts: Vec<(String, String)>,
}

/// Learns from the logs of the plan and writes a model into its model directory.
///
/// # Errors
/// When no log can be read, or the model can't be written.
pub fn train(_plan: &Plan, _watch: Watch<'_>) -> Result<ModelCard, AppError> {
    Err(AppError::NotInThisBuild("`train`"))
}

/// Reads a model and says what it is.
///
/// # Errors
/// When it can't be read or is no model.
pub fn model(_file: &Path) -> Result<ModelCard, AppError> {
    Err(AppError::NotInThisBuild("`model show`"))
}

/// Writes everything in an output directory into one HTML file.
///
/// # Errors
/// When there is no report, or the file can't be written.
pub fn report(_output_dir: &Path, _html: &Path) -> Result<Reported, AppError> {
    Err(AppError::NotInThisBuild("the HTML report"))
}
