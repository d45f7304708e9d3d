//! Logs that come with a call: the same answer however they come, bounded, in the order of their records.

use std::io::Write;

use super::*;
use crate::app::{AppError, UnreadCause};

fn told(analysis: &Analysis) -> serde_json::Value {
    let mut told = serde_json::to_value(analysis).unwrap();
    told["elapsed_secs"] = 0.into();
    told
}

#[test]
fn text_and_file_and_spool_give_the_same_answer() {
    let (folder, desk) = desk();
    let body = attack(1);
    let from_text =
        desk.analyze(AnalyzeRequest { hand_over: false, ..text("request", body.clone()) }, watch()).unwrap();
    assert_eq!((from_text.total_events, from_text.logs[0].records), (100, 100));
    assert!(from_text.anomalies_detected >= 30, "{}", from_text.anomalies_detected);
    let lines: Vec<&str> = body.lines().collect();
    assert!(from_text.anomalies.windows(2).all(|pair| pair[0].id < pair[1].id));
    for anomaly in &from_text.anomalies {
        assert_eq!(anomaly.raw, lines[anomaly.id as usize]);
    }
    let mut spool = tempfile::NamedTempFile::new().unwrap();
    spool.write_all(body.as_bytes()).unwrap();
    let input = LogInput::Spooled { name: "request".to_owned(), file: spool.into_temp_path() };
    let spooled = desk.analyze(AnalyzeRequest { input, hand_over: false }, watch()).unwrap();
    assert_eq!(told(&spooled), told(&from_text));
    let path = folder.path().join("logs/request");
    fs::write(&path, body).unwrap();
    let input = LogInput::Paths(vec![path]);
    let from_path = desk.analyze(AnalyzeRequest { input, hand_over: false }, watch()).unwrap();
    assert_eq!(from_path.anomalies, from_text.anomalies);
}

#[test]
fn what_can_t_be_read_is_told_without_a_place_of_this_machine() {
    let (_folder, desk) = desk();
    let body = format!("{}{{\"user\": broken\n", attack(1));
    let analysis = desk.analyze(text("request", body), watch()).unwrap();
    assert_eq!(analysis.logs[0].complaints.iter().map(|complaint| complaint.count).sum::<u64>(), 1);
    assert_eq!(analysis.logs[0].complaints[0].samples[0].line, 101);
    let mut spool = tempfile::NamedTempFile::new().unwrap();
    spool.write_all(&[0, 159, 146, 150, 0, 0, 1, 2].repeat(500)).unwrap();
    let input = LogInput::Spooled { name: "request".to_owned(), file: spool.into_temp_path() };
    let error = desk.analyze(AnalyzeRequest { input, hand_over: false }, watch()).unwrap_err();
    assert!(matches!(&error, AppError::Unread { cause: UnreadCause::Content, .. }), "{error:?}");
    assert!(error.to_string().starts_with("request: "), "{error}");
    let empty = desk.analyze(text("-", ""), watch()).unwrap();
    assert_eq!((empty.total_events, empty.anomaly_rate, empty.logs.len()), (0, 0.0, 1));
}

#[test]
fn of_several_logs_one_that_can_t_be_read_does_not_hide_the_others() {
    let (folder, desk) = desk();
    let (good, bad) = (folder.path().join("logs/good.jsonl"), folder.path().join("logs/bad.xz"));
    fs::write(&good, attack(1)).unwrap();
    fs::write(&bad, b"\xFD7zXZ\0\0\x04").unwrap();
    let request = |paths| AnalyzeRequest { input: LogInput::Paths(paths), hand_over: false };
    let analysis = desk.analyze(request(vec![good, bad.clone()]), watch()).unwrap();
    assert_eq!((analysis.total_events, analysis.logs.len()), (100, 2));
    assert!(analysis.logs.iter().any(|log| log.error.as_ref().is_some_and(|error| error.contains("xz"))));
    let error = desk.analyze(request(vec![bad]), watch()).unwrap_err();
    assert!(matches!(&error, AppError::Unread { cause: UnreadCause::Packing, .. }), "{error:?}");
}

#[test]
fn what_came_packed_may_become_no_larger_than_what_comes_plain() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(folder.path(), "");
    plan.serve.max_body_bytes = 20_000;
    let desk = Desk::open(plan, Delivery::OnDemand).unwrap();
    let log = attack(1);
    let analyze = |log: &[u8]| desk.analyze(text("request", zstd::encode_all(log, 3).unwrap()), watch());
    assert!(log.len() < 20_000 && analyze(log.as_bytes()).is_ok());
    let error = analyze(log.repeat(2).as_bytes()).unwrap_err();
    assert!(matches!(error, AppError::TooLarge(20_000)), "{error:?}");
}

#[test]
fn an_answer_is_bounded_and_counts_what_it_leaves_out() {
    let (_folder, desk) = desk();
    let mut analysis = desk.analyze(text("request", attack(1)), watch()).unwrap();
    let (all, strongest) = (analysis.anomalies.clone(), |anomaly: &crate::report::AnomalyRecord| anomaly.anomaly_score);
    analysis.cut(5, 0);
    assert_eq!((analysis.anomalies.len(), analysis.anomalies_left_out), (5, all.len() as u64 - 5));
    assert!(analysis.anomalies.windows(2).all(|pair| pair[0].id < pair[1].id));
    let weakest = analysis.anomalies.iter().map(strongest).fold(1.0, f64::min);
    assert!(all.iter().filter(|anomaly| strongest(anomaly) > weakest).count() < 5);
    assert!(analysis.findings.is_empty() && analysis.findings_left_out > 0);
    assert_eq!(analysis.total_findings, analysis.findings_left_out, "the sums are of all");
    assert_eq!(analysis.by_severity.values().sum::<u64>(), analysis.total_findings);
    assert_eq!(analysis.by_threat.values().sum::<u64>(), analysis.total_findings);
    assert!(analysis.logs.is_empty() && analysis.logs_left_out == 1);
}

#[test]
fn who_is_stopped_gets_no_answer() {
    let (_folder, desk) = desk();
    let stop = AtomicBool::new(true);
    let stopped = desk.analyze(text("request", attack(1)), Watch { progress: &NoProgress, stop: &stop });
    assert!(matches!(stopped, Err(AppError::Stopped)));
}

#[test]
fn many_at_once_are_answered_as_one_after_the_other() {
    let (_folder, desk) = desk();
    let expected: Vec<_> = (0..4).map(|salt| told(&analyze(&desk, salt))).collect();
    thread::scope(|scope| {
        for worker in 0..8 {
            let (desk, expected) = (&desk, &expected);
            scope.spawn(move || assert_eq!(told(&analyze(desk, worker % 4)), expected[worker % 4]));
        }
    });
}

fn analyze(desk: &Desk, salt: usize) -> Analysis {
    desk.analyze(AnalyzeRequest { hand_over: false, ..text("request", attack(salt)) }, watch()).unwrap()
}

#[test]
fn why_a_log_was_not_read_is_told_by_its_name() {
    let (folder, desk) = desk();
    fs::write(folder.path().join("logs/sso.jsonl"), attack(1)).unwrap();
    fs::write(folder.path().join("logs/packed.bz2"), b"BZh91AY&SY and more").unwrap();
    let input = LogInput::Paths(vec![folder.path().join("logs")]);
    let analysis = desk.analyze(AnalyzeRequest { input, hand_over: false }, watch()).unwrap();
    let errors: Vec<&str> = analysis.logs.iter().filter_map(|log| log.error.as_deref()).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("logs/packed.bz2: is bzip2 data"), "{errors:?}");
}
