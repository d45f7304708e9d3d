//! The elasticsearch sink against a real OpenSearch, which has data streams, and a real Elasticsearch, which has security.
//!
//! `.ci/peers/run` starts both. Every test works on names of its own.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::sync::Arc;

use serde_json::{Value, json};
use watchbell_elasticsearch::KIND;
use watchbell_sink::{
    Batch, Delivery, ErrorKind, Outcome, Payload, Sink, SinkError, Steps, Verdict,
    http::Method,
    testkit::{
        findings::samples,
        peer::{self, address, ask},
    },
};

/// An OpenSearch node, and a name that is the test's own.
struct Node {
    url: String,
    name: String,
}

impl Node {
    fn opensearch(test: &str) -> Option<Self> {
        Some(Self { url: address("opensearch", "")?, name: peer::fresh(test) })
    }

    fn sink(&self, options: &str) -> Arc<dyn Sink> {
        peer::sink(&KIND, &format!("{{ nodes = [\"{}\"], {options} }}", self.url))
    }

    fn data_stream(&self) -> Arc<dyn Sink> {
        self.sink(&format!("data_stream = \"{}\"", self.name))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        ask(method, &format!("{}/{path}", self.url), body).await
    }

    async fn count(&self) -> u64 {
        let (status, answer) = self.ask(Method::POST, &format!("{}/_refresh", self.name), None).await;
        assert_eq!(status, 200, "{answer}");
        self.ask(Method::GET, &format!("{}/_count", self.name), None).await.1["count"].as_u64().unwrap()
    }

    async fn found(&self, query: &Value) -> Vec<Value> {
        let search = json!({ "query": query, "size": 1000 });
        let (status, answer) = self.ask(Method::POST, &format!("{}/_search", self.name), Some(&search)).await;
        assert_eq!(status, 200, "{answer}");
        answer["hits"]["hits"].as_array().unwrap().clone()
    }
}

async fn set_up(sink: &Arc<dyn Sink>) -> (Result<(), SinkError>, Steps) {
    let mut steps = Steps::default();
    let outcome = sink.setup(&mut steps).await;
    (outcome, steps)
}

fn made_something(steps: &Steps) -> bool {
    steps.all().iter().any(|step| matches!(step.outcome, Outcome::Created | Outcome::Changed))
}

/// What went wrong in each delivery; `None`: nothing.
fn kinds(verdicts: &[Verdict]) -> Vec<Option<ErrorKind>> {
    let kind = |verdict: &Verdict| match verdict {
        Verdict::Delivered => None,
        Verdict::Failed(error) => Some(error.kind),
        other => panic!("{other:?}"),
    };
    verdicts.iter().map(kind).collect()
}

#[tokio::test]
async fn a_second_setup_changes_nothing() {
    let Some(node) = Node::opensearch("setup") else { return };
    let sink = node.sink(&format!("data_stream = \"{}\"", node.name));
    let (outcome, steps) = set_up(&sink).await;
    assert!(outcome.is_ok() && made_something(&steps), "{outcome:?} {steps:?}");
    let template = format!("_index_template/{}", node.name);
    let first = node.ask(Method::GET, &template, None).await;
    assert_eq!(first.0, 200);
    let (outcome, steps) = set_up(&sink).await;
    assert!(outcome.is_ok() && !made_something(&steps), "{outcome:?} {steps:?}");
    assert_eq!(node.ask(Method::GET, &template, None).await, first);
    let (_, streams) = node.ask(Method::GET, &format!("_data_stream/{}", node.name), None).await;
    assert_eq!(streams["data_streams"][0]["generation"], 1, "{streams}");
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    assert!(!steps.has_failed(), "{steps:?}");
}

