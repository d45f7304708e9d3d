//! A thousand hostile findings: every message keeps Slack's limits, and nothing in it means anything to Slack.

#![allow(clippy::unwrap_used)] // A test may panic.

use serde_json::Value;
use watchbell_sink::{Context, Finding, Sink, SinkConfig, testkit::findings};
use watchbell_slack::{Slack, SlackConfig, limits};

fn sink(more: &str) -> Slack {
    let options = format!("webhook_url = 'https://hooks.slack.com/services/T/B/x'\n{more}");
    toml::from_str::<SlackConfig>(&options).unwrap().build(&Context::new("soc")).unwrap()
}

fn message(sink: &Slack, finding: &Finding) -> Value {
    serde_json::from_slice(sink.encode(finding).unwrap().bytes()).unwrap()
}

/// Every text object of a message, and the texts beside them.
fn texts<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(object) => {
            if let (Some(kind), Some(text)) = (object.get("type"), object.get("text").and_then(Value::as_str)) {
                found.push((kind.as_str().unwrap(), text));
            }
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("text" | "fallback", Value::String(text)) if !object.contains_key("type") => {
                        found.push(("mrkdwn", text));
                    }
                    _ => texts(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn every_message_keeps_the_limits() {
    for (budget, seed) in [(9000, 21), (5000, 22), (11_000, 23)] {
        let sink = sink(&format!("budget_chars = {budget}"));
        for finding in findings::samples(400, seed) {
            let message = message(&sink, &finding);
            assert_eq!(limits::violations(&message, budget), Vec::<String>::new(), "{message:#}");
            assert_eq!(message["metadata"]["event_payload"]["finding_id"], finding.id.as_str());
        }
    }
}

#[test]
fn the_largest_message_is_shortened_until_it_fits() {
    for letter in ["\"", "\\", "<", "\u{202e}", "\u{1f469}"] {
        let long = letter.repeat(5000);
        let mut finding = findings::sample();
        [&mut finding.id, &mut finding.title, &mut finding.summary, &mut finding.entity.value]
            .into_iter()
            .for_each(|text| text.clone_from(&long));
        finding.observables.iter_mut().for_each(|it| it.value.clone_from(&long));
        finding.evidence.iter_mut().for_each(|it| it.file.clone_from(&long));
        finding.attacks.iter_mut().for_each(|it| it.technique_name.clone_from(&long));
        finding.attacks.extend(finding.attacks.clone());
        finding.reasons.iter_mut().for_each(|reason| {
            [&mut reason.text, &mut reason.observed, &mut reason.typical]
                .into_iter()
                .for_each(|it| it.clone_from(&long));
        });
        finding.reasons.extend(finding.reasons.clone());
        for budget in [5000, 9000, 11_000] {
            let message = message(&sink(&format!("budget_chars = {budget}")), &finding);
            assert_eq!(limits::violations(&message, budget), Vec::<String>::new());
        }
    }
}

#[test]
fn markup_is_ours_alone() {
    let sink = sink("");
    for finding in findings::samples(1000, 24) {
        let message = message(&sink, &finding);
        for (key, off) in [("mrkdwn", false), ("link_names", false), ("unfurl_links", false), ("unfurl_media", false)] {
            assert_eq!(message[key], off);
        }
        assert_eq!(message["parse"], "none");
        let mut found = Vec::new();
        texts(&message, &mut found);
        assert!(found.len() > 4);
        for (kind, text) in found {
            let hidden =
                |letter: char| (letter.is_control() && letter != '\n') || ('\u{202a}'..='\u{202e}').contains(&letter);
            assert!(!text.contains(hidden), "{text:?}");
            if kind == "mrkdwn" {
                assert_inert(text);
            }
        }
        let mut objects = Vec::new();
        marked(&message, &mut objects);
        assert!(objects.iter().all(|object| object["verbatim"] == true), "{message:#}");
        assert!(!message.to_string().contains("\"emoji\":true"));
    }
}

/// The only `<...>` that is left is a link to a technique, and backticks come in pairs.
fn assert_inert(text: &str) {
    for (position, _) in text.match_indices('<') {
        let link = &text[position..];
        assert!(link.starts_with("<https://attack.mitre.org/techniques/T"), "{text}");
        let inner = &link[1..link.find('>').unwrap()];
        assert_eq!(inner.matches('|').count(), 1, "{text}");
        assert!(!inner.contains('<'));
    }
    assert_eq!(text.matches('<').count(), text.matches('>').count(), "{text}");
    for line in text.lines() {
        assert!(line.matches('`').count().is_multiple_of(2), "{line}");
        // Outside of code, only our own labels are bold.
        let outside: String = line.split('`').step_by(2).collect();
        assert!(!outside.contains('~'), "{line}");
    }
}

fn marked<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "mrkdwn") {
                found.push(value);
            }
            object.values().for_each(|value| marked(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| marked(value, found)),
        _ => {}
    }
}

#[test]
fn the_same_finding_is_the_same_message() {
    let sink = sink("");
    for finding in findings::samples(50, 25) {
        assert_eq!(sink.encode(&finding).unwrap(), sink.encode(&finding).unwrap());
    }
}

#[test]
fn the_sample_is_as_kept() {
    let message = message(&sink(""), &findings::sample());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/sample.json");
    let text = serde_json::to_string_pretty(&message).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
}
