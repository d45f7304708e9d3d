//! Findings handed to sinks, with lanes that stay and with lanes for the moment; dead letters; what is held back.

use super::*;
use crate::{
    app::{AppError, FindingQuery, SuppressRequest, Which},
    outbox::Letters,
    sink::{Severity, testkit::findings::samples},
};

fn accepting() -> Served {
    Served::new(|_| Answer::status(200))
}

/// A desk with two sinks and some findings.
fn desk_with(delivery: Delivery, server: &Served) -> (TempDir, Arc<Desk>, Vec<Finding>) {
    let folder = tempfile::tempdir().unwrap();
    let findings = samples(6, 5);
    put(&folder, "a.log", findings.clone());
    let plan = plan(folder.path(), &(server.sink("one") + &server.sink("two")));
    (folder, Desk::open(plan, delivery).unwrap(), findings)
}

fn all() -> ForwardOrder {
    ForwardOrder { query: Some(FindingQuery::default()), ..ForwardOrder::default() }
}

#[test]
fn a_dry_run_says_what_would_happen_and_does_nothing() {
    let server = accepting();
    let (folder, desk, findings) = desk_with(Delivery::OnDemand, &server);
    let receipt = desk.forward(&ForwardOrder { dry_run: true, ..all() }).unwrap();
    assert_eq!((receipt.findings, receipt.taken.accepted.new, receipt.taken.accepted.deliveries), (6, 6, 12));
    assert!(receipt.planned.iter().all(|one| one.sinks == ["one", "two"] && one.known.is_empty()));
    assert!(!folder.path().join("outbox").exists() && server.server.seen() == 0);
    let only = ForwardOrder {
        ids: vec![findings[0].id[..12].to_owned()],
        sinks: vec!["two".to_owned()],
        wait: Some(Duration::from_secs(20)),
        ..ForwardOrder::default()
    };
    let receipt = desk.forward(&only).unwrap();
    assert_eq!(receipt.arrival, Some(Arrival { delivered: 1, dead: 0, pending: 0 }));
    let again = desk.forward(&ForwardOrder { dry_run: true, ..all() }).unwrap();
    let first = again.planned.iter().find(|one| one.finding == findings[0].id).unwrap();
    assert_eq!((first.sinks.as_slice(), first.known.as_slice()), (&["one".to_owned()][..], &["two".to_owned()][..]));
    assert_eq!(again.taken.accepted.deliveries, 11);
    let gravest = findings.iter().filter(|finding| finding.severity >= Severity::High).count();
    let high = desk.forward(&ForwardOrder { dry_run: true, min_severity: Some(Severity::High), ..all() }).unwrap();
    assert_eq!(high.taken.accepted.new as usize, gravest);
    assert_eq!(high.taken.accepted.unrouted as usize, 6 - gravest);
}

#[test]
fn what_is_unknown_is_named() {
    let server = accepting();
    let (_folder, desk, findings) = desk_with(Delivery::OnDemand, &server);
    let order = |ids: &[&str], sinks: &[&str]| ForwardOrder {
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        sinks: sinks.iter().map(|&sink| sink.to_owned()).collect(),
        ..ForwardOrder::default()
    };
    assert!(
        matches!(desk.forward(&order(&["ffffffff0000"], &[])), Err(AppError::NoSuchFinding(id)) if id == "ffffffff0000")
    );
    let id = findings[0].id.as_str();
    assert!(
        matches!(desk.forward(&order(&[id], &["three"])), Err(AppError::NoSuchSink { name, .. }) if name == "three")
    );
    assert!(matches!(desk.forward(&order(&[], &[])), Err(AppError::Request(_))));
}

#[test]
fn lanes_that_stay_deliver_in_the_background_or_while_it_is_waited() {
    let server = accepting();
    let (_folder, desk, _) = desk_with(Delivery::Staying, &server);
    let receipt = desk.forward(&ForwardOrder { wait: Some(Duration::from_secs(20)), ..all() }).unwrap();
    assert_eq!(receipt.arrival, Some(Arrival { delivered: 12, dead: 0, pending: 0 }));
    let sinks = desk.sinks().unwrap();
    assert_eq!(sinks.iter().map(|sink| (sink.state, sink.pending)).collect::<Vec<_>>(), [(SinkState::Idle, 0); 2]);
    let again = desk.forward(&all()).unwrap();
    assert_eq!((again.taken.accepted.known, again.arrival), (6, None));
    desk.close().unwrap();
}

