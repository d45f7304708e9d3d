//! The collector sink against the OpenTelemetry collector's HEC receiver, with its acknowledgement extension.
//! `.ci/peers/run` starts it.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use watchbell_sink::{
    Acknowledgement, ErrorKind, Finding, Sink, Steps, Verdict,
    testkit::{
        findings::samples,
        peer::{self, address, arrived},
    },
};
use watchbell_splunk_hec::KIND;

struct Collector {
    acknowledged: String,
    plain: String,
    token: String,
    log: String,
}

fn collector() -> Option<Collector> {
    let fact = |what| address("otel_hec", what);
    Some(Collector { acknowledged: fact("")?, plain: fact("PLAIN")?, token: fact("TOKEN")?, log: fact("LOG")? })
}

impl Collector {
    /// A sink whose events are told from those of other tests by their source.
    fn sink(&self, endpoint: &str, source: &str, more: &str) -> Arc<dyn Sink> {
        let token = &self.token;
        peer::sink(
            &KIND,
            &format!(
                "{{ endpoint = \"{endpoint}\", token = \"{token}\", source = \"{source}\", index = \"security\"{more} }}"
            ),
        )
    }
}

/// An attribute of OTLP, among those of a record or of its resource.
fn attribute<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    let found = of["attributes"].as_array()?.iter().find(|attribute| attribute["key"] == key)?;
    found["value"]["stringValue"].as_str()
}

/// The records of one source: the id of the finding, and the record.
fn records(lines: &[Value], source: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for resource in lines.iter().flat_map(|line| line["resourceLogs"].as_array().unwrap()) {
        if attribute(&resource["resource"], "com.splunk.source") != Some(source) {
            continue;
        }
        for record in
            resource["scopeLogs"].as_array().unwrap().iter().flat_map(|it| it["logRecords"].as_array().unwrap())
        {
            let id = attribute(record, "finding_id").unwrap().to_owned();
            assert!(found.insert(id, record.clone()).is_none(), "a finding arrived twice");
        }
    }
    found
}

/// Whether a line has this source at all.
fn mentions(source: &str) -> impl Fn(&Value) -> bool {
    move |line| {
        let mut resources = line["resourceLogs"].as_array().into_iter().flatten();
        resources.any(|resource| attribute(&resource["resource"], "com.splunk.source") == Some(source))
    }
}

#[tokio::test]
async fn hostile_findings_arrive_whole() {
    let Some(collector) = collector() else { return };
    for (name, more) in [("packed", ""), ("unpacked", ", gzip = false")] {
        // The collector may have been there for an earlier run.
        let source = &format!("{name}-{}", std::process::id());
        let sink = collector.sink(&collector.plain, source, more);
        let findings = samples(60, 21);
        let batch = peer::deliver_all(&*sink, &findings).await;
        let lines = arrived(&collector.log, 1, mentions(source)).await;
        let records = records(&lines, source);
        assert_eq!(records.len(), findings.len());
        for (delivery, finding) in batch.deliveries().iter().zip(&findings) {
            let sent: Value = serde_json::from_slice(delivery.payload.bytes()).unwrap();
            let record = &records[&finding.id];
            assert_eq!(flat(&record["body"]), sent["event"], "{}", finding.id);
            // Nanoseconds since 1970 in 64 bits say no other times.
            if let Some(time) = sent["time"].as_f64().filter(|time| (0.0..9.2e9).contains(time)) {
                let nanoseconds: f64 = record["timeUnixNano"].as_str().unwrap_or("0").parse().unwrap();
                assert!((nanoseconds / 1e9 - time).abs() < 0.001, "{nanoseconds} is not {time}");
            }
        }
    }
}

/// A value of OTLP as plain JSON.
fn flat(value: &Value) -> Value {
    let (kind, inner) = value.as_object().and_then(|object| object.iter().next()).unwrap();
    match kind.as_str() {
        "kvlistValue" => {
            let pairs = inner["values"].as_array().into_iter().flatten();
            pairs.map(|pair| (pair["key"].as_str().unwrap().to_owned(), flat(&pair["value"]))).collect()
        }
        "arrayValue" => inner["values"].as_array().into_iter().flatten().map(flat).collect(),
        "intValue" => inner.as_str().map_or_else(|| inner.clone(), |text| text.parse::<i64>().unwrap().into()),
        _ => inner.clone(),
    }
}

async fn accepted(sink: &dyn Sink, findings: &[Finding]) -> Vec<String> {
    let receipt = sink.deliver(&peer::batch(sink, findings)).await.unwrap();
    let reference = |verdict: &Verdict| match verdict {
        Verdict::Accepted { ack_ref } => ack_ref.clone(),
        other => panic!("{other:?}"),
    };
    receipt.verdicts().iter().map(reference).collect()
}

#[tokio::test]
async fn what_is_acknowledged_is_confirmed_also_by_a_new_sink() {
    let Some(collector) = collector() else { return };
    let build = || collector.sink(&collector.acknowledged, "acknowledged", ", ack = true");
    let references = accepted(&*build(), &samples(5, 22)).await;
    for _ in 0..50 {
        let found = build().acknowledged(&references).await.unwrap();
        if found.iter().all(|it| *it == Acknowledgement::Confirmed) {
            // It is told once: whoever asks again must not take the silence for a loss, nor for a yes.
            assert_eq!(build().acknowledged(&references).await.unwrap(), [Acknowledgement::Pending; 5]);
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing was confirmed");
}

#[tokio::test]
async fn where_acknowledgement_is_off_nothing_counts_as_acknowledged() {
    let Some(collector) = collector() else { return };
    let sink = collector.sink(&collector.plain, "off", ", ack = true");
    let error = sink.deliver(&peer::batch(&*sink, &samples(1, 23))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    let mut steps = Steps::default();
    let error = sink.check(&mut steps).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert_eq!(steps.all().last().unwrap().name, "indexer acknowledgement");
}

#[tokio::test]
async fn a_check_passes_and_a_wrong_token_is_seen() {
    let Some(collector) = collector() else { return };
    for (endpoint, more) in [(&collector.plain, ""), (&collector.acknowledged, ", ack = true")] {
        let mut steps = Steps::default();
        let checked = collector.sink(endpoint, "checked", more).check(&mut steps).await;
        checked.unwrap_or_else(|error| panic!("{error}: {:#?}", steps.all()));
        assert!(!steps.has_failed(), "{:#?}", steps.all());
    }
    let wrong = Collector { token: "wrong".to_owned(), ..collector };
    let sink = wrong.sink(&wrong.plain, "wrong", "");
    let mut steps = Steps::default();
    assert_eq!(sink.check(&mut steps).await.unwrap_err().kind, ErrorKind::Auth);
    let error = sink.deliver(&peer::batch(&*sink, &samples(1, 24))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
}
