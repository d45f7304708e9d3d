//! Log files in, findings out: the sample logs with their planted incidents.

use std::{path::Path, sync::atomic::AtomicBool};

use jiff::Timestamp;
use serde::Deserialize;
use watchbell::{
    detect::{DetectSettings, Detector, LogPart, PartAnalysis, Run, Unwatched},
    parse::ParseOptions,
    sink::{Entity, Finding, ThreatType},
    source::SourceFile,
};

/// What `examples/planted.json` says of an incident.
#[derive(Debug, Deserialize)]
struct Planted {
    incident: String,
    file: String,
    threat_type: ThreatType,
    entity: Entity,
    first: Timestamp,
    last: Timestamp,
    lines: Vec<u64>,
}

fn planted() -> Vec<Planted> {
    serde_json::from_slice(&std::fs::read("examples/planted.json").unwrap()).unwrap()
}

fn analyze(path: &Path, settings: DetectSettings) -> PartAnalysis {
    let part = LogPart::whole(SourceFile::at(0, path).unwrap());
    // Syslog names no year: without this the sample would move into the year in which the tests run.
    let april = Timestamp::from_second(1_775_000_000).unwrap().as_millisecond();
    let parse = ParseOptions { reference_time: Some(april), ..ParseOptions::default() };
    let stop = AtomicBool::new(false);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let run = Run { parse: &parse, now, progress: &Unwatched, stop: &stop };
    Detector::new(settings).analyze(&[part], run).unwrap().remove(0)
}

fn sample(name: &str, threads: usize) -> PartAnalysis {
    analyze(&Path::new("examples/logs").join(name), DetectSettings { threads, ..DetectSettings::default() })
}

fn overlaps(finding: &Finding, planted: &Planted) -> bool {
    finding.first_seen.is_none_or(|first| first <= planted.last)
        && finding.last_seen.is_none_or(|last| last >= planted.first)
}

#[test]
fn every_planted_incident_is_found_where_it_is_and_for_what_it_is() {
    let planted = planted();
    let mut missed = Vec::new();
    for incident in &planted {
        let analysis = sample(&incident.file, 2);
        let hits: Vec<&Finding> =
            analysis.report.findings.iter().filter(|finding| overlaps(finding, incident)).collect();
        let named = hits.iter().any(|finding| {
            let about = finding.entity.value.ends_with(&incident.entity.value)
                || finding.observables.iter().any(|observable| observable.value == incident.entity.value);
            finding.threat_type == incident.threat_type && about
        });
        let lines = analysis.report.anomalies.iter().filter(|anomaly| incident.lines.contains(&anomaly.line)).count();
        // A login over ssh is four lines of a log; the one that names the address is what counts.
        if !named || lines * 4 < incident.lines.len() {
            let seen: Vec<_> = hits.iter().map(|hit| (hit.threat_type, &hit.entity.value, hit.event_count)).collect();
            missed.push(format!("{}: {lines} of {} lines, found {seen:?}", incident.incident, incident.lines.len()));
        }
    }
    assert!(missed.is_empty(), "missed {} of {}:\n{}", missed.len(), planted.len(), missed.join("\n"));
}

#[test]
fn little_else_rings() {
    let planted = planted();
    let mut files: Vec<&str> = planted.iter().map(|incident| incident.file.as_str()).collect();
    files.dedup();
    let mut false_alarms = Vec::new();
    for file in files {
        let analysis = sample(file, 2);
        for finding in &analysis.report.findings {
            let real = planted.iter().any(|incident| incident.file == file && overlaps(finding, incident));
            if !real {
                false_alarms.push(format!("{file}: {:?} {}", finding.severity, finding.title));
            }
        }
    }
    assert!(false_alarms.len() <= 6, "{} false alarms:\n{}", false_alarms.len(), false_alarms.join("\n"));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let json = |threads| serde_json::to_string(&sample("auth.jsonl", threads).report).unwrap();
    let one = json(1);
    assert_eq!(one, json(2));
    assert_eq!(one, json(5));
}

#[test]
fn every_anomaly_has_its_reasons_its_place_and_its_finding() {
    let report = sample("auth.jsonl", 2).report;
    let bytes = std::fs::read("examples/logs/auth.jsonl").unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    assert!(!report.anomalies.is_empty());
    for anomaly in &report.anomalies {
        assert!((anomaly.reasons.iter().map(|reason| reason.share).sum::<f64>() - 1.0).abs() < 1e-6, "{anomaly:?}");
        assert_eq!(lines[anomaly.line as usize - 1], anomaly.raw);
        assert!(report.findings.iter().any(|finding| finding.id == anomaly.finding_id), "{anomaly:?}");
        assert!(anomaly.anomaly_score >= report.threshold, "{anomaly:?}");
    }
}

#[test]
fn constant_events_then_a_slightly_larger_one_do_not_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("constant.jsonl");
    let line = |minute: u32, bytes: u32| {
        let (hour, minute) = (minute / 60 % 24, minute % 60);
        format!(
            "{{\"timestamp\":\"2026-03-02T{hour:02}:{minute:02}:00Z\",\"user\":\"app\",\"source_ip\":\"10.0.0.1\",\"action\":\"read\",\"status\":\"success\",\"resource\":\"/a\",\"bytes\":{bytes}}}\n"
        )
    };
    let log: String = (0..1_400).map(|minute| line(minute, if minute == 1_300 { 3 } else { 2 })).collect();
    std::fs::write(&path, log).unwrap();
    let report = analyze(&path, DetectSettings::default()).report;
    assert_eq!((report.total_events, report.anomalies_detected), (1_400, 0), "{:#?}", report.anomalies.first());
}

#[test]
fn a_budget_limits_the_findings_of_a_day() {
    let all = sample("auth.jsonl", 2).report;
    let settings = DetectSettings { budget_per_day: Some(0.2), ..DetectSettings::default() };
    let few = analyze(Path::new("examples/logs/auth.jsonl"), settings).report;
    let days = 14.0;
    assert!(few.findings.len() as f64 <= 0.2 * days + 1.0, "{}", few.findings.len());
    assert!(few.findings.len() < all.findings.len());
    assert!(few.threshold > all.threshold);
}
