//! What the lanes promise: each kind of error does what the table says, and no lane touches another.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::tempdir;
use tokio::time::Instant;
use watchbell_sink::{ErrorKind, Limits, Payload, SinkError, Verdict};

use super::{
    super::*,
    Crew, HOUR, Scripted, findings, open, place, routes,
    scripted::{Answer, delivered, error},
    settle_within, start, status_of,
};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn everything_arrives_once_in_order_and_within_the_limits() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Scripted::willing();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    outbox.accept(&findings(250), &routes(&["soc"])).unwrap();
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.sizes(), [100, 100, 50]);
    let keys: Vec<String> = sink.calls().into_iter().flat_map(|call| call.keys).collect();
    let expected: Vec<String> = findings(250).iter().map(|finding| format!("{}-soc", finding.id)).collect();
    assert_eq!(keys, expected);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.attempts, status.duplicates_possible), (250, 250, 0));
}

#[tokio::test(start_paused = true)]
async fn bytes_limit_a_batch_and_a_delivery_above_them_goes_alone() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sized = |finding: &watchbell_sink::Finding| {
        Ok(Payload::text(vec![b'x'; if finding.id.ends_with('3') { 5000 } else { 400 }]))
    };
    let sink = Arc::new(Scripted::new(|_| delivered()).limits(Limits::new(100, 1000)).encode(sized));
    outbox.accept(&findings(7), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.sizes(), [2, 1, 1, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_one_bad_delivery_of_a_thousand_is_found() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let bad = format!("{}-soc", findings(701)[700].id);
    let script = move |call: &super::scripted::Call| match call.keys.contains(&bad) {
        true => Answer::Fail(error(ErrorKind::Rejected).with_status(400)),
        false => delivered(),
    };
    let sink = Arc::new(Scripted::new(script).limits(Limits::new(1000, 100 << 20)));
    outbox.accept(&findings(1000), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.dead), (999, 1));
    let letters = outbox.dead(&Letters { kind: Some("rejected".to_owned()), ..Letters::default() }).unwrap();
    assert_eq!((&letters[0].finding, letters[0].status), (&findings(701)[700].id, Some(400)));
    assert_eq!(letters[0].message, "it said rejected");
    assert!(sink.sizes().len() <= 21, "halves of halves: {} calls", sink.sizes().len());
    assert!(sink.calls().iter().flat_map(|call| &call.attempts).all(|&attempt| attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn failed_deliveries_are_counted_by_kind() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|call| match call.number {
        0 => Answer::Fail(error(ErrorKind::Unavailable).with_status(503)),
        1 => Answer::Fail(error(ErrorKind::Throttled)),
        2 => Answer::Fail(error(ErrorKind::Rejected)),
        _ => delivered(),
    }));
    outbox.accept(&findings(1), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let expected = [("rejected", 1), ("throttled", 1), ("unavailable", 1), ("auth", 0), ("config", 0)];
    assert_eq!(outbox.failures("soc"), expected);
    assert!(outbox.failures("nobody").iter().all(|(_, count)| *count == 0));
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_encoded_dies_alone_and_a_panic_is_no_more_than_that() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let picky = |finding: &watchbell_sink::Finding| match finding.id.as_bytes()[31] {
        b'1' => Err(SinkError::new(ErrorKind::Unavailable, "no word for it")),
        b'2' => panic!("an encoder's defect"),
        _ => Ok(Payload::text(Vec::new())),
    };
    let sink = Arc::new(Scripted::new(|_| delivered()).encode(picky));
    outbox.accept(&findings(4), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let said: Vec<String> = outbox.dead(&Letters::default()).unwrap().into_iter().map(|dead| dead.message).collect();
    assert_eq!(said, ["no word for it", "the sink panicked while it encoded the finding"]);
    assert_eq!(status_of(&outbox, "soc").delivered, 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_delivery_is_tried_again() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|call| match call.number {
        0 => Answer::Panic,
        _ => delivered(),
    }));
    outbox.accept(&findings(1), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.calls()[1].attempts, [2]);
}

#[tokio::test(start_paused = true)]
async fn throttled_waits_as_long_as_asked_and_does_not_count() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|call| match call.number {
        0 => Answer::Fail(error(ErrorKind::Throttled).with_retry_after(SECOND * 90)),
        _ => delivered(),
    }));
    outbox.accept(&findings(3), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let calls = sink.calls();
    let waited = calls[1].at - calls[0].at;
    assert!(waited >= SECOND * 90 && waited <= SECOND * 100, "{waited:?}");
    assert_eq!(calls[1].attempts, [1, 1, 1]);
    assert_eq!((&calls[1].keys, &calls[1].payloads), (&calls[0].keys, &calls[0].payloads), "a repetition is the same");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_down_is_probed_with_one_and_gets_everything_later() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let begun = Instant::now();
    let sink = Arc::new(Scripted::new(move |_| match begun.elapsed() < HOUR {
        true => Answer::Fail(error(ErrorKind::Unavailable).with_status(503)),
        false => delivered(),
    }));
    outbox.accept(&findings(300), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(!settle_within(&crew, HOUR / 2).await);
    let sizes = sink.sizes();
    assert_eq!(sizes[..5], [100; 5]);
    assert!(sizes[5..].iter().all(|&size| size == 1), "{sizes:?}");
    assert!((8..60).contains(&sizes.len()), "waits of up to 5 minutes: {} calls", sizes.len());
    let status = status_of(&outbox, "soc");
    assert!(status.is_failing, "nothing has arrived since the last error");
    assert_eq!((status.pending.total(), status.last_error.unwrap().status), (300, Some(503)));
    assert!(settle_within(&crew, HOUR).await);
    outbox.accept(&findings(301), &routes(&["soc"])).unwrap();
    let status = status_of(&outbox, "soc");
    assert_eq!((status.pending.total(), status.is_failing), (1, false), "an error of long ago is over");
    assert_eq!(status_of(&outbox, "soc").duplicates_possible, 0, "503 says that it took nothing");
}

#[tokio::test(start_paused = true)]
async fn a_restart_while_the_target_is_down_keeps_everything() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let down = Arc::new(Scripted::new(|_| Answer::Fail(error(ErrorKind::Unavailable))));
    outbox.accept(&findings(150), &routes(&["soc"])).unwrap();
    for _ in 0..3 {
        let crew = start(&outbox, &[("soc", &down)]).await;
        assert!(!settle_within(&crew, HOUR).await);
        assert!(crew.stop(SECOND).await);
    }
    drop(outbox);
    let outbox = open(folder.path());
    let sink = Scripted::willing();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let keys: BTreeSet<String> = sink.calls().into_iter().flat_map(|call| call.keys).collect();
    assert_eq!(keys.len(), 150);
    assert!(sink.calls()[0].attempts[0] > 3, "attempts outlive a restart");
    assert!(status_of(&outbox, "soc").duplicates_possible >= 100, "without an answer they may have arrived");
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_delays_nobody_else() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let (live, hole) = (Scripted::willing(), Arc::new(Scripted::new(|_| Answer::Silence)));
    let crew = start(&outbox, &[("hole", &hole), ("live", &live)]).await;
    for chunk in findings(500).chunks(50) {
        let accepted = Instant::now();
        outbox.accept(chunk, &routes(&["hole", "live"])).unwrap();
        while status_of(&outbox, "live").pending.total() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(accepted.elapsed() < SECOND, "{:?}", accepted.elapsed());
    }
    assert_eq!(status_of(&outbox, "hole").pending.total(), 500);
    let stopping = Instant::now();
    assert!(!crew.stop(SECOND * 5).await, "the black hole does not end by itself");
    assert!(stopping.elapsed() <= SECOND * 6, "{:?}", stopping.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_calls_end_and_begins_none() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink =
        Arc::new(Scripted::new(|_| delivered()).limits(Limits { pace: SECOND * 10, ..Limits::new(10, 1 << 20) }));
    outbox.accept(&findings(100), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    tokio::time::sleep(SECOND * 25).await;
    assert!(crew.stop(SECOND).await);
    assert_eq!(sink.sizes(), [10, 10, 10]);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.pending.ready), (30, 70));
}

