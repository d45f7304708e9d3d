//! ECS documents against the field reference 9.4.0, and the index mappings against both.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use watchbell_schemas::ecs;
use watchbell_sink::{Finding, Severity, ThreatType, testkit::findings::sample};

use crate::{findings, rows};

/// Type of each field of ECS, and whether it is always a list.
fn reference() -> BTreeMap<&'static str, (&'static str, bool)> {
    rows(include_str!("models/ecs_9.4.0_fields.csv")).map(|row| (row[0], (row[1], row[2] == "array"))).collect()
}

fn encoded(finding: &Finding) -> Value {
    serde_json::to_value(ecs::document(finding)).unwrap()
}

/// Path and value of each leaf. Lists of objects are gone through; lists of anything else are leaves.
fn leaves<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                leaves(&path, inner, found);
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => list.iter().for_each(|it| leaves(path, it, found)),
        _ => found.push((path.to_owned(), value)),
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "keyword" | "constant_keyword" | "wildcard" | "match_only_text" | "text" => value.is_string(),
        "date" => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok() && text.as_bytes()[4] == b'-'),
        "ip" => value.as_str().is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok()),
        "long" => value.is_i64(),
        "float" => value.is_f64(),
        _ => false,
    }
}

fn breaches(reference: &BTreeMap<&str, (&str, bool)>, document: &Value) -> Vec<String> {
    let (mut found, mut breaches) = (Vec::new(), Vec::new());
    leaves("", document, &mut found);
    for (path, value) in found.into_iter().filter(|(path, _)| !path.starts_with("watchbell.")) {
        let Some(&(kind, is_list)) = reference.get(path.as_str()) else {
            breaches.push(format!("{path} is no field of ECS"));
            continue;
        };
        if value.is_array() != is_list {
            breaches.push(format!("{path} is a list: {}", !is_list));
        }
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if values.is_empty() || !values.iter().all(|value| is_of(kind, value)) {
            breaches.push(format!("{path} is no {kind}: {:.80}", value.to_string()));
        }
    }
    breaches
}

#[test]
fn every_finding_is_an_ecs_document() {
    let reference = reference();
    assert_eq!(reference.len(), 2605);
    for finding in findings() {
        assert_eq!(breaches(&reference, &encoded(&finding)), Vec::<String>::new(), "{}", finding.id);
    }
}

#[test]
fn what_ecs_forbids_is_seen() {
    let reference = reference();
    let bad = [
        ("/event/category", json!("authentication"), "event.category is a list"),
        ("/event/severity", json!("high"), "event.severity is no long"),
        ("/event/start", json!("yesterday"), "event.start is no date"),
        ("/source/ip", json!("alice"), "source.ip is no ip"),
        ("/related/ip", json!(["10.0.0.1", "x"]), "related.ip is no ip"),
        ("/rule", json!({ "color": "red" }), "rule.color is no field of ECS"),
        ("/user/name", json!(["alice"]), "user.name is a list"),
    ];
    for (pointer, value, expected) in bad {
        let mut document = encoded(&sample());
        *document.pointer_mut(pointer).unwrap() = value;
        let breaches = breaches(&reference, &document);
        assert!(breaches.iter().any(|it| it.contains(expected)), "{breaches:?}");
    }
}

#[test]
fn categories_and_types_go_together() {
    let facts: Value = serde_json::from_str(include_str!("models/ecs_9.4.0_categories.json")).unwrap();
    for threat_type in ThreatType::ALL {
        let event = encoded(&Finding { threat_type, ..sample() })["event"].clone();
        assert!(facts["kinds"].as_array().unwrap().contains(&event["kind"]));
        let allowed: Vec<Value> = event["category"]
            .as_array()
            .unwrap()
            .iter()
            .map(|category| facts["categories"][category.as_str().unwrap()].clone())
            .collect();
        assert!(allowed.iter().all(Value::is_array), "{threat_type}: a category is unknown");
        let types = event["type"].as_array().unwrap();
        // Each type belongs to one of the categories, and `info` to each of them.
        assert!(
            types.iter().all(|it| allowed.iter().any(|types| types.as_array().unwrap().contains(it))),
            "{threat_type}"
        );
        assert!(types.contains(&json!("info")));
        assert!(allowed.iter().all(|types| types.as_array().unwrap().contains(&json!("info"))), "{threat_type}");
    }
}

