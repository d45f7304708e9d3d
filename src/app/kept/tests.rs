//! What is kept is there once, is bounded, and survives what crashes and other processes do to the file.

use jiff::Timestamp;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::{
    report::{AnomalyRecord, Timeline},
    sink::{Finding, Severity, ThreatType, testkit::findings::samples},
};

fn report(findings: Vec<Finding>) -> FileReport {
    FileReport {
        source_file: "request".to_owned(),
        processed_at: Timestamp::UNIX_EPOCH,
        total_events: 100,
        anomalies_detected: 1,
        anomaly_rate: 0.01,
        threshold: 0.7,
        anomalies: vec![AnomalyRecord {
            timestamp: None,
            user: None,
            source_ip: None,
            threat_type: ThreatType::Beaconing,
            severity: Severity::High,
            anomaly_score: 0.9,
            id: 0,
            line: 1,
            host: None,
            action: None,
            resource: None,
            country: None,
            reasons: Vec::new(),
            finding_id: String::new(),
            raw: "a raw record".to_owned(),
        }],
        findings,
        format: "json lines".to_owned(),
        bytes: 1,
        offset: 0,
        records: 100,
        complaints: Vec::new(),
        first_event: None,
        last_event: None,
        timeline: Timeline::default(),
        score_histogram: Vec::new(),
    }
}

fn ids(kept: &Kept) -> Vec<String> {
    kept.reports().flat_map(|report| &report.findings).map(|finding| finding.id.clone()).collect()
}

fn size(folder: &TempDir) -> u64 {
    fs::metadata(folder.path().join(NAME)).unwrap().len()
}

fn read(folder: &TempDir) -> Kept {
    let mut kept = Kept::within(folder.path(), Bounds::default());
    kept.refresh().unwrap();
    kept
}

#[test]
fn what_is_kept_again_adds_nothing_and_anomalies_are_left_out() {
    let folder = tempdir().unwrap();
    let mut kept = read(&folder);
    assert!(!kept.is_there());
    let found = report(samples(3, 1));
    assert_eq!(kept.keep(&[&found]).unwrap(), 3);
    let first = size(&folder);
    for _ in 0..100 {
        assert_eq!(kept.keep(&[&found, &found]).unwrap(), 0);
    }
    assert_eq!(size(&folder), first);
    let again = read(&folder);
    assert_eq!(ids(&again), found.findings.iter().map(|finding| finding.id.clone()).collect::<Vec<_>>());
    assert!(!fs::read_to_string(folder.path().join(NAME)).unwrap().contains("a raw record"));
    let wider = report(samples(5, 1));
    assert_eq!(kept.keep(&[&wider]).unwrap(), wider.findings.iter().filter(|it| !again.knows(it)).count());
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let mut kept = Kept::within(folder.path(), Bounds { findings: 4, bytes: u64::MAX });
    for seed in 0..4 {
        kept.keep(&[&report(samples(3, seed))]).unwrap();
        let mode = fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn the_newest_stay_within_the_bounds() {
    let folder = tempdir().unwrap();
    let bounds = Bounds { findings: 20, bytes: u64::MAX };
    let mut kept = Kept::within(folder.path(), bounds);
    let mut last = Vec::new();
    for seed in 0..50 {
        let found = report(samples(3, seed));
        kept.keep(&[&found]).unwrap();
        assert!(ids(&kept).len() <= 20);
        last = found.findings;
    }
    assert!(last.iter().all(|finding| ids(&kept).contains(&finding.id)));
    assert_eq!(ids(&read(&folder)), ids(&kept));
    let mut small = Kept::within(folder.path(), Bounds { findings: usize::MAX, bytes: 100_000 });
    for seed in 50..60 {
        let one = report(samples(1, seed));
        small.keep(&[&one]).unwrap();
        assert!(size(&folder) <= 100_000 || ids(&small).len() == 1, "{}", size(&folder));
    }
}

#[test]
fn a_finding_that_got_worse_is_kept_again_and_its_milder_version_goes_with_compacting() {
    let folder = tempdir().unwrap();
    let mut kept = Kept::within(folder.path(), Bounds { findings: 5, bytes: u64::MAX });
    let sample = samples(1, 1).remove(0);
    let as_severe = |severity| report(vec![Finding { severity, ..sample.clone() }]);
    let severities = |kept: &Kept| -> Vec<Severity> {
        kept.reports().flat_map(|report| &report.findings).map(|finding| finding.severity).collect()
    };
    let (mild, grave) = (as_severe(Severity::Low), as_severe(Severity::Critical));
    assert!(!kept.knows_all(&mild));
    assert_eq!(kept.keep(&[&mild]).unwrap(), 1);
    assert!(kept.knows_all(&mild) && !kept.knows_all(&grave));
    assert_eq!(kept.keep(&[&grave, &mild, &grave]).unwrap(), 1);
    assert_eq!(severities(&kept), [Severity::Low, Severity::Critical]);
    for known in [&mild, &grave] {
        assert!(read(&folder).knows_all(known));
        assert_eq!(kept.keep(&[known]).unwrap(), 0);
    }
    let later = report(vec![Finding { last_seen: Some(Timestamp::MAX), ..grave.findings[0].clone() }]);
    assert_eq!(kept.keep(&[&later]).unwrap(), 1, "it went on");
    kept.keep(&[&report(samples(3, 9))]).unwrap();
    let findings: Vec<&Finding> = kept.reports().flat_map(|report| &report.findings).collect();
    assert_eq!((findings.len(), findings[0]), (4, &later.findings[0]));
}

#[test]
fn of_a_line_that_is_too_large_the_gravest_findings_stay() {
    let folder = tempdir().unwrap();
    let mut kept = Kept::within(folder.path(), Bounds { findings: 20, bytes: u64::MAX });
    kept.keep(&[&report(samples(1, 1))]).unwrap();
    let large = report(samples(30, 2));
    assert_eq!(kept.keep(&[&large]).unwrap(), 30);
    assert_eq!(ids(&kept).len(), 15);
    let mut wanted: Vec<&Finding> = large.findings.iter().collect();
    wanted.sort_by_key(|finding| std::cmp::Reverse(Gravity::of(finding)));
    let wanted: Vec<&String> = wanted[..15].iter().map(|finding| &finding.id).collect();
    assert_eq!(ids(&kept).iter().collect::<Vec<_>>(), wanted);
    assert_eq!(ids(&read(&folder)), ids(&kept));
}

#[test]
fn what_fits_is_copied_and_what_a_crash_left_goes() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(ANEW), "the rest of a file that was not finished").unwrap();
    let mut kept = Kept::within(folder.path(), Bounds { findings: 4, bytes: u64::MAX });
    let lines = |folder: &TempDir| -> Vec<String> {
        fs::read_to_string(folder.path().join(NAME)).unwrap().lines().map(str::to_owned).collect()
    };
    (0..4).for_each(|seed| assert_eq!(kept.keep(&[&report(samples(1, seed))]).unwrap(), 1));
    let before = lines(&folder);
    kept.keep(&[&report(samples(1, 4))]).unwrap();
    let after = lines(&folder);
    assert_eq!((after.len(), &after[..2]), (3, &before[2..]));
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [LOCK, NAME]);
}

