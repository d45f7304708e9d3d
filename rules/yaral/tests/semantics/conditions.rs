//! C: windows, joins, conditions. Minutes count from the start of 2024.

use serde_json::{Value as Json, json};
use watchbell_yaral::eval::{Dataset, Settings};

use crate::house::{count, events_of, list, minute, number, run, run_with, second, text, texts};

fn login(at: i64, user: &str, city: &str) -> Json {
    let location = json!({"location": {"city": city}});
    minute(
        at,
        json!({
            "metadata": {"event_type": "USER_LOGIN"},
            "principal": {"user": {"userid": user}, "location": location["location"]},
        }),
    )
}

fn of_kind(seconds: i64, kind: &str, host: &str) -> Json {
    second(seconds, json!({"metadata": {"product_event_type": kind}, "principal": {"hostname": host}}))
}

/// Statements that make `$name` the events of a kind, on one `$host`.
fn kinds(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("${name}.metadata.product_event_type = \"{name}\" ${name}.principal.hostname = $host\n"))
        .collect()
}

#[test]
fn c01_distinct_values_within_a_window() {
    let sections = r#"events: $e.metadata.event_type = "USER_LOGIN" $e.principal.user.userid = $user
        $e.principal.location.city = $city match: $user over 5m condition: $e and #city > 1"#;
    let found = run(sections, &[login(0, "A", "Paris"), login(3, "A", "Rome")]);
    assert_eq!(texts(&found, "user"), ["A"]);
    assert_eq!(count(sections, &[login(0, "A", "Paris"), login(3, "A", "Paris")]), 0);
    assert_eq!(count(sections, &[login(0, "A", "Paris"), login(10, "A", "Rome")]), 0);
    assert_eq!(count(sections, &[login(0, "A", "Paris"), login(3, "B", "Rome")]), 0);
}

#[test]
fn c02_two_events_in_order() {
    let sections = format!(
        "events: {} $create.metadata.event_timestamp.seconds <= $delete.metadata.event_timestamp.seconds
         match: $host over 4h condition: $create and $delete",
        kinds(&["create", "delete"])
    );
    for (delete, expected) in [(60, 1), (-60, 0), (300, 0)] {
        let events = [of_kind(0, "create", "h"), of_kind(delete * 60, "delete", "h")];
        assert_eq!(count(&sections, &events), expected, "{delete}");
    }
}

#[test]
fn c03_counts_of_events() {
    let events = |number: i64| (0..number).map(|at| login(at, "A", "Paris")).collect::<Vec<_>>();
    for condition in ["condition: #e >= 10", "outcome: $n = count($e.metadata.id) condition: #e > 0 and $n >= 10"] {
        let sections = format!("events: $e.principal.user.userid = $user match: $user over 10m {condition}");
        assert_eq!(count(&sections, &events(10)), 1, "{condition}");
        assert_eq!(count(&sections, &events(9)), 0, "{condition}");
    }
}

#[test]
fn c04_hop_windows_begin_a_tenth_apart() {
    let sections = format!("events: {} match: $host over 30m condition: $a", kinds(&["a"]));
    let found = run(&sections, &[of_kind(3600, "a", "h"), of_kind(3600 + 12 * 60, "a", "h")]);
    let window = (found[0].start.to_string(), found[0].end.to_string());
    assert_eq!(found.len(), 1);
    assert_eq!(window, ("2024-01-01T00:45:00Z".to_owned(), "2024-01-01T01:15:00Z".to_owned()));
}

#[test]
fn c05_tumbling_windows_cut_where_hop_windows_do_not() {
    let last = 3600 + 29 * 60 + 59;
    let sections = |window: &str| format!("events: {} match: $host {window} condition: #a > 1", kinds(&["a"]));
    let across = [of_kind(last, "a", "h"), of_kind(last + 1, "a", "h")];
    assert_eq!(count(&sections("by 30m"), &across), 0);
    assert_eq!(count(&sections("over 30m"), &across), 1);
    assert_eq!(count(&sections("by 30m"), &[of_kind(3600, "a", "h"), of_kind(last, "a", "h")]), 1);
}

#[test]
fn c06_after_the_pivot() {
    let sections =
        format!("events: {} match: $host over 1m after $proc condition: $proc and $net", kinds(&["proc", "net"]));
    for (net, expected) in [(30, 1), (120, 0), (-10, 0), (60, 1), (61, 0)] {
        assert_eq!(count(&sections, &[of_kind(0, "proc", "h"), of_kind(net, "net", "h")]), expected, "{net}");
    }
}

