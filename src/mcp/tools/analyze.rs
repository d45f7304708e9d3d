//! Logs analyzed: those of the call, or those at a place in the log folder.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::{Analysis, AnalyzeRequest, LogInput, Records},
    mcp::{
        arguments::{LineOrRecord, Logs, OneFile},
        call::Call,
        catalog::{Answer, Toolset},
        failure::Failure,
        untrusted::keep,
        views::{AnomalyCard, FindingCard, LogCard, number, size},
    },
};

/// Most bytes of log text in one call; what is longer belongs into a file.
const LARGEST_TEXT: u64 = 4 << 20;
/// Bytes of the answer for each of its lists.
const FINDINGS: usize = 10_000;
const ANOMALIES: usize = 3_000;
const LOGS: usize = 4_000;

/// What was found in logs.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Analyzed {
    /// Events read and scored.
    total_events: i64,
    /// Events whose score passes the threshold.
    anomalies_detected: i64,
    /// `anomalies_detected / total_events`.
    anomaly_rate: f64,
    /// The cut, 0..1.
    threshold: f64,
    /// Findings that group the anomalies.
    findings_total: i64,
    /// Findings by severity.
    by_severity: BTreeMap<String, i64>,
    /// Findings by threat.
    by_threat: BTreeMap<String, i64>,
    /// The gravest findings.
    findings: Vec<FindingCard>,
    /// The strongest anomalous events.
    anomalies: Vec<AnomalyCard>,
    /// Log by log what was read.
    logs: Vec<LogCard>,
    /// Files that were left out because they are no files or lead out of the log folder.
    files_left_out: i64,
    /// Whether the findings are kept, so that list_findings and explain_finding know them.
    kept: bool,
    /// Seconds that it took.
    elapsed_secs: f64,
    /// Whether the lists do not hold everything.
    truncated: bool,
    /// How to get the rest.
    hint: Option<String>,
}

impl Answer for Analyzed {
    fn said(&self) -> String {
        let Self { total_events, anomalies_detected, findings_total, .. } = self;
        format!("{total_events} events analyzed: {anomalies_detected} anomalies in {findings_total} findings.")
    }
}

/// `analyze_logs`.
pub(in crate::mcp) fn logs(call: &Call<'_>, logs: Logs) -> Result<Analyzed, Failure> {
    match (logs.logs, logs.path) {
        (Some(lines), None) => inline(call, lines),
        (None, Some(path)) => place(call, &path),
        (Some(_), Some(_)) => Err(Failure::arguments("give `logs` or `path`, never both")),
        (None, None) => Err(Failure::arguments("give `logs`, or `path`; `.` is the whole log folder")),
    }
}

/// `analyze_file`.
pub(in crate::mcp) fn file(call: &Call<'_>, file: OneFile) -> Result<Analyzed, Failure> {
    place(call, &file.path)
}

fn inline(call: &Call<'_>, lines: Vec<LineOrRecord>) -> Result<Analyzed, Failure> {
    if lines.is_empty() {
        return Err(Failure::arguments("`logs` is empty; expected lines or records"));
    }
    let mut records = Records::default();
    for line in lines {
        match line {
            LineOrRecord::Line(line) => records.push_text(&line)?,
            LineOrRecord::Record(record) => records.push_object(&serde_json::Value::Object(record).to_string())?,
        }
        if records.bytes() > LARGEST_TEXT {
            return Err(Failure::arguments("`logs` is longer than 4 MiB; put it into a file and give `path`"));
        }
    }
    analyze(call, LogInput::Records { name: "inline".to_owned(), records: Box::new(records) }, 0)
}

fn place(call: &Call<'_>, path: &str) -> Result<Analyzed, Failure> {
    let found = call.office.desk.logs_under(&call.office.root, path)?;
    analyze(call, LogInput::Paths(found.files), found.left_out)
}

fn analyze(call: &Call<'_>, input: LogInput, left_out: usize) -> Result<Analyzed, Failure> {
    let kept = call.office.toolset != Toolset::ReadOnly;
    let analysis = call.office.desk.analyze(AnalyzeRequest { input, hand_over: kept }, call.watch)?;
    Ok(told(&analysis, kept, left_out))
}

fn told(analysis: &Analysis, kept: bool, left_out: usize) -> Analyzed {
    let mut findings: Vec<FindingCard> = analysis.findings.iter().map(FindingCard::of).collect();
    let mut strongest: Vec<_> = analysis.anomalies.iter().collect();
    strongest.sort_by(|one, other| other.anomaly_score.total_cmp(&one.anomaly_score));
    let mut anomalies: Vec<AnomalyCard> = strongest.into_iter().take(20).map(AnomalyCard::of).collect();
    let mut logs: Vec<LogCard> = analysis.logs.iter().map(LogCard::of).collect();
    let mut truncated = number(analysis.anomalies_detected) > size(anomalies.len());
    truncated |= analysis.findings_left_out > 0 || analysis.logs_left_out > 0;
    truncated |= keep(&mut findings, FINDINGS);
    truncated |= keep(&mut anomalies, ANOMALIES);
    truncated |= keep(&mut logs, LOGS);
    let hint = match (truncated, kept) {
        (false, _) => None,
        (true, true) => Some("list_findings pages through all findings; explain_finding shows one with its evidence"),
        (true, false) => Some("analyze one file at a time; nothing is kept with --read-only"),
    };
    Analyzed {
        total_events: number(analysis.total_events),
        anomalies_detected: number(analysis.anomalies_detected),
        anomaly_rate: analysis.anomaly_rate,
        threshold: analysis.threshold,
        findings_total: number(analysis.total_findings),
        by_severity: analysis.by_severity.iter().map(|(one, count)| (one.name().to_owned(), number(*count))).collect(),
        by_threat: analysis.by_threat.iter().map(|(one, count)| (one.name().to_owned(), number(*count))).collect(),
        findings,
        anomalies,
        logs,
        files_left_out: size(left_out),
        kept,
        elapsed_secs: analysis.elapsed_secs,
        truncated,
        hint: hint.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Severity, ThreatType};

    /// Of many findings, or logs, the desk lists the first thousand.
    fn cut(findings: u64, logs: u64) -> Analyzed {
        let analysis = Analysis {
            total_events: 0,
            anomalies_detected: 0,
            anomaly_rate: 0.0,
            threshold: 0.7,
            anomalies: Vec::new(),
            anomalies_left_out: 0,
            total_findings: findings,
            by_severity: BTreeMap::from([(Severity::High, findings), (Severity::Low, 0)]),
            by_threat: BTreeMap::from([(ThreatType::BruteForce, findings)]),
            findings: Vec::new(),
            findings_left_out: findings,
            logs: Vec::new(),
            logs_left_out: logs,
            handed_over: None,
            elapsed_secs: 0.0,
        };
        told(&analysis, true, 0)
    }

    #[test]
    fn sums_are_of_all_findings_whatever_is_listed() {
        let told = cut(1_500, 0);
        assert_eq!(
            (told.findings_total, told.by_severity["high"], told.by_threat["brute_force"]),
            (1_500, 1_500, 1_500)
        );
        assert!(told.truncated && told.hint.is_some());
        assert!(cut(0, 3).truncated, "logs that are not listed are told too");
        assert!(!cut(0, 0).truncated);
    }
}
