//! The batch's promises, tested with an analyzer that calls every line an anomaly: so each report says which lines it
//! is about, and what is lost or doubled can be counted.

mod log_folder;

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant, SystemTime},
};

use watchbell::{
    batch::{BatchError, Job, NoProgress, Nobody, Repeat, RunEnd, run},
    report::FileStatus,
};

use FileStatus::{Error, Skipped, Success};
use log_folder::{EveryLine, LogFolder, plan};

#[test]
fn the_files_of_a_round_are_as_promised() {
    let place = LogFolder::new();
    place.write("auth.json", "a\nb\n");
    place.write("web/access.log", "c\n");
    let outcome = place.round();
    assert_eq!(outcome.statuses(), [Success, Success]);
    let names = place.names();
    assert_eq!(names.len(), 5, "{names:?}");
    assert_eq!(names[0], ".watchbell");
    assert!(names[1].starts_with("access.log_20") && names[1].ends_with("Z.json"), "{names:?}");
    assert!(names[2].starts_with("auth.json_20"));
    assert!(names[3].starts_with("batch_summary_20"));
    assert_eq!(names[4], "processed_files.txt");
    let listed = format!("{}\n{}\n", place.log("auth.json").display(), place.log("web/access.log").display());
    assert_eq!(place.processed(), listed);
    let report = fs::read_to_string(place.out().join(&names[2])).unwrap();
    let keys: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&report).unwrap();
    let first: Vec<&str> = keys.keys().take(7).map(String::as_str).collect();
    let expected =
        ["source_file", "processed_at", "total_events", "anomalies_detected", "anomaly_rate", "threshold", "anomalies"];
    assert_eq!(first, expected);
    assert!(report.contains("\n  \"source_file\""), "reports are for people too");
    assert_ne!(keys["processed_at"], "1970-01-01T00:00:00Z");
    for result in &outcome.results {
        assert!(Path::new(result.output_file.as_ref().unwrap()).is_file());
    }
}

#[test]
fn the_jq_lines_that_people_use_work() {
    if Command::new("jq").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: jq is not installed");
        return;
    }
    let place = LogFolder::new();
    place.write("auth.json", "a\nb\n");
    place.write("quiet.json", "");
    fs::write(place.log("broken.gz"), b"\x1f\x8b\x08\x00damaged").unwrap();
    place.round();
    let shell = |script: &str| {
        let output =
            Command::new("bash").args(["-eo", "pipefail", "-c", script]).current_dir(place.folder.path()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(shell("jq '.anomalies_detected' out/*.json | awk '{s+=$1} END {print s}'"), "2");
    let auth = place.log("auth.json").display().to_string();
    assert_eq!(shell("jq -r 'select(.anomaly_rate > 0.1) | .source_file' out/*.json"), auth);
    assert_eq!(shell("wc -l < out/processed_files.txt"), "2");
    let latest = shell("ls -t out/batch_summary_*.json | head -1 | xargs cat");
    assert!(latest.contains("\"status\": \"error\""), "{latest}");
    let errors = shell("jq -r 'select(.results[].status == \"error\")' out/batch_summary_*.json");
    assert!(errors.contains("broken.gz"), "{errors}");
}

#[test]
fn an_unchanged_file_is_not_read_again() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    place.round();
    let analyzer = EveryLine::default();
    let outcome = place.round_with(&analyzer).unwrap();
    assert_eq!(outcome.statuses(), [Skipped]);
    assert_eq!(outcome.summary_file, None, "without news there is no summary");
    assert_eq!(analyzer.calls.load(Ordering::Relaxed), 0);
    // Only its times changed.
    let file = fs::File::options().write(true).open(place.log("a.log")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    assert_eq!(place.round().statuses(), [Skipped]);
    place.assert_once(&["a"]);
}

#[test]
fn a_grown_file_is_read_from_where_it_ended() {
    let place = LogFolder::new();
    place.write("a.log", "a\nb\nhalf");
    place.round();
    place.append("a.log", " whole\nc\n");
    place.round();
    place.assert_once(&["a", "b", "half whole", "c"]);
    let reports = place.reports();
    let grown = reports.iter().find(|report| report.offset > 0).unwrap();
    assert_eq!(grown.offset, 4);
    let places: Vec<_> = grown.anomalies.iter().map(|anomaly| (anomaly.id, anomaly.line)).collect();
    assert_eq!(places, [(2, 3), (3, 4)]);
}

#[test]
fn what_grows_by_half_a_line_makes_no_report() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    place.round();
    place.append("a.log", "ha");
    let outcome = place.round();
    assert_eq!((outcome.statuses(), outcome.summary_file), (vec![Skipped], None));
    place.append("a.log", "lf\n");
    place.round();
    place.assert_once(&["a", "half"]);
}