#[test]
fn c07_before_the_pivot() {
    let sections =
        format!("events: {} match: $host over 5m before $alert condition: $alert and $file", kinds(&["alert", "file"]));
    for (file, expected) in [(-4, 1), (-6, 0), (1, 0), (-5, 1)] {
        assert_eq!(count(&sections, &[of_kind(0, "alert", "h"), of_kind(file * 60, "file", "h")]), expected, "{file}");
    }
}

#[test]
fn c08_absence_after_the_pivot() {
    let sections = format!("events: {} match: $host over 10m after $e1 condition: $e1 and !$e2", kinds(&["e1", "e2"]));
    let e1 = of_kind(0, "e1", "h");
    assert_eq!(count(&sections, std::slice::from_ref(&e1)), 1);
    assert_eq!(count(&sections, &[e1.clone(), of_kind(300, "e2", "h")]), 0);
    assert_eq!(count(&sections, &[e1.clone(), of_kind(300, "e2", "other")]), 1);
    assert_eq!(count(&sections, &[e1.clone(), of_kind(-60, "e2", "h")]), 1);
    let found = run(&sections, &[e1, of_kind(1200, "e1", "h"), of_kind(1500, "e2", "h")]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].matched("e1").unwrap().records, [0]);
    assert!(found[0].matched("e2").unwrap().records.is_empty());
}

#[test]
fn c09_events_are_counted_and_not_copies() {
    let event = minute(0, json!({"principal": {"ip": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "hostname": "host"}}));
    let sections = |condition: &str| {
        format!("events: $e.principal.ip = $ip $h = $e.principal.hostname match: $h over 5m condition: {condition}")
    };
    assert_eq!(count(&sections("#e = 1 and #ip = 3"), std::slice::from_ref(&event)), 1);
    assert_eq!(count(&sections("#e > 1"), &[event]), 0);
}

fn record(at: i64, id: &str) -> Json {
    minute(at, json!({"metadata": {"product_log_id": id}, "principal": {"hostname": "h"}}))
}

#[test]
fn c10_one_record_does_not_stand_for_two_variables() {
    let sections = r#"events: $e1.principal.hostname = $h $e2.principal.hostname = $h match: $h over 5m
        outcome: $n = sum(if($e1.metadata.product_log_id != "", 1, 0)) condition: $e1 and $e2"#;
    let data = events_of(&[record(0, "a"), record(1, "b"), record(2, "c")]);
    let found = run_with(sections, &data, &Settings::default()).detections;
    assert_eq!(found.len(), 1);
    assert_eq!(number(&found[0], "n"), 6.0);
    let reuse = Settings { record_reuse: true, ..Settings::default() };
    assert_eq!(number(&run_with(sections, &data, &reuse).detections[0], "n"), 9.0);
}

#[test]
fn c11_joined_rows_are_pairs() {
    let sections = format!(
        "events: {} match: $host over 10m
         outcome: $n = count($failed.metadata.product_log_id) $d = count_distinct($failed.metadata.product_log_id)
         condition: #failed = 3 and #success = 2",
        kinds(&["failed", "success"])
    );
    let mut events: Vec<_> = (0..3).map(|at| of_kind(at, "failed", "h")).collect();
    events.extend((3..5).map(|at| of_kind(at, "success", "h")));
    for (at, event) in events.iter_mut().enumerate() {
        event["metadata"]["product_log_id"] = json!(at.to_string());
    }
    let found = run(&sections, &events);
    assert_eq!((number(&found[0], "n"), number(&found[0], "d")), (6.0, 3.0));
}

#[test]
fn c12_either_event() {
    let sections = format!("events: {} match: $host over 5m condition: $e1 or $e2", kinds(&["e1", "e2"]));
    let found = run(&sections, &[of_kind(0, "e1", "A"), of_kind(0, "e2", "B"), of_kind(0, "e3", "C")]);
    assert_eq!(texts(&found, "host"), ["A", "B"]);
    let both = run(&sections, &[of_kind(0, "e1", "A"), of_kind(60, "e2", "A")]);
    assert_eq!(both.len(), 1, "{both:#?}");
    assert_eq!(both[0].matched("e1").unwrap().records, [0]);
    assert_eq!(both[0].matched("e2").unwrap().records, [1]);
    assert_eq!(count(&sections, &[of_kind(0, "e3", "C")]), 0);
    let counted = sections.replace("condition:", "outcome: $n = count($e1.metadata.event_type) condition:");
    let pair = run(&counted, &[of_kind(0, "e1", "A"), of_kind(60, "e2", "A")]);
    assert_eq!(number(&pair[0], "n"), 1.0, "one row, although either could have begun it");
}