#[test]
fn a_sink_that_is_away_is_waited_for_no_longer_than_was_said() {
    let server = Served::new(|_| Answer::status(503));
    let (_folder, desk, _) = desk_with(Delivery::Staying, &server);
    let receipt = desk.forward(&ForwardOrder { wait: Some(Duration::from_millis(300)), ..all() }).unwrap();
    assert_eq!(receipt.arrival.unwrap().pending, 12);
    until("the error is told", || desk.sinks().unwrap().iter().all(|sink| sink.last_error.is_some()));
    let sink = desk.sinks().unwrap().remove(0);
    assert_eq!((sink.pending, sink.dead), (6, 0));
    assert!(sink.oldest_secs.is_some());
    desk.close().unwrap();
}

#[test]
fn dead_letters_are_read_in_pages_and_sent_again() {
    let server = Served::new(|request| Answer::status(if request.route() == "/one" { 400 } else { 200 }));
    let (_folder, desk, _) = desk_with(Delivery::OnDemand, &server);
    assert!(desk.dead_letter_page(&Letters::default(), None).unwrap().letters.is_empty());
    assert_eq!(desk.replay(&Letters::default()).unwrap(), 0);
    let receipt = desk.forward(&ForwardOrder { wait: Some(Duration::from_secs(20)), ..all() }).unwrap();
    assert_eq!(receipt.arrival, Some(Arrival { delivered: 6, dead: 6, pending: 0 }));
    let four = Letters { limit: Some(4), ..Letters::default() };
    let first = desk.dead_letter_page(&four, None).unwrap();
    let second = desk.dead_letter_page(&four, first.next.as_deref()).unwrap();
    assert_eq!((first.letters.len(), second.letters.len(), second.next), (4, 2, None));
    let all = [first.letters, second.letters].concat();
    assert_eq!(all, desk.dead_letter_page(&Letters::default(), None).unwrap().letters);
    assert!(matches!(desk.dead_letter_page(&four, Some("x")), Err(AppError::Request(_))));
    assert_eq!(desk.replay(&Letters { finding: Some(all[0].finding.clone()), ..Letters::default() }).unwrap(), 1);
    let one = desk.sinks().unwrap().remove(0);
    assert_eq!((one.dead, one.pending), (5, 1));
}

#[test]
fn more_than_were_allowed_are_refused_before_anything_goes_out() {
    let server = accepting();
    let (folder, desk, _) = desk_with(Delivery::OnDemand, &server);
    let most = |most| desk.forward(&ForwardOrder { most: Some(most), dry_run: most > 5, ..all() });
    assert!(matches!(most(5), Err(AppError::TooMany { findings: 6, most: 5 })));
    assert_eq!(most(6).unwrap().findings, 6);
    assert!(!folder.path().join("outbox").exists() && server.server.seen() == 0);
}

/// What a sink took while the desk closed is known to have arrived, or the next run would send it again.
#[test]
fn closing_waits_for_the_call_that_is_at_the_outbox() {
    for delivery in [Delivery::OnDemand, Delivery::Staying] {
        let server = Served::new(|_| Answer::status(200).after(Duration::from_millis(1_500)));
        let (_folder, desk, _) = desk_with(delivery, &server);
        let (receipt, later) = thread::scope(|scope| {
            let call = scope.spawn(|| desk.forward(&ForwardOrder { wait: Some(Duration::from_secs(20)), ..all() }));
            until("a delivery is on its way", || server.server.seen() > 0);
            let later = scope.spawn(|| {
                until("the desk closes", || desk.closing.load(Ordering::Relaxed));
                desk.forward(&all())
            });
            desk.close().unwrap();
            let delivered: u64 = desk.sinks().unwrap().iter().map(|sink| sink.status.as_ref().unwrap().delivered).sum();
            assert_eq!(delivered as usize, server.server.seen(), "{delivery:?}");
            (call.join().unwrap().unwrap(), later.join().unwrap())
        });
        let arrival = receipt.arrival.unwrap();
        assert!(arrival.pending > 0 || delivery == Delivery::Staying, "it did not wait for all: {arrival:?}");
        // Lanes that still stay take it, for the next start.
        assert!(matches!(later, Err(AppError::Stopped)) || delivery == Delivery::Staying, "{later:?}");
    }
}

