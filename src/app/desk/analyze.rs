//! Logs that come with a call: analyzed at once, kept if something was found, handed over to the sinks.

use std::{io::Write, path::PathBuf, time::Instant};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tempfile::{NamedTempFile, TempPath};

use super::{Change, Desk, gauges::Analyzed};
use crate::{
    app::{
        AppError, JudgedFinding, TakenOver, Watch,
        analysis::{FileAnalyzer, parse_options},
        query,
    },
    batch::{self, Analyzer, PartError},
    report::{AnomalyRecord, ComplaintSummary, FileReport},
    source::{self, DiscoverRequest, SourceFile},
};

/// Logs to be analyzed.
#[derive(Debug)]
pub struct AnalyzeRequest {
    /// The logs.
    pub input: LogInput,
    /// Whether findings are kept and go to the sinks; otherwise they are only told.
    pub hand_over: bool,
}

/// Where logs come from.
#[derive(Debug)]
pub enum LogInput {
    /// Text that came with the call, in any format, compressed or not.
    Text {
        /// How the log is shown.
        name: String,
        /// Its bytes.
        text: Vec<u8>,
    },
    /// The same, too long to be kept in memory.
    Spooled {
        /// How the log is shown.
        name: String,
        /// Its bytes; the file is gone when the analysis is.
        file: TempPath,
    },
    /// Files, and directories with all that is in them.
    Paths(Vec<PathBuf>),
}

/// What was found in logs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Analysis {
    /// Events read and scored.
    pub total_events: u64,
    /// Events whose score passes the threshold.
    pub anomalies_detected: u64,
    /// `anomalies_detected / total_events`, 0 when there is none.
    pub anomaly_rate: f64,
    /// The cut, 0..1.
    pub threshold: f64,
    /// The anomalous events, log by log; capped, see `anomalies_detected` for the full number.
    pub anomalies: Vec<AnomalyRecord>,
    /// The findings that group them, most severe first, each with what was decided about it.
    pub findings: Vec<JudgedFinding>,
    /// Log by log what was read, and what could not be.
    pub logs: Vec<LogResult>,
    /// What became of the findings on their way to the sinks; absent when they were not handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<TakenOver>,
    /// Seconds that it took.
    pub elapsed_secs: f64,
}