#[test]
fn c13_any_of_events_and_outcomes() {
    let sections = format!(
        "events: {} match: $host over 5m outcome: $n = count_distinct($e2.target.file.full_path)
         condition: $e1 and ANY OF [$e2, $n > 3]",
        kinds(&["e1", "e2"])
    );
    let file = |at: i64| {
        let mut event = of_kind(at, "e2", "h");
        event["target"] = json!({"file": {"full_path": "/etc/shadow"}});
        event
    };
    assert_eq!(count(&sections, &[of_kind(0, "e1", "h"), file(60)]), 1);
    assert_eq!(count(&sections, &[of_kind(0, "e1", "h")]), 0);
    assert_eq!(count(&sections, &[file(60)]), 0);
}

#[test]
fn c14_one_detection_for_a_key_and_a_window() {
    let sections = format!(
        "events: {} match: $host by 5m outcome: $risk_score = max(if($a.principal.application = \"x\", 73, 10))
         condition: $a",
        kinds(&["a"])
    );
    let mut risky = of_kind(10, "a", "h");
    risky["principal"]["application"] = json!("x");
    let found = run(&sections, &[of_kind(0, "a", "h"), risky]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].risk_score, 73.0);
}

fn entity(hours: (i64, i64), host: &str, owner: &str) -> Json {
    let time = |minutes: i64| minute(minutes, json!({}))["metadata"]["event_timestamp"].clone();
    json!({
        "metadata": {"interval": {"start_time": time(hours.0), "end_time": time(hours.1)}},
        "entity": {"hostname": host, "user": {"userid": owner}},
    })
}

fn with_entities(events: &[Json], entities: Vec<Json>) -> Dataset {
    let source = watchbell_yaral::resolve::EventSource::Entity;
    let entities = watchbell_yaral::eval::Event::read_all(source, entities).unwrap();
    Dataset { entities, ..events_of(events) }
}

#[test]
fn c15_c16_entities_count_within_their_interval() {
    let sections = "events: $e.principal.hostname = $host $g.graph.entity.hostname = $host
        match: $host over 5m outcome: $owners = array_distinct($g.graph.entity.user.userid) condition: $e and $g";
    let found = |at: i64, entities: Vec<Json>| {
        let data = with_entities(&[of_kind(at * 60, "e", "h")], entities);
        run_with(sections, &data, &Settings::default()).detections
    };
    assert_eq!(found(30, vec![entity((0, 60), "h", "a")]).len(), 1);
    assert_eq!(found(90, vec![entity((0, 60), "h", "a")]).len(), 0);
    assert_eq!(found(60, vec![entity((0, 60), "h", "a")]).len(), 0, "the end is not part of it");
    // Of two days only the own one counts, of two values for the same day both.
    let both = found(30, vec![entity((0, 60), "h", "a"), entity((0, 60), "h", "b"), entity((60, 120), "h", "c")]);
    assert_eq!(list(&both[0], "owners"), ["a", "b"]);
    let data = with_entities(
        &[of_kind(58 * 60, "e", "h"), of_kind(61 * 60, "e", "h")],
        vec![entity((0, 60), "h", "a"), entity((60, 120), "h", "b")],
    );
    let across = run_with(sections, &data, &Settings::default()).detections;
    assert_eq!(list(&across[0], "owners"), ["a", "b"], "C16: both days are tried");
}

#[test]
fn c17_at_most_ten_samples() {
    let sections = format!("events: {} match: $host over 1h condition: $a and $b", kinds(&["a", "b"]));
    let mut events: Vec<_> = (0..2).map(|at| of_kind(at, "a", "h")).collect();
    events.extend((0..15).map(|at| of_kind(at, "b", "h")));
    let found = run(&sections, &events);
    assert_eq!(found[0].matched("b").unwrap().records.len(), 15);
    let elements = found[0].collection()["collectionElements"].clone();
    let references: Vec<_> =
        elements.as_array().unwrap().iter().map(|one| one["references"].as_array().unwrap().len()).collect();
    assert_eq!(references, [2, 10]);
    assert_eq!((&elements[0]["referencesSampled"], &elements[1]["referencesSampled"]), (&json!(false), &json!(true)));
}