fn mapped(path: &str, mapping: &Value, found: &mut BTreeMap<String, Value>) {
    for (name, inner) in mapping["properties"].as_object().unwrap() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if inner["properties"].is_object() {
            mapped(&path, inner, found)
        } else {
            drop(found.insert(path, inner.clone()))
        }
    }
}

#[test]
fn the_mappings_are_those_of_exactly_this_document() {
    let (mut mappings, mut used) = (BTreeMap::new(), BTreeSet::new());
    mapped("", &ecs::mappings(), &mut mappings);
    for finding in findings() {
        let document = encoded(&finding);
        let mut found = Vec::new();
        leaves("", &document, &mut found);
        for (path, value) in found {
            let mapping = mappings.get(&path).unwrap_or_else(|| panic!("{path} has no mapping"));
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            assert!(values.iter().all(|value| is_of(mapping["type"].as_str().unwrap(), value)), "{path}: {mapping}");
            used.insert(path);
        }
    }
    assert_eq!(used, mappings.keys().cloned().collect(), "every mapping is used");

    let reference = reference();
    for (path, mapping) in &mappings {
        let kind = mapping["type"].as_str().unwrap();
        // What Elasticsearch 8 and 9 and OpenSearch 2 and 3 all have.
        assert!(["keyword", "text", "date", "long", "float", "ip"].contains(&kind), "{path}: {kind}");
        // Lucene refuses terms of more than 32,766 bytes; four bytes a character at most.
        let is_bounded = mapping["ignore_above"].as_u64().is_some_and(|most| most * 4 <= 32_766);
        assert!(kind != "keyword" || is_bounded || mapping["index"] == false, "{path}");
        if let Some((ecs, _)) = reference.get(path.as_str()) {
            let family = match *ecs {
                "match_only_text" => "text",
                "wildcard" | "constant_keyword" => "keyword",
                other => other,
            };
            assert_eq!(kind, family, "{path}");
        }
    }
    assert_eq!(ecs::mappings()["properties"]["watchbell"]["dynamic"], false);
}

#[test]
fn a_document_always_has_a_time_and_says_when_it_is_none() {
    for finding in findings() {
        let document = encoded(&finding);
        let known = finding.last_seen.or(finding.first_seen);
        let expected = known.map_or("1970-01-01T00:00:00Z".to_owned(), |time| time.to_string());
        assert_eq!(document["@timestamp"], expected);
        assert_eq!(document["tags"].as_array().unwrap().contains(&json!("watchbell_no_time")), known.is_none());
    }
    // A year that four digits can't say is no time to a parser of dates.
    let finding = Finding { first_seen: Some(Timestamp::MIN), last_seen: None, ..sample() };
    let document = encoded(&finding);
    assert_eq!(document["@timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(document["tags"], json!(["watchbell", "watchbell_no_time"]));
    assert!(document["event"].get("start").is_none());
}

#[test]
fn techniques_are_taken_apart_and_severities_are_elastics() {
    let document = encoded(&sample());
    assert_eq!(document["threat"]["technique"]["id"], json!(["T1110", "T1078"]));
    assert_eq!(document["threat"]["technique"]["name"], json!(["Brute Force", "Valid Accounts"]));
    assert_eq!(document["threat"]["technique"]["subtechnique"]["id"], json!(["T1110.001"]));
    assert_eq!(document["threat"]["tactic"]["id"], json!(["TA0006", "TA0001", "TA0003"]));
    let numbers: Vec<Value> =
        Severity::ALL.map(|severity| encoded(&Finding { severity, ..sample() })["event"]["severity"].clone()).to_vec();
    assert_eq!(numbers, [1, 21, 47, 73, 99]);
}
