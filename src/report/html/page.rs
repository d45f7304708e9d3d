//! What the page says besides its findings: header, tiles, tables, data quality.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use watchbell_sink::{EntityKind, Severity, ThreatType};

use super::{
    chart::{kind_title, percent},
    look::SeverityLook,
};
use crate::report::{
    BatchSummary, FileReport, FileStatus, ReportInput, RunFacts,
    overview::{Complaints, Overview, complaint_title},
    words,
};

/// Samples of one reason of complaint.
const SAMPLES: usize = 5;

/// The sentence, the numbers and the run.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Header {
    verdict: String,
    scope: String,
    failed: Vec<Failure>,
    failed_count: u64,
    tiles: Vec<Tile>,
    severities: Vec<SeverityShare>,
    facts: Vec<Fact>,
    threshold: String,
    reports_at: String,
}

#[derive(Debug, Serialize)]
struct Failure {
    file: String,
    error: String,
}

#[derive(Debug, Serialize)]
struct Tile {
    label: &'static str,
    value: String,
    note: String,
}

#[derive(Debug, Serialize)]
pub(in crate::report) struct SeverityShare {
    pub(in crate::report) look: SeverityLook,
    pub(in crate::report) count: String,
    pub(in crate::report) x: String,
    pub(in crate::report) width: String,
}

#[derive(Debug, Serialize)]
struct Fact {
    label: &'static str,
    value: String,
}

/// Failures are shown in the header, so only some of them.
const FAILURES: usize = 5;

impl Header {
    /// The header of a run.
    pub(in crate::report) fn new(input: ReportInput<'_>, overview: &Overview<'_>) -> Self {
        let failures: Vec<_> = input.summary.into_iter().flat_map(failures).collect();
        Self {
            verdict: overview.verdict(words::THIN),
            scope: scope(input.reports, overview),
            failed_count: failures.len() as u64,
            failed: failures.into_iter().take(FAILURES).collect(),
            tiles: tiles(input.reports, overview),
            severities: severities(overview),
            facts: facts(input.run, overview),
            threshold: words::score(input.run.threshold),
            reports_at: input.run.reports_at.clone(),
        }
    }
}

fn failures(summary: &BatchSummary) -> impl Iterator<Item = Failure> {
    let failed = summary.results.iter().filter(|result| result.status == FileStatus::Error);
    failed.map(|result| Failure {
        file: result.source_file.clone(),
        error: result.error.clone().unwrap_or_else(|| "no reason was given".to_owned()),
    })
}

fn scope(reports: &[FileReport], overview: &Overview<'_>) -> String {
    let files: BTreeSet<_> = reports.iter().map(|report| &report.source_file).collect();
    let files = words::counted(files.len() as u64, "log", words::THIN);
    match (overview.first, overview.last) {
        (None, None) => format!("{files}, none of which names a time"),
        (first, last) => format!("{files}, {} UTC", words::span(first, last)),
    }
}

fn tiles(reports: &[FileReport], overview: &Overview<'_>) -> Vec<Tile> {
    let number = |number| words::grouped(number, words::THIN);
    let files = words::counted(reports.len() as u64, "report", words::THIN);
    let findings = words::counted(overview.ranked.len() as u64, "finding", words::THIN);
    let read = overview.records.saturating_sub(overview.lost);
    let lost = match overview.lost {
        0 => "no record was left out".to_owned(),
        lost => format!("{} left out", words::counted(lost, "record", words::THIN)),
    };
    let share = words::percent(overview.anomalies, overview.events);
    vec![
        Tile {
            label: "Events",
            value: number(overview.events),
            note: format!("{files}, {}", words::bytes(overview.bytes)),
        },
        Tile {
            label: "Anomalous",
            value: number(overview.anomalies),
            note: format!("{share} of the events, grouped into {findings}"),
        },
        Tile { label: "Entities", value: number(overview.entities.len() as u64), note: kinds(overview) },
        Tile { label: "Understood", value: words::percent(read, overview.records), note: lost },
    ]
}

