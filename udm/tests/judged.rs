//! The linter against the verdicts of the real protobuf class, see `facts/judge.py`.
//!
//! Agreement is on the schema alone: that class knows no lengths, no ports and no event types.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use watchbell_udm::lint::{Code, check};

#[derive(Deserialize)]
struct Judged {
    fault: String,
    accepted: bool,
    event: Value,
}

/// Codes of faults that the class knows too.
const SCHEMA: &[Code] = &[
    Code::UnknownField,
    Code::Oneof,
    Code::ExpectedList,
    Code::ExpectedSingle,
    Code::ExpectedObject,
    Code::NullItem,
    Code::WrongType,
    Code::NumberRange,
    Code::UnknownEnumValue,
    Code::BadBase64,
    Code::BadTimestamp,
    Code::BadDuration,
    Code::TooDeep,
];

#[test]
fn the_linter_agrees_with_the_published_class_on_every_event() {
    let text = include_str!("fixtures/judged.jsonl");
    let mut disagreements = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let judged: Judged = serde_json::from_str(line).unwrap();
        let found: Vec<_> = check(&judged.event)
            .into_iter()
            .filter(|found| found.is_error() && SCHEMA.contains(&found.code))
            .map(|found| found.to_string())
            .collect();
        if found.is_empty() != judged.accepted {
            disagreements.push(format!("{} accepted={} {found:?}\n  {}", judged.fault, judged.accepted, judged.event));
        }
        *seen.entry(judged.fault).or_default() += 1;
    }
    assert!(disagreements.is_empty(), "{} disagreements:\n{}", disagreements.len(), disagreements.join("\n"));
    assert!(seen.values().sum::<usize>() >= 1000 && seen.len() >= 25, "{seen:?}");
}
