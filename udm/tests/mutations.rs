//! Faults that were seen in real senders and samples, and the linter's word on each; and that it never panics.

use proptest::prelude::*;
use serde_json::{Value, json};
use watchbell_udm::lint::{Code, Diagnostic, check, events, lint_text};

/// An anomaly as a sender would write it.
fn good() -> Value {
    json!({
        "metadata": {
            "event_timestamp": "2026-08-20T10:15:30.123Z",
            "event_type": "SCAN_UNCATEGORIZED",
            "vendor_name": "Example",
            "product_name": "Detector",
            "product_event_type": "brute_force",
            "product_log_id": "0123456789abcdef",
        },
        "principal": {
            "hostname": "web-07",
            "ip": ["10.0.0.7"],
            "port": 443,
            "asset": {"hostname": "web-07", "ip": ["10.0.0.7"]},
            "user": {"userid": "alice"},
        },
        "security_result": [{
            "category": ["NETWORK_SUSPICIOUS"],
            "severity": "HIGH",
            "confidence": "HIGH_CONFIDENCE",
            "confidence_score": 0.9,
            "risk_score": 80,
            "summary": "48 failed logins in 5 minutes",
            "detection_fields": [{"key": "observed", "value": "48"}],
            "attack_details": {"tactics": [{"id": "TA0006", "name": "Credential Access"}]},
        }],
        "additional": {"score": 0.97},
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut event = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = if parent.is_empty() { Some(&mut event) } else { event.pointer_mut(parent) };
    match parent {
        Some(Value::Object(entries)) => drop(entries.insert(key.to_owned(), value)),
        Some(Value::Array(items)) => items[key.parse::<usize>().expect("an index")] = value,
        other => panic!("{pointer} leads to {other:?}"),
    }
    event
}

fn only(event: &Value) -> Diagnostic {
    let mut found = check(event);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn a_good_event_is_clean() {
    assert_eq!(check(&good()), []);
}

#[test]
fn thirteen_mutations_twelve_are_errors_and_the_legal_one_is_read_as_a_number() {
    let mut without_type = good();
    without_type["metadata"].as_object_mut().unwrap().remove("event_type");
    let mut both = good();
    both["securityResult"] = both["security_result"].clone();
    let cases = [
        (with("/metadata/event_type", json!("SCAN_UNCATEGORISED")), "/metadata/event_type", Code::UnknownEnumValue),
        (with("/security_result/0/severity", json!("SEVERE")), "/security_result/0/severity", Code::UnknownEnumValue),
        (with("/principal/hostnam", json!("web-07")), "/principal/hostnam", Code::UnknownField),
        (with("/principal/asset/ip", json!("10.0.0.7")), "/principal/asset/ip", Code::ExpectedList),
        (with("/security_result", json!({"severity": "HIGH"})), "/security_result", Code::ExpectedList),
        (with("/metadata/event_timestamp", json!("20 Aug 2026")), "/metadata/event_timestamp", Code::BadTimestamp),
        (with("/security_result/0/risk_score", json!("high")), "/security_result/0/risk_score", Code::WrongType),
        (with("/principal/nat_port", json!(4_294_967_296_u64)), "/principal/nat_port", Code::NumberRange),
        (with("/principal/port", json!(99_999)), "/principal/port", Code::BadPort),
        (with("/principal/ip/0", json!("web-07")), "/principal/ip/0", Code::BadIp),
        (without_type, "/metadata/event_type", Code::MissingEventType),
        (both, "/securityResult", Code::DuplicateField),
    ];
    for (event, pointer, code) in &cases {
        let told =
            check(event).iter().any(|found| found.is_error() && found.pointer == *pointer && found.code == *code);
        assert!(told, "{pointer} {code}: {:#?}", check(event));
    }
    let legal = only(&with("/security_result/0/risk_score", json!("80")));
    assert_eq!((legal.code, legal.is_error(), legal.instead), (Code::NumberAsText, false, Some(json!(80))));
}

#[test]
fn suggestions_name_what_was_meant() {
    let found = only(&with("/principal/hostnam", json!("web-07")));
    assert_eq!(
        found.to_string(),
        "error[unknown_field] /principal/hostnam: `hostnam` is no field of Noun, did you mean `hostname`?"
    );
    let found = only(&with("/metadata/event_type", json!("SCAN_UNCATEGORISED")));
    assert_eq!(found.did_you_mean.as_deref(), Some("SCAN_UNCATEGORIZED"));
}

/// A published sample of an anomaly event has these three faults; a reader that stops at the first shows one of them.
#[test]
fn three_faults_are_told_in_one_run_with_their_places() {
    let mut event = good();
    event["target"] = json!({"resource": {"resource_type": "RESOURCE_TYPE_UNSPECIFIED"}});
    event["security_result"][0]["category"] = json!(["SUSPICIOUS_ACTIVITY"]);
    event["security_result"][0]["threat_id_namespace"] = json!("MITRE_ATTACK");
    let mut places: Vec<_> = check(&event).into_iter().map(|found| (found.code, found.pointer)).collect();
    places.sort();
    let expected =
        ["/security_result/0/category/0", "/security_result/0/threat_id_namespace", "/target/resource/resource_type"];
    assert_eq!(places, expected.map(|place| (Code::UnknownEnumValue, place.to_owned())));
}

#[test]
fn samples_of_the_vendor_that_the_strict_mapping_refuses() {
    let found = only(&with("/principal/asset", json!({"ip": "192.168.1.100"})));
    assert_eq!((found.code, found.instead), (Code::ExpectedList, Some(json!(["192.168.1.100"]))));
    let found = only(&with("/metadata/id", json!("123e4567-e89b-12d3-a456-426614174000")));
    assert_eq!((found.code, found.is_error()), (Code::UuidAsBytes, false));
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("metadata".to_owned()),
        Just("event_type".to_owned()),
        Just("eventTimestamp".to_owned()),
        Just("principal".to_owned()),
        Just("security_result".to_owned()),
        Just("ip".to_owned()),
        Just("port".to_owned()),
        Just("hostname".to_owned()),
        Just("asset".to_owned()),
        Just("asset_id".to_owned()),
        Just("url".to_owned()),
        Just("id".to_owned()),
        Just("udm".to_owned()),
        Just("events".to_owned()),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9Ts:.Z+eE=-]{0,30}".prop_map(Value::from),
        Just(json!("USER_LOGIN")),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_judged_without_panic(value in any_json()) {
        for found in check(&value) {
            prop_assert!(found.pointer.is_empty() || found.pointer.starts_with('/'));
            prop_assert!(!found.to_string().chars().any(char::is_control));
        }
        // An event as text is judged as the value is.
        prop_assert!(lint_text(&value.to_string()).events <= value.to_string().len());
    }

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>(), cut in any::<prop::sample::Index>()) {
        let _ = events(&text).count();
        let json = good().to_string();
        let _ = events(&json[..cut.index(json.len())]).count();
        let _ = events(&format!("{text}\n{json}\n{text}")).count();
    }
}