#[test]
fn a_changed_file_is_read_anew() {
    let place = LogFolder::new();
    place.write("a.log", "a\nb\n");
    place.round();
    place.write("a.log", "x\ny\nz\n");
    assert_eq!(place.round().statuses(), [Success]);
    place.assert_once(&["a", "b", "x", "y", "z"]);
    place.write("a.log", "s\n");
    assert_eq!(place.round().statuses(), [Success]);
    place.assert_once(&["a", "b", "s", "x", "y", "z"]);
}

#[test]
fn a_rotated_file_keeps_its_place() {
    let place = LogFolder::new();
    let old = "line 1 of the day before\nline 2 of the day before\n";
    place.write("auth.log", old);
    place.round();
    // Written to, then renamed, with a new one in its place; later renamed once more, with another in between.
    place.append("auth.log", "line 3\n");
    fs::rename(place.log("auth.log"), place.log("auth.log.1")).unwrap();
    place.write("auth.log", "new 1\n");
    place.round();
    let all = ["line 1 of the day before", "line 2 of the day before", "line 3", "new 1"];
    place.assert_once(&all);
    fs::rename(place.log("auth.log.1"), place.log("auth.log.2")).unwrap();
    fs::rename(place.log("auth.log"), place.log("auth.log.1")).unwrap();
    place.write("auth.log", "newer 1\n");
    place.round();
    place.assert_once(&[&all[..], &["newer 1"]].concat());
    assert_eq!(place.processed().lines().count(), 3);
    // Nothing of it is news afterwards.
    assert_eq!(place.round().summary_file, None);
}

#[test]
fn a_file_that_was_compressed_keeps_its_place() {
    let place = LogFolder::new();
    place.write("auth.log", "a\nb\n");
    place.round();
    let packed = fs::File::create(place.log("auth.log.1.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
    packed.write_all(b"a\nb\nc\n").unwrap();
    packed.finish().unwrap();
    fs::remove_file(place.log("auth.log")).unwrap();
    place.round();
    place.assert_once(&["a", "b", "c"]);
    fs::rename(place.log("auth.log.1.gz"), place.log("auth.log.2.gz")).unwrap();
    assert_eq!(place.round().statuses(), [Skipped]);
    place.assert_once(&["a", "b", "c"]);
}

#[test]
fn copy_and_truncate_loses_and_doubles_nothing() {
    let place = LogFolder::new();
    place.write("auth.log", "a\nb\n");
    place.round();
    place.append("auth.log", "c\n");
    fs::copy(place.log("auth.log"), place.log("auth.log.1")).unwrap();
    place.write("auth.log", "d\n");
    place.round();
    place.assert_once(&["a", "b", "c", "d"]);
}

#[test]
fn a_vanished_file_is_no_problem_and_may_come_back() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    place.write("b.log", "b\n");
    place.round();
    fs::rename(place.log("a.log"), place.folder.path().join("a.log")).unwrap();
    assert_eq!(place.round().statuses(), [Skipped]);
    fs::rename(place.folder.path().join("a.log"), place.log("a.log")).unwrap();
    assert_eq!(place.round().statuses(), [Skipped, Skipped]);
    place.assert_once(&["a", "b"]);
}

#[test]
fn a_line_taken_out_of_the_list_has_its_file_read_again() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    place.write("b.log", "b\n");
    place.round();
    let kept: Vec<String> =
        place.processed().lines().filter(|line| line.ends_with("b.log")).map(str::to_owned).collect();
    fs::write(place.out().join("processed_files.txt"), kept.join("\n")).unwrap();
    let outcome = place.round();
    let read: Vec<_> = outcome.results.iter().filter(|result| result.status == Success).collect();
    assert!(matches!(read[..], [result] if result.source_file.ends_with("a.log")));
    fs::remove_file(place.out().join("processed_files.txt")).unwrap();
    assert_eq!(place.round().statuses(), [Success, Success]);
}

