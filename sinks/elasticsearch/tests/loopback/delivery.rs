//! Deliveries: what goes out, and what becomes of each answer.

use std::time::Duration;

use serde_json::{Value, json};
use watchbell_sink::{ErrorKind, Receipt, Sink, SinkError, Verdict, testkit::findings};

use crate::server::{Answer, Request, Server, answer, batch, of, sink};

/// Answers the look at the data stream, and the bulk request as given.
fn bulk(reply: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> impl Fn(&Request) -> Answer + Send + Sync {
    move |asked| if asked.path.contains("/_bulk") { reply(asked) } else { answer(200, "{}") }
}

/// One item of an answer, under the id of the finding in this place.
fn item(place: usize, status: u16, error: Value) -> Value {
    let mut result = json!({ "_index": ".ds-x-000001", "_id": format!("{place:032x}"), "status": status });
    if !error.is_null() {
        result["error"] = error;
    }
    json!({ "create": result })
}

fn items(items: &[Value]) -> String {
    json!({ "took": 1, "errors": true, "items": items }).to_string()
}

async fn deliver(server: &Server, count: usize) -> Result<Receipt, SinkError> {
    let sink = sink(&format!("nodes = ['{}']", server.url()));
    sink.deliver(&batch(&sink, count)).await
}

fn failure(verdict: &Verdict) -> &SinkError {
    match verdict {
        Verdict::Failed(error) => error,
        other => panic!("expected a failure, found {other:?}"),
    }
}

#[tokio::test]
async fn each_finding_is_created_under_its_id() {
    let server =
        Server::start(bulk(|_| answer(200, items(&[item(0, 201, Value::Null), item(1, 200, Value::Null)])))).await;
    let sink = sink(&format!("nodes = ['{}']\napi_key = 'aWQ6a2V5'", server.url()));
    let batch = batch(&sink, 2);
    let receipt = sink.deliver(&batch).await.unwrap();
    assert!(matches!(receipt.verdicts(), [Verdict::Delivered, Verdict::Delivered]));
    assert_eq!(server.lines(), ["GET /_data_stream/watchbell-findings", "POST /watchbell-findings/_bulk"]);
    let asked = server.bulk();
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(asked.header("authorization"), Some("ApiKey aWQ6a2V5"));
    assert_eq!(asked.header("x-elastic-client-meta"), None);
    assert!(asked.header("user-agent").is_some_and(|agent| agent.starts_with("watchbell/")));
    assert!(asked.text().ends_with('\n'));
    let lines: Vec<Value> = asked.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    for (place, pair) in lines.chunks(2).enumerate() {
        assert_eq!(pair[0], json!({ "create": { "_id": format!("{place:032x}") } }));
        assert_eq!(pair[1]["event"]["id"], format!("{place:032x}"));
        assert!(pair[1]["@timestamp"].is_string());
    }
    // The look is taken once, not before each delivery.
    sink.deliver(&batch).await.unwrap();
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn the_body_is_the_golden_one() {
    let server = Server::start(bulk(|_| answer(200, items(&[item(0, 201, Value::Null)])))).await;
    deliver(&server, 1).await.unwrap();
    let lines: Vec<Value> = server.bulk().text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    insta::with_settings!({ snapshot_path => "../golden", prepend_module_to_snapshot => false }, {
        let versions = "[version]";
        insta::assert_json_snapshot!("bulk", lines, { "[1].observer.version" => versions, "[1].rule.version" => versions });
    });
}

#[tokio::test]
async fn hostile_findings_stay_one_line_each() {
    let server = Server::start(bulk(|asked| {
        let lines: Vec<Value> = asked.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let item = |pair: &[Value]| json!({ "create": { "_id": pair[0]["create"]["_id"], "status": 201 } });
        answer(200, items(&lines.chunks(2).map(item).collect::<Vec<_>>()))
    }))
    .await;
    let sink = sink(&format!("nodes = ['{}']", server.url()));
    for chunk in findings::samples(200, 7).chunks(40) {
        let batch = of(&sink, chunk.iter().cloned());
        let receipt = sink.deliver(&batch).await.unwrap();
        assert!(receipt.verdicts().iter().all(|verdict| matches!(verdict, Verdict::Delivered)));
        let body = server.bulk().text();
        assert_eq!(body.lines().count(), 2 * chunk.len());
        for (pair, finding) in body.lines().collect::<Vec<_>>().chunks(2).zip(chunk) {
            let (action, document): (Value, Value) =
                (serde_json::from_str(pair[0]).unwrap(), serde_json::from_str(pair[1]).unwrap());
            assert_eq!(action["create"]["_id"], finding.id.as_str());
            assert_eq!(document["watchbell"]["entity"]["value"], finding.entity.value.as_str());
        }
    }
}

#[tokio::test]
async fn each_item_gets_its_own_verdict() {
    let error = |kind: &str| json!({ "type": kind, "reason": "because" });
    let table = [
        (201, Value::Null, None),
        (409, error("version_conflict_engine_exception"), None),
        (409, error("other"), Some(ErrorKind::Unavailable)),
        (400, error("document_parsing_exception"), Some(ErrorKind::Rejected)),
        (400, error("strict_dynamic_mapping_exception"), Some(ErrorKind::Rejected)),
        (400, error("index_closed_exception"), Some(ErrorKind::Config)),
        (401, error("security_exception"), Some(ErrorKind::Auth)),
        (403, error("security_exception"), Some(ErrorKind::Auth)),
        (403, error("cluster_block_exception"), Some(ErrorKind::Unavailable)),
        (429, error("cluster_block_exception"), Some(ErrorKind::Unavailable)),
        (429, error("es_rejected_execution_exception"), Some(ErrorKind::Throttled)),
        (429, error("rejected_execution_exception"), Some(ErrorKind::Throttled)),
        (429, error("circuit_breaking_exception"), Some(ErrorKind::Throttled)),
        (404, error("index_not_found_exception"), Some(ErrorKind::Config)),
        (413, error("too_large"), Some(ErrorKind::Rejected)),
        (500, error("anything"), Some(ErrorKind::Unavailable)),
        (503, error("unavailable_shards_exception"), Some(ErrorKind::Unavailable)),
        (200, error("contradiction"), Some(ErrorKind::Unavailable)),
    ];
    let sent: Vec<Value> =
        table.iter().enumerate().map(|(place, (status, error, _))| item(place, *status, error.clone())).collect();
    let server = Server::start(bulk(move |_| answer(200, items(&sent)))).await;
    let receipt = deliver(&server, table.len()).await.unwrap();
    for (verdict, (status, error, expected)) in receipt.verdicts().iter().zip(&table) {
        match (verdict, expected) {
            (Verdict::Delivered, None) => {}
            (Verdict::Failed(found), Some(kind)) => {
                assert_eq!((found.kind, found.status), (*kind, Some(*status)), "{status} {error}");
                assert!(found.message.ends_with(": because"), "{}", found.message);
            }
            other => panic!("{status} {error}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_mapping_error_names_its_field_and_hides_what_moves_the_screen() {
    let error = json!({
        "type": "document_parsing_exception", "reason": "failed to parse field [source.ip]",
        "caused_by": { "type": "illegal_argument_exception", "reason": "'\u{1b}[2J\u{202e}x' is not an IP" }
    });
    let server = Server::start(bulk(move |_| answer(200, items(&[item(0, 400, error.clone())])))).await;
    let receipt = deliver(&server, 1).await.unwrap();
    assert_eq!(
        failure(&receipt.verdicts()[0]).message,
        "document_parsing_exception: failed to parse field [source.ip]; \
         illegal_argument_exception: '\\u{1b}[2J\\u{202e}x' is not an IP"
    );
}

#[tokio::test]
async fn what_the_answer_does_not_say_is_not_delivered() {
    let server = Server::start(bulk(|_| answer(200, items(&[item(0, 201, Value::Null)])))).await;
    let receipt = deliver(&server, 3).await.unwrap();
    assert!(matches!(receipt.verdicts()[0], Verdict::Delivered));
    assert_eq!(failure(&receipt.verdicts()[1]).kind, ErrorKind::Unavailable);
    assert_eq!(failure(&receipt.verdicts()[2]).kind, ErrorKind::Unavailable);
    // Items in another order are no answer to ours.
    let swapped = [item(1, 201, Value::Null), item(0, 201, Value::Null)];
    let server = Server::start(bulk(move |_| answer(200, items(&swapped)))).await;
    let receipt = deliver(&server, 2).await.unwrap();
    assert!(receipt.verdicts().iter().all(|verdict| failure(verdict).kind == ErrorKind::Unavailable));
}

#[tokio::test]
async fn what_waits_in_the_failure_store_arrived() {
    let mut kept = item(0, 201, Value::Null);
    kept["create"]["failure_store"] = json!("used");
    let server = Server::start(bulk(move |_| answer(200, items(&[kept.clone()])))).await;
    assert!(matches!(deliver(&server, 1).await.unwrap().verdicts(), [Verdict::Delivered]));
}

#[tokio::test]
async fn a_refused_request_has_the_kind_of_its_status() {
    let table = [
        (302, ErrorKind::Config),
        (400, ErrorKind::Rejected),
        (401, ErrorKind::Auth),
        (403, ErrorKind::Auth),
        (404, ErrorKind::Config),
        (405, ErrorKind::Config),
        (406, ErrorKind::Config),
        (413, ErrorKind::Rejected),
        (415, ErrorKind::Config),
        (429, ErrorKind::Throttled),
        (500, ErrorKind::Unavailable),
        (502, ErrorKind::Unavailable),
        (503, ErrorKind::Unavailable),
    ];
    for (status, kind) in table {
        let server = Server::start(bulk(move |_| answer(status, "<html>no</html>"))).await;
        let error = deliver(&server, 2).await.unwrap_err();
        assert_eq!((error.kind, error.status), (kind, Some(status)));
    }
    let body = r#"{"error":{"type":"security_exception","reason":"action [x] is unauthorized"},"status":403}"#;
    let server = Server::start(bulk(move |_| answer(403, body))).await;
    let error = deliver(&server, 1).await.unwrap_err();
    assert_eq!(error.message, "the server answers 403: security_exception: action [x] is unauthorized");
    let body = r#"{"error":{"type":"cluster_block_exception","reason":"disk"},"status":403}"#;
    let server = Server::start(bulk(move |_| answer(403, body))).await;
    assert_eq!(deliver(&server, 1).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn both_forms_of_retry_after_are_read() {
    for (value, least, most) in [("7".to_owned(), 7, 7), (date_in(90), 80, 90)] {
        let reply = answer(429, "{}").header("Retry-After", value);
        let server = Server::start(bulk(move |_| reply.clone())).await;
        let wait = deliver(&server, 1).await.unwrap_err().retry_after.unwrap();
        assert!((least..=most).contains(&wait.as_secs()), "{wait:?}");
    }
}

fn date_in(seconds: u64) -> String {
    let then = jiff::Timestamp::now() + Duration::from_secs(seconds);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_no_bulk_answer_is_no_delivery() {
    for body in ["<html>welcome</html>", "", "{}", r#"{"errors":false}"#, r#"{"items":[{"index":{"status":201}}]}"#] {
        let server = Server::start(bulk(move |_| answer(200, body))).await;
        let error = deliver(&server, 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{body}");
    }
}

#[tokio::test]
async fn a_missing_data_stream_holds_everything_before_it_is_sent() {
    let server = Server::start(|asked| answer(if asked.method == "GET" { 404 } else { 200 }, "{}")).await;
    let error = deliver(&server, 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("watchbell --setup"), "{}", error.message);
    assert_eq!(server.lines(), ["GET /_data_stream/watchbell-findings"]);
}

#[tokio::test]
async fn whoever_may_not_look_may_still_deliver() {
    let server = Server::start(|asked| {
        if asked.method == "GET" { answer(403, "{}") } else { answer(200, items(&[item(0, 201, Value::Null)])) }
    })
    .await;
    assert!(deliver(&server, 1).await.is_ok());
}

#[tokio::test]
async fn a_plain_index_and_a_pipeline_have_their_paths() {
    let server = Server::start(bulk(|_| answer(200, items(&[item(0, 201, Value::Null)])))).await;
    let sink = sink(&format!("nodes = ['{}/es/']\nindex = 'findings'\npipeline = 'geo.ip'", server.url()));
    sink.deliver(&batch(&sink, 1)).await.unwrap();
    let lines = ["GET /es/findings/_alias", "GET /es/_ingest/pipeline/geo.ip", "POST /es/findings/_bulk"];
    assert_eq!(server.lines(), lines);
    assert!(server.bulk().path.ends_with("&pipeline=geo.ip"));
}

#[tokio::test]
async fn a_missing_pipeline_holds_everything_before_it_is_refused() {
    let server = Server::start(|asked| answer(if asked.path.contains("_ingest") { 404 } else { 200 }, "{}")).await;
    let sink = sink(&format!("nodes = ['{}']\npipeline = 'gone'", server.url()));
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Config, "there is no ingest pipeline `gone`"));
}

#[tokio::test]
async fn encoding_is_pure() {
    let sink = sink("nodes = ['http://127.0.0.1:9']");
    for finding in findings::samples(50, 3) {
        assert_eq!(sink.encode(&finding).unwrap(), sink.encode(&finding).unwrap());
    }
}
