//! Logs that come with a call: analyzed at once, kept if something was found, handed over to the sinks.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tempfile::TempPath;

use super::{
    Change, Desk,
    counts::Analyzed,
    records::{Kind, Places, RecordFormat, Records},
};
use crate::{
    app::{
        AppError, JudgedFinding, TakenOver, UnreadCause, Watch,
        analysis::{Fault, FileAnalyzer, Unread},
        query,
    },
    batch,
    report::{AnomalyRecord, ComplaintSummary, FileReport},
    sink::{Severity, ThreatType},
    source::{self, DiscoverRequest, SourceFile},
};

/// Anomalies, findings and logs that an answer lists, each; what is left out is counted.
const MOST_LISTED: usize = 1_000;
/// Logs up to this size, unpacked, are a matter of moments and get one thread; larger ones get all, one analysis after the other.
const SMALL: u64 = 4 << 20;

/// Logs to be analyzed.
#[derive(Debug)]
pub struct AnalyzeRequest {
    /// The logs.
    pub input: LogInput,
    /// Whether findings are kept and, where lanes stay at work, go to the sinks; otherwise they are only told.
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
    /// Records that came with the call one by one: read as two logs, one of the objects and one of the texts. What is said
    /// about a line is about the record of this number, from 1.
    Records {
        /// How the logs are shown.
        name: String,
        /// The records.
        records: Box<Records>,
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
    /// The anomalous events, log by log in the order of their records; if there are very many, the strongest.
    pub anomalies: Vec<AnomalyRecord>,
    /// Anomalous events that are not listed.
    pub anomalies_left_out: u64,
    /// Findings that group them, listed or not.
    pub total_findings: u64,
    /// All of them by severity, each of which is named.
    pub by_severity: BTreeMap<Severity, u64>,
    /// All of them by threat, those that occur.
    pub by_threat: BTreeMap<ThreatType, u64>,
    /// The findings, most severe first, each with what was decided about it.
    pub findings: Vec<JudgedFinding>,
    /// Findings that are not listed, the least severe.
    pub findings_left_out: u64,
    /// Log by log what was read, and what could not be; if there are very many, first those that could not be.
    pub logs: Vec<LogResult>,
    /// Logs that are not listed.
    pub logs_left_out: u64,
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
    /// A path can't be read at all, no log can be read, those that came with the call become too large when they are
    /// unpacked, the work was stopped, or findings can't be kept. What is wrong with one log of several stands in its
    /// [`LogResult::error`].
    pub fn analyze(&self, request: AnalyzeRequest, watch: Watch<'_>) -> Result<Analysis, AppError> {
        let began = Instant::now();
        let given = given(request.input, self.most_unpacked())?;
        let is_small = is_small(&given.sets);
        let turn = if is_small { &self.small_turns } else { &self.large_turns }.take(watch.stop)?;
        let read = self.read(&given, is_small, watch)?;
        drop(turn);
        let failed = read.logs.iter().filter(|log| log.error.is_some()).count() as u64;
        let counted = Analyzed { source: "analyze", reports: &read.reports, failed, took: began.elapsed() };
        self.counts.analyzed(counted);
        if given.came_along && read.causes.contains(&UnreadCause::Size) {
            return Err(AppError::TooLarge(self.most_unpacked()));
        }
        let ReadLogs { mut reports, logs, unread, .. } = read;
        if let (true, Some(Fault { cause, reason })) = (reports.is_empty(), unread) {
            return Err(AppError::Unread { cause, reason });
        }
        if reports.iter().any(|report| !report.findings.is_empty()) {
            self.counts.found(&reports, self.shelf.view().ok().as_deref());
        }
        let mut analysis = self.tell_of(&mut reports, logs)?;
        if given.places.is_some() {
            analysis.anomalies.sort_by_key(|anomaly| anomaly.line);
        }
        if request.hand_over {
            analysis.handed_over = self.take_over(reports)?;
        }
        analysis.elapsed_secs = began.elapsed().as_secs_f64();
        Ok(analysis)
    }

    fn read(&self, given: &GivenLogs, is_small: bool, watch: Watch<'_>) -> Result<ReadLogs, AppError> {
        let model_of = |family: &str| self.models.of(family);
        let analyzer = |format| {
            let analyzer = FileAnalyzer::new(&self.plan, &model_of);
            let analyzer = if is_small { analyzer.with_threads(1) } else { analyzer };
            match format {
                RecordFormat::AsConfigured => analyzer,
                RecordFormat::ByContent => analyzer.with_format(None),
                RecordFormat::Is(format) => analyzer.with_format(Some(format)),
            }
        };
        let mut read = ReadLogs::default();
        for Set { parts, kind, format } in &given.sets {
            let done = analyzer(*format).read(parts, watch.progress, watch.stop);
            for (part, done) in parts.iter().zip(done) {
                match done {
                    Ok((mut done, cause)) => {
                        if let (Some(places), Some(kind)) = (&given.places, kind) {
                            places.number(*kind, &mut done.report);
                        }
                        read.causes.extend(cause);
                        read.logs
                            .push(LogResult::of(&done.report, done.cut_short.map(|why| self.named(&why, &part.file))));
                        read.reports.push(done.report);
                    }
                    Err(Unread::Stopped) => return Err(AppError::Stopped),
                    Err(Unread::Failed(fault)) => read.add_unread(&part.file.name, self.told(fault, &part.file)),
                }
            }
        }
        Ok(read)
    }

    /// Most bytes that a log that came with a call may become when it is unpacked: as many as may come plain.
    fn most_unpacked(&self) -> u64 {
        self.plan.serve.max_body_bytes as u64
    }

    /// What may be told of a fault: by names, because where the files lie is nobody's business.
    fn told(&self, fault: Fault, log: &SourceFile) -> Fault {
        let reason = self.named(&fault.reason, log);
        if fault.cause != UnreadCause::Model {
            return Fault { reason, ..fault };
        }
        tracing::warn!(reason, "a model can't be used");
        Fault { reason: format!("the model for this log can't be used: {reason}"), ..fault }
    }

    /// Keeps what was found, and hands it to the sinks. In this order: what a sink was told of can be looked up.
    fn take_over(&self, reports: Vec<FileReport>) -> Result<Option<TakenOver>, AppError> {
        let found: Vec<_> = reports.iter().flat_map(|report| &report.findings).cloned().collect();
        if found.is_empty() {
            return Ok(None);
        }
        let new = self.shelf.keep(reports)?;
        let taken = self.bells().map(|bells| bells.accept(&found)).transpose()?;
        if new > 0 {
            self.tell(Change::Findings { count: new });
        }
        Ok(taken)
    }

    /// Makes the answer, and takes the anomalies out of the reports for that.
    fn tell_of(&self, reports: &mut [FileReport], logs: Vec<LogResult>) -> Result<Analysis, AppError> {
        let total_events: u64 = reports.iter().map(|report| report.total_events).sum();
        let anomalies_detected: u64 = reports.iter().map(|report| report.anomalies_detected).sum();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let anomaly_rate = if total_events == 0 { 0.0 } else { anomalies_detected as f64 / total_events as f64 };
        let threshold = reports.first().map_or(self.plan.detect.threshold.value(), |report| report.threshold);
        let (mut anomalies, mut found) = (Vec::new(), Vec::new());
        for report in reports {
            anomalies.append(&mut report.anomalies);
            found.extend(report.findings.iter().cloned());
        }
        let mut by_severity: BTreeMap<Severity, u64> = Severity::ALL.into_iter().map(|one| (one, 0)).collect();
        let mut by_threat: BTreeMap<ThreatType, u64> = BTreeMap::new();
        for finding in &found {
            *by_severity.entry(finding.severity).or_default() += 1;
            *by_threat.entry(finding.threat_type).or_default() += 1;
        }
        let findings = query::judged(found, &*self.judgments()?, Timestamp::now());
        let mut analysis = Analysis {
            total_events,
            anomalies_detected,
            anomaly_rate,
            threshold,
            anomalies_left_out: anomalies_detected.saturating_sub(anomalies.len() as u64),
            anomalies,
            total_findings: findings.len() as u64,
            by_severity,
            by_threat,
            findings,
            findings_left_out: 0,
            logs,
            logs_left_out: 0,
            handed_over: None,
            elapsed_secs: 0.0,
        };
        analysis.cut(MOST_LISTED, MOST_LISTED);
        Ok(analysis)
    }
}

impl Analysis {
    /// Leaves out what makes the lists longer than this, and counts it.
    pub(super) fn cut(&mut self, anomalies: usize, others: usize) {
        if self.anomalies.len() > anomalies {
            self.anomalies_left_out += (self.anomalies.len() - anomalies) as u64;
            let mut numbered: Vec<_> = std::mem::take(&mut self.anomalies).into_iter().enumerate().collect();
            numbered.sort_by(|(_, one), (_, other)| other.anomaly_score.total_cmp(&one.anomaly_score));
            numbered.truncate(anomalies);
            numbered.sort_by_key(|(at, _)| *at);
            self.anomalies = numbered.into_iter().map(|(_, anomaly)| anomaly).collect();
        }
        if self.findings.len() > others {
            self.findings_left_out += (self.findings.len() - others) as u64;
            self.findings.truncate(others);
        }
        if self.logs.len() > others {
            self.logs_left_out += (self.logs.len() - others) as u64;
            // Stable: the order of reading stays within both kinds.
            self.logs.sort_by_key(|log| log.error.is_none());
            self.logs.truncate(others);
        }
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

/// What was read of all logs.
#[derive(Debug, Default)]
struct ReadLogs {
    reports: Vec<FileReport>,
    logs: Vec<LogResult>,
    /// What kept logs from being read to their end.
    causes: Vec<UnreadCause>,
    /// The first that was not read at all.
    unread: Option<Fault>,
}

impl ReadLogs {
    fn add_unread(&mut self, name: &str, fault: Fault) {
        self.causes.push(fault.cause);
        self.logs.push(LogResult::unread(name, fault.reason.clone()));
        self.unread.get_or_insert(fault);
    }
}

/// Logs to read.
#[derive(Debug, Default)]
struct GivenLogs {
    sets: Vec<Set>,
    /// Whether they came with the call.
    came_along: bool,
    /// Where their lines stand among the records that came.
    places: Option<Places>,
    /// Must be kept as long as they are read.
    kept: Vec<TempPath>,
}

/// Logs that are read in the same way.
#[derive(Debug)]
struct Set {
    parts: Vec<batch::LogPart>,
    kind: Option<Kind>,
    format: RecordFormat,
}

impl Set {
    fn of(files: Vec<SourceFile>) -> Self {
        let whole = |file| batch::LogPart { file, from_offset: 0, first_line: 1, first_event: 0 };
        Self { parts: files.into_iter().map(whole).collect(), kind: None, format: RecordFormat::AsConfigured }
    }
}

fn is_small(sets: &[Set]) -> bool {
    let mut left = SMALL;
    sets.iter().flat_map(|set| &set.parts).all(|part| {
        let rest = left.checked_sub(source::text_length(&part.file, left));
        left = rest.unwrap_or(0);
        rest.is_some()
    })
}

fn given(input: LogInput, most_unpacked: u64) -> Result<GivenLogs, AppError> {
    let one = |file: SourceFile, kept: Vec<TempPath>| {
        let file = SourceFile { most_output: Some(most_unpacked), ..file };
        GivenLogs { sets: vec![Set::of(vec![file])], came_along: true, kept, places: None }
    };
    match input {
        LogInput::Paths(paths) => {
            let found = source::discover(&DiscoverRequest { paths, ..DiscoverRequest::default() })?;
            for problem in &found.problems {
                tracing::warn!(error = problem as &dyn std::error::Error, "left out");
            }
            Ok(GivenLogs { sets: vec![Set::of(found.files)], ..GivenLogs::default() })
        }
        LogInput::Spooled { name, file: kept } => Ok(one(SourceFile { name, ..SourceFile::at(0, &kept)? }, vec![kept])),
        LogInput::Text { name, text } => Ok(one(SourceFile::in_memory(0, name, text), Vec::new())),
        LogInput::Records { name, records } => {
            let (logs, places) = records.into_logs(&name)?;
            let mut given = GivenLogs { came_along: true, places: Some(places), ..GivenLogs::default() };
            for log in logs {
                given.sets.push(Set { kind: Some(log.kind), format: log.format, ..Set::of(vec![log.file]) });
                given.kept.extend(log.kept);
            }
            Ok(given)
        }
    }
}
