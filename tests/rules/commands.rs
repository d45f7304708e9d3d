//! `watchbell rules`: what is said, exit codes, files written.

use std::fs;

use serde_json::Value;

use super::{configure, root};
use crate::place::Place;

const RULE: &str = "rule failed_logins {\n  meta:\n    author = \"us\"\n    description = \"Failed logins\"\n    \
    severity = \"Low\"\n\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    \
    $e.security_result.action = \"BLOCK\"\n    $user = $e.target.user.userid\n\n  match:\n    $user over 10m\n\n  \
    outcome:\n    $logins = count_distinct($e.metadata.id)\n\n  condition:\n    #e >= 3\n}\n";

const LOGINS: &str = r#"
[records]
login = '''{"metadata":{"id":"AAAA","event_timestamp":"2026-01-01T00:00:00Z","event_type":"USER_LOGIN","product_name":"x"},
"target":{"user":{"userid":"alice"}},"security_result":[{"action":["BLOCK"]}]}'''
"#;

fn place() -> Place {
    let place = Place::new("");
    place.write("rules/failed_logins.yaral", RULE);
    place
}

#[test]
fn a_right_rule_checks_and_a_wrong_one_is_shown_with_its_line() {
    let place = place();
    let ran = place.run(&["rules", "check", "rules"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 rule in 1 file: 0 errors, 0 warnings\n"), "{}", ran.err);
    place.write("rules/wrong.yaral", &RULE.replace("event_type", "event_typ").replace("failed_logins", "wrong"));
    let ran = place.run(&["rules", "check", "rules"]);
    assert_eq!(ran.code, 1);
    for part in ["wrong.yaral:8:", "event_typ", "event_type", "2 rules in 2 files: 1 error, 0 warnings"] {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
    let sarif: Value = serde_json::from_str(&place.run(&["rules", "check", "rules", "--sarif"]).out).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);
    let told: Value = serde_json::from_str(&place.run(&["rules", "check", "rules", "--json"]).out).unwrap();
    assert_eq!(told["diagnostics"][0]["start"]["line"], 8, "{told}");
    assert_eq!(told["errors"], 1);
}

#[test]
fn one_name_in_two_files_is_an_error() {
    let place = place();
    place.write("rules/again.yaral", RULE);
    let ran = place.run(&["rules", "check", "rules"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("is declared in rules/again.yaral too"), "{}", ran.out);
}

#[test]
fn warnings_fail_only_when_they_shall() {
    let place = Place::new("");
    place.write("a.yaral", &RULE.replace("    severity = \"Low\"\n", ""));
    let ran = place.run(&["rules", "check", "a.yaral"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("1 warning"), "{}", ran.out);
    assert_eq!(place.run(&["rules", "check", "--strict", "a.yaral"]).code, 1);
}

#[test]
fn what_is_not_there_is_told() {
    let place = Place::new("");
    fs::create_dir(place.path("empty")).unwrap();
    for (arguments, part) in [
        (&["rules", "check", "nowhere"][..], "nowhere"),
        (&["rules", "check", "empty"], "no rules in empty"),
        (&["rules", "test", "empty"], "no tests in empty"),
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 4, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn layout_is_looked_at_and_mended() {
    let place = place();
    let crooked = RULE.replace("    $user over 10m", "  $user   over 10m").replace('\n', "\r\n");
    place.write("rules/failed_logins.yaral", &crooked);
    assert_eq!(place.run(&["rules", "fmt", "--check", "rules"]).code, 1);
    assert_eq!(fs::read_to_string(place.path("rules/failed_logins.yaral")).unwrap(), crooked);
    let ran = place.run(&["rules", "fmt", "rules"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "changed rules/failed_logins.yaral\n1 file, 1 changed\n"));
    assert_eq!(fs::read_to_string(place.path("rules/failed_logins.yaral")).unwrap(), RULE);
    assert_eq!(place.run(&["rules", "fmt", "--check", "rules"]).code, 0);
    place.write("rules/failed_logins.yaral", "rule x {");
    let ran = place.run(&["rules", "fmt", "rules"]);
    assert_eq!(ran.code, 1);
    assert_eq!(fs::read_to_string(place.path("rules/failed_logins.yaral")).unwrap(), "rule x {");
}

#[test]
fn a_run_shows_detections_with_the_events_behind_them() {
    let place = place();
    let event = |minute: u8, user: &str| {
        format!(
            "{{\"udm\":{{\"metadata\":{{\"id\":\"{}\",\"product_log_id\":\"log-{minute}\",\"event_timestamp\":\
             \"2026-01-01T00:{minute:02}:00Z\",\"event_type\":\"USER_LOGIN\"}},\"target\":{{\"user\":{{\"userid\":\"{user}\"}}}},\
             \"security_result\":[{{\"action\":[\"BLOCK\"]}}]}}}}\n",
            ["AAAA", "BBBB", "CCCC", "DDDD"][usize::from(minute % 4)]
        )
    };
    let events: String = [event(1, "alice"), event(2, "alice"), event(3, "bob"), event(4, "alice")].concat();
    place.write("events.jsonl", &events);
    let ran = place.run(&["rules", "run", "rules/failed_logins.yaral", "--events", "events.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in ["$user", "alice", "events.jsonl:1", "events.jsonl:4", "log-2", "1 detection in 4 records"] {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
    assert!(!ran.out.contains("bob") && !ran.out.contains("events.jsonl:3"), "{}", ran.out);
    let ran = place.run(&["rules", "run", "rules/failed_logins.yaral", "--events", "events.jsonl", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["detections"][0]["outcomes"]["logins"], 3, "{told}");
    assert_eq!(told["detections"][0]["match"]["user"], "alice");

    let broken = "{\"metadata\":{\"event_type\":\"LOGIN\"}}\n{\"metadata\":\n";
    place.write("events.jsonl", &format!("{broken}{events}"));
    let ran = place.run(&["rules", "run", "rules/failed_logins.yaral", "--events", "events.jsonl"]);
    assert!(ran.out.contains("1 detection in 4 records"), "{}{}", ran.out, ran.err);
    for part in ["events.jsonl:1: left out: at `/metadata/event_type`", "events.jsonl: line 2"] {
        assert!((ran.out.clone() + &ran.err).contains(part), "{part} is missing in\n{}{}", ran.out, ran.err);
    }
}

#[test]
fn tests_pass_fail_and_say_why() {
    let place = place();
    let case = "[[fires]]\nname = \"three\"\nevents = { use = \"login\", times = 3, every = \"1m\" }\ncount = 1\n\
        match = { user = \"alice\" }\n";
    place.write("rules/tests/failed_logins.toml", &format!("{LOGINS}{case}"));
    let ran = place.run(&["rules", "test", "--junit", "out/junit.xml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 case of 1 test file, 0 failed"), "{}", ran.out);

    let failing = "[[fires]]\nname = \"another type\"\nevents = { use = \"login\", times = 3, every = \"1m\", \
        set = { \"metadata.event_type\" = \"USER_LOGOUT\" } }\n\
        [[fires]]\nname = \"only two <&>\"\nevents = { use = \"login\", times = 2, every = \"1m\" }\n\
        [[fires]]\nname = \"somebody else\"\nevents = { use = \"login\", times = 3, every = \"1m\" }\n\
        match = { user = \"bob\" }\n\
        [[silent]]\nname = \"three\"\nevents = { use = \"login\", times = 3, every = \"1m\" }\n";
    place.write("rules/tests/failed_logins.toml", &format!("{LOGINS}{failing}"));
    let ran = place.run(&["rules", "test", "--junit", "out/junit.xml"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    for part in [
        "fires: another type",
        "it stayed silent",
        "it fires without line 8: $e.metadata.event_type = \"USER_LOGIN\"",
        "the events match; what is not fulfilled is the condition, line 19: #e >= 3",
        "match $user: \"alice\", expected \"bob\"",
        "silent: three",
        "it fired: ",
        "4 cases of 1 test file, 4 failed",
    ] {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
    let junit = fs::read_to_string(place.path("out/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"4\"") && junit.contains("only two &lt;&amp;&gt;"), "{junit}");
    let told: Value = serde_json::from_str(&place.run(&["rules", "test", "--json"]).out).unwrap();
    assert_eq!(told["files"][0]["cases"].as_array().unwrap().len(), 4);
}

#[test]
fn a_test_file_that_is_wrong_fails_and_names_the_place() {
    let place = place();
    for (text, part) in [
        ("[[fires]]\nname = \"a\"\ncuont = 1\n", "unknown field `cuont`"),
        ("rule = \"nobody\"\n[[fires]]\nname = \"a\"\n", "no rule `nobody`"),
        ("", "no cases"),
        ("[[fires]]\nname = \"a\"\nevents = \"nothing\"\n", "`nothing` is no JSON"),
    ] {
        place.write("rules/tests/failed_logins.toml", text);
        let ran = place.run(&["rules", "test"]);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
}

#[test]
fn shipped_rules_are_written_to_fit_and_stay_right() {
    let place = Place::new("");
    configure(&place, "product_name = \"Night \\\"Watch\\\"\"\nvendor_name = \"Acme\"\n");
    let arguments = [
        "rules",
        "export",
        "--out",
        "mine",
        "--log-source",
        "team=soc",
        "--severity",
        "medium",
        "--vendor-name",
        "Bell",
    ];
    let ran = place.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The configuration's product, the command line's vendor.
    let rule = fs::read_to_string(place.path("mine/watchbell_brute_force.yaral")).unwrap();
    for part in [
        "$e.metadata.vendor_name = \"Bell\"",
        "$e.metadata.product_name = \"Night \\\"Watch\\\"\"",
        "$e.metadata.ingestion_labels[\"team\"] = \"soc\"",
        "$e.security_result.severity = \"MEDIUM\" or",
    ] {
        assert!(rule.contains(part), "{part} is missing in\n{rule}");
    }
    for arguments in [["rules", "check", "--strict", "mine"].as_slice(), &["rules", "test", "mine"]] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}{}", ran.out, ran.err);
    }
    assert!(place.path("mine/deployment.toml").exists());

    // Again: nothing to do. After an edit: refused, and the edit is still there.
    let again = place.run(&arguments);
    assert!(again.code == 0 && again.out.starts_with("0 files written"), "{}", again.out);
    place.write("mine/watchbell_brute_force.yaral", "mine");
    let refused = place.run(&arguments);
    assert_eq!(refused.code, 4);
    assert!(refused.err.contains("watchbell_brute_force.yaral"), "{}", refused.err);
    assert_eq!(fs::read_to_string(place.path("mine/watchbell_brute_force.yaral")).unwrap(), "mine");
    let forced = place.run(&[arguments.as_slice(), &["--force"]].concat());
    assert!(forced.code == 0 && forced.out.starts_with("1 file written"), "{}{}", forced.out, forced.err);
}

#[test]
fn the_list_tells_every_rule() {
    let ran = Place::new("").run(&["rules", "list", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let files = fs::read_dir(root().join("rules")).unwrap();
    let rules = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "yaral"));
    assert_eq!(told.as_array().unwrap().len(), rules.count());
}
