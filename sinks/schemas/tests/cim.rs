//! Splunk alerts against the data model Alerts, as the vendor's own test suite for add-ons has it.

use serde_json::{Map, Value, json};
use watchbell_schemas::cim;
use watchbell_sink::{Finding, testkit::findings::sample};

use crate::findings;

fn model() -> Value {
    serde_json::from_str(include_str!("models/cim_alerts.json")).unwrap()
}

fn encoded(finding: &Finding) -> Map<String, Value> {
    serde_json::to_value(cim::event(finding)).unwrap().as_object().unwrap().clone()
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => list.len() > 1 && list.iter().all(Value::is_string),
        other => other.is_number(),
    }
}

fn breaches(model: &Value, event: &Map<String, Value>) -> Vec<String> {
    let mut breaches = Vec::new();
    for field in model["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let is_required = field["type"] == "required";
        let Some(value) = event.get(name) else {
            breaches.extend(is_required.then(|| format!("{name} is missing")));
            continue;
        };
        if !is_said(value) {
            breaches.push(format!("{name} says nothing"));
        }
        if field["expected_values"].as_array().is_some_and(|expected| !expected.contains(value)) {
            breaches.push(format!("{name} may not be {value}"));
        }
    }
    let forbidden = model["forbidden"].as_array().unwrap().iter().filter_map(Value::as_str);
    breaches.extend(forbidden.filter(|name| event.contains_key(*name)).map(|name| format!("{name} is Splunk's")));
    let enriched = event.keys().filter(|key| ["_bunit", "_category", "_priority"].iter().any(|end| key.ends_with(end)));
    breaches.extend(enriched.map(|key| format!("{key} is Splunk's")));
    breaches
}

#[test]
fn every_finding_is_an_alert() {
    let model = model();
    assert_eq!(model["fields"].as_array().unwrap().iter().filter(|field| field["type"] == "required").count(), 10);
    for finding in findings() {
        assert_eq!(breaches(&model, &encoded(&finding)), Vec::<String>::new(), "{}", finding.id);
    }
}

#[test]
fn what_the_model_forbids_is_seen() {
    let bad = [
        ("user", Value::Null, "user says nothing"),
        ("src", json!(" "), "src says nothing"),
        ("severity", json!("info"), "severity may not be"),
        ("type", json!("finding"), "type may not be"),
        ("src_category", json!("x"), "src_category is Splunk's"),
        ("tag", json!("alert"), "tag is Splunk's"),
    ];
    for (name, value, expected) in bad {
        let mut event = encoded(&sample());
        event.insert(name.to_owned(), value);
        assert!(breaches(&model(), &event).iter().any(|it| it.contains(expected)), "{name}");
    }
    let mut event = encoded(&sample());
    event.remove("dest");
    assert_eq!(breaches(&model(), &event), ["dest is missing"]);
}

#[test]
fn risk_based_alerting_finds_its_fields() {
    for finding in findings() {
        let event = encoded(&finding);
        assert!(["user", "system", "other"].iter().any(|kind| event["risk_object_type"] == *kind));
        assert!(is_said(&event["risk_object"]) && is_said(&event["risk_message"]));
        assert_eq!(event["risk_score"], finding.risk_score);
        let count = |name: &str| event.get(name).map_or(0, |value| value.as_array().map_or(1, Vec::len));
        assert_eq!(count("threat_object"), count("threat_object_type"));
        assert_eq!(event["finding_id"], finding.id);
    }
    let event = encoded(&sample());
    assert_eq!(event["annotations.mitre_attack"], json!(["T1110.001", "T1078"]));
    assert_eq!(event["threat_object_type"], json!(["ip", "ip", "process", "user_agent"]));
}

#[test]
fn an_event_is_flat_and_short_enough_to_be_searched() {
    let event = encoded(&sample());
    assert!(event.values().all(|value| !value.is_object()));
    assert!(serde_json::to_string(&event).unwrap().len() < 10_240);
    assert_eq!(event.keys().next_back().map(String::as_str), Some("evidence"));
    for finding in findings() {
        let longest = encoded(&finding).values().map(|value| value.as_str().map_or(0, str::len)).max();
        assert!(longest.is_some_and(|longest| longest <= 255 + 1023 + 24), "{longest:?}");
    }
}

#[test]
fn the_time_is_seconds_with_milliseconds() {
    assert_eq!(cim::time(&sample()), Some(1_768_447_012.5));
    let without_end = Finding { last_seen: None, ..sample() };
    assert_eq!(cim::time(&without_end), Some(1_768_446_727.25));
    assert_eq!(cim::time(&Finding { first_seen: None, ..without_end }), None);
}
