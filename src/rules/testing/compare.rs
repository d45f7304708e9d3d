//! Expected values against those of a detection.

use serde_json::Value as Json;

use super::{super::execute::Detection, file::Case};

/// What no detection has as the case expects it; of several detections, the one that comes nearest is told about.
pub(super) fn differences(case: &Case, detections: &[Detection]) -> Vec<String> {
    let told = detections.iter().map(|detection| {
        let mut told = Vec::new();
        of_pairs("match", &case.matching, &detection.matches, &mut told);
        of_pairs("outcome", &case.outcome, &detection.outcomes, &mut told);
        told
    });
    told.min_by_key(Vec::len).unwrap_or_default()
}

fn of_pairs(what: &str, expected: &toml::Table, pairs: &[(String, Json)], told: &mut Vec<String>) {
    for (name, expected) in expected {
        let found = pairs.iter().find(|(known, _)| known == name.trim_start_matches('$'));
        let Some((_, found)) = found else {
            let known: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
            told.push(format!("{what} ${name}: there is none; there is {}", known.join(", ")));
            continue;
        };
        if !is_equal(expected, found) {
            told.push(format!("{what} ${name}: {found}, expected {}", shown(expected)));
        }
    }
}

/// Lists are equal in any order, since aggregates have none; a list of one is equal to its item.
fn is_equal(expected: &toml::Value, found: &Json) -> bool {
    match (expected, found) {
        (toml::Value::Array(expected), Json::Array(found)) => {
            let mut left: Vec<&Json> = found.iter().collect();
            expected.len() == found.len()
                && expected.iter().all(|wanted| {
                    let at = left.iter().position(|found| is_equal(wanted, found));
                    at.map(|at| left.swap_remove(at)).is_some()
                })
        }
        (expected, Json::Array(found)) => matches!(found.as_slice(), [one] if is_equal(expected, one)),
        (toml::Value::String(expected), Json::String(found)) => expected == found,
        (toml::Value::Boolean(expected), Json::Bool(found)) => expected == found,
        (toml::Value::Integer(expected), Json::Number(found)) => {
            found.as_i64().map_or_else(|| near(*expected as f64, found.as_f64()), |found| found == *expected)
        }
        (toml::Value::Float(expected), Json::Number(found)) => near(*expected, found.as_f64()),
        _ => false,
    }
}

fn near(expected: f64, found: Option<f64>) -> bool {
    found.is_some_and(|found| (expected - found).abs() <= 1e-6 * expected.abs().max(1.0))
}

fn shown(expected: &toml::Value) -> String {
    serde_json::to_string(expected).unwrap_or_else(|_| expected.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> toml::Value {
        toml::from_str::<toml::Table>(&format!("x = {text}")).unwrap().remove("x").unwrap()
    }

    #[test]
    fn numbers_texts_and_lists_are_compared_as_people_mean_them() {
        for (expected, found) in [
            ("1", "1"),
            ("1", "1.0"),
            ("0.3", "0.30000000000000004"),
            ("\"a\"", "\"a\""),
            ("\"a\"", "[\"a\"]"),
            ("[\"a\", \"b\"]", "[\"b\",\"a\"]"),
            ("[]", "[]"),
            ("true", "true"),
        ] {
            assert!(is_equal(&value(expected), &serde_json::from_str(found).unwrap()), "{expected} {found}");
        }
        for (expected, found) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("\"a\"", "[\"a\",\"a\"]"),
            ("[\"a\", \"a\"]", "[\"a\",\"b\"]"),
            ("[\"a\"]", "[]"),
            ("0.3", "0.31"),
        ] {
            assert!(!is_equal(&value(expected), &serde_json::from_str(found).unwrap()), "{expected} {found}");
        }
    }
}