#[test]
fn c18_suppression_without_match() {
    let events = [of_kind(0, "e", "h1"), of_kind(120, "e", "h1"), of_kind(180, "e", "h2"), of_kind(300, "e", "h1")];
    let keyed = "events: $e.principal.hostname = $hostname outcome: $suppression_key = $hostname condition: $e
        options: suppression_window = 5m";
    let hosts = |sections: &str| {
        let found = run(sections, &events[..3]);
        found.iter().map(|one| one.matched("e").unwrap().records[0]).collect::<Vec<_>>()
    };
    assert_eq!(hosts(keyed), [0, 2]);
    assert_eq!(hosts("events: $e.principal.hostname = $hostname condition: $e options: suppression_window = 5m"), [0]);
    assert_eq!(count(keyed, &events), 3, "the window has passed for the last");
}

#[test]
fn c19_suppression_by_match_variables() {
    let sections = "events: $e.principal.hostname = $hostname $e.principal.ip = $ip match: $hostname, $ip over 10m
        condition: $e options: suppression_window = 1h";
    let event = |at: i64, ip: &str| minute(at, json!({"principal": {"hostname": "h", "ip": [ip]}}));
    let found = run_with(sections, &events_of(&[event(0, "a"), event(30, "a"), event(31, "b")]), &Settings::default());
    assert_eq!(texts(&found.detections, "ip"), ["a", "b"]);
    assert_eq!(found.notes, ["1 detections were suppressed"]);
}

#[test]
fn c20_risk_score_when_none_is_set() {
    let data = events_of(&[minute(0, json!({}))]);
    let sections = "events: $e.principal.hostname = \"\" condition: $e";
    let score =
        |alerting| run_with(sections, &data, &Settings { alerting, ..Settings::default() }).detections[0].risk_score;
    assert_eq!((score(true), score(false)), (40.0, 15.0));
}

#[test]
fn c21_predicates_of_an_absent_event_are_not_enforced() {
    let one = r#"events: $a.principal.hostname = $h $b.target.hostname = $h
        not ($a.principal.application = "s" or $b.principal.application = "s")
        match: $h over 5m condition: $a and #b >= 0"#;
    let split = r#"events: $a.principal.hostname = $h $b.target.hostname = $h
        not $a.principal.application = "s" not $b.principal.application = "s"
        match: $h over 5m condition: $a and #b >= 0"#;
    let event = minute(0, json!({"principal": {"hostname": "h", "application": "s"}}));
    assert_eq!(count(one, std::slice::from_ref(&event)), 1);
    assert_eq!(count(split, &[event]), 0);
}

#[test]
fn a123_a_placeholder_without_values_has_no_partner() {
    let sections = r#"events: $u.principal.hostname = $h $u.principal.port = $port $u.principal.ip = $ip
        $v.target.hostname = $h $v.target.ip = $ip match: $h by 5m condition: #port > 1 and #ip = 0"#;
    let from = |port: i64| minute(0, json!({"principal": {"hostname": "h", "port": port, "ip": ["a"]}}));
    let to = |ip: &str| minute(1, json!({"target": {"hostname": "h", "ip": [ip]}}));
    assert_eq!(count(sections, &[from(1), from(2)]), 1);
    assert_eq!(count(sections, &[from(1), from(2), to("b")]), 1);
    assert_eq!(count(sections, &[from(1), from(2), to("a")]), 0);
    assert_eq!(count(sections, &[from(1)]), 0);
}

#[test]
fn c22_time_of_a_detection() {
    let event = of_kind(90, "a", "h");
    let windowed = run(
        "events: $a.principal.hostname = $h $a.principal.port = $p match: $h by 1m condition: #a > 0 and #p > 0",
        std::slice::from_ref(&event),
    );
    assert_eq!(windowed[0].detection_time().to_string(), "2024-01-01T00:02:00Z");
    let single = run("events: $a.principal.hostname = \"h\" condition: $a", &[event]);
    assert_eq!(single[0].detection_time().to_string(), "2024-01-01T00:01:30Z");
}

