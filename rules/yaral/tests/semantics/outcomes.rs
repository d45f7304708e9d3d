//! D: outcomes and their aggregates.

use serde_json::{Value as Json, json};
use watchbell_yaral::eval::{Detection, Value};

use crate::house::{count, list, minute, number, run, second, text};

/// One detection over events on one host, with these outcomes.
fn grouped(outcome: &str, events: &[Json]) -> Detection {
    let sections =
        format!("events: $e.principal.hostname = $host match: $host over 10m outcome: {outcome} condition: $e");
    let mut found = run(&sections, events);
    assert_eq!(found.len(), 1, "{outcome}");
    found.remove(0)
}

fn on_host(at: i64, mut fields: Json) -> Json {
    fields["principal"]["hostname"] = json!("h");
    second(at, fields)
}

fn users(users: &[&str]) -> Vec<Json> {
    let one = |(at, user): (usize, &&str)| on_host(at as i64, json!({"principal": {"user": {"userid": user}}}));
    users.iter().enumerate().map(one).collect()
}

#[test]
fn d01_counts_and_lists() {
    let ids = |(at, id): (usize, &&str)| on_host(at as i64, json!({"principal": {"asset_id": id}}));
    let events: Vec<_> = ["a", "b", "b"].iter().enumerate().map(ids).collect();
    let found = run(
        "events: $event.principal.hostname = $host match: $host over 10m
         outcome: $c = count($event.principal.asset_id) $d = count_distinct($event.principal.asset_id)
         $a = array($event.principal.asset_id) $b = array_distinct($event.principal.asset_id) condition: #event > 1",
        &events,
    );
    assert_eq!((number(&found[0], "c"), number(&found[0], "d")), (3.0, 2.0));
    assert_eq!(list(&found[0], "a"), ["a", "b", "b"]);
    assert_eq!(list(&found[0], "b"), ["a", "b"]);
}

fn severities(severities: &[&str]) -> Vec<Json> {
    let one = |(at, severity): (usize, &&str)| on_host(at as i64, json!({"security_result": [{"severity": severity}]}));
    severities.iter().enumerate().map(one).collect()
}

#[test]
fn d02_d03_scores_of_ifs() {
    let outcome = r#"$x = max(100 + if($e.security_result.severity = "HIGH", 10, 5) - if($e.security_result.severity = "LOW", 20, 0))"#;
    for (given, expected) in [(&["HIGH"][..], 110.0), (&["LOW"], 85.0), (&["MEDIUM"], 105.0), (&["LOW", "HIGH"], 110.0)]
    {
        assert_eq!(number(&grouped(outcome, &severities(given)), "x"), expected, "{given:?}");
    }
    let outcome = r#"$x = max(100 + if($e.principal.namespace = "mine", 100, 50) + if($e.security_result.severity = "HIGH", 10)
        + if($e.security_result.severity = "MEDIUM", 5) + if($e.security_result.severity = "LOW", 1))"#;
    let mut mine = severities(&["HIGH"]);
    mine[0]["principal"]["namespace"] = json!("mine");
    assert_eq!(number(&grouped(outcome, &mine), "x"), 210.0);
    assert_eq!(number(&grouped(outcome, &severities(&["MEDIUM"])), "x"), 155.0);
}

#[test]
fn d04_a_score_of_one_event() {
    let sections = r#"events: $size = $e.network.received_bytes
        $d = timestamp.get_day_of_week($e.metadata.event_timestamp.seconds)
        outcome: $risk_score = if($size > 500*1024*1024, 2) + if($size > 1024*1024*1024, 3) + if($d = 1 or $d = 7, 4)
            + if($e.principal.hostname = /highly-privileged/, 5)
        condition: $e and $risk_score >= 10"#;
    const MIB: u64 = 1024 * 1024;
    // The first day of 2024 is a Monday.
    let event = |day: i64, size: u64| {
        minute(
            day * 1440,
            json!({"network": {"received_bytes": size}, "principal": {"hostname": "highly-privileged-1"}}),
        )
    };
    let sunday = run(sections, &[event(6, 600 * MIB)]);
    assert_eq!(sunday[0].risk_score, 11.0);
    assert_eq!(count(sections, &[event(1, 600 * MIB)]), 0);
    assert_eq!(run(sections, &[event(1, 2048 * MIB)])[0].risk_score, 10.0);
}