/// The server would make a plain index of that name, without mappings, and never a data stream again.
#[tokio::test]
async fn nothing_is_delivered_before_the_setup() {
    let Some(node) = Node::opensearch("absent") else { return };
    let sink = node.data_stream();
    let error = sink.deliver(&peer::batch(&*sink, &samples(3, 1))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(sink.check(&mut Steps::default()).await.is_err());
    assert_eq!(node.ask(Method::GET, &node.name, None).await.0, 404);
}

#[tokio::test]
async fn hostile_findings_are_found_again_and_a_repetition_is_no_second_copy() {
    let Some(node) = Node::opensearch("findings") else { return };
    let sink = node.data_stream();
    set_up(&sink).await.0.unwrap();
    let findings = samples(300, 11);
    let batch = peer::deliver_all(&*sink, &findings).await;
    assert_eq!(node.count().await, 300);
    peer::deliver_all(&*sink, &findings).await;
    assert_eq!(node.count().await, 300, "a repetition is one document with its first copy");
    let all = node.found(&json!({ "match_all": {} })).await;
    for (finding, delivery) in findings.iter().zip(batch.deliveries()) {
        let hit = all.iter().find(|hit| hit["_id"] == finding.id).unwrap();
        let sent: Value = serde_json::from_slice(delivery.payload.bytes()).unwrap();
        assert!(hit["_source"] == sent, "{} is not what was sent: {}", finding.id, hit["_source"]);
    }
    for finding in findings.iter().step_by(30) {
        let hits = node.found(&json!({ "term": { "event.id": finding.id } })).await;
        assert!(hits.len() == 1 && hits[0]["_id"] == finding.id, "{}: {} hits", finding.id, hits.len());
    }
    // The fields that people search by are mapped, and not only kept.
    for field in ["event.kind", "event.action", "rule.name", "watchbell.severity", "watchbell.entity.value"] {
        assert!(!node.found(&json!({ "exists": { "field": field } })).await.is_empty(), "{field}");
    }
    let range = json!({ "range": { "event.risk_score": { "gte": 0, "lte": 100 } } });
    assert_eq!(node.found(&range).await.len(), 300);
    println!("300 of 300 findings found with their source intact");
}

#[tokio::test]
async fn one_bad_document_does_not_take_the_others_with_it() {
    let Some(node) = Node::opensearch("bad") else { return };
    let sink = node.data_stream();
    set_up(&sink).await.0.unwrap();
    let good = peer::batch(&*sink, &samples(2, 21));
    let document = br#"{"@timestamp":"yesterday","event":{"kind":"alert"}}"#.to_vec();
    let bad = Delivery { key: "bad.peer".to_owned(), payload: Payload::json(document), attempt: 1 };
    let [first, last] = good.deliveries() else { panic!("two deliveries") };
    let batch = Batch::new(vec![first.clone(), bad, last.clone()]).unwrap();
    let receipt = sink.deliver(&batch).await.unwrap();
    assert_eq!(kinds(receipt.verdicts()), [None, Some(ErrorKind::Rejected), None]);
    let Verdict::Failed(error) = &receipt.verdicts()[1] else { unreachable!() };
    assert!(error.message.contains("@timestamp"), "the server's words name the field: {error}");
    assert_eq!(node.count().await, 2);
}

#[tokio::test]
async fn the_template_of_a_user_stays() {
    let Some(node) = Node::opensearch("foreign") else { return };
    let path = format!("_index_template/{}", node.name);
    let own = json!({ "index_patterns": [node.name], "data_stream": {}, "priority": 700,
        "template": { "mappings": { "properties": { "mine": { "type": "keyword" } } } } });
    assert_eq!(node.ask(Method::PUT, &path, Some(&own)).await.0, 200);
    let before = node.ask(Method::GET, &path, None).await;
    let sink = node.data_stream();
    let (outcome, steps) = set_up(&sink).await;
    assert!(outcome.is_err() && steps.has_failed(), "{steps:?}");
    assert_eq!(node.ask(Method::GET, &path, None).await, before);
    // Whoever wants it so keeps the template and still gets the findings.
    let sink = node.sink(&format!("data_stream = \"{}\", template = {{ manage = false }}", node.name));
    set_up(&sink).await.0.unwrap();
    assert_eq!(node.ask(Method::GET, &path, None).await, before);
    peer::deliver_all(&*sink, &samples(5, 22)).await;
    assert_eq!(node.count().await, 5);
}

#[tokio::test]
async fn an_older_template_of_ours_is_renewed() {
    let Some(node) = Node::opensearch("older") else { return };
    let path = format!("_index_template/{}", node.name);
    let sink = node.data_stream();
    set_up(&sink).await.0.unwrap();
    let made = node.ask(Method::GET, &path, None).await.1["index_templates"][0]["index_template"].clone();
    let mut older = made.clone();
    older["_meta"]["version"] = json!(0);
    older["template"]["mappings"] = json!({});
    assert_eq!(node.ask(Method::PUT, &path, Some(&older)).await.0, 200);
    let (outcome, steps) = set_up(&sink).await;
    assert!(outcome.is_ok() && made_something(&steps), "{outcome:?} {steps:?}");
    let renewed = node.ask(Method::GET, &path, None).await.1["index_templates"][0]["index_template"].clone();
    assert_eq!(renewed, made);
    peer::deliver_all(&*sink, &samples(5, 23)).await;
    assert_eq!(node.count().await, 5);
}

#[tokio::test]
async fn a_plain_index_takes_findings_too() {
    let Some(node) = Node::opensearch("index") else { return };
    let sink = node.sink(&format!("index = \"{}\"", node.name));
    set_up(&sink).await.0.unwrap();
    for _ in 0..2 {
        peer::deliver_all(&*sink, &samples(50, 24)).await;
        assert_eq!(node.count().await, 50);
    }
    assert!(!made_something(&set_up(&sink).await.1));
}

/// This server has no plugin that deletes: whoever asked for that hears it, and gets the findings all the same.
#[tokio::test]
async fn a_retention_that_nobody_keeps_is_said() {
    let Some(node) = Node::opensearch("retention") else { return };
    let sink = node.sink(&format!("data_stream = \"{}\", retention_days = 30", node.name));
    let (outcome, steps) = set_up(&sink).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(steps.all().iter().any(|step| matches!(step.outcome, Outcome::Warning { .. })), "{steps:?}");
    peer::deliver_all(&*sink, &samples(5, 29)).await;
}

/// Elasticsearch with security on; here it has plain indices only.
fn elasticsearch(user: &str, password: Option<&str>, index: &str) -> Option<Arc<dyn Sink>> {
    let url = address("elasticsearch", "")?;
    let right = address("elasticsearch", "PASSWORD")?;
    let password = password.unwrap_or(&right);
    let options = format!("nodes = [\"{url}\"], username = \"{user}\", password = \"{password}\", index = \"{index}\"");
    Some(peer::sink(&KIND, &format!("{{ {options}, template = {{ manage = false }} }}")))
}

#[tokio::test]
async fn elasticsearch_takes_findings_once() {
    let index = peer::fresh("allowed-once");
    let Some(sink) = elasticsearch("writer", None, &index) else { return };
    make_index(&index).await;
    let findings = samples(100, 25);
    peer::deliver_all(&*sink, &findings).await;
    peer::deliver_all(&*sink, &findings).await;
    let (_, answer) = as_writer(Method::POST, &format!("{index}/_refresh")).await;
    assert_eq!(answer["_shards"]["failed"], 0, "{answer}");
    let (_, answer) = as_writer(Method::GET, &format!("{index}/_count")).await;
    assert_eq!(answer["count"], 100, "{answer}");
}

#[tokio::test]
async fn elasticsearch_refuses_wrong_and_unentitled_users() {
    let (allowed, forbidden) = (peer::fresh("allowed-users"), peer::fresh("forbidden-users"));
    let Some(wrong) = elasticsearch("writer", Some("hunter2-is-wrong"), &allowed) else { return };
    for index in [&allowed, &forbidden] {
        make_index(index).await;
    }
    let error = wrong.deliver(&peer::batch(&*wrong, &samples(2, 26))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth, "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let narrow = elasticsearch("narrow", None, &allowed).unwrap();
    peer::deliver_all(&*narrow, &samples(2, 27)).await;
    let narrow = elasticsearch("narrow", None, &forbidden).unwrap();
    let refused = match narrow.deliver(&peer::batch(&*narrow, &samples(2, 28))).await {
        Ok(receipt) => kinds(receipt.verdicts()),
        Err(error) => vec![Some(error.kind); 2],
    };
    assert_eq!(refused, [Some(ErrorKind::Auth), Some(ErrorKind::Auth)]);
}

async fn make_index(index: &str) {
    let (status, answer) = as_writer(Method::PUT, index).await;
    assert_eq!(status, 200, "{answer}");
}

/// Asks Elasticsearch as the user who may do everything. The header is `writer:watchbell-peer` in base64.
async fn as_writer(method: Method, path: &str) -> (u16, Value) {
    let url = format!("{}/{path}", address("elasticsearch", "").unwrap());
    let headers = [("authorization", "Basic d3JpdGVyOndhdGNoYmVsbC1wZWVy")];
    peer::send(method, &url, &headers, Vec::new()).await
}
