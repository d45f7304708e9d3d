//! The splunk_hec sink against the HEC receiver of the OpenTelemetry collector, with acknowledgment and without.
//! `.ci/peers/run` starts it.
//!
//! The receiver writes what arrived as OTLP JSON; that is turned back into the event and compared.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use watchbell_sink::{
    Acknowledgement, Batch, Delivery, ErrorKind, Finding, Payload, Sink, Steps, Verdict,
    http::Method,
    testkit::{
        findings::samples,
        peer::{self, address, arrived_in},
    },
};
use watchbell_splunk_hec::KIND;

/// The collector's facts.
struct Collector {
    acknowledged: String,
    plain: String,
    token: String,
    log: String,
}

fn collector() -> Option<Collector> {
    Some(Collector {
        acknowledged: address("otel_hec", "")?,
        plain: address("otel_hec", "PLAIN")?,
        token: address("otel_hec", "TOKEN")?,
        log: address("otel_hec", "LOG")?,
    })
}

/// A sink whose events are told from those of other tests by their source.
fn sink(test: &str, url: &str, token: &str, more: &str) -> Arc<dyn Sink> {
    let source = peer::fresh(test);
    let options = format!("{{ endpoint = \"{url}\", token = \"{token}\", source = \"{source}\"{more} }}");
    peer::sink(&KIND, &options)
}

/// An event that arrived.
#[derive(Debug)]
struct Event {
    /// Attributes of the resource: host, source, sourcetype, index.
    about: Map<String, Value>,
    /// Indexed fields.
    fields: Map<String, Value>,
    body: Value,
    nanoseconds: Option<i128>,
}

async fn events(log: &str, test: &str, count: usize) -> Vec<Event> {
    let source = peer::fresh(test);
    let of_test = |mut line: Value| -> Vec<Event> {
        let resources = line["resourceLogs"].as_array_mut().unwrap();
        let events = resources.iter_mut().flat_map(|resource| {
            let about = attributes(&resource["resource"]["attributes"]);
            let scopes = resource["scopeLogs"].as_array_mut().unwrap();
            let records = scopes.iter_mut().flat_map(|scope| scope["logRecords"].as_array_mut().unwrap());
            records
                .map(|record| Event {
                    about: about.clone(),
                    fields: attributes(&record["attributes"]),
                    body: plain(&record["body"]),
                    nanoseconds: record["timeUnixNano"].as_str().map(|text| text.parse().unwrap()),
                })
                .collect::<Vec<_>>()
        });
        events.filter(|event| event.about.get("com.splunk.source").is_some_and(|it| *it == source.as_str())).collect()
    };
    arrived_in(log, count, of_test).await
}

fn attributes(list: &Value) -> Map<String, Value> {
    let pairs = list.as_array().into_iter().flatten();
    pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), plain(&pair["value"]))).collect()
}

/// OTLP's `AnyValue` as the JSON that it came from; every number as a float, for OTLP keeps no other.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else { return Value::Null };
    match kind.as_str() {
        "stringValue" | "boolValue" => value.clone(),
        "doubleValue" => json!(value.as_f64()),
        "intValue" => json!(value.as_str().unwrap().parse::<f64>().unwrap()),
        "arrayValue" => value["values"].as_array().into_iter().flatten().map(plain).collect(),
        "kvlistValue" => Value::Object(attributes(&value["values"])),
        other => panic!("unknown kind of value: {other}"),
    }
}

/// The same JSON with every number as a float.
fn floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(floats).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), floats(value))).collect())
        }
        other => other.clone(),
    }
}

fn all_arrived_whole(events: &[Event], findings: &[Finding], batch: &Batch) {
    for (finding, delivery) in findings.iter().zip(batch.deliveries()) {
        let event = events.iter().find(|event| event.fields["finding_id"] == finding.id.as_str()).unwrap();
        let sent: Value = serde_json::from_slice(delivery.payload.bytes()).unwrap();
        assert!(event.body == floats(&sent["event"]), "{} is not what was sent: {:#?}", finding.id, event.body);
        assert_eq!(event.about["com.splunk.sourcetype"], sent["sourcetype"]);
        // The collector drops times before 1970 and takes those of far years for milliseconds.
        if let Some(sent) = sent["time"].as_f64().filter(|sent| (1.0..4.2e9).contains(sent)) {
            let arrived = event.nanoseconds.unwrap() as f64 / 1e9;
            assert!((arrived - sent).abs() < 1e-3, "{arrived} instead of {sent}");
        }
    }
}

#[tokio::test]
async fn hostile_findings_arrive_whole() {
    let Some(collector) = collector() else { return };
    for gzip in [true, false] {
        let test = format!("whole-{gzip}");
        let more = format!(", gzip = {gzip}, index = \"alerts\", host = \"watch-1\"");
        let sink = sink(&test, &collector.plain, &collector.token, &more);
        let findings = samples(200, u64::from(gzip));
        let batch = peer::deliver_all(&*sink, &findings).await;
        let events = events(&collector.log, &test, findings.len()).await;
        all_arrived_whole(&events, &findings, &batch);
        assert!(events.iter().all(|event| event.about["com.splunk.index"] == "alerts"));
        assert!(events.iter().all(|event| event.about["host.name"] == "watch-1"));
        println!("gzip {gzip}: {} of {} arrived intact", events.len(), findings.len());
    }
}

