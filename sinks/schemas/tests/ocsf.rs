//! Detection Findings against the JSON Schema of OCSF 1.8.0, and against what the schema says beyond JSON Schema: which
//! attributes an object needs one of, which text goes with which number, what is deprecated.

use serde_json::{Map, Value, json};
use watchbell_schemas::{ocsf, product};
use watchbell_sink::{Finding, Severity, testkit::findings::sample};

use crate::findings;

fn model() -> Value {
    serde_json::from_str(include_str!("models/ocsf_1.8.0_detection_finding.schema.json")).unwrap()
}

fn facts() -> Value {
    serde_json::from_str(include_str!("models/ocsf_1.8.0_facts.json")).unwrap()
}

fn encoded(finding: &Finding) -> Value {
    serde_json::to_value(ocsf::detection_finding(finding, product::VERSION)).unwrap()
}

fn errors(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error:.300}", error.instance_path())).collect()
}

/// Each object of the value with the name of its type, as the schema's references say; the class itself has none.
fn objects<'a>(model: &Value, name: &str, value: &'a Value, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    let Some(object) = value.as_object() else { return };
    found.push((name.to_owned(), object));
    let schema = if name.is_empty() { model } else { &model["$defs"][name] };
    for (key, inner) in object {
        let property = &schema["properties"][key];
        let reference = property["$ref"].as_str().or_else(|| property["items"]["$ref"].as_str());
        let Some(inner_name) = reference.and_then(|it| it.strip_prefix("#/$defs/")) else { continue };
        let elements = inner.as_array().map_or(std::slice::from_ref(inner), Vec::as_slice);
        elements.iter().for_each(|element| objects(model, inner_name, element, found));
    }
}

fn breaches(model: &Value, facts: &Value, value: &Value) -> Vec<String> {
    let (mut found, mut breaches) = (Vec::new(), Vec::new());
    objects(model, "", value, &mut found);
    for (name, object) in found {
        let names = |what: &Value| -> Vec<String> { serde_json::from_value(what.clone()).unwrap_or_default() };
        let needed = names(&facts["constraints"][&name]["at_least_one"]);
        if !needed.is_empty() && !needed.iter().any(|it| object.contains_key(it)) {
            breaches.push(format!("{name} needs one of {needed:?}"));
        }
        let exclusive = names(&facts["constraints"][&name]["just_one"]);
        if !exclusive.is_empty() && exclusive.iter().filter(|it| object.contains_key(*it)).count() != 1 {
            breaches.push(format!("{name} needs just one of {exclusive:?}"));
        }
        for attribute in names(&facts["deprecated"][&name]) {
            if object.contains_key(&attribute) {
                breaches.push(format!("{name}.{attribute} is deprecated"));
            }
        }
        for (attribute, fact) in facts["captions"][&name].as_object().into_iter().flatten() {
            let Some(number) = object.get(attribute).map(ToString::to_string) else { continue };
            let sibling = fact["sibling"].as_str().unwrap();
            let expected = &fact["captions"][&number];
            match object.get(sibling) {
                _ if expected.is_null() => breaches.push(format!("{name}.{attribute} has no {number}")),
                Some(text) if number != "99" && text != expected => {
                    breaches.push(format!("{name}.{sibling} is {text} where {attribute} says {expected}"));
                }
                None if number == "99" => breaches.push(format!("{name}.{sibling} must say what 99 is")),
                _ => {}
            }
        }
    }
    breaches
}

#[test]
fn every_finding_is_a_detection_finding() {
    let (model, facts) = (model(), facts());
    let validator = jsonschema::draft202012::new(&model).unwrap();
    for finding in findings() {
        let value = encoded(&finding);
        assert_eq!(errors(&validator, &value), Vec::<String>::new(), "{}", finding.id);
        assert_eq!(breaches(&model, &facts, &value), Vec::<String>::new(), "{}", finding.id);
    }
}