#[test]
fn logs_of_the_same_name_do_not_collide() {
    let place = LogFolder::new();
    for folder in ["web1", "web2", "web3"] {
        place.write(&format!("{folder}/auth.log"), &format!("{folder}\n"));
    }
    place.round();
    place.assert_once(&["web1", "web2", "web3"]);
    assert_eq!(place.processed().lines().count(), 3);
}

#[test]
fn two_rounds_within_one_second_overwrite_nothing() {
    let place = LogFolder::new();
    place.write("a.log", "");
    for number in 0..5 {
        place.append("a.log", &format!("{number}\n"));
        place.round();
    }
    place.assert_once(&["0", "1", "2", "3", "4"]);
}

#[test]
fn the_output_directory_is_not_read() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    let mut plan = place.plan();
    plan.batch.output_dir = place.log("out");
    let stop = AtomicBool::new(false);
    let job =
        Job { plan: &plan, analyzer: &EveryLine::default(), progress: &NoProgress, stop: &stop, handover: &Nobody };
    for _ in 0..2 {
        run(job, Repeat::Once, &mut |round| assert_eq!(round.unwrap().summary.results.len(), 1)).unwrap();
    }
}

#[test]
fn what_fails_is_tried_again_and_nothing_is_doubled() {
    let place = LogFolder::new();
    place.write("good.log", "good\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(b"first\nsecond\nthird\n").unwrap();
    let whole = packed.finish().unwrap();
    fs::write(place.log("bad.gz"), &whole[..whole.len() - 12]).unwrap();
    let outcome = place.round();
    assert_eq!(outcome.statuses(), [Error, Success]);
    let bad = &outcome.results[0];
    assert!(bad.error.as_ref().unwrap().contains("cut short"), "{:?}", bad.error);
    assert!(bad.total_events > 0, "what came before the damage counts");
    assert!(!place.processed().contains("bad.gz"));
    // It stays an error, without another report on the same lines.
    let again = place.round();
    let statuses: Vec<_> = again.results.iter().map(|result| (result.status, result.output_file.is_some())).collect();
    assert_eq!(statuses, [(Skipped, false), (Error, false)]);
    fs::write(place.log("bad.gz"), &whole).unwrap();
    place.round();
    place.assert_once(&["first", "good", "second", "third"]);
    assert!(place.processed().contains("bad.gz"));
}

#[test]
fn a_folder_without_logs_is_an_error_that_says_so() {
    let place = LogFolder::new();
    let error = place.round_with(&EveryLine::default()).err().unwrap().to_string();
    assert!(error.contains("0 files matched"), "{error}");
}

#[test]
fn a_stopped_round_keeps_what_is_done_and_leaves_the_rest() {
    let place = LogFolder::new();
    for name in ["a", "b", "c"] {
        place.write(name, &format!("{name}\n"));
    }
    let outcome = place.round_with(&EveryLine { stop_after: Some(1), ..EveryLine::default() }).unwrap();
    assert!(outcome.stopped);
    assert_eq!(outcome.end, RunEnd::Cut);
    assert_eq!(outcome.statuses(), [Success, Error, Error]);
    assert_eq!(place.round().end, RunEnd::Done);
    place.assert_once(&["a", "b", "c"]);
}

#[test]
fn a_job_survives_a_failing_round_and_ends_when_it_is_told() {
    let place = LogFolder::new();
    let stop = AtomicBool::new(false);
    let plan = place.plan();
    let job =
        Job { plan: &plan, analyzer: &EveryLine::default(), progress: &NoProgress, stop: &stop, handover: &Nobody };
    let mut rounds = Vec::new();
    let end = run(job, Repeat::Every(Duration::from_millis(20)), &mut |round| {
        match rounds.len() {
            0 => place.write("a.log", "a\n"),
            1 => place.append("a.log", "b\n"),
            _ => stop.store(true, Ordering::Relaxed),
        }
        rounds.push(round.is_ok());
    });
    assert_eq!(rounds, [false, true, true]);
    assert!(matches!(end, Ok(RunEnd::Idle)), "{end:?}");
    place.assert_once(&["a", "b"]);
}

#[test]
fn a_second_run_on_the_same_output_is_refused_with_the_number_of_the_first() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    let stop = AtomicBool::new(false);
    let plan = place.plan();
    let job =
        Job { plan: &plan, analyzer: &EveryLine::default(), progress: &NoProgress, stop: &stop, handover: &Nobody };
    run(job, Repeat::Once, &mut |_| {
        let error = run(job, Repeat::Once, &mut |_| panic!("it ran")).unwrap_err();
        let expected = format!("another watchbell (process {}) is at work in ", std::process::id());
        assert!(error.to_string().starts_with(&expected), "{error}");
    })
    .unwrap();
    place.append("a.log", "b\n");
    place.round();
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_read() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    let mut plan = place.plan();
    let stop = AtomicBool::new(false);
    let analyzer = EveryLine::default();
    plan.batch.low_disk.warn = u64::MAX;
    let job = Job { plan: &plan, analyzer: &analyzer, progress: &NoProgress, stop: &stop, handover: &Nobody };
    let mut warnings = Vec::new();
    run(job, Repeat::Once, &mut |round| warnings.clone_from(&round.unwrap().warnings)).unwrap();
    assert!(matches!(&warnings[..], [text] if text.contains("free for")), "{warnings:?}");

    plan.batch.low_disk.refuse = u64::MAX;
    place.append("a.log", "b\n");
    let job = Job { plan: &plan, analyzer: &analyzer, progress: &NoProgress, stop: &stop, handover: &Nobody };
    let error = run(job, Repeat::Once, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BatchError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("expected at least"), "{error}");
    assert_eq!(analyzer.calls.load(Ordering::Relaxed), 1);
    place.assert_once(&["a"]);
}