fn detections(detections: Vec<Json>) -> Dataset {
    let source = watchbell_yaral::resolve::EventSource::Detection;
    Dataset { detections: watchbell_yaral::eval::Event::read_all(source, detections).unwrap(), ..Dataset::default() }
}

fn detection(at: i64, result: Json) -> Json {
    let time = minute(at, json!({}))["metadata"]["event_timestamp"].clone();
    json!({"id": format!("de_{at}"), "detectionTime": time, "detection": [result]})
}

#[test]
fn c23_detections_of_other_rules_add_up() {
    let sections = r#"events: $user = $d.detection.detection.variables["user"].string_val
        $r = $d.detection.detection.risk_score match: $user over 48h outcome: $c = sum($r) condition: $d and $c > 500"#;
    let scores = |scores: [i64; 2]| {
        let one = |(at, score): (usize, &i64)| {
            detection(at as i64, json!({"riskScore": score, "variables": {"user": {"stringVal": "A"}}}))
        };
        let data = detections(scores.iter().enumerate().map(one).collect());
        run_with(sections, &data, &Settings::default()).detections
    };
    assert_eq!(scores([300, 250]).len(), 1);
    assert_eq!(scores([300, 150]).len(), 0);
}

#[test]
fn c24_c25_outcomes_of_detections() {
    let result = json!({
        "outcomes": [{"key": "dest_domain", "value": "cymbal.com"}],
        "variables": {
            "dest_domain": {"type": "OUTCOME", "stringVal": "cymbal.com"},
            "outcome_ports": {"int64Seq": {"int64Vals": ["2", "3", "4"]}},
            "outcome_port": {"int64Val": "30"},
        },
    });
    let data = detections(vec![detection(0, result)]);
    let found = |statement: &str| {
        let sections = format!(
            "events: $id = $d.detection.id {statement} match: $id over 1h outcome: $n = count($d.detection.id) condition: $d"
        );
        run_with(&sections, &data, &Settings::default()).detections
    };
    let path = "$d.detection.detection";
    for statement in [
        format!("{path}.outcomes[\"dest_domain\"] = \"cymbal.com\""),
        format!("{path}.variables[\"dest_domain\"].string_val = \"cymbal.com\""),
        format!("{path}.variables[\"dest_domain\"] = \"cymbal.com\""),
        format!("{path}.variables[\"outcome_port\"].int64_val = 30"),
        format!("{path}.variables[\"outcome_ports\"].int64_seq.int64_vals[0] = 2"),
    ] {
        assert_eq!(found(&statement).len(), 1, "{statement}");
    }
    let each = found(&format!("{path}.variables[\"outcome_ports\"].int64_seq.int64_vals > 0"));
    assert_eq!(number(&each[0], "n"), 3.0);
}

#[test]
fn a_detection_can_be_read_by_a_composite_rule() {
    let first = run(
        "events: $a.principal.hostname = $h match: $h over 5m outcome: $hosts = array_distinct($a.principal.hostname)
         $n = count($a.principal.hostname) condition: $a",
        &[of_kind(0, "a", "host")],
    );
    let data = detections(vec![serde_json::to_value(&first[0]).unwrap()]);
    let sections = r#"events: $d.detection.detection.rule_name = "t"
        $h = $d.detection.detection.variables["h"].string_val
        $d.detection.detection.outcomes["hosts"] = "host"
        $d.detection.detection.detection_fields["h"] = "host"
        $d.detection.detection.variables["n"].int64_val = 1
        $d.detection.collection_elements.references.event.principal.hostname = "host"
        match: $h over 1h condition: $d"#;
    let second = run_with(sections, &data, &Settings::default()).detections;
    assert_eq!(texts(&second, "h"), ["host"]);
    assert_eq!(text(&second[0], "h"), "host");
}

#[test]
fn the_place_of_a_window_can_be_asked() {
    let sections = |than: &str| {
        format!(
            "events: $a.principal.hostname = $h match: $h by 1m condition: $a and window_start {than} \"2024-01-01 00:01:00Z\""
        )
    };
    assert_eq!(count(&sections(">="), &[of_kind(90, "a", "h")]), 1);
    assert_eq!(count(&sections("<"), &[of_kind(90, "a", "h")]), 0);
}
