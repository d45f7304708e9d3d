//! Who looks on hears of everything, whoever did it.

use super::*;
use crate::{
    judgment::{Action, Entry, Feedback, Journal, Truth},
    sink::testkit::findings::samples,
};

/// Waits for a change that this wants.
fn hear(changes: &mut broadcast::Receiver<Change>, what: &str, wanted: impl Fn(&Change) -> bool) {
    until(what, || std::iter::from_fn(|| changes.try_recv().ok()).any(|change| wanted(&change)));
}

#[test]
fn what_other_processes_do_is_told_within_moments() {
    let (folder, desk) = desk();
    let mut changes = desk.changes();
    // The first look is what later ones are compared with.
    thread::sleep(Duration::from_millis(1_200));
    put(&folder, "a.log", samples(3, 1));
    hear(&mut changes, "new findings", |change| *change == Change::Findings { count: 3 });
    let action = Action::Feedback(Feedback::on(&samples(1, 1)[0], Truth::FalsePositive, None));
    let entry = Entry { time: Timestamp::UNIX_EPOCH, by: "bob".to_owned(), action };
    Journal::in_folder(&desk.plan().outbox.folder).append(&entry).unwrap();
    hear(&mut changes, "a decision", |change| *change == Change::Judgments);
}

#[test]
fn what_this_process_finds_is_told_once() {
    let (_folder, desk) = desk();
    let mut changes = desk.changes();
    thread::sleep(Duration::from_millis(1_200));
    let found = desk.analyze(text("request", attack(1)), watch()).unwrap().findings.len();
    thread::sleep(Duration::from_millis(2_400));
    let heard: Vec<Change> = std::iter::from_fn(|| changes.try_recv().ok()).collect();
    assert_eq!(heard, [Change::Findings { count: found }]);
}

#[test]
fn deliveries_are_told_as_they_arrive() {
    let server = Served::new(|_| Answer::status(200).after(Duration::from_millis(1_500)));
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "a.log", samples(2, 1));
    let desk = Desk::open(plan(folder.path(), &server.sink("one")), Delivery::Staying).unwrap();
    let mut changes = desk.changes();
    let ids = vec![samples(2, 1)[0].id.clone()];
    desk.forward(&ForwardOrder { ids, ..ForwardOrder::default() }).unwrap();
    hear(&mut changes, "the order itself", |change| *change == Change::Deliveries);
    assert_eq!(desk.sinks().unwrap()[0].status.as_ref().unwrap().delivered, 0);
    until("the delivery arrives", || desk.sinks().unwrap()[0].status.as_ref().unwrap().delivered == 1);
    hear(&mut changes, "the arrival", |change| *change == Change::Deliveries);
    desk.close().unwrap();
}

#[test]
fn a_desk_that_nobody_holds_is_gone() {
    let (_folder, desk) = desk();
    let weak = Arc::downgrade(&desk);
    drop(desk);
    until("the desk goes", || weak.upgrade().is_none());
}
