//! The record of who did what.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::*;

const AUDITED: &str = "audit_log = \"audit.jsonl\"\n";

/// The entries that there are by now.
fn entries(server: &Server) -> Vec<Value> {
    let log = std::fs::read_to_string(server.place.path("audit.jsonl")).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn who_did_what_is_written_down_without_secrets() {
    let place = Place::new(&format!("{CONFIGURATION}{AUDITED}"));
    let (id, text) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    let with = |request: RequestBuilder| request.bearer_auth(&text).header("x-forwarded-for", "203.0.113.9");
    let body = json!({ "verdict": "the body is nobody's business" });
    status(with(server.get("/v1/findings?entity=private"))).await;
    status(
        with(server.ask(Method::POST, "/v1/findings/0123456789/feedback")).header("x-request-id", "mine").json(&body),
    )
    .await;
    status(server.get("/v1/findings").bearer_auth("wbk_00000000_not-a-key")).await;
    status(server.get("/no\u{1b}%0asuch")).await;
    status(server.get("/health/live")).await;
    let log = std::fs::read_to_string(server.place.path("audit.jsonl")).unwrap();
    for secret in [text.rsplit('_').next().unwrap(), "not-a-key", "private", "business", "0123456789", "such"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let lines = entries(&server);
    let told =
        |line: &Value| (line["method"].clone(), line["route"].clone(), line["status"].clone(), line["caller"].clone());
    let expected = [
        (json!("GET"), json!("/v1/findings"), json!(200), json!(id)),
        (json!("POST"), json!("/v1/findings/{id}/feedback"), json!(403), json!(id)),
        (json!("GET"), json!("/v1/findings"), json!(401), Value::Null),
        (json!("GET"), json!("none"), json!(404), Value::Null),
    ];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(lines[0]["client"], "203.0.113.9");
    assert_eq!(lines[1]["request_id"], "mine");
    assert_eq!(lines[2]["client"], "127.0.0.1");
}

#[tokio::test]
async fn who_hangs_up_is_in_the_record() {
    let place = Place::new(&format!("{CONFIGURATION}{AUDITED}"));
    let (id, text) = key(&place, &["logs:write", "metrics:read"], &[]);
    let server = Server::start(place);
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs/auth.jsonl");
    let log = std::fs::read(sample).unwrap();
    let host = server.served.address.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /analyze?hand_over=false HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {text}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        log.len()
    );
    let mut client = TcpStream::connect(host).unwrap();
    client.write_all(head.as_bytes()).unwrap();
    client.write_all(&log).unwrap();
    drop(client);
    let began = Instant::now();
    while entries(&server).is_empty() && began.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = entries(&server);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["outcome"], &told[0]["caller"]), (&json!("gone"), &json!(id)), "{told:?}");
    assert_eq!((&told[0]["route"], &told[0]["status"]), (&json!("/analyze"), &Value::Null), "{told:?}");
    let metrics = server.get("/metrics").bearer_auth(&text).send().await.unwrap().text().await.unwrap();
    let counted = "watchbell_http_requests_total{method=\"POST\",route=\"/analyze\",status=\"499\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn who_logs_in_is_in_the_record() {
    let place = Place::new(&format!("{CONFIGURATION}{AUDITED}"));
    let (id, text) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    assert_eq!(status(log_in(&server, "wbk_00000000_wrong")).await, 401);
    assert_eq!(status(log_in(&server, &text)).await, 303);
    let told = entries(&server);
    assert_eq!((&told[0]["status"], &told[0]["caller"]), (&json!(401), &Value::Null), "{told:?}");
    assert_eq!((&told[1]["status"], &told[1]["caller"]), (&json!(303), &json!(id)), "{told:?}");
}