#[tokio::test(start_paused = true)]
async fn few_go_alone_and_many_together_at_the_destinations_pace() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let limits = Limits { pace: SECOND, together_above: 3, ..Limits::new(100, 1 << 20) };
    let sink = Arc::new(Scripted::new(|_| delivered()).limits(limits));
    let crew = start(&outbox, &[("chat", &sink)]).await;
    outbox.accept(&findings(3), &routes(&["chat"])).unwrap();
    assert!(settle_within(&crew, HOUR).await);
    outbox.accept(&findings(40), &routes(&["chat"])).unwrap();
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.sizes(), [1, 1, 1, 37]);
    for pair in sink.calls().windows(2) {
        assert!(pair[1].at - pair[0].at >= SECOND, "{:?}", pair[1].at - pair[0].at);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_to_fill_but_not_longer_than_it_may() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Scripted::willing();
    let batch = BatchOptions { items: Some(10), bytes: None, wait: SECOND * 5 };
    let lane = Lane { batch, ..Lane::new("soc", Arc::clone(&sink) as _) };
    let crew = Crew::start(&outbox, vec![lane]).await.unwrap();
    let begun = Instant::now();
    outbox.accept(&findings(4), &routes(&["soc"])).unwrap();
    tokio::time::sleep(SECOND * 2).await;
    outbox.accept(&findings(17), &routes(&["soc"])).unwrap();
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.sizes(), [10, 7]);
    let calls = sink.calls();
    assert!(calls[0].at - begun < SECOND * 3, "full at once: {:?}", calls[0].at - begun);
    assert!((SECOND * 6..SECOND * 8).contains(&(calls[1].at - begun)), "{:?}", calls[1].at - begun);
}

