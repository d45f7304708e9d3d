//! What holds of every rule and all data: against a naive reading of the definition, and against hostile input.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use watchbell_yaral::{
    eval::{Dataset, EvalError, Event, Limits, Program, Settings},
    parse,
    resolve::EventSource,
};

use crate::house::{compile, events_of, rule, run, second};

/// An event of the naive reading.
#[derive(Debug, Clone)]
struct Simple {
    seconds: i64,
    is_a: bool,
    host: usize,
}

fn simple() -> impl Strategy<Value = Simple> {
    (0_i64..400, any::<bool>(), 0_usize..3).prop_map(|(seconds, is_a, host)| Simple { seconds, is_a, host })
}

fn event(one: &Simple) -> Json {
    let kind = if one.is_a { "a" } else { "b" };
    // The host without a name is kept out, as a match variable that is unset.
    let host = ["", "h1", "h2"][one.host];
    second(one.seconds, json!({"metadata": {"product_event_type": kind}, "principal": {"hostname": host}}))
}

/// Start of the window, host, records of a, records of b.
type Group = (i64, String, BTreeSet<usize>, BTreeSet<usize>);

/// Every window, every host: what is inside, if the condition holds; then without what another one says as well.
fn naive(
    events: &[Simple],
    length: i64,
    condition: fn(usize, usize) -> bool,
    anchored: fn(usize, usize) -> bool,
) -> BTreeSet<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let step = length / 10;
    for number in -20..(500 / step) {
        let start = number * step;
        for host in 1..3 {
            let inside = |is_a: bool| -> BTreeSet<usize> {
                let fits = |one: &Simple| {
                    one.is_a == is_a && one.host == host && (start..start + length).contains(&one.seconds)
                };
                events.iter().enumerate().filter(|(_, one)| fits(one)).map(|(at, _)| at).collect()
            };
            let (a, b) = (inside(true), inside(false));
            if anchored(a.len(), b.len()) && condition(a.len(), b.len()) {
                groups.push((start, format!("h{host}"), a, b));
            }
        }
    }
    let covered = |one: &Group| {
        groups.iter().any(|other| {
            let covers = other.1 == one.1 && one.2.is_subset(&other.2) && one.3.is_subset(&other.3);
            covers && (other.2 != one.2 || other.3 != one.3 || other.0 < one.0)
        })
    };
    groups.iter().filter(|one| !covered(one)).cloned().collect()
}