/// `4 users, 2 hosts` for those that findings are about.
pub(in crate::report) fn kinds(overview: &Overview<'_>) -> String {
    let mut counts: BTreeMap<EntityKind, u64> = BTreeMap::new();
    for (entity, _) in &overview.entities {
        *counts.entry(entity.kind).or_default() += 1;
    }
    let plural = |(kind, count): (EntityKind, u64)| match (kind_title(kind), count) {
        ("address", 2..) => format!("{} addresses", words::grouped(count, words::THIN)),
        ("country", 2..) => format!("{} countries", words::grouped(count, words::THIN)),
        ("process", 2..) => format!("{} processes", words::grouped(count, words::THIN)),
        (kind, count) => words::counted(count, kind, words::THIN),
    };
    let kinds: Vec<_> = counts.into_iter().map(plural).collect();
    if kinds.is_empty() { "no findings".to_owned() } else { kinds.join(", ") }
}

/// The shares of the findings, worst first, side by side in one bar.
#[expect(clippy::cast_precision_loss, reason = "counts of a chart")]
pub(in crate::report) fn severities(overview: &Overview<'_>) -> Vec<SeverityShare> {
    let total = overview.ranked.len().max(1) as f64;
    let mut x = 0.0;
    let mut shares = Vec::new();
    for severity in Severity::ALL.into_iter().rev() {
        let count = overview.by_severity[severity as usize];
        let width = count as f64 / total;
        shares.push(SeverityShare {
            look: SeverityLook::of(severity),
            count: words::grouped(count, words::THIN),
            x: percent(x),
            width: percent(width),
        });
        x += width;
    }
    shares
}

fn facts(run: &RunFacts, overview: &Overview<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |label, value: String| {
        if !value.is_empty() {
            facts.push(Fact { label, value });
        }
    };
    add("Command", run.command_line.clone());
    add("Watchbell", run.version.clone());
    add("Model", run.model.clone());
    add("Threshold", words::score(run.threshold));
    add("Made", format!("{} UTC", words::instant(run.generated_at)));
    if let Some(seconds) = run.elapsed_secs.filter(|&seconds| seconds > 0.0) {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate"
        )]
        let rate = (overview.events as f64 / seconds) as u64;
        add("Took", format!("{seconds:.2} s, {} events per second", words::grouped(rate, words::THIN)));
    }
    add("JSON reports", run.reports_at.clone());
    facts
}

/// A threat type and its findings.
#[derive(Debug, Serialize)]
pub(in crate::report) struct ThreatRow {
    title: &'static str,
    worst: SeverityLook,
    counts: Vec<u64>,
    findings: u64,
    events: u64,
    events_text: String,
}

/// The threat types that occur, worst first.
pub(in crate::report) fn threat_rows(overview: &Overview<'_>) -> Vec<ThreatRow> {
    let mut rows: BTreeMap<ThreatType, ThreatRow> = BTreeMap::new();
    for item in &overview.ranked {
        let finding = item.finding;
        // Findings come worst first, so the one that opens a row is its worst.
        let row = rows.entry(finding.threat_type).or_insert_with(|| ThreatRow {
            title: finding.threat_type.title(),
            worst: SeverityLook::of(finding.severity),
            counts: vec![0; Severity::ALL.len()],
            findings: 0,
            events: 0,
            events_text: String::new(),
        });
        row.counts[Severity::Critical as usize - finding.severity as usize] += 1;
        row.findings += 1;
        row.events = row.events.saturating_add(finding.event_count);
        row.events_text = words::grouped(row.events, words::THIN);
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.worst.rank, row.findings)));
    rows
}

/// An entity and its findings.
#[derive(Debug, Serialize)]
pub(in crate::report) struct EntityRow<'a> {
    kind: &'static str,
    name: &'a str,
    worst: SeverityLook,
    findings: usize,
    events: u64,
    events_text: String,
    threats: String,
    first: String,
    last: String,
}