#[test]
fn an_output_directory_that_cannot_be_written_is_named() {
    // A file where a folder should be: unlike missing rights it stops the superuser too.
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    fs::write(place.out(), "").unwrap();
    let error = place.round_with(&EveryLine::default()).err().unwrap().to_string();
    assert_eq!(error, format!("cannot make the directory {}", place.out().join(".watchbell").display()));
    fs::remove_file(place.out()).unwrap();

    // A folder where the list should be: the reports are committed, and the next round does the rest.
    fs::create_dir_all(place.out().join("processed_files.txt")).unwrap();
    let error = place.round_with(&EveryLine::default()).err().unwrap().to_string();
    assert!(error.contains("processed_files.txt"), "{error}");
    fs::remove_dir(place.out().join("processed_files.txt")).unwrap();
    place.round();
    place.assert_once(&["a"]);
}

#[test]
fn a_damaged_ledger_is_refused_and_left_alone() {
    let place = LogFolder::new();
    place.write("a.log", "a\n");
    place.round();
    let ledger = place.out().join(".watchbell/ledger");
    let bytes = fs::read(&ledger).unwrap();
    fs::write(&ledger, &bytes[..bytes.len() / 2]).unwrap();
    let error = place.round_with(&EveryLine::default()).err().unwrap();
    assert!(matches!(error, BatchError::LedgerDamaged { .. }), "{error}");
    fs::write(&ledger, &bytes).unwrap();
    assert_eq!(place.round().statuses(), [Skipped]);
}