#[tokio::test(start_paused = true)]
async fn a_refused_secret_holds_the_lane_until_a_new_one_is_there() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let refuse = || Err(error(ErrorKind::Auth).with_status(401));
    let old = Arc::new(Scripted::new(move |_| Answer::Fail(refuse().unwrap_err())).check(refuse));
    let (new, other) = (Scripted::willing(), Scripted::willing());
    let (is_there, handed) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    let (there, fresh) = (Arc::clone(&is_there), Arc::clone(&new));
    let renew: Renew = Box::new(move || {
        let now = there.load(Ordering::Relaxed) && !handed.swap(there.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(if now { Renewed::Sink(Arc::clone(&fresh) as _) } else { Renewed::Unchanged })
    });
    let held = Lane { renew, ..Lane::new("soc", Arc::clone(&old) as _) };
    outbox.accept(&findings(120), &routes(&["soc", "other"])).unwrap();
    let crew = Crew::start(&outbox, vec![held, Lane::new("other", Arc::clone(&other) as _)]).await.unwrap();
    let settled = crew.settled(Some(HOUR), &mut |_| ()).await.unwrap();
    assert!(!settled.complete && !settled.timed_out, "a held lane is not waited for: {settled:?}");
    assert_eq!(status_of(&outbox, "other").delivered, 120);
    let status = status_of(&outbox, "soc");
    assert_eq!(status.held.map(|held| held.kind).as_deref(), Some("auth"));
    assert_eq!(status.pending.ready, 120);
    tokio::time::sleep(HOUR).await;
    assert_eq!(old.calls().len(), 1, "nothing is sent to who refuses");
    let checks = old.checks();
    assert!((10..40).contains(&checks.len()), "{} checks in an hour", checks.len());
    assert!(checks[2] - checks[1] > checks[1] - checks[0], "at growing intervals");
    is_there.store(true, Ordering::Relaxed);
    tokio::time::sleep(SECOND * 400).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(new.sizes(), [100, 20]);
    assert_eq!(status_of(&outbox, "soc").held, None);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_passes_while_deliveries_fail_does_not_make_a_storm() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|_| Answer::Fail(error(ErrorKind::Config))));
    outbox.accept(&findings(5), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    tokio::time::sleep(HOUR).await;
    assert!((10..40).contains(&sink.calls().len()), "{} calls in an hour", sink.calls().len());
    assert_eq!(status_of(&outbox, "soc").pending.ready, 5);
    assert!(!crew.settled(Some(HOUR), &mut |_| ()).await.unwrap().timed_out);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_is_taken_up_in_normal_work() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let (old, new) = (Scripted::willing(), Scripted::willing());
    let (fresh, asked) = (Arc::clone(&new), AtomicUsize::new(0));
    let renew: Renew = Box::new(move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Err("the file is not there".to_owned()),
        1 => Ok(Renewed::Sink(Arc::clone(&fresh) as _)),
        _ => Ok(Renewed::Unchanged),
    });
    let lane = Lane { renew, ..Lane::new("soc", Arc::clone(&old) as _) };
    let crew = Crew::start(&outbox, vec![lane]).await.unwrap();
    for (count, at) in [(1, 0), (2, 61), (3, 61)] {
        tokio::time::sleep(SECOND * at).await;
        outbox.accept(&findings(count), &routes(&["soc"])).unwrap();
        assert!(settle_within(&crew, HOUR).await);
    }
    assert_eq!((old.calls().len(), new.calls().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn each_delivery_of_a_batch_gets_its_own_verdict() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|call| match call.number {
        0 => Answer::Each(vec![
            Verdict::Delivered,
            Verdict::Failed(error(ErrorKind::Rejected)),
            Verdict::Failed(error(ErrorKind::Unavailable).with_retry_after(SECOND * 30)),
            Verdict::Undecided,
        ]),
        _ => delivered(),
    }));
    outbox.accept(&findings(4), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(status_of(&outbox, "soc").pending, Pending { waiting: 1, ..Pending::default() });
    assert!(settle_within(&crew, HOUR).await);
    let calls = sink.calls();
    assert_eq!((calls[1].attempts.clone(), calls[2].attempts.clone()), (vec![1], vec![2]));
    assert!(calls[1].at - calls[0].at < SECOND, "what is undecided goes out at once");
    assert!(calls[2].at - calls[0].at >= SECOND * 30);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_decides_is_asked_about_less_and_then_less_often() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(|call| match call.keys.len() {
        1 => delivered(),
        _ => Answer::All(Verdict::Undecided),
    }));
    outbox.accept(&findings(16), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(sink.sizes()[..5], [16, 8, 4, 2, 1]);
    crew.stop(SECOND).await;
    let stubborn = Arc::new(Scripted::new(|_| Answer::All(Verdict::Undecided)));
    outbox.accept(&findings(17), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &stubborn)]).await;
    assert!(!settle_within(&crew, HOUR).await);
    assert!(stubborn.calls().len() < 60, "{} calls in an hour", stubborn.calls().len());
    assert_eq!(status_of(&outbox, "soc").pending.ready, 1);
}