/// The entities with findings, worst first.
pub(in crate::report) fn entity_rows<'a>(overview: &'a Overview<'a>) -> impl Iterator<Item = EntityRow<'a>> {
    overview.entities.iter().map(|(entity, positions)| {
        let findings = || positions.iter().map(|&position| overview.ranked[position].finding);
        let threats: BTreeSet<_> = findings().map(|finding| finding.threat_type.title()).collect();
        let events = findings().fold(0_u64, |sum, finding| sum.saturating_add(finding.event_count));
        let time = |time: Option<_>| time.map_or_else(|| "-".to_owned(), words::instant);
        EntityRow {
            kind: kind_title(entity.kind),
            name: &entity.value,
            worst: SeverityLook::of(overview.ranked[positions[0]].finding.severity),
            findings: positions.len(),
            events,
            events_text: words::grouped(events, words::THIN),
            threats: threats.into_iter().collect::<Vec<_>>().join(", "),
            first: time(findings().filter_map(|finding| finding.first_seen).min()),
            last: time(findings().filter_map(|finding| finding.last_seen).max()),
        }
    })
}

/// A log and what came of it.
#[derive(Debug, Serialize)]
pub(in crate::report) struct FileRow<'a> {
    file: &'a str,
    /// For a log that had been read before and grew.
    from_byte: Option<String>,
    format: &'a str,
    events: u64,
    events_text: String,
    anomalies: u64,
    findings: usize,
    lost: u64,
    error: Option<&'a str>,
}

/// The logs in the order of reading, then those that could not be read.
pub(in crate::report) fn file_rows<'a>(input: ReportInput<'a>) -> impl Iterator<Item = FileRow<'a>> {
    let read = input.reports.iter().map(|report| FileRow {
        file: &report.source_file,
        from_byte: (report.offset > 0).then(|| words::grouped(report.offset, words::THIN)),
        format: &report.format,
        events: report.total_events,
        events_text: words::grouped(report.total_events, words::THIN),
        anomalies: report.anomalies_detected,
        findings: report.findings.len(),
        lost: report.complaints.iter().filter(|of| of.reason.loses_record()).map(|of| of.count).sum(),
        error: None,
    });
    let results = input.summary.into_iter().flat_map(|summary| &summary.results);
    let failed = results.filter(|result| result.status == FileStatus::Error).map(|result| FileRow {
        file: &result.source_file,
        from_byte: None,
        format: "",
        events: result.total_events,
        events_text: words::grouped(result.total_events, words::THIN),
        anomalies: result.anomalies_detected,
        findings: 0,
        lost: 0,
        error: Some(result.error.as_deref().unwrap_or("no reason was given")),
    });
    read.chain(failed)
}

/// Complaints of one reason, with samples.
#[derive(Debug, Serialize)]
pub(in crate::report) struct ComplaintRow<'a> {
    title: &'static str,
    loses: bool,
    count: String,
    samples: Vec<Sample<'a>>,
}

#[derive(Debug, Serialize)]
struct Sample<'a> {
    file: &'a str,
    line: u64,
    detail: &'a str,
    text: &'a str,
}

/// How the page shows complaints of one reason.
pub(in crate::report) fn complaint_row<'a>(of: &Complaints<'a>) -> ComplaintRow<'a> {
    let samples = of.samples.iter().take(SAMPLES).map(|&(file, sample)| Sample {
        file,
        line: sample.line,
        detail: &sample.detail,
        text: &sample.sample,
    });
    ComplaintRow {
        title: complaint_title(of.reason),
        loses: of.reason.loses_record(),
        count: words::grouped(of.count, words::THIN),
        samples: samples.collect(),
    }
}

/// A feature with its meaning, or with an example where no meaning is known.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Term<'a> {
    feature: &'a str,
    meaning: &'a str,
    is_example: bool,
}

/// The features that occur in reasons.
pub(in crate::report) fn terms<'a>(run: &'a RunFacts, overview: &Overview<'a>) -> Vec<Term<'a>> {
    let mut examples: BTreeMap<&str, &str> = BTreeMap::new();
    for reason in overview.ranked.iter().flat_map(|item| &item.finding.reasons) {
        examples.entry(&reason.feature).or_insert(&reason.text);
    }
    let known: BTreeMap<&str, &str> =
        run.glossary.iter().map(|entry| (entry.feature.as_str(), entry.meaning.as_str())).collect();
    let term = |(feature, example): (&'a str, &'a str)| match known.get(feature) {
        Some(meaning) => Term { feature, meaning, is_example: false },
        None => Term { feature, meaning: example, is_example: true },
    };
    examples.into_iter().map(term).collect()
}
