//! Jobs: one at a time, in order, watched and ended.

use std::sync::mpsc::channel;

use super::*;
use crate::app::AppError;

fn over(desk: &Desk, id: &str) -> Job {
    until("the job is over", || desk.job(id).unwrap().state.is_over());
    desk.job(id).unwrap()
}

/// A job that goes on until it is stopped, or told to end.
fn endless(desk: &Arc<Desk>) -> (Job, std::sync::mpsc::Sender<()>) {
    let (end, ended) = channel();
    let work = move |_: &Desk, watch: Watch<'_>| {
        while ended.recv_timeout(Duration::from_millis(5)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            watch.progress.begin("reading a.log", 100);
            watch.progress.advance(7);
            if watch.stop.load(Ordering::Relaxed) {
                return Err(AppError::Stopped);
            }
        }
        Ok(JobResult::Models(Vec::new()))
    };
    (desk.start(JobKind::Train, "ada", Box::new(work)).unwrap(), end)
}

#[test]
fn one_at_a_time_in_order_and_each_can_be_ended() {
    let (_folder, desk) = desk();
    let (first, end_first) = endless(&desk);
    let (second, _end_second) = endless(&desk);
    let (third, end_third) = endless(&desk);
    until("the first job begins", || desk.job(&first.id).unwrap().stage == "reading a.log");
    let running = desk.job(&first.id).unwrap();
    assert_eq!((running.state, running.total_bytes, running.by.as_str()), (JobState::Running, 100, "ada"));
    assert_eq!(desk.job(&second.id).unwrap().state, JobState::Waiting);
    assert_eq!(desk.cancel(&second.id).unwrap().state, JobState::Cancelled);
    end_first.send(()).unwrap();
    assert_eq!(over(&desk, &first.id).state, JobState::Succeeded);
    assert!(matches!(desk.cancel(&first.id), Err(AppError::Conflict(_))));
    until("the third begins", || desk.job(&third.id).unwrap().state == JobState::Running);
    desk.cancel(&third.id).unwrap();
    assert_eq!(over(&desk, &third.id).state, JobState::Cancelled);
    drop(end_third);
    assert!(matches!(desk.job("none"), Err(AppError::NoSuchJob(_))));
    assert_eq!(desk.jobs().iter().map(|job| &job.id).collect::<Vec<_>>(), [&third.id, &second.id, &first.id]);
    assert!(desk.job(&second.id).unwrap().started.is_none());
}

#[test]
fn closing_ends_what_goes_on_and_begins_nothing() {
    let (_folder, desk) = desk();
    let ((first, _keep), (second, _keep_too)) = (endless(&desk), endless(&desk));
    until("the first begins", || desk.job(&first.id).unwrap().state == JobState::Running);
    desk.close().unwrap();
    assert_eq!(desk.job(&first.id).unwrap().state, JobState::Cancelled);
    assert_eq!(desk.job(&second.id).unwrap().state, JobState::Cancelled);
    assert!(matches!(desk.start_batch(BatchRequest::default(), "ada"), Err(AppError::Busy(_))));
}

#[test]
fn a_job_that_breaks_off_has_failed_and_the_next_one_goes_on() {
    let (_folder, desk) = desk();
    let broken = desk.start(JobKind::Train, "ada", Box::new(|_, _| panic!("as the test wants"))).unwrap();
    let (next, end) = endless(&desk);
    assert_eq!(over(&desk, &broken.id).state, JobState::Failed);
    end.send(()).unwrap();
    assert_eq!(over(&desk, &next.id).state, JobState::Succeeded);
}

#[test]
fn not_too_many_wait_and_not_too_many_are_remembered() {
    let (_folder, desk) = desk();
    let (first, end) = endless(&desk);
    until("the first begins", || desk.job(&first.id).unwrap().state == JobState::Running);
    let quick = || desk.start(JobKind::Train, "ada", Box::new(|_, _| Ok(JobResult::Models(Vec::new()))));
    let waiting = (0..100).take_while(|_| quick().is_ok()).count();
    assert_eq!(waiting, 16);
    assert!(matches!(quick(), Err(AppError::Busy(_))));
    end.send(()).unwrap();
    for _ in 0..120 {
        until("there is room", || quick().is_ok());
    }
    assert!(desk.jobs().len() <= 100 + 16 + 1, "{}", desk.jobs().len());
}

