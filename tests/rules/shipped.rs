//! The rules that ship, on events that the Chronicle sink encodes: each kind of finding has its rule, which fires on it and on
//! nothing else.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use watchbell_sink::{Finding, ThreatType, testkit::findings};

use super::root;
use crate::place::{Place, Ran, command_in};

/// The events that the sink makes of these findings, one a line.
fn encoded(place: &Place, findings: &str) -> Vec<Value> {
    super::configure(place, "");
    place.write("findings.jsonl", findings);
    let ran = place.run(&["render", "--sink", "soc", "findings.jsonl"]);
    assert!(ran.code == 0 || ran.code == 8, "{}", ran.err);
    place.write("events.jsonl", &ran.out);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(of: impl Iterator<Item = Value>) -> BTreeSet<String> {
    of.map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_rules_and_their_tests_are_right() {
    for arguments in [
        &["rules", "check", "--strict", "rules"][..],
        &["rules", "fmt", "--check", "rules"],
        &["rules", "test", "rules"],
    ] {
        let ran = Ran::of(command_in(root(), arguments).output().unwrap());
        assert_eq!(ran.code, 0, "{arguments:?}\n{}{}", ran.out, ran.err);
        assert!(!ran.out.contains("no test for"), "{}", ran.out);
    }
}

#[test]
fn every_statement_of_a_rule_is_needed_by_a_case() {
    let place = Place::new("");
    let findings = fs::read_to_string(root().join("rules/tests/findings.jsonl")).unwrap();
    place.write("rules/tests/findings.jsonl", &findings);
    let mut tried = 0;
    for rule in watchbell::rules::shipped::rules() {
        let text = fs::read_to_string(root().join("rules").join(rule.file)).unwrap();
        let test = format!("rules/tests/{}.toml", rule.name);
        place.write(&test, &fs::read_to_string(root().join(&test)).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        let section = |word: &str| lines.iter().position(|line| line.trim() == word).unwrap();
        let events = section("events:") + 1..section("outcome:");
        for at in events.filter(|&at| lines[at].trim_start().starts_with('$')) {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| *line).collect();
            place.write("rules/rule.yaral", &without.join("\n"));
            let ran = place.run(&["rules", "test", "rules"]);
            assert_eq!(ran.code, 1, "{}: no case needs `{}`\n{}", rule.name, lines[at].trim(), ran.out);
            tried += 1;
        }
        fs::remove_file(place.path(&test)).unwrap();
    }
    assert!(tried > 60, "only {tried} statements were tried");
}

#[test]
fn the_events_of_the_tests_are_what_the_sink_encodes() {
    let place = Place::new("");
    let findings = fs::read_to_string(root().join("tests/rules/findings.jsonl")).unwrap();
    let mut now = encoded(&place, &findings);
    let kept = fs::read_to_string(root().join("rules/tests/findings.jsonl")).unwrap();
    let mut kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // A new version is no other encoding.
    for event in now.iter_mut().chain(&mut kept) {
        event["udm"]["metadata"]["product_version"] = Value::Null;
    }
    assert_eq!(kept.len(), ThreatType::ALL.len());
    for (now, kept) in now.iter().zip(&kept) {
        let told =
            "write it anew: watchbell render --sink NAME tests/rules/findings.jsonl > rules/tests/findings.jsonl";
        assert_eq!(now, kept, "{told}");
    }
    let kinds = kept.iter().map(|event| event["udm"]["metadata"]["product_event_type"].as_str().unwrap());
    assert!(kinds.eq(ThreatType::ALL.iter().map(|threat| threat.name())), "one of each kind, in their order");
}

#[test]
fn every_kind_of_finding_has_its_rule_whatever_the_log_held() {
    let place = Place::new("");
    let findings: Vec<Finding> = findings::samples(140, 11);
    let text: String = findings.iter().map(|finding| serde_json::to_string(finding).unwrap() + "\n").collect();
    let events = encoded(&place, &text);
    assert!(events.len() > 100, "only {} of the findings can be encoded", events.len());
    for threat in ThreatType::ALL {
        let metadata = |event: &Value| event["udm"]["metadata"].clone();
        let own = events.iter().map(metadata).filter(|metadata| metadata["product_event_type"] == threat.name());
        let expected = ids(own.map(|metadata| metadata["product_log_id"].clone()));
        assert!(!expected.is_empty(), "{threat}");
        let rule = root().join(format!("rules/watchbell_{threat}.yaral"));
        let ran = place.run(&["rules", "run", rule.to_str().unwrap(), "--events", "events.jsonl", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        let found = told["detections"].as_array().unwrap().iter();
        assert_eq!(ids(found.map(|detection| detection["outcomes"]["finding_id"].clone())), expected, "{threat}");
    }
}

#[test]
fn the_findings_of_the_sample_logs_reach_the_rules() {
    let place = Place::new("");
    super::configure(&place, "");
    let logs = root().join("examples/logs");
    let ran = place.run(&["batch", "--log-dir", logs.to_str().unwrap(), "--output-dir", "out", "--once", "--quiet"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = place.run(&["render", "--sink", "soc", "out"]);
    place.write("events.jsonl", &ran.out);
    let rule = root().join("rules/watchbell_attack_chain.yaral");
    let ran = place.run(&["rules", "run", rule.to_str().unwrap(), "--events", "events.jsonl", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    // The sample logs tell of one account that is taken over, gets rights, hides and takes data away.
    let entities = told["detections"].as_array().unwrap().iter().map(|found| found["match"]["entity_name"].clone());
    assert_eq!(ids(entities), BTreeSet::from(["artifact-publisher".to_owned()]));
}

#[test]
fn detections_feed_the_rule_over_detections() {
    let place = Place::new("");
    let tests = root().join("rules/tests/findings.jsonl");
    let mut collections = String::new();
    for name in ["brute_force", "account_takeover"] {
        let rule = root().join(format!("rules/watchbell_{name}.yaral"));
        let arguments = ["rules", "run", rule.to_str().unwrap(), "--events", tests.to_str().unwrap(), "--collections"];
        let ran = place.run(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
        collections.push_str(&ran.out);
    }
    place.write("detections.jsonl", &collections);
    let rule = root().join("rules/watchbell_detections_together.yaral");
    let ran = place.run(&["rules", "run", rule.to_str().unwrap(), "--detections", "detections.jsonl", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    assert_eq!(told["detections"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["detections"][0]["match"]["entity_name"], "h.novak");
}