#[test]
fn hostile_names_stay_on_their_line() {
    let place = LogFolder::new();
    let name = "a\nlogs/b.log\u{1b}[31m";
    place.write(name, "a\n");
    place.round();
    assert_eq!(place.processed().lines().count(), 1);
    assert!(place.processed().ends_with("a\\x0alogs/b.log\\x1b[31m\n"), "{}", place.processed());
    assert!(place.names().iter().all(|name| !name.contains(char::is_control)), "{:?}", place.names());
    assert_eq!(place.round().statuses(), [Skipped]);
}

#[test]
fn logs_and_reports_do_not_share_a_directory() {
    let place = LogFolder::new();
    let mut plan = place.plan();
    plan.batch.output_dir = place.folder.path().join("logs/../logs");
    let stop = AtomicBool::new(false);
    let job =
        Job { plan: &plan, analyzer: &EveryLine::default(), progress: &NoProgress, stop: &stop, handover: &Nobody };
    let error = run(job, Repeat::Once, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BatchError::SameDirectory { .. }), "{error}");
    assert!(!place.log(".watchbell").exists());
}

/// Not a test of its own: what [`killed_at_any_moment_it_neither_loses_nor_doubles`] starts and kills.
#[test]
#[ignore = "is started by another test"]
fn child_of_the_kill_test() {
    let Some(folder) = env::var_os("WATCHBELL_TEST_PLACE") else { return };
    let plan = plan(Path::new(&folder));
    let stop = AtomicBool::new(false);
    let analyzer = EveryLine { pause: Duration::from_micros(20), ..EveryLine::default() };
    let job = Job { plan: &plan, analyzer: &analyzer, progress: &NoProgress, stop: &stop, handover: &Nobody };
    run(job, Repeat::Every(Duration::from_millis(1)), &mut |_| {}).unwrap();
}

#[test]
fn killed_at_any_moment_it_neither_loses_nor_doubles() {
    let place = LogFolder::new();
    let mut expected = Vec::new();
    // Reproducible moments, as far as the machine's own pace lets them be.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for number in 0..8 {
        place.write(&format!("{number}.log"), "");
    }
    let mut in_a_commit = 0;
    for turn in 0..40 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "batch::child_of_the_kill_test", "--nocapture"])
            .env("WATCHBELL_TEST_PLACE", place.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let is_at_work = || {
            let lock = fs::read_to_string(place.out().join(".watchbell/lock"));
            lock.is_ok_and(|holder| holder.trim() == child.id().to_string())
        };
        // Every fourth is killed while it starts, the others at work, however slow the machine is.
        let began = Instant::now();
        while turn % 4 != 0 && !is_at_work() {
            assert!(began.elapsed() < Duration::from_secs(60), "the process does not come to work");
            thread::sleep(Duration::from_millis(1));
        }
        for part in 0..random(12) {
            let line = format!("turn {turn} part {part}");
            place.append(&format!("{}.log", random(8)), &format!("{line}\n"));
            expected.push(line);
            thread::sleep(Duration::from_micros(random(10_000)));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        in_a_commit += usize::from(place.out().join(".watchbell/stage").exists());
    }
    let made = place.names().len();
    eprintln!("{made} files were made by killed processes; {in_a_commit} kills left a stage");
    assert!(made > 20, "too few rounds were made to say anything: {made} files");
    place.round();
    let expected: BTreeMap<String, usize> = expected.into_iter().map(|line| (line, 1)).collect();
    assert_eq!(place.reported(), expected);
    assert!(!place.out().join(".watchbell/stage").exists(), "nothing is left behind");
    assert_eq!(place.processed().lines().count(), 8);
}