#[tokio::test]
async fn an_acknowledgment_is_polled_until_it_is_there_also_by_a_new_sink() {
    let Some(collector) = collector() else { return };
    let build = || sink("acknowledged", &collector.acknowledged, &collector.token, ", ack = true");
    let sink = build();
    sink.check(&mut Steps::default()).await.unwrap();
    let findings = samples(40, 5);
    let batch = peer::batch(&*sink, &findings);
    let receipt = sink.deliver(&batch).await.unwrap();
    let reference = |verdict: &Verdict| match verdict {
        Verdict::Accepted { ack_ref } => ack_ref.clone(),
        other => panic!("{other:?}"),
    };
    let references: Vec<String> = receipt.verdicts().iter().map(reference).collect();
    // As after a restart.
    let sink = build();
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers = sink.acknowledged(&references).await.unwrap();
        assert_eq!(answers.len(), references.len());
        if answers.iter().all(|answer| *answer == Acknowledgement::Confirmed) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answers.iter().all(|answer| *answer == Acknowledgement::Confirmed), "{answers:?}");
    all_arrived_whole(&events(&collector.log, "acknowledged", findings.len()).await, &findings, &batch);
    // The collector tells it once; afterwards nobody may take its silence for a yes.
    let again = sink.acknowledged(&references[..1]).await.unwrap();
    assert_ne!(again, [Acknowledgement::Confirmed]);
    let strange = format!("{}9999", references[0]);
    assert_ne!(sink.acknowledged(&[strange]).await.unwrap(), [Acknowledgement::Confirmed]);
}

/// Taken without a number is not acknowledged, and is said.
#[tokio::test]
async fn a_collector_without_acknowledgment_is_told_from_one_with() {
    let Some(collector) = collector() else { return };
    let sink = sink("promised", &collector.plain, &collector.token, ", ack = true");
    let mut steps = Steps::default();
    assert!(sink.check(&mut steps).await.is_err() && steps.has_failed(), "{steps:?}");
    let error = sink.deliver(&peer::batch(&*sink, &samples(2, 6))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
}

/// Our questions have a channel; without one, the collector says so.
#[tokio::test]
async fn the_collector_asks_for_a_channel() {
    let Some(collector) = collector() else { return };
    let url = format!("{}/services/collector/ack", collector.acknowledged);
    let token = format!("Splunk {}", collector.token);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let (status, answer) = peer::send(Method::POST, &url, &headers, br#"{"acks":[1]}"#.to_vec()).await;
    assert_eq!((status, &answer["code"]), (400, &json!(10)), "{answer}");
    let sink = sink("channel", &collector.acknowledged, &collector.token, ", ack = true");
    sink.check(&mut Steps::default()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_holds_the_lane() {
    let Some(collector) = collector() else { return };
    for url in [&collector.plain, &collector.acknowledged] {
        let sink = sink("token", url, "hunter2-is-wrong", "");
        let error = sink.deliver(&peer::batch(&*sink, &samples(2, 7))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
        let mut steps = Steps::default();
        let error = sink.check(&mut steps).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth, "{error}");
        assert!(steps.has_failed() && !format!("{steps:?} {error:?}").contains("hunter2"), "{steps:?}");
    }
    let sink = sink("token", &collector.plain, &collector.token, "");
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    assert!(!steps.has_failed(), "{steps:?}");
}

/// The collector refuses the whole request and names no event: nothing of it is delivered, and it is for the outbox to
/// find the event by halves.
#[tokio::test]
async fn one_bad_event_is_found_by_halves() {
    let Some(collector) = collector() else { return };
    let sink = sink("bad", &collector.plain, &collector.token, "");
    let good = peer::batch(&*sink, &samples(2, 8));
    let bad = Delivery { key: "bad.peer".to_owned(), payload: Payload::json(br#"{"event":""}"#.to_vec()), attempt: 1 };
    let [first, last] = good.deliveries() else { panic!("two deliveries") };
    let batch = |deliveries: Vec<Delivery>| Batch::new(deliveries).unwrap();
    let error = sink.deliver(&batch(vec![first.clone(), bad.clone(), last.clone()])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    let error = sink.deliver(&batch(vec![bad])).await.unwrap_err();
    assert!(error.kind == ErrorKind::Rejected && error.message.contains("blank"), "{error}");
    let receipt = sink.deliver(&batch(vec![first.clone(), last.clone()])).await.unwrap();
    assert!(receipt.verdicts().iter().all(|verdict| matches!(verdict, Verdict::Delivered)), "{receipt:?}");
    events(&collector.log, "bad", 2).await;
}