#[test]
fn who_waits_is_let_go_when_the_end_is_near() {
    let server = Served::new(|_| Answer::status(503));
    let (_folder, desk, _) = desk_with(Delivery::Staying, &server);
    let began = Instant::now();
    thread::scope(|scope| {
        let call = scope.spawn(|| desk.forward(&ForwardOrder { wait: Some(Duration::from_secs(60)), ..all() }));
        until("a delivery is tried", || server.server.seen() > 0);
        desk.begin_closing();
        assert!(call.join().unwrap().unwrap().arrival.unwrap().pending > 0);
    });
    assert!(began.elapsed() < Duration::from_secs(30));
    desk.close().unwrap();
}

/// One account, two threats: what is said about the one is not said about the other.
#[test]
fn what_is_suppressed_is_held_back_and_another_kind_still_rings() {
    let server = accepting();
    let folder = tempfile::tempdir().unwrap();
    let mut pair = samples(40, 9);
    let first = pair.remove(0);
    let mut other = pair.into_iter().find(|finding| finding.threat_type != first.threat_type).unwrap();
    (other.entity, other.severity) = (first.entity.clone(), first.severity);
    put(&folder, "a.log", vec![first.clone(), other.clone()]);
    let desk = Desk::open(plan(folder.path(), &server.sink("one")), Delivery::Staying).unwrap();
    let request = SuppressRequest {
        which: Which::Like { finding: first.id.clone(), max_severity: None },
        reason: "a backup".to_owned(),
        expires: Timestamp::now() + jiff::SignedDuration::from_hours(1),
        by: "ada".to_owned(),
    };
    let effect = desk.suppress(&request, false).unwrap();
    assert_eq!(effect.hides.iter().map(|finding| &finding.id).collect::<Vec<_>>(), [&first.id]);
    let page = desk.findings(&FindingQuery::default()).unwrap();
    assert_eq!((page.total, page.suppressed, page.findings[0].finding.id.as_str()), (1, 1, other.id.as_str()));
    let receipt = desk.forward(&ForwardOrder { wait: Some(Duration::from_secs(20)), ..all() }).unwrap();
    assert_eq!((receipt.taken.suppressed, receipt.taken.accepted.new), (1, 1));
    let held = receipt.planned.iter().find(|one| one.finding == first.id).unwrap();
    assert_eq!((held.suppressed_by.as_ref(), held.sinks.len()), (effect.suppression.id.as_ref(), 0));
    assert_eq!(server.server.seen(), 1);
    desk.lift(effect.suppression.id.as_deref().unwrap(), "moved", "ada").unwrap();
    assert_eq!(desk.findings(&FindingQuery::default()).unwrap().total, 2);
    assert_eq!(desk.forward(&all()).unwrap().taken.accepted.new, 1);
    desk.close().unwrap();
}

#[test]
fn what_an_analysis_finds_goes_to_the_sinks_once() {
    let server = accepting();
    let (_folder, desk, _) = desk_with(Delivery::Staying, &server);
    let first = desk.analyze(text("request", attack(1)), watch()).unwrap();
    let taken = first.handed_over.unwrap();
    assert_eq!(taken.accepted.new as usize, first.findings.len());
    let again = desk.analyze(text("request", attack(1)), watch()).unwrap().handed_over.unwrap();
    assert_eq!((again.accepted.new, again.accepted.known as usize), (0, first.findings.len()));
    let view = desk.finding(&first.findings[0].finding.id).unwrap();
    assert_eq!(view.deliveries.len(), 2);
    desk.close().unwrap();
}
