//! Logs of every kind and size: what is analyzed, what is on its way when the program ends.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use super::{Answer, Server};

fn record(number: usize) -> Value {
    json!({ "timestamp": format!("2026-03-02T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60),
        "user": format!("user{}", number % 40), "source_ip": "192.0.2.10", "action": "login", "outcome": "success" })
}

pub(super) fn ndjson(records: usize) -> String {
    (0..records).map(|number| record(number).to_string() + "\n").collect()
}

pub(super) fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

pub(super) async fn analyze(server: &Server, kind: &str, body: impl Into<Body>) -> Answer {
    server.send(server.ask(Method::POST, "/analyze?hand_over=false").header("content-type", kind).body(body)).await
}

#[tokio::test]
async fn what_is_found_stands_in_the_report_and_what_can_t_be_kept_is_503() {
    let server = Server::start();
    let log = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs/sshd_auth.log");
    let log = std::fs::read(log).unwrap();
    let post = || server.ask(Method::POST, "/analyze").header("content-type", "text/plain").body(log.clone());
    let lock = server.place.path("batch_outputs/.analyses.lock");
    std::fs::create_dir_all(&lock).unwrap();
    let answer = server.send(post()).await;
    assert!(answer.is(503).json["detail"].as_str().unwrap().contains("can't be kept"), "{answer:?}");
    std::fs::remove_dir(&lock).unwrap();
    let found = server.send(post()).await.is(200).json["findings"][0]["title"].as_str().unwrap().to_owned();
    let ran = server.place.run(&["report", "batch_outputs", "--html", "page.html"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(std::fs::read_to_string(server.place.path("page.html")).unwrap().contains(&found));
}

#[tokio::test]
async fn every_kind_of_body_is_a_log() {
    let server = Server::start();
    let records: Vec<Value> = (0..50).map(record).collect();
    let documents = [
        ("application/json", json!({ "logs": records }).to_string()),
        (
            "application/json; charset=utf-8",
            json!({ "logs": records.iter().map(Value::to_string).collect::<Vec<_>>() }).to_string(),
        ),
        ("application/x-ndjson", ndjson(50)),
        ("text/plain", ndjson(50)),
    ];
    for (kind, body) in documents {
        let answer = analyze(&server, kind, body.clone()).await;
        assert_eq!(answer.is(200).json["total_events"], 50, "{kind}: {answer:?}");
        assert_eq!(answer.json["logs"][0]["records"], 50, "{kind}");
        let answer = server
            .send(
                server
                    .ask(Method::POST, "/analyze?name=auth.log")
                    .header("content-type", kind)
                    .header("content-encoding", "gzip")
                    .body(packed(body.as_bytes())),
            )
            .await;
        assert_eq!(answer.is(200).json["total_events"], 50, "{kind}, packed");
        assert_eq!(answer.json["logs"][0]["name"], "auth.log");
    }
    let table = "timestamp,user,source_ip,action\n2026-03-02T08:00:00Z,ada,192.0.2.10,login\n2026-03-02T08:00:01Z,bob,192.0.2.11,login\n";
    let answer = analyze(&server, "text/csv", table).await;
    assert_eq!(answer.is(200).json["total_events"], 2, "{answer:?}");
}

#[tokio::test]
async fn no_records_are_no_events() {
    let server = Server::start();
    for (kind, body) in [("application/json", "{\"logs\": []}"), ("application/x-ndjson", ""), ("text/plain", "")] {
        let answer = analyze(&server, kind, body).await;
        for sum in ["total_events", "anomalies_detected", "anomaly_rate"] {
            assert_eq!(answer.is(200).json[sum].as_f64(), Some(0.0), "{kind}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_record_with_line_feeds_is_one_record() {
    let server = Server::start();
    let pretty = serde_json::to_string_pretty(&record(1)).unwrap();
    assert!(pretty.contains('\n'));
    let document = json!({ "logs": [pretty, record(2).to_string() + "\n"] }).to_string();
    let answer = analyze(&server, "application/json", document).await;
    assert_eq!(answer.is(200).json["logs"][0]["records"], 2, "{answer:?}");
    assert_eq!(answer.json["total_events"], 2);
}

#[tokio::test]
async fn a_large_log_goes_through_a_file_which_is_gone_afterwards() {
    let server = Server::start();
    let body = ndjson(20_000);
    assert!(body.len() > 2 << 20);
    let answer = analyze(&server, "application/x-ndjson", body).await;
    assert_eq!(answer.is(200).json["total_events"], 20_000);
    let document = json!({ "logs": (0..20_000).map(record).collect::<Vec<_>>() }).to_string();
    let answer = analyze(&server, "application/json", document).await;
    assert_eq!(answer.is(200).json["total_events"], 20_000);
}

#[tokio::test]
async fn what_is_on_its_way_is_answered_before_the_program_ends() {
    let server = Server::start();
    let (send, receive) = tokio::sync::mpsc::unbounded_channel::<Result<Vec<u8>, std::io::Error>>();
    let chunks = stream::unfold(receive, async |mut receive| receive.recv().await.map(|chunk| (chunk, receive)));
    let request = server.ask(Method::POST, "/analyze?hand_over=false").header("content-type", "text/plain");
    let answer = tokio::spawn(request.body(Body::wrap_stream(chunks)).send());
    send.send(Ok(ndjson(10).into_bytes())).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.served.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(server.ask(Method::GET, "/health/live").send().await.is_err(), "new requests are taken");
    send.send(Ok(ndjson(10).into_bytes())).unwrap();
    drop(send);
    let answer = Answer::of(answer.await.unwrap().unwrap()).await;
    assert_eq!(answer.is(200).json["total_events"], 20);
    let ended = tokio::task::spawn_blocking(move || server.served.ended()).await.unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
}
