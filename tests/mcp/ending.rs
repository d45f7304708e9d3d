//! The end of the server in the middle of a call: nothing that arrived is sent again, and what failed stands in the log.

use std::{
    process::Child,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::runtime::Runtime;
use watchbell_sink::testkit::server::{Answer, Server};

use super::{Session, log, place};
use crate::place::Place;

/// A webhook that takes its time, and a place with findings that go there.
fn slow() -> (Runtime, Server, Place) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let answer = |_: &_| Answer::status(200).after(Duration::from_millis(1_500));
    let server = runtime.block_on(Server::start(answer)).unwrap();
    let place = Place::new(&format!(
        "[sinks.hook]\ntype = \"webhook\"\nurl = \"http://{}/hook\"\nallow_private = true\n",
        server.address()
    ));
    place.write("logs/auth.json", &log("alice", "192.0.2.77"));
    assert_eq!(place.run(&["batch", "--once"]).code, 0);
    (runtime, server, place)
}

/// Begins to forward everything; returns when the first delivery is on its way.
fn forwarding(place: &Place, server: &Server) -> Session {
    let mut session = Session::open(place, &[]);
    let call = json!({ "filter": { "min_severity": "informational" }, "dry_run": false });
    let call = json!({ "name": "forward_findings", "arguments": call });
    session.say(&json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": call }).to_string());
    until("a delivery is on its way", || server.seen() > 0);
    session
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come true");
        thread::sleep(Duration::from_millis(20));
    }
}

fn ended(child: &mut Child) {
    until("the server ends", || child.try_wait().unwrap().is_some());
}

/// The rest goes out with the next run; each finding came once in the end.
fn assert_each_once(place: &Place, server: &Server) {
    let rest = place.run(&["forward", "batch_outputs"]);
    assert_eq!(rest.code, 0, "{rest:#?}");
    let status = place.run(&["outbox", "status", "--json"]).json();
    let delivered = status["sinks"][0]["delivered"].as_u64().unwrap();
    assert!(delivered > 0 && server.seen() as u64 == delivered, "{} requests: {status}", server.seen());
}

#[cfg(unix)]
#[test]
fn a_signal_while_findings_go_out_has_none_sent_twice() {
    let (_runtime, server, place) = slow();
    let mut session = forwarding(&place, &server);
    super::terminate(&session.child);
    ended(&mut session.child);
    assert_each_once(&place, &server);
}

#[test]
fn an_input_that_ends_while_findings_go_out_has_none_sent_twice() {
    let (_runtime, server, place) = slow();
    let mut session = forwarding(&place, &server);
    drop(session.input.take());
    ended(&mut session.child);
    assert_each_once(&place, &server);
}

#[test]
fn a_training_that_fails_stands_in_the_log() {
    let place = place();
    place.write("logs/empty.log", "");
    let mut session = Session::open(&place, &[]);
    session.failure("train_model", json!({ "path": "empty.log" }));
    let (_, _, log) = session.close();
    assert!(log.contains("a job failed") && log.contains("kind=\"train\""), "{log}");
    assert!(log.contains("no event to learn from"), "{log}");
}