#[test]
fn d05_nested_ifs() {
    let outcome = r#"$x = max(if($e.target.hostname = "win-adfs", 5,
        if($e.target.hostname = "server", 3, if($e.target.hostname = "win-atomic", 1, 0))))"#;
    let host = |(at, host): (usize, &&str)| on_host(at as i64, json!({"target": {"hostname": host}}));
    for (given, expected) in [
        (&["win-adfs", "server"][..], 5.0),
        (&["server", "win-atomic"], 3.0),
        (&["win-atomic", "x"], 1.0),
        (&["x"], 0.0),
    ] {
        let events: Vec<_> = given.iter().enumerate().map(host).collect();
        assert_eq!(number(&grouped(outcome, &events), "x"), expected, "{given:?}");
    }
}

#[test]
fn d06_d07_unset_values_count() {
    let three = users(&["a", "b", ""]);
    assert_eq!(number(&grouped("$n = count_distinct($e.principal.user.userid)", &three), "n"), 3.0);
    let filtered = run(
        r#"events: $e.principal.hostname = $host $e.principal.user.userid != "" match: $host over 10m
           outcome: $n = count_distinct($e.principal.user.userid) condition: $e"#,
        &three,
    );
    assert_eq!(number(&filtered[0], "n"), 2.0);
    assert_eq!(list(&grouped("$x = array_distinct($e.principal.user.userid)", &users(&["", ""])), "x"), [""]);
}

