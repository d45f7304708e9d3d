//! What the JSON scanner must do with any text, told by `serde_json`; shared by the property tests and the fuzzer.
//!
//! The scanner accepts three things more than `serde_json`, each with a complaint: surrogates without a partner, bytes
//! that are no UTF-8, and NULs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::Value;
use watchbell::parse::json::parse_json_record;
use watchbell::parse::{ComplaintReason, EventBatch, EventBuilder, FieldTable, ParseOptions, Slot};

/// Longer names are not kept by the scanner.
const MAX_PATH: usize = 200;
/// Values that count as none.
const NOTHING: [&str; 8] = ["-", "?", "n/a", "na", "null", "(null)", "none", "undefined"];

/// Checks one record; `pick` chooses which of its values are looked at.
pub(crate) fn check(record: &[u8], pick: u64) {
    let batch = read(record, BTreeMap::new());
    assert_eq!(batch.records, 1);
    let accepted = batch.events.len() == 1;
    let lost = batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()).count();
    assert_eq!(lost, usize::from(!accepted), "a record is either an event or has one complaint that loses it");
    let has = |reason| batch.complaints.iter().any(|complaint| complaint.reason == reason);
    let mended = has(ComplaintReason::Encoding) || has(ComplaintReason::Nul);
    match serde_json::from_slice::<Value>(record) {
        Ok(value) if value.is_object() => {
            assert!(accepted || has(ComplaintReason::TooDeep), "serde_json accepts: {:?}", batch.complaints);
            if accepted && !has(ComplaintReason::DuplicateKey) {
                check_values(record, &value, pick);
            }
        }
        Ok(_) => assert!(!accepted, "only objects are records"),
        // serde_json reads numbers into a double and refuses those that do not fit; the scanner keeps their letters.
        Err(error) => assert!(!accepted || mended || error.to_string().starts_with("number out of range"), "{error}"),
    }
}

fn read(record: &[u8], fields: BTreeMap<Slot, Vec<String>>) -> EventBatch {
    let options = ParseOptions { fields, ..ParseOptions::default() };
    let mut builder = EventBuilder::new(Arc::new(FieldTable::new(&options.fields)), &options);
    parse_json_record(record, 0..record.len(), 0, &mut builder);
    builder.take(0, 1, record.to_vec())
}

/// Maps some of the record's values to a slot, one after another, and looks what arrives there.
fn check_values(record: &[u8], value: &Value, pick: u64) {
    let mut leaves = Vec::new();
    if !flatten("", value, &mut leaves) {
        return;
    }
    let mut seen = HashSet::new();
    let unique: Vec<bool> = leaves.iter().map(|(path, _)| seen.insert(normalize(path))).collect();
    if unique.contains(&false) {
        return;
    }
    for step in 0..3_u64.min(leaves.len() as u64) {
        let (path, expected) = &leaves[(pick.wrapping_add(step) % leaves.len() as u64) as usize];
        let text = match expected {
            Value::String(text) => text.replace('\0', ""),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        let is_number = expected.is_number();
        let absent = text.trim().is_empty() || NOTHING.iter().any(|word| word.eq_ignore_ascii_case(&text));
        if path.len() > MAX_PATH || absent {
            continue;
        }
        let batch = read(record, BTreeMap::from([(Slot::User, vec![path.clone()])]));
        let found = batch.text(batch.events[0].user);
        if is_number {
            // serde_json's doubles are off by their last bit now and then.
            let (found, told) = (found.parse::<f64>().unwrap(), text.parse::<f64>().unwrap());
            assert!((found - told).abs() <= told.abs() * 1e-12, "{path}: {found} {told}");
        } else {
            assert_eq!(found, text, "{path}");
        }
    }
}

/// The leaves with their names; false where the scanner's names are not those of the tree.
fn flatten(path: &str, value: &Value, leaves: &mut Vec<(String, Value)>) -> bool {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(map) => map.iter().all(|(name, value)| {
            !normalize(name).is_empty() && !name.contains('\0') && flatten(&join(name), value, leaves)
        }),
        Value::Array(list) => {
            let pairs = list.iter().any(|element| element.as_object().is_some_and(|map| map.len() > 1));
            !pairs
                && list.len() < 8
                && list.iter().zip(0..).all(|(value, number)| flatten(&join(&number.to_string()), value, leaves))
        }
        leaf => {
            leaves.push((path.to_owned(), leaf.clone()));
            !path.is_empty()
        }
    }
}

/// Names that the table takes for one, with the first element of an array taken for the array.
fn normalize(path: &str) -> String {
    let letters = path.to_ascii_lowercase().replace(['_', '-', ' ', '@', '#', '$'], "");
    letters.split('.').filter(|part| *part != "0").collect::<Vec<_>>().join(".")
}