/// What was read of one log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LogResult {
    /// The log, as it was named.
    pub name: String,
    /// The detected format and its dialect; empty when the log could not be read.
    pub format: String,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Records seen, understood or not.
    pub records: u64,
    /// Events read and scored.
    pub events: u64,
    /// Time of the earliest event.
    pub first_event: Option<Timestamp>,
    /// Time of the latest event.
    pub last_event: Option<Timestamp>,
    /// What was not understood, by reason.
    pub complaints: Vec<ComplaintSummary>,
    /// Why it was not read, or not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Desk {
    /// Analyzes logs. The same logs give the same findings, whatever came before: what is normal is known from the
    /// log's model, or else learned from the logs themselves.
    ///
    /// # Errors
    /// A path can't be read at all, the work was stopped, or findings can't be kept. What is wrong with one log stands in
    /// its [`LogResult::error`].
    pub fn analyze(&self, request: AnalyzeRequest, watch: Watch<'_>) -> Result<Analysis, AppError> {
        let began = Instant::now();
        let (files, _kept) = files(request.input)?;
        let whole = |file| batch::LogPart { file, from_offset: 0, first_line: 1, first_event: 0 };
        let parts: Vec<batch::LogPart> = files.into_iter().map(whole).collect();
        let analyzer = FileAnalyzer { plan: &self.plan, parse: parse_options(&self.plan) };
        let (mut reports, mut logs) = (Vec::new(), Vec::new());
        for (part, analysis) in parts.iter().zip(analyzer.analyze(&parts, watch.progress, watch.stop)) {
            match analysis {
                Ok(done) => {
                    logs.push(LogResult::of(&done.report, done.cut_short));
                    reports.push(done.report);
                }
                Err(PartError::Stopped) => return Err(AppError::Stopped),
                Err(PartError::Failed(reason)) => logs.push(LogResult::unread(&part.file.name, reason)),
            }
        }
        let failed = logs.iter().filter(|log| log.error.is_some()).count() as u64;
        self.gauges.analyzed(Analyzed { source: "analyze", reports: &reports, failed, took: began.elapsed() });
        let handed_over = if request.hand_over { self.take_over(&reports)? } else { None };
        let mut analysis = self.tell_of(reports, logs)?;
        analysis.handed_over = handed_over;
        analysis.elapsed_secs = began.elapsed().as_secs_f64();
        Ok(analysis)
    }

    /// Keeps what was found, and hands it to the sinks.
    fn take_over(&self, reports: &[FileReport]) -> Result<Option<TakenOver>, AppError> {
        let found: Vec<_> = reports.iter().flat_map(|report| &report.findings).cloned().collect();
        if found.is_empty() {
            return Ok(None);
        }
        let taken = self.bells().map(|bells| bells.accept(&found)).transpose()?;
        self.shelf.keep(reports)?;
        self.tell(Change::Findings { count: found.len() });
        Ok(taken)
    }

    fn tell_of(&self, reports: Vec<FileReport>, logs: Vec<LogResult>) -> Result<Analysis, AppError> {
        let total_events: u64 = reports.iter().map(|report| report.total_events).sum();
        let anomalies_detected: u64 = reports.iter().map(|report| report.anomalies_detected).sum();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let anomaly_rate = if total_events == 0 { 0.0 } else { anomalies_detected as f64 / total_events as f64 };
        let threshold = reports.first().map_or(self.plan.detect.threshold.value(), |report| report.threshold);
        let (mut anomalies, mut found) = (Vec::new(), Vec::new());
        for report in reports {
            anomalies.extend(report.anomalies);
            found.extend(report.findings);
        }
        let findings = query::judged(found, &self.judgments()?, Timestamp::now());
        Ok(Analysis {
            total_events,
            anomalies_detected,
            anomaly_rate,
            threshold,
            anomalies,
            findings,
            logs,
            handed_over: None,
            elapsed_secs: 0.0,
        })
    }
}

impl LogResult {
    fn of(report: &FileReport, error: Option<String>) -> Self {
        Self {
            name: report.source_file.clone(),
            format: report.format.clone(),
            bytes: report.bytes,
            records: report.records,
            events: report.total_events,
            first_event: report.first_event,
            last_event: report.last_event,
            complaints: report.complaints.clone(),
            error,
        }
    }

    fn unread(name: &str, error: String) -> Self {
        Self {
            name: name.to_owned(),
            format: String::new(),
            bytes: 0,
            records: 0,
            events: 0,
            first_event: None,
            last_event: None,
            complaints: Vec::new(),
            error: Some(error),
        }
    }
}

/// The files to read, and what must be kept as long as they are read.
fn files(input: LogInput) -> Result<(Vec<SourceFile>, Option<TempPath>), AppError> {
    let (name, kept) = match input {
        LogInput::Paths(paths) => {
            let found = source::discover(&DiscoverRequest { paths, ..DiscoverRequest::default() })?;
            for problem in &found.problems {
                tracing::warn!(error = problem as &dyn std::error::Error, "left out");
            }
            return Ok((found.files, None));
        }
        LogInput::Spooled { name, file } => (name, file),
        LogInput::Text { name, text } => {
            let failed = |source| AppError::Write { path: std::env::temp_dir(), source };
            let mut file = NamedTempFile::new().map_err(failed)?;
            file.write_all(&text).map_err(failed)?;
            (name, file.into_temp_path())
        }
    };
    let file = SourceFile { name, ..SourceFile::at(0, &kept)? };
    Ok((vec![file], Some(kept)))
}
