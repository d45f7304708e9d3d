//! What the lanes promise where a destination takes deliveries first and has them later.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::tempdir;
use watchbell_sink::{Acknowledgement, AcknowledgementLimits, Limits, Verdict};

use super::{
    super::*,
    HOUR, Scripted, findings, open, routes,
    scripted::{Answer, Call},
    settle_within, start, status_of,
};

const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    let acknowledgement = AcknowledgementLimits { poll: SECOND * 10, timeout: SECOND * 180 };
    Limits { acknowledgement: Some(acknowledgement), ..Limits::new(10, 1 << 20) }
}

/// Takes batches under the numbers of their calls.
fn taking(prefix: &'static str) -> impl FnMut(&Call) -> Answer + Send {
    move |call| Answer::All(Verdict::Accepted { ack_ref: format!("{prefix}-{}", call.number) })
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_delivered_when_it_is_acknowledged_also_after_a_restart() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(taking("a")).limits(limits()).acknowledge(|_| Acknowledgement::Pending));
    outbox.accept(&findings(25), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(!settle_within(&crew, SECOND * 60).await);
    assert_eq!(status_of(&outbox, "soc").pending, Pending { awaiting_ack: 25, ..Pending::default() });
    crew.stop(SECOND).await;
    drop(outbox);
    let outbox = open(folder.path());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asking = Arc::clone(&asked);
    let sink = Scripted::new(taking("b")).limits(limits()).acknowledge(move |reference| {
        asking.lock().unwrap().push(reference.to_owned());
        Acknowledgement::Confirmed
    });
    let sink = Arc::new(sink);
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(*asked.lock().unwrap(), ["a-0", "a-1", "a-2"]);
    assert!(sink.calls().is_empty(), "nothing goes out twice");
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.attempts, status.duplicates_possible), (25, 25, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_goes_out_again_after_its_time_or_when_nobody_knows_it() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Scripted::new(taking("a")).limits(limits()).acknowledge(|reference| match reference {
        "a-0" => Acknowledgement::Pending,
        "a-1" => Acknowledgement::Unknown,
        _ => Acknowledgement::Confirmed,
    });
    let sink = Arc::new(sink);
    outbox.accept(&findings(20), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let calls = sink.calls();
    assert_eq!((calls.len(), &calls[2].keys, &calls[3].keys), (4, &calls[1].keys, &calls[0].keys));
    assert!(calls[2].at - calls[1].at < SECOND * 15, "unknown at once");
    assert!((SECOND * 180..SECOND * 200).contains(&(calls[3].at - calls[0].at)), "{:?}", calls[3].at - calls[0].at);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.duplicates_possible), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_is_said_once_counts_for_the_whole_batch() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let often = AcknowledgementLimits { poll: Duration::from_millis(1), timeout: HOUR };
    let limits = Limits { acknowledgement: Some(often), ..Limits::new(500, 1 << 20) };
    let mut said = HashSet::new();
    let sink = Scripted::new(taking("a")).limits(limits).acknowledge(move |reference| {
        if said.insert(reference.to_owned()) { Acknowledgement::Confirmed } else { Acknowledgement::Pending }
    });
    let sink = Arc::new(sink);
    outbox.accept(&findings(2_000), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, SECOND * 600).await, "{:?}", status_of(&outbox, "soc").pending);
    let sent: usize = sink.calls().iter().map(|call| call.keys.len()).sum();
    assert_eq!(sent, 2_000, "nothing goes out twice");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_no_longer_gives_acknowledgements_gets_the_open_ones_again() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Arc::new(Scripted::new(taking("a")).limits(limits()).acknowledge(|_| Acknowledgement::Pending));
    outbox.accept(&findings(5), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(!settle_within(&crew, SECOND * 20).await);
    crew.stop(SECOND).await;
    let plain = Scripted::willing();
    let crew = start(&outbox, &[("soc", &plain)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(plain.sizes(), [5]);
}