#[test]
fn a_round_of_the_batch_is_summed_up_and_its_findings_are_at_hand() {
    let (folder, desk) = desk();
    fs::write(folder.path().join("logs/sso.jsonl"), attack(1)).unwrap();
    fs::write(folder.path().join("logs/other.txt"), attack(2)).unwrap();
    let request = BatchRequest { include: vec!["*.jsonl".to_owned()], exclude: Vec::new() };
    let job = over(&desk, &desk.start_batch(request, "ada").unwrap().id);
    let Some(JobResult::Batch(summary)) = job.result else { panic!("{job:?}") };
    assert_eq!((summary.files_processed, summary.total_events), (1, 100));
    let found = desk.findings(&crate::app::FindingQuery::default()).unwrap();
    assert_eq!((found.total + found.suppressed) as u64, summary.total_findings);
    assert!(found.total > 0);
}

#[test]
fn what_can_t_be_a_round_is_said_at_once() {
    let (folder, desk) = desk();
    fs::write(folder.path().join("logs/sso.jsonl"), attack(1)).unwrap();
    let patterns = || vec!["*".to_owned(), "[".to_owned()];
    for (include, exclude, expected) in [(patterns(), Vec::new(), "/include/1"), (Vec::new(), patterns(), "/exclude/1")]
    {
        let error = desk.start_batch(BatchRequest { include, exclude }, "ada").unwrap_err();
        let AppError::Argument { pointer, message } = error else { panic!("{error}") };
        assert!(pointer == expected && message.starts_with("`[`: "), "{pointer}: {message}");
    }
    let inner = folder.path().join("out/.watchbell");
    fs::create_dir_all(&inner).unwrap();
    let lock = fs::File::create(inner.join("lock")).unwrap();
    lock.lock().unwrap();
    let error = desk.start_batch(BatchRequest::default(), "ada").unwrap_err();
    assert!(matches!(&error, AppError::Conflict(text) if text.contains("is at work in out;")), "{error}");
    drop(lock);
    assert_eq!(over(&desk, &desk.start_batch(BatchRequest::default(), "ada").unwrap().id).state, JobState::Succeeded);
}

/// What stood in the file before was counted in the round before, what was lost of it too.
#[test]
fn a_file_that_grew_is_counted_from_where_it_ended() {
    let (folder, desk) = desk();
    let log = folder.path().join("logs/auth.jsonl");
    let good = |from: usize, to: usize| attack(1).lines().skip(from).take(to - from).collect::<Vec<_>>().join("\n");
    fs::write(&log, format!("{}\nbroken\n{{\"a\"\n{}\nbroken", good(0, 20), good(20, 40))).unwrap();
    let round = || match over(&desk, &desk.start_batch(BatchRequest::default(), "ada").unwrap().id).result {
        Some(JobResult::Batch(summary)) => summary,
        other => panic!("{other:?}"),
    };
    round();
    let begin = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{begin}\n{}\n", good(40, 46))).unwrap();
    round();
    let begin = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{begin}broken\n")).unwrap();
    round();
    let view = desk.shelf.view().unwrap();
    let counted: Vec<_> = view
        .reports
        .iter()
        .map(|report| {
            let complaints: u64 = report.complaints.iter().map(|complaint| complaint.count).sum();
            (report.total_events, report.records, complaints)
        })
        .collect();
    assert_eq!(counted, [(40, 43, 3), (6, 6, 0), (0, 1, 1)]);
}

#[test]
fn what_is_looked_at_of_jobs_is_in_the_order_of_all() {
    let (_folder, desk) = desk();
    let done = desk.start(JobKind::Train, "ada", Box::new(|_, _| Ok(JobResult::Models(Vec::new())))).unwrap();
    over(&desk, &done.id);
    let failed = desk.start(JobKind::Batch, "ada", Box::new(|_, _| panic!("as the test wants"))).unwrap();
    assert!(over(&desk, &failed.id).error.unwrap().contains("this is a bug"));
    let seen = desk.jobs.look(|job| (job.id.clone(), job.kind, job.state));
    let expected = [(failed.id, JobKind::Batch, JobState::Failed), (done.id, JobKind::Train, JobState::Succeeded)];
    assert_eq!(seen, expected);
}

#[test]
fn why_a_job_failed_is_told_without_what_is_above_its_folders() {
    let (folder, desk) = desk();
    fs::remove_dir(folder.path().join("logs")).unwrap();
    let job = over(&desk, &desk.start_batch(BatchRequest::default(), "ada").unwrap().id);
    assert_eq!(job.error.as_deref(), Some("logs: no such file or folder; check the spelling"));
}