#[test]
fn what_the_model_forbids_is_seen() {
    let (model, facts) = (model(), facts());
    let validator = jsonschema::draft202012::new(&model).unwrap();
    let bad_schema = [
        ("/severity_id", json!("high")),
        ("/severity_id", json!(7)),
        ("/time", json!("now")),
        ("/finding_info", json!({})),
        ("/message", json!(null)),
        ("/metadata/product", json!({ "color": "red" })),
        ("/evidences/0/src_endpoint/ip", json!("not an address")),
        ("/observables/0/type_id", json!(1000)),
        ("/anomaly_analyses/0/anomalies", json!(null)),
        ("/anomaly_analyses/0/anomalies/0/observations/0/value", json!(48)),
    ];
    for (pointer, bad) in bad_schema {
        let mut value = encoded(&sample());
        *value.pointer_mut(pointer).unwrap() = bad;
        assert!(!errors(&validator, &value).is_empty(), "{pointer}");
    }
    let mut value = encoded(&sample());
    value.as_object_mut().unwrap().insert("color".to_owned(), json!("red"));
    assert!(!errors(&validator, &value).is_empty());

    let bad_facts = [
        ("/severity", json!("Medium"), "severity is"),
        ("/risk_level", json!("High "), "risk_level is"),
        ("/finding_info/attacks/0", json!({ "version": "19" }), "attack needs one of"),
        ("/finding_info/attacks/0", json!({ "tactic": {}, "tactics": [] }), "attack.tactics is deprecated"),
        ("/evidences/0", json!({ "name": "x" }), "evidences needs one of"),
        ("/observables/0", json!({ "type_id": 99, "value": "x" }), "must say what 99 is"),
    ];
    for (pointer, bad, expected) in bad_facts {
        let mut value = encoded(&sample());
        *value.pointer_mut(pointer).unwrap() = bad;
        let breaches = breaches(&model, &facts, &value);
        assert!(breaches.iter().any(|it| it.contains(expected)), "{pointer}: {breaches:?}");
    }
}

#[test]
fn each_reason_is_an_anomaly_with_its_baseline() {
    for finding in findings() {
        let value = encoded(&finding);
        let analysis = &value["anomaly_analyses"][0];
        assert_eq!(analysis.is_null(), finding.reasons.is_empty());
        for (at, reason) in finding.reasons.iter().enumerate() {
            let anomaly = &analysis["anomalies"][at];
            let baseline = &analysis["baselines"][at];
            assert_eq!(anomaly["observation_parameter"], reason.feature);
            assert_eq!(anomaly["observations"][0]["value"], reason.observed);
            assert_eq!(anomaly["observed_pattern"], reason.text);
            assert_eq!(baseline["observation_parameter"], reason.feature);
            assert_eq!(baseline["observations"][0]["value"], reason.typical);
        }
    }
}

#[test]
fn the_two_scales_of_severity_differ_by_one() {
    for severity in Severity::ALL {
        let value = encoded(&Finding { severity, ..sample() });
        assert_eq!(value["severity_id"], severity as u8 + 1);
        assert_eq!(value["risk_level_id"], severity as u8);
    }
    for (confidence, id) in [(0.0, 1), (0.33, 1), (0.34, 2), (0.66, 2), (0.67, 3), (1.0, 3), (f64::NAN, 1)] {
        assert_eq!(encoded(&Finding { confidence, ..sample() })["confidence_id"], id, "{confidence}");
    }
}

#[test]
fn nothing_of_a_finding_is_lost_and_a_missing_time_shows() {
    for finding in findings() {
        let value = encoded(&finding);
        assert_eq!(value["finding_info"]["uid"], finding.id);
        assert_eq!(value["metadata"]["uid"], finding.id);
        let raws: Vec<&Value> =
            value["evidences"].as_array().into_iter().flatten().map(|it| &it["data"]["raw"]).collect();
        assert!(finding.evidence.iter().all(|event| raws.iter().any(|raw| **raw == event.raw)));
        let is_timeless = value["metadata"]["labels"] == json!(["watchbell_no_time"]);
        assert_eq!(is_timeless, finding.first_seen.or(finding.last_seen).is_none());
        assert!(!is_timeless || value["time"] == 0);
    }
}
