//! Real programs that a sink is tested against, where somebody started them.
//!
//! Their addresses come as `PEER_<NAME>_<WHAT>`. A test without its address passes by, unless `WATCHBELL_REQUIRE_PEERS` says
//! that the peer runs: then the test would have shown nothing, and fails.

use std::{env, fmt::Debug, fs, sync::Arc, time::Duration};

use serde_json::Value;
use toml::de::ValueDeserializer;

use crate::{
    Batch, Context, Delivery, Finding, Sink, SinkKind, Verdict,
    http::{HttpClient, HttpOptions, Method},
};

/// The address, or the other fact, that a peer's tests go by. `what` is empty where the peer has one address only.
///
/// # Panics
/// When the peer was started and the fact is missing.
#[must_use]
pub fn address(peer: &str, what: &str) -> Option<String> {
    let mut variable = format!("PEER_{}", peer.to_uppercase());
    if !what.is_empty() {
        variable = format!("{variable}_{what}");
    }
    if let Ok(value) = env::var(&variable) {
        return Some(value);
    }
    let started = env::var("WATCHBELL_REQUIRE_PEERS").unwrap_or_default();
    assert!(!started.split(',').any(|name| name == peer), "{peer} was started, and {variable} is not set");
    println!("skipped: {variable} is not set");
    None
}

/// A name that is another one in each run, so that tests may run again against the same peer.
#[must_use]
pub fn fresh(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// The sink of a TOML table in one line, for example `{ url = "http://127.0.0.1:1" }`.
///
/// # Panics
/// When the options build no sink.
#[must_use]
pub fn sink(kind: &SinkKind, options: &str) -> Arc<dyn Sink> {
    let options = ValueDeserializer::parse(options).expect("options are TOML");
    kind.build(options, &Context::new("peer")).expect("options build a sink")
}

/// A first attempt to deliver these findings.
///
/// # Panics
/// When there are none, or one can't be encoded.
#[must_use]
pub fn batch(sink: &dyn Sink, findings: &[Finding]) -> Batch {
    let delivery = |finding: &Finding| {
        let payload = sink.encode(finding).expect("the finding is encoded");
        Delivery { key: format!("{}.peer", finding.id), payload, attempt: 1 }
    };
    Batch::new(findings.iter().map(delivery).collect()).expect("there are findings")
}

/// Delivers these findings, all of which must be taken.
///
/// # Panics
/// When one is not.
pub async fn deliver_all(sink: &dyn Sink, findings: &[Finding]) -> Batch {
    let batch = batch(sink, findings);
    let receipt = sink.deliver(&batch).await.expect("the batch is taken");
    for (delivery, verdict) in batch.deliveries().iter().zip(receipt.verdicts()) {
        assert!(matches!(verdict, Verdict::Delivered), "{}: {verdict:?}", delivery.key);
    }
    batch
}

/// Asks a peer itself, past the sink, in JSON. The answer is null where it is none.
///
/// # Panics
/// When there is no answer.
pub async fn ask(method: Method, url: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
    send(method, url, &[("content-type", "application/json")], body).await
}

/// Sends a request past the sink. The answer is null where it is no JSON.
///
/// # Panics
/// When there is no answer.
pub async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, Value) {
    let client = HttpClient::new(&Context::new("peer"), HttpOptions::default()).expect("a client without options");
    let mut request = client.request(method, url.parse().expect("a URL"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = client.send(request.body(body)).await.expect("the peer answers");
    (reply.status, reply.json().unwrap_or_default())
}

/// The JSON objects of a peer's log that `wanted` picks, as soon as there are `count` of them and no more follow.
///
/// # Panics
/// When there are not `count` of them in time, or too many; it shows the last.
pub async fn arrived(log: &str, count: usize, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    arrived_in(log, count, |line| if wanted(&line) { vec![line] } else { Vec::new() }).await
}

/// The same for logs whose lines hold several things: `taken` takes out of a line what is wanted.
///
/// # Panics
/// As [`arrived`].
pub async fn arrived_in<T: Debug>(log: &str, count: usize, taken: impl Fn(Value) -> Vec<T>) -> Vec<T> {
    let read = || -> Vec<T> {
        let text = fs::read(log).unwrap_or_default();
        // What follows the last line end is still being written.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.flat_map(|line| taken(serde_json::from_slice(line).expect("peers log JSON lines"))).collect()
    };
    for _ in 0..100 {
        if read().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Long enough for a second copy or the other half of a message to show.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let found = read();
    assert!(found.len() == count, "expected {count} in {log}, found {}; the last is {:#?}", found.len(), found.last());
    found
}