fn real(events: &[Simple], length: i64, condition: &str) -> BTreeSet<Group> {
    let sections = format!(
        "events: $a.metadata.product_event_type = \"a\" $a.principal.hostname = $host
         $b.metadata.product_event_type = \"b\" $b.principal.hostname = $host
         match: $host over {}m condition: {condition}",
        length / 60
    );
    let events: Vec<_> = events.iter().map(event).collect();
    let group = |one: &watchbell_yaral::eval::Detection| {
        let records = |name: &str| one.matched(name).unwrap().records.iter().copied().collect();
        let start = one.start.as_second() - 1_704_067_200;
        (start, one.value("host").unwrap().text().into_owned(), records("a"), records("b"))
    };
    run(&sections, &events).iter().map(group).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn joins_and_windows_are_those_of_the_definition(
        events in proptest::collection::vec(simple(), 0..14),
        length in prop_oneof![Just(60_i64), Just(120), Just(300)],
    ) {
        let both: fn(usize, usize) -> bool = |a, b| a > 0 && b > 0;
        prop_assert_eq!(real(&events, length, "$a and $b"), naive(&events, length, both, both));
        prop_assert_eq!(real(&events, length, "#a > 1 and $b"), naive(&events, length, |a, b| a > 1 && b > 0, both));
        let has_a: fn(usize, usize) -> bool = |a, _| a > 0;
        prop_assert_eq!(real(&events, length, "$a and !$b"), naive(&events, length, |a, b| a > 0 && b == 0, has_a));
        prop_assert_eq!(real(&events, length, "$a and #b < 2"), naive(&events, length, |a, b| a > 0 && b < 2, has_a));
        let either: fn(usize, usize) -> bool = |a, b| a + b > 0;
        prop_assert_eq!(real(&events, length, "$a or $b"), naive(&events, length, either, either));
    }

    #[test]
    fn order_of_the_data_does_not_matter(events in proptest::collection::vec(simple(), 0..10)) {
        let ids = |events: &[Simple]| -> BTreeSet<String> {
            let events: Vec<_> = events.iter().map(event).collect();
            run("events: $a.principal.hostname = $h match: $h over 5m condition: #a > 1", &events)
                .into_iter().map(|one| one.id).collect()
        };
        let mut reversed = events.clone();
        reversed.reverse();
        prop_assert_eq!(ids(&events), ids(&reversed));
    }

    #[test]
    fn no_rule_and_no_data_panics(
        statements in proptest::collection::vec(0..STATEMENTS.len(), 1..5),
        section in 0..MATCHES.len(),
        outcomes in proptest::collection::vec(0..OUTCOMES.len(), 0..3),
        condition in 0..CONDITIONS.len(),
        events in proptest::collection::vec(0..6_usize, 0..6),
    ) {
        let outcome: String = outcomes.iter().enumerate().map(|(at, &one)| format!("$o{at} = {}\n", OUTCOMES[one])).collect();
        let outcome = if outcome.is_empty() { outcome } else { format!("outcome:\n{outcome}") };
        let statements: Vec<_> = statements.iter().map(|&at| STATEMENTS[at]).collect();
        let text = rule(&format!("events:\n{}\n{}\n{outcome}\ncondition: {}", statements.join("\n"), MATCHES[section], CONDITIONS[condition]));
        let events: Vec<_> = events.iter().enumerate().map(|(at, &one)| second(at as i64 * 40, samples(one))).collect();
        let data = Dataset {
            entities: Event::read_all(EventSource::Entity, vec![json!({"entity": {"hostname": "h", "ip": ["1", "2"]}})]).unwrap(),
            ..events_of(&events)
        };
        let limits = Limits { rows: 20_000, groups: 20_000, steps: 400_000 };
        for parsed in parse(&text).file.rules {
            let Ok(program) = Program::compile(&parsed) else { continue };
            let Ok(run) = program.run(&data, &Settings { limits, ..Settings::default() }) else { continue };
            for detection in &run.detections {
                let json = serde_json::to_value(detection).unwrap();
                prop_assert!(Event::read(EventSource::Detection, json, 0).is_ok());
            }
        }
    }
}

const STATEMENTS: &[&str] = &[
    "$a.principal.hostname = $h",
    "$b.target.hostname = $h",
    "$a.principal.ip = $ip",
    "$b.about.ip = $ip",
    "any $a.about.ip = \"1\"",
    "all $a.about.hostname != $b.principal.hostname",
    "$g.graph.entity.hostname = $h",
    "$g.graph.entity.ip = $ip",
    "$a.target.port / $a.principal.port > 0",
    "not ($a.principal.hostname = \"h\" or $b.principal.hostname = /x/)",
    "$p = strings.concat($a.principal.hostname, $h)",
    "$q = strings.to_lower($p)",
    "re.regex($a.principal.hostname, $b.principal.hostname)",
    "$a.security_result.rule_labels[\"k\"] = $h nocase",
    "$a.metadata.event_type = $b.additional.fields[\"k\"]",
    "$a.principal.hostname = $b.principal.hostname or $a.principal.hostname = $b.target.hostname",
    "$a.metadata.event_timestamp.seconds <= $b.metadata.event_timestamp.seconds",
    "arrays.length($a.about.ip) > 1",
    "$a.about.ip[1] = \"2\"",
    "$d.detection.detection.risk_score > 5",
    "$h in %l",
    "$h = %t.c",
    "9223372036854775807 + $a.target.port > 0",
    "1 = 1",
];

const MATCHES: &[&str] = &[
    "",
    "match: $h over 1m",
    "match: $h, $ip over 5m",
    "match: $h over 2m after $a",
    "match: $h over 2m before $b",
    "match: $ip by 1m",
    "match: $nothing over 1m",
];

const OUTCOMES: &[&str] = &[
    "count($a.principal.ip)",
    "max(35)",
    "$o0",
    "sum($a.target.port) / count_distinct($b.principal.hostname)",
    "array_distinct($h)",
    "if($o0 > 5, \"a\", \"b\")",
    "if(count($a.about.ip) > 1, 1)",
    "$a.principal.hostname",
    "window.avg($b.target.port, true)",
    "arrays.index_to_str(array($ip), 0 - 1)",
    "window_start",
];