#[tokio::test(start_paused = true)]
async fn dead_letters_are_sent_again_or_thrown_away_and_stay_counted() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let sink = Arc::new(Scripted::new(move |_| match is_mended.load(Ordering::Relaxed) {
        true => delivered(),
        false => Answer::All(Verdict::Failed(error(ErrorKind::Rejected))),
    }));
    outbox.accept(&findings(10), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(status_of(&outbox, "soc").dead, 10);
    let one = Letters { finding: Some(findings(1)[0].id.clone()), ..Letters::default() };
    assert_eq!(outbox.purge(&one).unwrap(), 1);
    assert_eq!(outbox.accept(&findings(1), &routes(&["soc"])).unwrap().deliveries, 0, "purged is known");
    mended.store(true, Ordering::Relaxed);
    let four = Letters { sink: Some("soc".to_owned()), limit: Some(4), ..Letters::default() };
    assert_eq!(outbox.replay(&Letters { sink: Some("other".to_owned()), ..Letters::default() }).unwrap(), 0);
    assert_eq!(outbox.replay(&four).unwrap(), 4);
    assert!(settle_within(&crew, HOUR).await);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.dead, status.purged), (4, 5, 1));
    let mut exported = Vec::new();
    assert_eq!(outbox.export(&mut exported).unwrap(), 5);
    for line in String::from_utf8(exported).unwrap().lines() {
        let shown: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&shown["deliveries"][0]["state"], &shown["finding"]["id"]), (&"dead".into(), &shown["id"]));
    }
}

#[test]
fn callers_without_async_start_wait_and_stop() {
    let folder = tempdir().unwrap();
    let outbox = Outbox::open(&place(folder.path())).unwrap();
    outbox.accept(&findings(30), &routes(&["soc"])).unwrap();
    let sink = Scripted::willing();
    let lanes = Lanes::start(&outbox, vec![Lane::new("soc", Arc::clone(&sink) as _)]).unwrap();
    let mut looks = 0;
    let settled = lanes.settled(Some(SECOND * 60), &mut |_| looks += 1).unwrap();
    assert!(settled.complete && looks > 0, "{settled:?}");
    assert!(lanes.stop(SECOND));
    drop(outbox);
    Outbox::open(&place(folder.path())).unwrap();
}
