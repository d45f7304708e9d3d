//! The JSON scanner against `serde_json`, on texts that are JSON, nearly JSON, and not at all.

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::json_oracle::check;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_.]{0,12}",
        "\\PC{0,20}",
        "[\\x00-\\x20\"\\\\/äé€😀\u{fffd}]{0,8}",
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}"
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5).prop_map(object),
        ]
    })
}

fn object(members: Vec<(String, Value)>) -> Value {
    Value::Object(members.into_iter().collect::<Map<_, _>>())
}

fn record() -> impl Strategy<Value = String> {
    (prop::collection::vec((text(), value()), 0..6), any::<bool>()).prop_map(|(members, pretty)| {
        let value = object(members);
        if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn json_is_read_as_serde_reads_it(record in record(), pick in any::<u64>()) {
        check(record.as_bytes(), pick);
    }

    #[test]
    fn nearly_json_is_judged_as_serde_judges_it(
        record in record(), at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 0..3), cut in 0_usize..3,
    ) {
        let mut bytes = record.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, with);
        check(&bytes, 0);
    }

    #[test]
    fn grammar_soup_is_judged_as_serde_judges_it(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ":", ",", "\"a\"", "\"b\"", "1", "-", "0", ".5", "e+", "true", "nul", "null", " ", "\n",
            "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\u12\"", "\"\\x\"", "\"", "\\", "\u{0}", "NaN", "01",
        ]), 0..14),
    ) {
        check(parts.concat().as_bytes(), 0);
        check(format!("{{\"a\":{}}}", parts.concat()).as_bytes(), 0);
    }
}

#[test]
fn known_corners() {
    for record in [
        "",
        "{",
        "{}",
        " {} ",
        "{}{}",
        "[]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":1e999}",
        "{\"a\":\"\u{7f}\"}",
        "{\"a\":\"\t\"}",
        "{\"\":1}",
        "{\"a\":\"\\ud800\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":tru}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "\u{feff}{}",
        "{\"a\":{\"b\":[{\"c\":[[\"d\"]]}]}}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":\"\\u000A\"}",
        "{\"a\":\"b\\",
        "{\"a\":1,\"a\":2}",
        "{\"ab\":1,\"a_b\":2}",
    ] {
        check(record.as_bytes(), 0);
    }
    check(b"{\"a\":\"\xff\"}", 0);
    check(b"{\"a\":\"\xed\xa0\x80\"}", 0);
    check(format!("{}{}", "{\"a\":".repeat(100), "1").as_bytes(), 0);
    check(format!("{}1{}", "{\"a\":".repeat(63), "}".repeat(63)).as_bytes(), 0);
}
