//! The detector on labelled logs: ranking, incidents found at a budget, threat types, severities; once with the whole log
//! at hand, as files are read, and once event by event, as a stream knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use watchbell::detect::{DetectSettings, Detector, LogPart, Run, Stream, Unwatched};
use watchbell::parse::{ParseOptions, open_log};
use watchbell::score::metrics::{auroc, average_precision};
use watchbell::source::SourceFile;

use crate::archive;

/// A labelled log, and what the detector must reach on it.
struct LabelledLog {
    name: &'static str,
    events: &'static str,
    labels: &'static str,
    /// Least average precision.
    precision: f64,
    /// Least number of incidents among the strongest 1 % of the events.
    incidents: usize,
    /// Least macro accuracy of threat types.
    types: f64,
}

const LOGS: [LabelledLog; 2] = [
    LabelledLog {
        name: "synthetic 200 k, seed 7",
        events: "synthetic/events_seed7_200k.jsonl.xz",
        labels: "synthetic/labels_seed7_200k.csv.xz",
        precision: 0.65,
        incidents: 20,
        types: 0.75,
    },
    LabelledLog {
        name: "synthetic 1 M, seed 42",
        events: "synthetic/events_seed42_1m.jsonl.xz",
        labels: "synthetic/labels_seed42_1m.csv.xz",
        precision: 0.64,
        incidents: 100,
        types: 0.75,
    },
];

/// Shares of the events that an analyst may be shown.
const BUDGETS: [f64; 3] = [0.002, 0.005, 0.01];

/// What is known of each event.
struct Truth {
    is_attack: Vec<bool>,
    threats: Vec<String>,
    incidents: Vec<String>,
}

/// What the detector says of each event.
#[derive(Default)]
struct Said {
    scores: Vec<f64>,
    threats: Vec<String>,
    severities: Vec<String>,
}

/// Prints the table; false when a floor is missed.
pub(crate) fn run(directory: &Path, quick: bool) -> Result<bool> {
    let mut passed = true;
    for log in &LOGS[..if quick { 1 } else { LOGS.len() }] {
        let mut file = tempfile::Builder::new().suffix(".jsonl").tempfile()?;
        file.write_all(&archive::read(&directory.join(log.events))?)?;
        let truth = truth(&archive::read(&directory.join(log.labels))?).context(log.labels)?;
        let part = LogPart::whole(SourceFile::at(0, file.path())?);
        println!("\n{}: {} events, {} of attacks", log.name, truth.is_attack.len(), count(&truth.is_attack));
        let whole = score_file(&part)?;
        let found = show("  whole log", &whole, &truth);
        show_types(&whole, &truth);
        let types = macro_accuracy(&whole, &truth);
        let (ap, incidents) = (average_precision(&whole.scores, &truth.is_attack).unwrap_or(0.0), found);
        passed &= floor("average precision", ap, log.precision);
        passed &= floor("incidents at 1 %", incidents as f64, log.incidents as f64);
        passed &= floor("macro accuracy of types", types, log.types);
        passed &= severities_rise(&whole, &truth);
        let stream = score_stream(&part)?;
        show("  event by event", &stream, &truth);
        let tenth = truth.is_attack.len() / 10;
        let early = average_precision(&whole.scores[..tenth], &truth.is_attack[..tenth]);
        match early {
            Some(early) => println!("  first tenth of the log alone: average precision {early:.3}"),
            None => println!("  first tenth of the log: no attack in it"),
        }
    }
    Ok(passed)
}

fn count(marks: &[bool]) -> usize {
    marks.iter().filter(|mark| **mark).count()
}

fn floor(what: &str, reached: f64, least: f64) -> bool {
    let passed = reached >= least;
    println!("  {what}: {reached:.3}, at least {least} {}", if passed { "ok" } else { "MISSED" });
    passed
}

fn truth(csv: &[u8]) -> Result<Truth> {
    let mut truth = Truth { is_attack: Vec::new(), threats: Vec::new(), incidents: Vec::new() };
    for line in std::str::from_utf8(csv)?.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [_, label, threat, incident] = fields[..] else { anyhow::bail!("expected four fields in `{line}`") };
        truth.is_attack.push(label == "1");
        truth.threats.push(threat.to_owned());
        truth.incidents.push(incident.to_owned());
    }
    Ok(truth)
}

