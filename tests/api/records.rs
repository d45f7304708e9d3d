//! `{"logs": [...]}` with objects and texts in every order: both fronts find the same in it, and say of which record.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::Server;
use crate::{mcp::Session, place::Place};

/// People at work, and somebody who guesses a password: objects.
fn objects() -> Vec<Value> {
    let record = |at: usize, user: &str, address: &str, status: &str| {
        let time = format!("2026-03-02T{:02}:{:02}:{:02}Z", 8 + at / 3600, at / 60 % 60, at % 60);
        json!({ "timestamp": time, "user": user, "source_ip": address, "action": "login", "status": status,
            "resource": "/sso", "bytes": 500 + at % 7 })
    };
    let work = (0..40)
        .map(|at| record(at * 60, ["ada", "bob", "eve", "dan"][at % 4], &format!("10.0.0.{}", 1 + at % 4), "success"));
    let guesses = (0..59).map(|at| record(3000 + at * 2, "admin1", "203.0.113.66", "failure"));
    work.chain(guesses).collect()
}

/// The same of another account, as a daemon writes it.
fn texts() -> Vec<Value> {
    let line = |at: usize, said: String| {
        let (hour, minute, second) = (8 + at / 3600, at / 60 % 60, at % 60);
        Value::String(format!("2026-03-02T{hour:02}:{minute:02}:{second:02}Z web sshd[811]: {said} port 51122 ssh2"))
    };
    let work = (0..40).map(|at| {
        let user = ["ada", "bob", "eve", "dan"][at % 4];
        line(at * 60, format!("Accepted password for {user} from 10.0.0.{}", 1 + at % 4))
    });
    let guesses = (0..59).map(|at| line(3001 + at * 2, "Failed password for root from 203.0.113.99".to_owned()));
    work.chain(guesses).collect()
}

/// The findings, without what differs between the fronts.
fn findings(answer: &Value) -> BTreeSet<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = answer["findings"].as_array().unwrap().iter();
    findings.map(|one| (text(&one["threat_type"]), text(&one["id"]), one["event_count"].as_u64().unwrap())).collect()
}

fn records(answer: &Value) -> (u64, u64) {
    let sum = |member: &str| answer["logs"].as_array().unwrap().iter().map(|log| log[member].as_u64().unwrap()).sum();
    (sum("records"), sum("events"))
}

async fn by_rest(server: &Server, logs: &[Value]) -> Value {
    let answer = server.post("/analyze?hand_over=false", &json!({ "logs": logs })).await;
    let found = answer.is(200).json.clone();
    let anomalies = found["anomalies"].as_array().unwrap();
    let line = |place: &Value| usize::try_from(place["line"].as_u64().unwrap()).unwrap();
    let is_meant = |place: &Value| match &logs[line(place) - 1] {
        Value::String(text) => place["raw"] == text.replace('\n', " "),
        object => &serde_json::from_str::<Value>(place["raw"].as_str().unwrap()).unwrap() == object,
    };
    assert!(anomalies.iter().all(is_meant), "{found}");
    assert!(anomalies.windows(2).all(|pair| line(&pair[0]) < line(&pair[1])), "{found}");
    for finding in found["findings"].as_array().unwrap() {
        assert!(finding["evidence"].as_array().unwrap().iter().all(is_meant), "{finding}");
    }
    found
}

fn by_mcp(session: &mut Session, logs: &[Value]) -> Value {
    let found = session.get("analyze_logs", json!({ "logs": logs }));
    for anomaly in found["anomalies"].as_array().unwrap() {
        let meant = logs[usize::try_from(anomaly["line"].as_u64().unwrap()).unwrap() - 1].to_string();
        let is_of = |user: &&str| anomaly["untrusted"]["user"].to_string().contains(*user);
        let user = ["admin1", "root", "ada", "bob", "eve", "dan"].into_iter().find(is_of).unwrap();
        assert!(meant.contains(user), "{anomaly}: {meant}");
    }
    found
}

#[tokio::test]
async fn order_decides_nothing_and_no_record_is_lost() {
    let (objects, texts) = (objects(), texts());
    let alternating = objects.iter().zip(&texts).flat_map(|(object, text)| [object.clone(), text.clone()]);
    let broken = |text: &Value| Value::String(text.as_str().unwrap().replacen(" port", "\nport", 1));
    let table: [(&str, Vec<Value>, usize); 7] = [
        ("objects first", [objects.clone(), texts.clone()].concat(), 2),
        ("texts first", [texts.clone(), objects.clone()].concat(), 2),
        ("alternating", alternating.collect(), 2),
        ("one of each", vec![objects[0].clone(), texts[0].clone()], 2),
        ("only texts", texts.clone(), 1),
        ("only texts, in two lines each", texts.iter().map(broken).collect(), 1),
        ("only objects", objects.clone(), 1),
    ];
    let server = Server::start();
    let place = Place::new("");
    place.write("logs/nothing.log", "");
    let mut session = Session::open(&place, &["--read-only"]);
    let mut found = Vec::new();
    for (name, logs, kinds) in &table {
        let (rest, mcp) = (by_rest(&server, logs).await, by_mcp(&mut session, logs));
        assert_eq!(findings(&rest), findings(&mcp), "{name}");
        for answer in [&rest, &mcp] {
            assert_eq!(records(answer), (logs.len() as u64, logs.len() as u64), "{name}: {answer}");
            assert_eq!(answer["logs"].as_array().unwrap().len(), *kinds, "{name}: {answer}");
        }
        found.push(findings(&rest));
    }
    let [first, second, third, one_of_each, only_texts, _, only_objects] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first, first), (second, third));
    assert!(!only_texts.is_empty() && !only_objects.is_empty(), "{found:?}");
    assert_eq!(first, &only_texts.union(only_objects).cloned().collect());
    assert!(one_of_each.is_empty());
}

#[tokio::test]
async fn what_is_not_understood_is_told_of_its_record() {
    let server = Server::start();
    let mut logs = [objects(), texts()].concat();
    logs.insert(5, json!("{\"user\": \"broken"));
    logs.insert(150, json!({ "logs": ["nested"], "nothing": "known" }));
    let answer = server.send(server.ask(Method::POST, "/analyze?hand_over=false").json(&json!({ "logs": logs }))).await;
    let logs = answer.is(200).json["logs"].as_array().unwrap();
    let complaints = logs.iter().flat_map(|log| log["complaints"].as_array().unwrap());
    let lines: Vec<_> = complaints.flat_map(|one| one["samples"].as_array().unwrap()).map(|one| &one["line"]).collect();
    assert!(lines.contains(&&json!(6)), "{answer:?}");
}
