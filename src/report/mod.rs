//! What was found, as JSON for programs and as one HTML file for people.
//!
//! The JSON types here are a contract: the first keys of [`FileReport`] and [`AnomalyRecord`] are those that earlier
//! users' scripts read, in their order; what Watchbell adds stands after them.
//!
//! * [`gravity`]: which version of a finding counts.
//! * [`html`]: one self-contained page for people.
//! * [`live`]: the pages that a server shows.
//! * [`load`]: the reports of an output directory, read back.
//! * [`terminal`]: what the terminal shows after a run.
//! * [`triage`]: what each threat type means and what to do about it.
//! * [`overview`]: the facts over all reports that page and terminal share.
//! * [`visible`]: text from logs, made harmless to look at.
//! * [`words`]: numbers, times and spans as people read them.

pub mod gravity;
pub mod html;
pub mod live;
pub mod load;
pub mod overview;
pub mod terminal;
pub mod triage;
pub mod visible;
pub mod words;

#[cfg(test)]
pub(crate) mod fixture;

pub use gravity::{Gravity, each_once};
pub use html::render_html;
pub use load::{Choice, load as load_reports};
pub use terminal::{Style, render_terminal};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchbell_sink::{Finding, Reason, Severity, ThreatType};

use crate::parse::ComplaintReason;

/// What is to be shown: the reports of a run and the facts about it.
#[derive(Debug, Clone, Copy)]
pub struct ReportInput<'a> {
    /// One for each file, in the order of reading.
    pub reports: &'a [FileReport],
    /// What the batch did, if there was one: names the files that failed and the reports that were written.
    pub summary: Option<&'a BatchSummary>,
    /// Facts that stand in no report.
    pub run: &'a RunFacts,
}

/// Facts about a run that stand in no report. Times come in from outside; nothing here asks a clock.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFacts {
    /// The command as the user gave it, empty when it is not known.
    pub command_line: String,
    /// Version of Watchbell.
    pub version: String,
    /// The model that scored, for example `learned from this input` or a file's name.
    pub model: String,
    /// The cut, 0..1.
    pub threshold: f64,
    /// When this was made: goes into the page as it is given.
    pub generated_at: Timestamp,
    /// How long the run took, in seconds, if it was measured.
    pub elapsed_secs: Option<f64>,
    /// Where the JSON reports are, as the user named the place; empty when there are none.
    pub reports_at: String,
    /// What each feature means. Features that occur and are not named here are explained by an example.
    pub glossary: Vec<GlossaryEntry>,
}

/// What one feature measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GlossaryEntry {
    /// Its `snake_case` name.
    pub feature: String,
    /// One sentence.
    pub meaning: String,
}

/// Why a report could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A part of the page could not be made.
    #[error("the page's part `{part}` could not be made")]
    Template {
        /// Which part.
        part: &'static str,
        /// Why.
        #[source]
        source: minijinja::Error,
    },
    /// The directory, or a file of it, could not be read.
    #[error("can't read `{}`", path.display())]
    Read {
        /// What was to be read.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The directory holds no report.
    #[error("no report in `{}`, expected files named `NAME_TIMESTAMP.json` that `watchbell batch` wrote", path.display())]
    NoReports {
        /// The directory.
        path: std::path::PathBuf,
    },
}

/// What was found in one file: `{name}_{timestamp}.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// The file as the user named it.
    pub source_file: String,
    /// When this report was made.
    pub processed_at: Timestamp,
    /// Events read and scored.
    pub total_events: u64,
    /// Events whose score passes the threshold.
    pub anomalies_detected: u64,
    /// `anomalies_detected / total_events`, 0 for an empty file.
    pub anomaly_rate: f64,
    /// The cut, 0..1.
    pub threshold: f64,
    /// The anomalous events, in the order of the file; capped, see `anomalies_detected` for the full number.
    pub anomalies: Vec<AnomalyRecord>,
    /// The findings that group them, most severe first.
    pub findings: Vec<Finding>,
    /// The detected format and its dialect, for example `json lines (CloudTrail)`.
    pub format: String,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// First byte of the part that was read, for a file that had been read before and grew.
    pub offset: u64,
    /// Records seen, understood or not.
    pub records: u64,
    /// What was not understood, by reason.
    pub complaints: Vec<ComplaintSummary>,
    /// Time of the earliest and latest event.
    pub first_event: Option<Timestamp>,
    /// Time of the latest event.
    pub last_event: Option<Timestamp>,
    /// Events and anomalies over time.
    pub timeline: Timeline,
    /// Number of events by score, in 50 bins of 0.02 from 0 to 1.
    pub score_histogram: Vec<u64>,
}

/// One anomalous event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnomalyRecord {
    /// When, as RFC 3339 in UTC; `null` when the record names no time.
    pub timestamp: Option<Timestamp>,
    /// The account.
    pub user: Option<String>,
    /// The address.
    pub source_ip: Option<String>,
    /// What kind of threat it points to.
    pub threat_type: ThreatType,
    /// How much it matters.
    pub severity: Severity,
    /// 0..1.
    pub anomaly_score: f64,
    /// Number of the event in its file, from 0.
    pub id: u64,
    /// Line (or record) in the file, from 1.
    pub line: u64,
    /// The computer.
    pub host: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To what.
    pub resource: Option<String>,
    /// Where from.
    pub country: Option<String>,
    /// Why, strongest first; the shares sum to 1.
    pub reasons: Vec<Reason>,
    /// The finding that this event is part of.
    pub finding_id: String,
    /// The record as it stands in the log, cut at 4,096 characters.
    pub raw: String,
}

/// Complaints of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComplaintSummary {
    /// Why.
    pub reason: ComplaintReason,
    /// How many records.
    pub count: u64,
    /// The first few.
    pub samples: Vec<ComplaintSample>,
}

/// One record that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComplaintSample {
    /// Line (or record) in the file, from 1.
    pub line: u64,
    /// What was expected.
    pub detail: String,
    /// The beginning of the record.
    pub sample: String,
}

/// Events and anomalies over time, in bins of equal width.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// Start of the first bin; absent when no event names a time.
    pub start: Option<Timestamp>,
    /// Width of a bin.
    pub bin_secs: u64,
    /// Events by bin.
    pub events: Vec<u64>,
    /// Anomalies by bin.
    pub anomalies: Vec<u64>,
}

/// What a batch did: `batch_summary_{timestamp}.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchSummary {
    /// When the batch began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Files that were looked at.
    pub files_processed: u64,
    /// Files that were read to their end.
    pub files_succeeded: u64,
    /// Files that were not.
    pub files_failed: u64,
    /// Sum over the files.
    pub total_events: u64,
    /// Sum over the files.
    pub total_anomalies: u64,
    /// Sum over the files.
    pub total_findings: u64,
    /// File by file, in the order of reading.
    pub results: Vec<FileResult>,
}

/// What became of one file of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileResult {
    /// The file as the user named it.
    pub source_file: String,
    /// How it ended.
    pub status: FileStatus,
    /// The report that was written.
    pub output_file: Option<String>,
    /// Why there is none, or what was cut short.
    pub error: Option<String>,
    /// Events read and scored.
    pub total_events: u64,
    /// Events whose score passes the threshold.
    pub anomalies_detected: u64,
}

/// How the reading of one file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// Read to its end and reported.
    Success,
    /// Not read, or not to its end; see the error.
    Error,
    /// Nothing new in it.
    Skipped,
}