fn score_file(part: &LogPart) -> Result<Said> {
    let (parse, stop) = (ParseOptions::default(), AtomicBool::new(false));
    let run = Run { parse: &parse, now: jiff::Timestamp::UNIX_EPOCH, progress: &Unwatched, stop: &stop };
    let mut lines = Vec::new();
    Detector::new(DetectSettings::default()).score(part, run, &mut |bytes| lines.write_all(bytes))?;
    let mut said = Said::default();
    for line in std::str::from_utf8(&lines)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        said.scores.push(line["anomaly_score"].as_f64().context("a score")?);
        said.threats.push(line["threat_type"].as_str().context("a type")?.to_owned());
        said.severities.push(line["severity"].as_str().context("a severity")?.to_owned());
    }
    Ok(said)
}

fn score_stream(part: &LogPart) -> Result<Said> {
    let mut log = open_log(&part.file, 0, &ParseOptions::default())?;
    let mut stream = Stream::new(&DetectSettings::default(), None);
    let mut said = Said::default();
    for block in log.blocks.by_ref() {
        let batch = log.parser.parse(block?);
        for event in &batch.events {
            let observed = stream.observe(&batch, event)?;
            said.scores.push(f64::from(observed.score));
            said.threats.push(observed.threat.name().to_owned());
            said.severities.push(observed.severity.name().to_owned());
        }
    }
    Ok(said)
}

/// Prints the ranking; gives the incidents found at the largest budget.
fn show(title: &str, said: &Said, truth: &Truth) -> usize {
    let area = auroc(&said.scores, &truth.is_attack).unwrap_or(0.0);
    let precision = average_precision(&said.scores, &truth.is_attack).unwrap_or(0.0);
    let all: BTreeSet<&String> = truth.incidents.iter().filter(|incident| !incident.is_empty()).collect();
    let mut order: Vec<usize> = (0..said.scores.len()).collect();
    order.sort_by(|&a, &b| said.scores[b].total_cmp(&said.scores[a]).then(a.cmp(&b)));
    println!("{title}: AUROC {area:.4}, average precision {precision:.4}");
    let mut found = 0;
    for budget in BUDGETS {
        let shown = &order[..((order.len() as f64 * budget) as usize).min(order.len())];
        let real = shown.iter().filter(|&&event| truth.is_attack[event]).count();
        let incidents: BTreeSet<&String> =
            shown.iter().filter(|&&event| truth.is_attack[event]).map(|&event| &truth.incidents[event]).collect();
        found = incidents.len();
        println!(
            "    strongest {:>4.1} %: precision {:.3}, recall {:.3}, incidents {} of {}",
            budget * 100.0,
            real as f64 / shown.len().max(1) as f64,
            real as f64 / count(&truth.is_attack).max(1) as f64,
            found,
            all.len()
        );
    }
    found
}

fn by_threat<'a>(said: &'a Said, truth: &'a Truth) -> BTreeMap<&'a str, BTreeMap<&'a str, usize>> {
    let mut table: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (event, threat) in truth.threats.iter().enumerate().filter(|(event, _)| truth.is_attack[*event]) {
        *table.entry(threat).or_default().entry(&said.threats[event]).or_default() += 1;
    }
    table
}

fn accuracy(threat: &str, said: &BTreeMap<&str, usize>) -> f64 {
    said.get(threat).copied().unwrap_or(0) as f64 / said.values().sum::<usize>().max(1) as f64
}

fn macro_accuracy(said: &Said, truth: &Truth) -> f64 {
    let table = by_threat(said, truth);
    table.iter().map(|(threat, said)| accuracy(threat, said)).sum::<f64>() / table.len().max(1) as f64
}

fn show_types(said: &Said, truth: &Truth) {
    for (threat, said) in by_threat(said, truth) {
        let mut others: Vec<(&str, usize)> = said.iter().map(|(name, count)| (*name, *count)).collect();
        others.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let others: Vec<String> = others.iter().take(3).map(|(name, count)| format!("{name} {count}")).collect();
        println!("    {threat:<22} {:.2}  {}", accuracy(threat, &said), others.join(", "));
    }
}

/// Whether a higher severity is more often right.
fn severities_rise(said: &Said, truth: &Truth) -> bool {
    let mut last = -1.0;
    let mut rises = true;
    for severity in ["low", "medium", "high", "critical"] {
        let events: Vec<usize> =
            (0..said.severities.len()).filter(|&event| said.severities[event] == severity).collect();
        let real = events.iter().filter(|&&event| truth.is_attack[event]).count();
        let precision = real as f64 / events.len().max(1) as f64;
        println!("    {severity:<9} {:>7} events, {precision:.3} of them attacks", events.len());
        rises &= events.is_empty() || precision >= last;
        last = if events.is_empty() { last } else { precision };
    }
    rises
}
