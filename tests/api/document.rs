//! The OpenAPI document: committed, whole, true, and shown on a page that asks nobody else.

use std::{collections::BTreeSet, fs, path::Path};

use reqwest::Method;
use serde_json::Value;

use super::Server;
use crate::place::Place;

fn document() -> Value {
    serde_json::from_str(&Place::new("").run(&["openapi"]).out).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, operation)| (method, path.clone(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let printed = Place::new("").run(&["openapi"]).out;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == printed, "openapi.json is not what `watchbell openapi` prints; UPDATE=1 writes it anew");
}

#[test]
fn every_operation_is_told_whole() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no operationId"));
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name} has no summary");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
            let is_problem = response["content"]["application/problem+json"].is_object();
            // A check that does not hold is no problem of the request.
            assert!(status.starts_with('2') || is_problem || path == "/health/ready", "{name} {status}");
        }
        if path.contains('{') {
            assert!(operation["responses"]["404"].is_object(), "{name} may not be found");
            assert!(!operation["parameters"].as_array().unwrap().is_empty(), "{name} has parameters");
        }
        if operation["requestBody"].is_object() {
            assert!(operation["responses"]["415"].is_object(), "{name} takes not every type");
        }
    }
    assert!(ids.len() >= 28, "{ids:?}");
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn the_page_for_people_names_every_route() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md")).unwrap();
    for (method, path, _) in operations(&document()) {
        let route = format!("`{} {path}`", method.to_uppercase());
        assert!(page.contains(&route), "{route}");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn the_examples_are_taken() {
    let server = Server::start();
    let mut tried = 0;
    for (method, path, operation) in operations(&document()) {
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let Some(example) = content.get("example") else { panic!("{path} has no example for {kind}") };
            let path = path.replace("{id}", "0000").replace("{name}", "hook");
            let body = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = server.send(server.ask(method, &path).header("content-type", kind).body(body)).await;
            // The finding of an example is not there; its body is right all the same.
            let is_right = answer.status.is_success() || (path.contains("0000") && answer.status == 404);
            assert!(is_right, "{path}: {answer:?}");
            if path.ends_with("/analyze") {
                let records = &answer.json["logs"][0];
                assert!(answer.json["total_events"].as_u64() > Some(0), "{kind}: {answer:?}");
                assert!(
                    records["complaints"].as_array().unwrap().iter().all(|one| one["reason"] != "malformed"),
                    "{records}"
                );
            }
            tried += 1;
        }
    }
    assert!(tried >= 14, "{tried}");
}

/// A filter that is misspelled, or stands where none is taken, must not mean "all".
#[tokio::test]
async fn every_operation_refuses_parameters_that_it_does_not_know() {
    let server = Server::start();
    for (method, path, _) in operations(&document()) {
        let concrete = path.replace("{id}", "0000").replace("{name}", "hook");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = server.ask(method.clone(), &format!("{concrete}?nosuch=1"));
        let answer = server.send(request.header("content-type", "application/json").body("{}")).await;
        assert_eq!(answer.status, 422, "{method} {path}: {answer:?}");
        assert_eq!(answer.json["errors"][0]["parameter"], "nosuch", "{method} {path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_page_asks_nobody_else() {
    let server = Server::start();
    assert_eq!(server.get("/openapi.json").await.is(200).json, document());
    let page = server.get("/docs/").await;
    let policy = page.is(200).header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
    let quoted = |text: &str, attribute: &str| -> Vec<String> {
        let begin = format!("{attribute}=\"");
        text.split(&begin).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let parts = [quoted(&page.text, "src"), quoted(&page.text, "href")].concat();
    assert!(parts.len() > 3, "{parts:?}");
    for part in parts {
        let part = part.trim_start_matches("./");
        assert!(!part.starts_with('/') && !part.contains("://"), "{part}");
        server.get(&format!("/docs/{part}")).await.is(200);
    }
    let begin = server.get("/docs/swagger-initializer.js").await;
    assert!(begin.is(200).text.contains("\"validatorUrl\": \"none\""), "{}", begin.text);
    assert!(begin.text.contains("/openapi.json"));
}