const CONDITIONS: &[&str] = &[
    "$a",
    "$a and $b",
    "$a and !$b",
    "$a or $b",
    "#a > 1 and #h >= 0",
    "!$a",
    "2 of [$a, $b, #g > 0]",
    "$a and any of [$b, $o0 > 1]",
    "$a and $o0",
    "$d",
    "$h and arrays.contains($o0, \"x\")",
    "#ip != 3",
    "$a and window_start > \"2024-01-01 00:00:00Z\"",
];

fn samples(which: usize) -> Json {
    match which {
        0 => json!({}),
        1 => {
            json!({"principal": {"hostname": "h", "ip": ["1", "2"], "port": 1}, "target": {"hostname": "h", "port": 2}})
        }
        2 => json!({"about": [{"ip": ["1", "2"], "hostname": "h"}, {}, {"ip": []}], "principal": {"hostname": "("}}),
        3 => {
            json!({"security_result": [{"rule_labels": [{"key": "k", "value": "H"}]}], "principal": {"hostname": "h"}})
        }
        4 => {
            json!({"metadata": {"event_type": "USER_LOGIN"}, "additional": {"k": "USER_LOGIN"}, "target": {"hostname": "h"}})
        }
        _ => json!({"principal": {"ip": ["1"], "hostname": "h"}, "about": [{"ip": ["1", "1"]}]}),
    }
}

#[test]
fn limits_end_what_would_be_too_much() {
    let events: Vec<_> =
        (0..300).map(|at| second(at, json!({"principal": {"hostname": "h", "ip": ["1", "2", "3"]}}))).collect();
    let run = |sections: &str, limits: Limits| {
        let program = compile(&rule(sections)).unwrap();
        program.run(&events_of(&events), &Settings { limits, ..Settings::default() }).map(|run| run.detections.len())
    };
    let product =
        "events: $a.principal.hostname = $h $b.principal.hostname = $h match: $h over 1h condition: $a and $b";
    let copies = "events: $a.principal.ip != \"\" $a.principal.hostname = $h match: $h over 1h condition: $a";
    let single = "events: $a.principal.hostname = \"h\" condition: $a";
    let limits = Limits::default();
    let ended = |result: Result<usize, EvalError>| match result {
        Err(EvalError::TooLarge { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(ended(run(product, Limits { rows: 5000, ..limits })), "rows");
    assert_eq!(ended(run(copies, Limits { rows: 500, ..limits })), "rows");
    assert_eq!(ended(run(single, Limits { groups: 100, ..limits })), "groups");
    assert_eq!(ended(run(single, Limits { steps: 100, ..limits })), "steps");
    assert_eq!(run(single, limits), Ok(300));
}

#[test]
fn many_copies_are_refused_before_they_are_made() {
    let many: Vec<_> = (0..2000).map(|at| at.to_string()).collect();
    let event = second(0, json!({"principal": {"ip": many, "mac": many, "nat_ip": many}}));
    let program =
        compile(&rule("events: $a.principal.ip != $a.principal.mac $a.principal.nat_ip != \"\" condition: $a"))
            .unwrap();
    let result = program.run(&events_of(&[event]), &Settings::default());
    assert!(matches!(result, Err(EvalError::TooLarge { limit: "rows", .. })), "{result:?}");
}

#[test]
fn joins_by_equality_do_not_look_at_all_pairs() {
    const EVENTS: i64 = 3000;
    let kind = |at: i64| if at % 2 == 0 { "a" } else { "b" };
    let event = |at: i64| {
        let host = format!("h{}", at / 2);
        second(at, json!({"metadata": {"product_event_type": kind(at)}, "principal": {"hostname": host}}))
    };
    let events: Vec<_> = (0..EVENTS).map(event).collect();
    let program = compile(&rule(
        "events: $a.metadata.product_event_type = \"a\" $b.metadata.product_event_type = \"b\"
         $a.principal.hostname = $b.principal.hostname or $a.principal.hostname = $b.target.hostname
         $a.principal.hostname = $h match: $h over 1h condition: $a and $b",
    ))
    .unwrap();
    // All pairs would be two million steps and more.
    let limits = Limits { steps: 200_000, ..Limits::default() };
    let run = program.run(&events_of(&events), &Settings { limits, ..Settings::default() }).unwrap();
    assert_eq!(run.detections.len(), 1500);
}