#[test]
fn findings_are_kept_also_when_the_file_can_t_be_made_smaller() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join(ANEW)).unwrap();
    let mut kept = Kept::within(folder.path(), Bounds { findings: 2, bytes: u64::MAX });
    (0..5).for_each(|seed| assert_eq!(kept.keep(&[&report(samples(1, seed))]).unwrap(), 1));
    assert_eq!(ids(&kept).len(), 5);
    fs::remove_dir(folder.path().join(ANEW)).unwrap();
    kept.keep(&[&report(samples(1, 5))]).unwrap();
    assert!(ids(&kept).len() <= 2);
}

#[test]
fn a_file_in_place_of_another_is_read_from_its_beginning() {
    let folder = tempdir().unwrap();
    let mut kept = Kept::within(folder.path(), Bounds::default());
    kept.keep(&[&report(samples(1, 1))]).unwrap();
    // The number that becomes free with the old file is the first that the system gives out again.
    fs::remove_file(folder.path().join(NAME)).unwrap();
    Kept::within(folder.path(), Bounds::default()).keep(&[&report(samples(5, 2))]).unwrap();
    kept.refresh().unwrap();
    assert_eq!(ids(&kept), ids(&read(&folder)));
    fs::remove_file(folder.path().join(NAME)).unwrap();
    kept.take_changed();
    kept.refresh().unwrap();
    assert!(kept.take_changed() && ids(&kept).is_empty() && !kept.is_there());
}

#[test]
fn a_torn_line_is_told_and_costs_no_other() {
    let folder = tempdir().unwrap();
    let mut kept = read(&folder);
    let (first, second) = (report(samples(1, 1)), report(samples(1, 2)));
    kept.keep(&[&first]).unwrap();
    let whole = fs::read(folder.path().join(NAME)).unwrap();
    fs::write(folder.path().join(NAME), [&whole[..], &whole[..whole.len() / 2]].concat()).unwrap();
    let torn = read(&folder);
    assert_eq!(ids(&torn).len(), 1);
    assert!(torn.problems().next().unwrap().contains("analyses.jsonl:2: ends in the middle"));
    assert_eq!(kept.keep(&[&second]).unwrap(), 1);
    let again = read(&folder);
    assert_eq!(ids(&again).len(), 2);
    let problems: Vec<&String> = again.problems().collect();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("analyses.jsonl:2: no report"), "{problems:?}");
    assert_eq!(ids(&kept), ids(&again));
}

#[test]
fn several_writers_keep_each_finding_once() {
    let folder = tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let folder = folder.path();
            scope.spawn(move || {
                let mut kept = Kept::within(folder, Bounds { findings: 1_000, bytes: u64::MAX });
                for seed in 0..20 {
                    kept.keep(&[&report(samples(1, seed + writer / 2 * 100))]).unwrap();
                }
            });
        }
    });
    let all = ids(&read(&folder));
    let expected: HashSet<String> =
        (0..20).chain(100..120).flat_map(|seed| samples(1, seed)).map(|finding| finding.id).collect();
    assert_eq!(all.len(), expected.len());
    assert_eq!(all.into_iter().collect::<HashSet<_>>(), expected);
}