#[test]
fn d08_lists_are_capped() {
    let many: Vec<String> = (0..30).map(|number| format!("user{number}")).collect();
    let many = users(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(list(&grouped("$x = array_distinct($e.principal.user.userid)", &many), "x").len(), 25);
}

/// Numbers, one in each event; they are read from text, so that they may be negative and have points.
fn numbers(numbers: &[&str]) -> Vec<Json> {
    users(numbers)
}

fn window(function: &str, ignore_zero: bool, values: &[&str]) -> Value {
    let more = if ignore_zero { ", true" } else { "" };
    let outcome = format!("$x = window.{function}(cast.as_float($e.principal.user.userid){more})");
    grouped(&outcome, &numbers(values)).value("x").unwrap().clone()
}

fn assert_near(function: &str, cases: &[(&[&str], bool, f64)]) {
    for (values, ignore_zero, expected) in cases {
        let found = window(function, *ignore_zero, values).number().unwrap();
        assert!((found - expected).abs() < 1e-4, "window.{function} of {values:?}: {found}, not {expected}");
    }
}

#[test]
fn d09_to_d14_statistics_of_a_window() {
    assert_near(
        "avg",
        &[
            (&["1", "2", "3", "4"], false, 2.5),
            (&["1.1", "2.4"], false, 1.75),
            (&["-1.1", "1.1", "0.0", "2.4"], false, 0.6),
            (&["0"], false, 0.0),
            (&["0", "0", "0", "394"], true, 394.0),
        ],
    );
    assert_near(
        "median",
        &[
            (&["1", "2", "3"], false, 2.0),
            (&["0", "0", "1", "2", "3"], false, 1.0),
            (&["0", "0", "1", "2", "3"], true, 2.0),
            (&["0", "0"], false, 0.0),
        ],
    );
    assert_near(
        "stddev",
        &[
            (&["10", "14", "18"], false, 4.0),
            (&["10.00", "14.80", "18.97"], false, 4.488_686),
            (&["-1", "-56", "-98"], false, 48.644_972),
            (&["1", "1", "1"], false, 0.0),
            (&["1", "0", "-1"], false, 1.0),
        ],
    );
    assert_near(
        "variance",
        &[
            (&["10", "14", "18"], false, 16.0),
            (&["10.00", "14.80", "18.97"], false, 20.1483),
            (&["-1", "-56", "-98"], false, 2_366.333_333),
            (&["0", "0", "0.0001"], false, 0.0),
            (&["1", "0", "-1"], false, 1.0),
        ],
    );
    for (values, ignore_zero, least, most) in [
        (&["1", "2", "3", "4"][..], false, 1.0, 4.0),
        (&["1.1", "39.4", "2.4"], false, 1.1, 39.4),
        (&["-1.1", "1.1", "0", "2.4"], false, -1.1, 2.4),
        (&["0", "0", "0", "394", "1"], true, 1.0, 394.0),
    ] {
        assert_eq!(window("range", ignore_zero, values), Value::from(vec![least, most]));
    }
    assert_eq!(window("mode", false, &["1.6", "2", "1.6"]).text(), "1.6");
}

#[test]
fn d10_of_an_even_number_the_median_is_one_of_the_middle() {
    let found = window("median", false, &["1", "2", "3", "4"]).number().unwrap();
    assert!(found == 2.0 || found == 3.0, "{found}");
}

#[test]
fn d15_first_and_last_by_a_sort_key() {
    let outcome = "$first = window.first(cast.as_int($e.target.hostname), $e.principal.user.userid)
        $last = window.last(cast.as_int($e.target.hostname), $e.principal.user.userid)";
    let mut events = users(&["v2", "v3", "v1"]);
    for (event, sort) in events.iter_mut().zip(["2", "3", "1"]) {
        event["target"] = json!({"hostname": sort});
    }
    let found = grouped(outcome, &events);
    assert_eq!((text(&found, "first").as_str(), text(&found, "last").as_str()), ("v1", "v3"));
}

#[test]
fn d16_an_outcome_of_an_outcome() {
    let outcome = r#"$n = count($e.principal.user.userid) $r = if($n > 5, "SEVERE", "MODERATE")"#;
    assert_eq!(text(&grouped(outcome, &users(&["a"; 6])), "r"), "SEVERE");
    assert_eq!(text(&grouped(outcome, &users(&["a"; 5])), "r"), "MODERATE");
}

#[test]
fn without_match_values_stand_bare() {
    let found = run(
        "events: $e.principal.hostname = \"h\" $d = $e.principal.user.department[0]
         outcome: $x = $e.principal.user.userid $y = $d $z = array_distinct($e.principal.ip) $n = arrays.length($e.principal.ip)
         condition: $e and arrays.contains($z, \"b\") and not arrays.contains($z, \"c\")",
        &[minute(0, json!({"principal": {"hostname": "h", "ip": ["a", "b"], "user": {"userid": "u", "department": ["d", "e"]}}}))],
    );
    assert_eq!((text(&found[0], "x").as_str(), text(&found[0], "y").as_str()), ("u", "d"));
    assert_eq!(list(&found[0], "z"), ["a", "b"]);
    assert_eq!(number(&found[0], "n"), 2.0);
}

#[test]
fn the_length_of_a_list_of_messages() {
    let event = minute(0, json!({"intermediary": [{"ip": ["a", "b"]}, {"ip": ["c"]}, {}], "network": {"dns": {}}}));
    let sections = "events: arrays.length($e.intermediary) = 3 arrays.length($e.intermediary.ip) = 3
        arrays.length($e.network.dns.answers) = 0 condition: $e";
    assert_eq!(count(sections, &[event]), 1);
}

#[test]
fn what_can_not_be_computed_is_noted_and_does_not_match() {
    let sections = "events: 1 / $e.target.port > 0 condition: $e";
    let data = crate::house::events_of(&[minute(0, json!({})), minute(1, json!({"target": {"port": 5}}))]);
    let found = crate::house::run_with(sections, &data, &watchbell_yaral::eval::Settings::default());
    assert_eq!(found.detections.len(), 1);
    assert_eq!(found.notes, ["a division by zero: once; such rows do not match"]);
}
