//! The counters: all there from the start, each counting what it says.

use super::*;
use crate::report::fixture;

fn text(counts: &Counts) -> String {
    let mut text = String::new();
    counts.write(&mut text).unwrap();
    text
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

fn analyzed(reports: &[FileReport]) -> Analyzed<'_> {
    Analyzed { source: "batch", reports, failed: 1, took: Duration::from_millis(700) }
}

#[test]
fn all_is_there_from_the_start_with_zero() {
    let text = text(&Counts::new());
    for (name, count) in [("findings_total", 14 * 5), ("complaints_total", 2 * 10), ("jobs_ended_total", 2 * 3)] {
        let start = format!("watchbell_{name}{{");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(&start)).collect();
        assert_eq!(lines.len(), count, "{name}");
        assert!(lines.iter().all(|line| line.ends_with(" 0")), "{lines:#?}");
    }
    for source in SOURCES {
        for name in ["events", "records", "read_bytes", "anomalies", "failed_logs"] {
            assert_eq!(value(&text, &format!("watchbell_{name}_total{{source=\"{source}\"}}")), 0.0);
        }
        assert_eq!(value(&text, &format!("watchbell_scoring_duration_seconds_count{{source=\"{source}\"}}")), 0.0);
    }
}

#[test]
fn reports_are_counted() {
    let (counts, reports) = (Counts::new(), fixture::reports());
    counts.analyzed(analyzed(&reports));
    counts.analyzed(analyzed(&reports));
    let text = text(&counts);
    let sum = |of: fn(&FileReport) -> u64| (2 * reports.iter().map(of).sum::<u64>()) as f64;
    assert_eq!(value(&text, "watchbell_events_total{source=\"batch\"}"), sum(|report| report.total_events));
    assert_eq!(value(&text, "watchbell_anomalies_total{source=\"batch\"}"), sum(|report| report.anomalies_detected));
    assert_eq!(value(&text, "watchbell_read_bytes_total{source=\"batch\"}"), sum(|report| report.bytes));
    assert_eq!(value(&text, "watchbell_failed_logs_total{source=\"batch\"}"), 2.0);
    assert_eq!(value(&text, "watchbell_events_total{source=\"analyze\"}"), 0.0);
    assert_eq!(value(&text, "watchbell_scoring_duration_seconds_bucket{le=\"0.5\",source=\"batch\"}"), 0.0);
    assert_eq!(value(&text, "watchbell_scoring_duration_seconds_bucket{le=\"1.0\",source=\"batch\"}"), 2.0);
    let complaint = &reports.iter().find_map(|report| report.complaints.first()).unwrap();
    let labels = format!("{{source=\"batch\",reason=\"{}\"}}", name_of(complaint.reason));
    assert!(value(&text, &format!("watchbell_complaints_total{labels}")) >= 2.0 * complaint.count as f64);
}

#[test]
fn only_findings_that_were_not_at_hand_are_counted() {
    let (counts, reports) = (Counts::new(), fixture::reports());
    let found = |counts: &Counts| -> usize {
        let text = text(counts);
        let lines = text.lines().filter(|line| line.starts_with("watchbell_findings_total{"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    };
    let ids: HashSet<&str> =
        reports.iter().flat_map(|report| &report.findings).map(|finding| finding.id.as_str()).collect();
    let folder = tempfile::tempdir().unwrap();
    let shelf = crate::app::desk::shelf::Shelf::within(folder.path(), crate::app::kept::Bounds::default());
    counts.found(&reports, Some(&*shelf.view().unwrap()));
    assert!(found(&counts) == ids.len() && !ids.is_empty(), "{}", found(&counts));
    shelf.keep(reports.clone()).unwrap();
    counts.found(&reports, Some(&*shelf.view().unwrap()));
    assert_eq!(found(&counts), ids.len(), "a repetition is no news");
}

#[test]
fn hostile_logs_make_no_label() {
    let counts = Counts::new();
    let names = |text: &str| -> Vec<String> {
        let name = |line: &str| line.rsplit_once(' ').unwrap().0.to_owned();
        let mut names: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(name).collect();
        names.sort();
        names
    };
    let before = names(&text(&counts));
    counts.analyzed(analyzed(&fixture::hostile_reports()));
    assert_eq!(names(&text(&counts)), before);
}

#[test]
fn scores_fall_into_their_buckets() {
    let scores = Scores::default();
    let mut bins = [0; BINS];
    (bins[0], bins[4], bins[5], bins[44], bins[45], bins[49]) = (1, 2, 4, 8, 16, 32);
    scores.add(&bins);
    let mut registry = Registry::default();
    registry.register("score", "Scores", scores);
    let mut text = String::new();
    encode_registry(&mut text, &registry).unwrap();
    for (le, count) in
        [("0.1", 3.0), ("0.2", 7.0), ("0.8", 7.0), ("0.9", 15.0), ("0.92", 31.0), ("1.0", 63.0), ("+Inf", 63.0)]
    {
        assert_eq!(value(&text, &format!("score_bucket{{le=\"{le}\"}}")), count, "{text}");
    }
    assert_eq!(value(&text, "score_count"), 63.0);
    let middle = [(0.01, 1.0), (0.09, 2.0), (0.11, 4.0), (0.89, 8.0), (0.91, 16.0), (0.99, 32.0)];
    let sum: f64 = middle.iter().map(|(score, count)| score * count).sum();
    assert!((value(&text, "score_sum") - sum).abs() < 1e-9);
}

#[test]
fn reasons_are_named_as_in_reports() {
    for reason in REASONS {
        assert_eq!(serde_json::to_value(reason).unwrap(), name_of(reason));
    }
    assert_eq!(BINS_OF_BUCKETS.iter().sum::<usize>(), BINS);
}
