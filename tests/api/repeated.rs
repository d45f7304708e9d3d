//! `Idempotency-Key`: a repetition changes nothing and gets the first answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, CONFIGURATION, Server};
use crate::place::Place;

fn suppression(reason: &str) -> Value {
    json!({ "threat_type": "beaconing", "reason": reason, "expires": "1d" })
}

async fn suppress(server: &Server, key: &str, body: &Value) -> Answer {
    server.send(server.ask(Method::POST, "/v1/suppressions").header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer_and_changes_nothing() {
    let server = Server::start();
    let first = suppress(&server, "key-1", &suppression("a backup")).await;
    assert_eq!(first.is(201).header("idempotency-replayed"), "");
    // As the draft writes it, and as most people do.
    for key in ["key-1", "\"key-1\""] {
        let again = suppress(&server, key, &suppression("a backup")).await;
        assert_eq!(again.is(201).header("idempotency-replayed"), "true");
        assert_eq!(again.text, first.text);
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        assert_eq!(again.headers.get_all("x-request-id").iter().count(), 1);
    }
    suppress(&server, "key-1", &suppression("something else")).await.is_problem(422);
    let forward = json!({ "filter": {}, "dry_run": true });
    let other_route =
        server.ask(Method::POST, "/v1/findings:forward").header("idempotency-key", "key-1").json(&forward);
    server.send(other_route).await.is_problem(422);
    suppress(&server, "key-2", &suppression("a backup")).await.is(201);
    let made = server.get("/v1/suppressions").await;
    assert_eq!(made.json["suppressions"].as_array().unwrap().len(), 2, "{made:?}");
}

#[tokio::test]
async fn what_failed_may_be_tried_again_under_the_same_key() {
    let server = Server::start();
    let wrong = json!({ "threat_type": "beaconing", "reason": "a", "expires": "yesterday" });
    suppress(&server, "key-1", &wrong).await.is_problem(422);
    suppress(&server, "key-1", &suppression("a backup")).await.is(201);
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let server = Server::start();
    let body = suppression("a backup");
    let answers = futures_util::future::join_all((0..20).map(|_| suppress(&server, "key-1", &body))).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!(count(201) + count(409), 20, "{answers:?}");
    let firsts =
        answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotency-replayed").is_empty());
    assert_eq!(firsts.count(), 1);
    let made = server.get("/v1/suppressions").await;
    assert_eq!(made.json["suppressions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_one_and_printable() {
    let server = Server::start();
    for key in ["", "a b", "\"", "\"a", "a\"b", &"x".repeat(256)] {
        let answer = suppress(&server, key, &suppression("a")).await;
        assert_eq!(answer.is_problem(400).json["errors"][0]["parameter"], "Idempotency-Key");
    }
}

/// A destination that takes its time for each finding, and how many it was sent.
fn slow_destination(time: Duration) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, sent) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&sent);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, count) = (stream.unwrap(), Arc::clone(&count));
            thread::spawn(move || {
                let mut head = [0; 4096];
                if stream.read(&mut head).is_ok_and(|_| head.starts_with(b"POST")) {
                    count.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(time);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                }
            });
        }
    });
    (address, sent)
}

#[tokio::test]
async fn what_takes_longer_than_a_request_may_is_not_done_a_second_time() {
    let (address, sent) = slow_destination(Duration::from_secs(3));
    let configuration = CONFIGURATION.replace("timeout_secs = 60", "timeout_secs = 1");
    let server = Server::in_place(Place::new(&configuration.replace("127.0.0.1:9", &address.to_string())));
    let check = async || {
        let request = server.ask(Method::POST, "/v1/sinks/hook/check").header("idempotency-key", "key-1");
        server.send(request.json(&json!({ "send": true }))).await
    };
    let late = check().await;
    assert_eq!(late.is_problem(503).header("retry-after"), "5");
    check().await.is_problem(409);
    let began = Instant::now();
    let done = loop {
        let answer = check().await;
        if answer.status != 409 {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(done.is(200).header("idempotency-replayed"), "true");
    assert_eq!(sent.load(Ordering::Relaxed), 1);
}
