//! A folder with logs and an output directory, and an analyzer that calls every line an anomaly.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use jiff::Timestamp;
use watchbell::{
    batch::{
        Analyzer, BatchError, Job, LogPart, NoProgress, Nobody, PartAnalysis, PartError, Progress, Repeat, Round,
        RunEnd, run,
    },
    config::{Given, Overrides, Plan, load},
    report::{AnomalyRecord, FileReport, FileResult, FileStatus, Timeline},
    sink::{Severity, ThreatType},
    source::{Input, Limits},
};

/// Calls every line an anomaly.
#[derive(Default)]
pub(crate) struct EveryLine {
    /// Waits so long for each line.
    pub(crate) pause: Duration,
    /// Stops by itself after so many parts.
    pub(crate) stop_after: Option<usize>,
    /// How often it was asked.
    pub(crate) calls: AtomicUsize,
}

impl Analyzer for EveryLine {
    fn analyze(
        &self,
        parts: &[LogPart],
        _progress: &dyn Progress,
        stop: &AtomicBool,
    ) -> Vec<Result<PartAnalysis, PartError>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let each = parts.iter().enumerate().map(|(number, part)| {
            if stop.load(Ordering::Relaxed) || self.stop_after.is_some_and(|most| number >= most) {
                return Err(PartError::Stopped);
            }
            self.part(part)
        });
        each.collect()
    }
}

impl EveryLine {
    fn part(&self, part: &LogPart) -> Result<PartAnalysis, PartError> {
        let failed = |error: &dyn std::error::Error| PartError::Failed(error.to_string());
        let mut input = Input::open(&part.file, Limits::default()).map_err(|error| failed(&error))?;
        input.skip_to(part.from_offset).map_err(|error| failed(&error))?;
        let mut text = Vec::new();
        let mut cut_short = None;
        loop {
            match input.read_into(&mut text, 1 << 16) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    cut_short = Some(error.to_string());
                    break;
                }
            }
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
        let lines: Vec<String> = String::from_utf8_lossy(&text[..whole]).lines().map(str::to_owned).collect();
        thread::sleep(self.pause * lines.len() as u32);
        let end_offset = part.from_offset + whole as u64;
        let next_line = part.first_line + lines.len() as u64;
        Ok(PartAnalysis { report: report(part, &lines), end_offset, next_line, cut_short })
    }
}

fn report(part: &LogPart, lines: &[String]) -> FileReport {
    let count = lines.len() as u64;
    let anomaly = |(number, line): (usize, &String)| AnomalyRecord {
        timestamp: None,
        user: None,
        source_ip: None,
        threat_type: ThreatType::AnomalousAccess,
        severity: Severity::Low,
        anomaly_score: 1.0,
        id: part.first_event + number as u64,
        line: part.first_line + number as u64,
        host: None,
        action: None,
        resource: None,
        country: None,
        reasons: Vec::new(),
        finding_id: String::new(),
        raw: line.clone(),
    };
    FileReport {
        source_file: part.file.name.clone(),
        processed_at: Timestamp::UNIX_EPOCH,
        total_events: count,
        anomalies_detected: count,
        anomaly_rate: if count == 0 { 0.0 } else { 1.0 },
        threshold: 0.7,
        anomalies: lines.iter().enumerate().map(anomaly).collect(),
        findings: Vec::new(),
        format: "lines".to_owned(),
        bytes: 0,
        offset: part.from_offset,
        records: count,
        complaints: Vec::new(),
        first_event: None,
        last_event: None,
        timeline: Timeline::default(),
        score_histogram: vec![0; 50],
    }
}

/// A folder with `logs` and `out`.
pub(crate) struct LogFolder {
    pub(crate) folder: tempfile::TempDir,
}

impl LogFolder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        Self { folder }
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.log(name).parent().unwrap()).unwrap();
        fs::write(self.log(name), text).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        fs::OpenOptions::new().append(true).open(self.log(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(self.folder.path())
    }

    /// One round.
    pub(crate) fn round(&self) -> Outcome {
        self.round_with(&EveryLine::default()).unwrap()
    }

    pub(crate) fn round_with(&self, analyzer: &dyn Analyzer) -> Result<Outcome, BatchError> {
        let stop = AtomicBool::new(false);
        let mut outcome = None;
        let job = Job { plan: &self.plan(), analyzer, progress: &NoProgress, stop: &stop, handover: &Nobody };
        let end = run(job, Repeat::Once, &mut |round| outcome = round.ok().map(Outcome::of))?;
        Ok(Outcome { end, ..outcome.unwrap() })
    }

    /// Every line of every report, with the number of times that it was reported.
    pub(crate) fn reported(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for report in self.reports() {
            for anomaly in report.anomalies {
                *lines.entry(anomaly.raw).or_default() += 1;
            }
        }
        lines
    }

    pub(crate) fn reports(&self) -> Vec<FileReport> {
        let mut names = self.names();
        names.retain(|name| name.ends_with(".json") && !name.starts_with("batch_summary"));
        let read = |name: &String| serde_json::from_slice(&fs::read(self.out().join(name)).unwrap()).unwrap();
        names.iter().map(read).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.out()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn processed(&self) -> String {
        fs::read_to_string(self.out().join("processed_files.txt")).unwrap()
    }

    pub(crate) fn assert_once(&self, lines: &[&str]) {
        let expected: BTreeMap<String, usize> = lines.iter().map(|line| ((*line).to_owned(), 1)).collect();
        assert_eq!(self.reported(), expected);
    }
}

pub(crate) fn plan(folder: &Path) -> Plan {
    let flags =
        Overrides { log_dir: Some(folder.join("logs")), output_dir: Some(folder.join("out")), ..Overrides::default() };
    let settings = load(Given { file: None, environment: &|_| None, flags, builds_sinks: false }).unwrap();
    Plan::new(settings, std::num::NonZeroUsize::MIN).unwrap()
}

/// What is asked of a round.
pub(crate) struct Outcome {
    pub(crate) results: Vec<FileResult>,
    pub(crate) summary_file: Option<PathBuf>,
    pub(crate) stopped: bool,
    pub(crate) end: RunEnd,
}

impl Outcome {
    pub(crate) fn of(round: &Round) -> Self {
        let Round { summary, summary_file, stopped, .. } = round;
        Self {
            results: summary.results.clone(),
            summary_file: summary_file.clone(),
            stopped: *stopped,
            end: RunEnd::Done,
        }
    }

    pub(crate) fn statuses(&self) -> Vec<FileStatus> {
        self.results.iter().map(|result| result.status).collect()
    }
}
