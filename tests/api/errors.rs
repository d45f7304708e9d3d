//! The table of errors: whatever is wrong with a request, the answer is a problem that says what was expected, and where.

use reqwest::Method;

use super::Server;
use crate::place::Place;

/// Method, path, Content-Type, body; status, and the first wrong place.
type Case = (&'static str, &'static str, &'static str, &'static str, u16, &'static str);

const JSON: &str = "application/json";

const CASES: [Case; 46] = [
    ("GET", "/nowhere", "", "", 404, ""),
    ("GET", "/v1/findings/", "", "", 404, ""),
    ("PUT", "/v1/findings", "", "", 405, ""),
    ("DELETE", "/analyze", "", "", 405, ""),
    ("OPTIONS", "/v1/findings", "", "", 405, ""),
    ("POST", "/analyze", "", "x", 415, ""),
    ("POST", "/analyze", "application/xml", "<a/>", 415, ""),
    ("POST", "/analyze", JSON, "{\"logs\": [", 400, ""),
    ("POST", "/analyze", JSON, "", 400, ""),
    ("POST", "/analyze", JSON, "{}", 422, "/errors/0/pointer="),
    ("POST", "/analyze", JSON, "{\"logs\": [\"a\", 7]}", 422, "/errors/0/pointer=/logs/1"),
    ("POST", "/analyze?name=../x", "text/plain", "x", 422, "/errors/0/parameter=name"),
    ("POST", "/analyze?hand_over=maybe", "text/plain", "x", 422, "/errors/0/parameter=hand_over"),
    ("GET", "/v1/findings?limit=0", "", "", 422, "/errors/0/parameter=limit"),
    ("GET", "/v1/findings?limit=101", "", "", 422, "/errors/0/parameter=limit"),
    ("GET", "/v1/findings?limit=1&limit=2", "", "", 422, "/errors/0/parameter=limit"),
    ("GET", "/v1/findings?threat_type=rain", "", "", 422, "/errors/0/parameter=threat_type"),
    ("GET", "/v1/findings?since=tomorrow", "", "", 422, "/errors/0/parameter=since"),
    ("GET", "/v1/findings?color=red", "", "", 422, "/errors/0/parameter=color"),
    ("GET", "/v1/findings?cursor=00000000", "", "", 422, "/errors/0/parameter=cursor"),
    ("GET", "/v1/findings/ab", "", "", 422, "/errors/0/parameter=id"),
    ("GET", "/v1/findings/ab/explain", "", "", 422, "/errors/0/parameter=id"),
    ("POST", "/v1/findings/ab/feedback", JSON, "{\"truth\": \"true_positive\"}", 422, "/errors/0/parameter=id"),
    ("GET", "/v1/findings/ffffffffff", "", "", 404, ""),
    ("GET", "/v1/findings/%ff", "", "", 400, ""),
    ("GET", "/v1/batches/ffffffffffffffffffffffffffffffff", "", "", 404, ""),
    ("POST", "/v1/batches", JSON, "{\"include\": \"x\"}", 422, "/errors/0/pointer=/include"),
    ("POST", "/v1/batches", JSON, "{\"include\": [\"*\", \"[\"]}", 422, "/errors/0/pointer=/include/1"),
    ("POST", "/v1/batches", JSON, "{\"exclude\": [\"[\"]}", 422, "/errors/0/pointer=/exclude/0"),
    ("POST", "/v1/batches", "text/plain", "x", 415, ""),
    (
        "POST",
        "/v1/findings:forward",
        JSON,
        "{\"filter\": {\"since\": \"soon\"}}",
        422,
        "/errors/0/pointer=/filter/since",
    ),
    ("POST", "/v1/findings:forward", JSON, "{\"dry_run\": true}", 422, "/errors/0/pointer="),
    ("POST", "/v1/findings:forward", JSON, "{\"ids\": [], \"sinks\": [\"nobody\"], \"filter\": {}}", 404, ""),
    ("POST", "/v1/findings:forward", JSON, "{\"ids\": [\"ab\"]}", 422, "/errors/0/pointer=/ids/0"),
    ("POST", "/v1/suppressions", JSON, "{\"threat_type\": \"rain\"}", 422, "/errors/0/pointer=/threat_type"),
    (
        "POST",
        "/v1/suppressions",
        JSON,
        "{\"threat_type\": \"beaconing\", \"reason\": \" \", \"expires\": \"1d\"}",
        422,
        "/errors/0/pointer=/reason",
    ),
    (
        "POST",
        "/v1/suppressions",
        JSON,
        "{\"threat_type\": \"beaconing\", \"reason\": \"a\", \"expires\": \"soon\"}",
        422,
        "/errors/0/pointer=/expires",
    ),
    (
        "POST",
        "/v1/suppressions",
        JSON,
        "{\"threat_type\": \"beaconing\", \"reason\": \"a\", \"expires\": \"900d\"}",
        422,
        "/errors/0/pointer=/expires",
    ),
    (
        "POST",
        "/v1/suppressions",
        JSON,
        "{\"threat_type\": \"beaconing\", \"reason\": \"a\", \"expires\": \"0d\"}",
        422,
        "/errors/0/pointer=/expires",
    ),
    (
        "POST",
        "/v1/suppressions",
        JSON,
        "{\"from_finding\": \"ab\", \"reason\": \"a\", \"expires\": \"1d\"}",
        422,
        "/errors/0/pointer=/from_finding",
    ),
    (
        "POST",
        "/v1/outbox/dead:replay",
        JSON,
        "{\"limit\": \"1\"}",
        422,
        "/errors/0/detail=expected a whole number from 1 to 4294967295",
    ),
    ("POST", "/v1/outbox/dead:replay", JSON, "[null, null]", 422, "/errors/0/pointer="),
    ("DELETE", "/v1/suppressions/s00000000", "", "", 404, ""),
    ("POST", "/v1/models/nobody/load", "", "", 404, ""),
    ("POST", "/v1/models/.x/load", "", "", 422, "/errors/0/parameter=name"),
    ("POST", "/v1/sinks/nobody/check", "", "", 404, ""),
];

#[tokio::test]
async fn every_error_is_a_problem() {
    let server = Server::start();
    for (method, path, kind, body, status, place) in CASES {
        let mut request = server.ask(Method::from_bytes(method.as_bytes()).unwrap(), path).body(body);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let answer = server.send(request).await;
        answer.is_problem(status);
        assert!(status != 422 || !place.is_empty(), "{method} {path} {body}: what is wrong has a place");
        if let Some((pointer, expected)) = place.split_once('=') {
            assert_eq!(answer.json.pointer(pointer).unwrap(), expected, "{method} {path} {body}: {answer:?}");
        }
        if status == 405 {
            assert!(answer.header("allow").contains(if path == "/analyze" { "POST" } else { "GET" }), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn unreadable_json_is_told_with_its_line_and_column() {
    let server = Server::start();
    let body = "{\n  \"logs\": oops\n}";
    let answer = server.send(server.ask(Method::POST, "/analyze").header("content-type", JSON).body(body)).await;
    let detail = answer.is_problem(400).json["detail"].as_str().unwrap();
    assert!(detail.contains("line 2 column 11"), "{detail}");
}

#[tokio::test]
async fn answers_carry_an_id_and_are_not_cached_nor_shared() {
    let server = Server::start();
    let with_id = |id: &str| server.ask(Method::GET, "/v1/findings").header("x-request-id", id.to_owned());
    let own = server.send(with_id("deploy-7.a_b").header("origin", "https://evil.example")).await;
    assert_eq!(own.header("x-request-id"), "deploy-7.a_b");
    assert_eq!(own.header("cache-control"), "no-store");
    assert_eq!(own.header("access-control-allow-origin"), "");
    for odd in ["a b", "<script>", &"x".repeat(129)] {
        let id = server.send(with_id(odd)).await.header("x-request-id").to_owned();
        assert_eq!(id.len(), 36, "{id}");
    }
}

#[tokio::test]
async fn a_model_that_can_not_be_read_is_told_with_its_reason() {
    let place = Place::new("");
    let models = place.path("models");
    place.write("models/broken.wbmodel", "no model");
    place.write("watchbell.toml", &format!("[batch]\nmodel_dir = {models:?}\n"));
    let server = Server::in_place(place);
    let told = "broken.wbmodel: not a model file; `watchbell train` writes one";
    let answer = server.send(server.ask(Method::POST, "/v1/models/broken/load")).await;
    assert_eq!(answer.is_problem(409).json["detail"], told);
    assert_eq!(server.get("/v1/models").await.is(200).json["models"][0]["error"], told);
}
