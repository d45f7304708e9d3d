//! The webhook sink against a receiver that verifies with the `standardwebhooks` package of PyPI. `.ci/peers/run` starts it.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use watchbell_sink::{
    Batch, Delivery, ErrorKind, Sink, Verdict,
    http::Method,
    testkit::{
        findings::samples,
        peer::{self, address, arrived},
    },
};
use watchbell_webhook::KIND;

/// What the receiver is reached by, and the secrets of its two addresses.
struct Receiver {
    old: String,
    new: String,
    old_secret: String,
    new_secret: String,
    log: String,
}

fn receiver() -> Option<Receiver> {
    let fact = |what| address("webhook_verify", what);
    Some(Receiver {
        old: fact("OLD")?,
        new: fact("NEW")?,
        old_secret: fact("OLD_SECRET")?,
        new_secret: fact("NEW_SECRET")?,
        log: fact("LOG")?,
    })
}

/// A sink whose requests are told from those of other tests by a header.
fn sink(test: &str, url: &str, secrets: &[&str], more: &str) -> Arc<dyn Sink> {
    let options = format!(
        "{{ url = \"{url}\", allow_private = true, secret = \"{}\", secrets = {:?}, headers = {{ X-Test = \"{}\" }}{more} }}",
        secrets[0],
        &secrets[1..],
        peer::fresh(test)
    );
    peer::sink(&KIND, &options)
}

fn of_test(test: &str) -> impl Fn(&Value) -> bool {
    move |line| line["headers"]["x-test"] == peer::fresh(test)
}

fn bytes(line: &Value) -> Vec<u8> {
    STANDARD.decode(line["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn hostile_findings_arrive_signed_and_whole() {
    let Some(receiver) = receiver() else { return };
    for (seed, body) in ["watchbell", "ecs", "ocsf"].into_iter().enumerate() {
        let test = format!("whole-{body}");
        let sink = sink(&test, &receiver.old, &[&receiver.old_secret], &format!(", body = \"{body}\""));
        let findings = samples(60, seed as u64);
        let batch = peer::deliver_all(&*sink, &findings).await;
        let lines = arrived(&receiver.log, findings.len(), of_test(&test)).await;
        for ((line, delivery), finding) in lines.iter().zip(batch.deliveries()).zip(&findings) {
            assert_eq!(line["verified"], true, "{line}");
            assert!(bytes(line) == delivery.payload.bytes(), "{body}: other bytes arrived for {}", finding.id);
            let id = line["headers"]["webhook-id"].as_str().unwrap();
            assert!(id.contains(&finding.id), "{id} is not of {}", finding.id);
        }
        println!("{body}: {} of {} verified and intact", lines.len(), findings.len());
    }
}

#[tokio::test]
async fn while_secrets_change_both_are_taken() {
    let Some(receiver) = receiver() else { return };
    let (old, new) = (receiver.old_secret.as_str(), receiver.new_secret.as_str());
    for (secrets, url, holds) in [
        (&[old, new][..], &receiver.old, true),
        (&[old, new], &receiver.new, true),
        (&[new], &receiver.new, true),
        (&[old], &receiver.new, false),
    ] {
        let sink = sink("rotation", url, secrets, "");
        let receipt = sink.deliver(&peer::batch(&*sink, &samples(1, 3))).await;
        let kind = match receipt.as_ref().map(|receipt| receipt.verdicts()) {
            Ok([Verdict::Delivered]) => None,
            Ok([Verdict::Failed(error)]) | Err(error) => Some(error.kind),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, (!holds).then_some(ErrorKind::Auth), "{} secrets to {url}", secrets.len());
    }
}

/// The receiver throws repetitions out by the id, which must be the same on every attempt.
#[tokio::test]
async fn a_repetition_has_the_same_id_and_is_verified() {
    let Some(receiver) = receiver() else { return };
    let sink = sink("repeated", &receiver.old, &[&receiver.old_secret], "");
    let findings = samples(1, 4);
    let batch = peer::deliver_all(&*sink, &findings).await;
    let again = |delivery: &Delivery| Delivery { attempt: 2, ..delivery.clone() };
    let second = Batch::new(batch.deliveries().iter().map(again).collect()).unwrap();
    sink.deliver(&second).await.unwrap();
    let lines = arrived(&receiver.log, 2, of_test("repeated")).await;
    assert!(lines.iter().all(|line| line["verified"] == true), "{lines:#?}");
    assert_eq!(lines[0]["headers"]["webhook-id"], lines[1]["headers"]["webhook-id"]);
    assert_eq!(lines[0]["body"], lines[1]["body"]);
}

/// What the sink signed is sent again by hand, as it was and altered: only the former is taken.
#[tokio::test]
async fn an_altered_request_is_refused() {
    let Some(receiver) = receiver() else { return };
    let sink = sink("original", &receiver.old, &[&receiver.old_secret], "");
    peer::deliver_all(&*sink, &samples(1, 5)).await;
    let original = arrived(&receiver.log, 1, of_test("original")).await.remove(0);
    let header = |name: &str| original["headers"][name].as_str().unwrap().to_owned();
    let signed = || ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, header(name)));
    let body = bytes(&original);
    let mut altered = body.clone();
    *altered.last_mut().unwrap() = b' ';
    let with = |position: usize, value: &str| {
        let mut headers = signed();
        headers[position].1 = value.to_owned();
        headers
    };
    for (case, headers, body, status) in [
        ("as it was", signed(), &body, 204),
        ("another body", signed(), &altered, 401),
        ("another id", with(0, "other"), &body, 401),
        ("another time", with(1, &(header("webhook-timestamp").parse::<u64>().unwrap() + 1).to_string()), &body, 401),
        ("no signature", with(2, ""), &body, 401),
    ] {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let (got, answer) = peer::send(Method::POST, &receiver.old, &headers, body.clone()).await;
        assert_eq!(got, status, "{case}: {answer}");
    }
}
