//! B: copies of events, filters, placeholders.

use serde_json::{Value as Json, json};

use crate::house::{compile, count, events_of, list, minute, number, rule, run, run_with, text, texts};
use watchbell_yaral::eval::{CompileError, Settings};

fn e1() -> Json {
    minute(0, json!({"principal": {"ip": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "hostname": "host"}}))
}

fn e2() -> Json {
    let alice = json!({"ip": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "hostname": "alice"});
    minute(0, json!({"about": [alice, {"hostname": "bob"}]}))
}

fn e3() -> Json {
    minute(0, json!({"principal": {"application": "app"}, "target": {"ip": ["192.0.2.20", "192.0.2.28"]}}))
}

fn e4() -> Json {
    let results = json!([{"action": ["ALLOW", "FAIL"]}, {"action": ["CHALLENGE", "BLOCK"]}]);
    minute(0, json!({"principal": {"application": "app", "hostname": "google.com"}, "security_result": results}))
}

fn e5() -> Json {
    let labels = json!([{"key": "k", "value": "val1"}, {"key": "k", "value": "val2"}]);
    let result = |value: &str| json!({"rule_labels": [{"key": "k", "value": value}]});
    minute(0, json!({"metadata": {"ingestion_labels": labels}, "security_result": [result("val3"), result("val4")]}))
}

/// How many detections a rule of one event without match has.
fn filter(statements: &str, event: &Json) -> usize {
    count(&format!("events:\n{statements}\ncondition: $e"), std::slice::from_ref(event))
}

fn assert_filters(event: &Json, expected: &[(&str, &str, usize)]) {
    for (id, statements, detections) in expected {
        assert_eq!(filter(statements, event), *detections, "{id}: {statements}");
    }
}

#[test]
fn b01_to_b06_lists_copy_by_copy_and_as_a_whole() {
    assert_filters(
        &e1(),
        &[
            ("B01", r#"net.ip_in_range_cidr($e.principal.ip,"192.0.2.0/8") $e.principal.ip = "192.0.2.1""#, 1),
            ("B02", r#"$e.principal.ip = "192.0.2.1" $e.principal.ip = "192.0.2.2""#, 0),
            ("B03", r#"any $e.principal.ip = "192.0.2.1" $e.principal.ip = "192.0.2.3""#, 1),
            ("B04", r#"net.ip_in_range_cidr(all $e.principal.ip,"192.0.2.0/8")"#, 1),
            ("B04", r#"all $e.principal.ip = "192.0.2.2""#, 0),
            ("B05", r#"any $e.principal.ip = "9.9.9.9""#, 0),
            ("B06", r#"not all $e.principal.ip = "192.0.2.2""#, 1),
            ("B06", r#"all $e.principal.ip != "192.0.2.2""#, 0),
            ("B06", r#"all $e.principal.ip != "192.0.2.9""#, 1),
        ],
    );
}

#[test]
fn an_empty_list_satisfies_all_and_not_any() {
    let event = minute(0, json!({}));
    assert_filters(
        &event,
        &[
            ("U", r#"all $e.principal.ip = "x""#, 1),
            ("U", r#"any $e.principal.ip = """#, 0),
            ("U", r#"$e.principal.ip = """#, 1),
        ],
    );
}

#[test]
fn b07_one_host_of_three_addresses_is_one_match() {
    let found = run(
        r#"events: $ip = $e.principal.ip $ip = "192.0.2.1" $h = $e.principal.hostname match: $h over 5m condition: $e"#,
        &[e1()],
    );
    assert_eq!(texts(&found, "h"), ["host"]);
    assert_eq!(found[0].matched("e").unwrap().samples.len(), 1);
}

#[test]
fn b08_each_address_is_a_match() {
    let found = run(
        r#"events: $ip = $e.principal.ip net.ip_in_range_cidr($ip,"192.0.2.0/8") match: $ip over 5m condition: $e"#,
        &[e1()],
    );
    assert_eq!(texts(&found, "ip"), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert!(found.iter().all(|one| one.matched("e").unwrap().samples.len() == 1));
}

#[test]
fn b09_the_sample_is_the_event_and_not_its_copy() {
    let found = run(
        r#"events: $ip = $e.principal.ip $ip = "192.0.2.1" or $ip = "192.0.2.2" $h = $e.principal.hostname
           match: $h over 5m outcome: $o = array_distinct($ip) condition: $e"#,
        &[e1()],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(list(&found[0], "o"), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(found[0].matched("e").unwrap().samples[0]["principal"]["ip"].as_array().unwrap().len(), 3);
}

#[test]
fn b10_to_b12_paths_through_one_message_share_its_item() {
    assert_filters(
        &e2(),
        &[
            ("B10", r#"$e.about.ip = "192.0.2.1" $e.about.hostname = "bob""#, 0),
            ("B11", r#"$e.about.ip = "192.0.2.1" $e.about[1].hostname = "bob""#, 1),
            ("B12", r#"$e.about.ip = "" $e.about.hostname = "bob""#, 1),
            ("B12", r#"$e.about.ip = "" $e.about.hostname = "alice""#, 0),
        ],
    );
}

#[test]
fn b13_an_index_past_the_end_is_unset() {
    assert_filters(
        &e1(),
        &[("B13", r#"$e.principal.ip[0] = "192.0.2.1""#, 1), ("B13", r#"$e.principal.ip[999] = """#, 1)],
    );
}

#[test]
fn b14_to_b17_aggregates_see_the_copies() {
    let with = |event: Json, outcome: &str| {
        let sections =
            format!("events: $app = $e.principal.application match: $app over 10m outcome: {outcome} condition: $e");
        let mut found = run(&sections, &[event]);
        assert_eq!(found.len(), 1, "{sections}");
        found.remove(0)
    };
    assert_eq!(number(&with(e3(), "$c = count($e.target.ip)"), "c"), 2.0, "B14");
    assert_eq!(number(&with(e4(), "$c = count($e.security_result.action)"), "c"), 4.0, "B15");
    let both = with(e4(), "$h = array($e.principal.hostname) $c = count($e.security_result.action)");
    assert_eq!(list(&both, "h"), ["google.com"; 4], "B16");
    let both = with(e4(), "$h = array_distinct($e.principal.hostname) $c = count($e.security_result.action)");
    assert_eq!(list(&both, "h"), ["google.com"], "B16");
    assert_eq!(list(&with(e4(), "$h = array($e.principal.hostname)"), "h"), ["google.com"], "B17");
}

#[test]
fn b18_lists_apart_multiply() {
    let event = minute(0, json!({"principal": {"ip": ["a", "b", "c"]}, "target": {"ip": ["x", "y"]}}));
    let found = run(
        r#"events: $e.principal.ip != "" $e.target.ip != "" $t = $e.metadata.id match: $t over 5m
           outcome: $n = count($e.target.ip) $p = count_distinct($e.principal.ip) $q = count_distinct($e.target.ip)
           condition: $e"#,
        &[event],
    );
    assert_eq!((number(&found[0], "n"), number(&found[0], "p"), number(&found[0], "q")), (6.0, 3.0, 2.0));
}

#[test]
fn b19_b20_of_several_keys_the_first_counts() {
    assert_filters(
        &e5(),
        &[
            ("B19", r#"$e.metadata.ingestion_labels["k"] = "val1""#, 1),
            ("B19", r#"$e.metadata.ingestion_labels["k"] = "val2""#, 0),
            ("B20", r#"$e.security_result.rule_labels["k"] = "val3""#, 1),
            ("B20", r#"$e.security_result.rule_labels["k"] = "val4""#, 0),
            ("4.2", r#"$e.security_result.rule_labels["none"] = """#, 1),
        ],
    );
}

#[test]
fn b21_all_of_a_list_beside_each_of_it() {
    let sections =
        r#"events: all $e.principal.ip != "100.97.16.0" $e.principal.ip = $ip match: $ip over 5m condition: $e"#;
    let event = |ips: &[&str]| minute(0, json!({"principal": {"ip": ips}}));
    assert_eq!(count(sections, &[event(&["100.97.16.1", "100.97.16.2", "100.97.16.3"])]), 3);
    assert_eq!(count(sections, &[event(&["100.97.16.1", "100.97.16.2", "100.97.16.0"])]), 0);
}

/// A login of charlie to two addresses.
pub(crate) fn b22() -> Json {
    minute(
        0,
        json!({
            "metadata": {"event_type": "USER_LOGIN"},
            "principal": {"user": {"userid": "charlie"}},
            "target": {"ip": ["192.0.2.135", "192.0.2.136"]},
            "security_result": [{"action": ["ALLOW"]}],
        }),
    )
}

#[test]
fn b22_one_match_for_each_pair() {
    let found = run(
        r#"events: $e.metadata.event_type = "USER_LOGIN" all $e.security_result.action != "BLOCK"
           $user = $e.principal.user.userid $ip = $e.target.ip match: $user, $ip over 1h condition: $e"#,
        &[b22()],
    );
    assert_eq!(texts(&found, "user"), ["charlie", "charlie"]);
    assert_eq!(texts(&found, "ip"), ["192.0.2.135", "192.0.2.136"]);
}

#[test]
fn b23_unset_equals_unset_in_a_join() {
    let sections = "events: $a.principal.hostname = $b.target.hostname condition: $a and $b";
    assert_eq!(count(sections, &[minute(0, json!({})), minute(1, json!({}))]), 2);
}

#[test]
fn b24_what_is_unset_differs_from_any_text() {
    assert_eq!(filter(r#"$e.principal.user.userid != "Guest""#, &minute(0, json!({}))), 1);
}

#[test]
fn b25_b26_unset_match_variables_are_kept_out() {
    let event = minute(0, json!({}));
    let sections = "events: $h = $e.principal.hostname match: $h over 5m condition: $e";
    assert_eq!(count(sections, std::slice::from_ref(&event)), 0);
    assert_eq!(count(&format!("{sections} options: allow_zero_values = true"), std::slice::from_ref(&event)), 1);
    let function = r#"events: $h = re.capture($e.principal.hostname,"x") match: $h over 5m condition: $e"#;
    assert_eq!(texts(&run(function, &[event]), "h"), [""]);
    let other = "events: $h = $e.principal.hostname $o = $e.principal.ip match: $h over 5m condition: $e";
    assert_eq!(count(other, &[minute(0, json!({"principal": {"hostname": "h"}}))]), 1);
}

#[test]
fn b27_b28_precedence() {
    let event = |hostname: &str, application: &str| {
        minute(0, json!({"principal": {"hostname": hostname, "application": application}}))
    };
    let two = "$e.principal.hostname = \"bat\" or $e.principal.hostname = \"baz\"\n$e.principal.application = \"bar\"";
    assert_eq!(filter(two, &event("bat", "other")), 0);
    assert_eq!(filter(two, &event("bat", "bar")), 1);
    let one = r#"$e.principal.hostname = "x" or $e.principal.application = "y" and $e.principal.namespace = "z""#;
    assert_eq!(filter(one, &event("x", "no")), 1);
}

#[test]
fn b29_enums_have_the_order_of_their_numbers() {
    let sections =
        r#"$e.metadata.event_type >= "USER_UNCATEGORIZED" and $e.metadata.event_type <= "USER_RESOURCE_DELETION""#;
    let event = |kind: &str| minute(0, json!({"metadata": {"event_type": kind}}));
    assert_eq!(filter(sections, &event("USER_STATS")), 1);
    assert_eq!(filter(sections, &event("NETWORK_DNS")), 0);
}

#[test]
fn b30_to_b32_patterns() {
    let host = |name: &str| minute(0, json!({"principal": {"hostname": name}}));
    for name in ["fullest", "lawfull", "joyfully"] {
        assert_eq!(filter("$e.principal.hostname = /full/", &host(name)), 1);
        assert_eq!(filter("$e.principal.hostname = /^full$/", &host(name)), 0);
    }
    assert_eq!(filter("$e.principal.hostname = /^full$/", &host("full")), 1);
    assert_eq!(filter("$e.principal.hostname != /full/", &host("full")), 0);
    assert_eq!(filter(r#"$e.principal.hostname != "http-server" nocase"#, &host("HTTP-Server")), 0);
    assert_eq!(filter("$e.principal.hostname = /dns-SERVER-[0-9]+/ nocase", &host("dns-server-7")), 1);
    let rule = r#"$e.metadata.event_type = "PROCESS_LAUNCH"
        re.regex($e.target.process.command_line, `\bsvchost(\.exe)?\b`) nocase
        not re.regex($e.target.process.command_line, `\\Windows\\System32\\`) nocase"#;
    let launch = |line: &str| {
        minute(0, json!({"metadata": {"event_type": "PROCESS_LAUNCH"}, "target": {"process": {"command_line": line}}}))
    };
    assert_eq!(filter(rule, &launch(r"C:\Temp\svchost.exe")), 1);
    assert_eq!(filter(rule, &launch(r"C:\Windows\System32\svchost.exe")), 0);
}

#[test]
fn b33_without_match_each_event_is_a_detection() {
    let events = [minute(0, json!({})), minute(0, json!({})), e1()];
    assert_eq!(count("events: $e.principal.namespace = \"\" condition: $e", &events), 3);
    let many = count("events: $e.principal.namespace = \"\" $e.principal.ip != \"x\" condition: $e", &[e1()]);
    assert_eq!(many, 1, "however many copies match");
}

#[test]
fn b34_if_binds_and_its_zero_value_counts() {
    let sections = r#"events: $ip = if($e.target.ip != "", $e.target.ip, if($e.principal.ip != "", $e.principal.ip, "none"))
        match: $ip over 5m condition: $e"#;
    assert_eq!(texts(&run(sections, &[minute(0, json!({}))]), "ip"), ["none"]);
    let found = run(sections, &[minute(0, json!({"target": {"ip": ["1.1.1.1"]}}))]);
    assert_eq!(text(&found[0], "ip"), "1.1.1.1");
}

#[test]
fn b35_coalesce_takes_the_first_that_is_set() {
    let event = minute(0, json!({"network": {"email": {"from": "", "to": ["s@x"]}}}));
    let statement = r#""s@x" = strings.coalesce($e.network.email.from, $e.network.email.to)"#;
    assert_eq!(filter(statement, &event), 1);
}

#[test]
fn a_placeholder_of_each_alternative_has_the_values_of_those_that_hold() {
    let both = minute(0, json!({"principal": {"hostname": "a"}, "target": {"hostname": "b"}}));
    let found = |events: &str, event: &Json| {
        let sections = format!("events: {events} match: $h over 5m condition: $e");
        texts(&run(&sections, std::slice::from_ref(event)), "h")
    };
    let either = "($e.principal.hostname = $h or $h = $e.target.hostname)";
    assert_eq!(found(either, &both), ["a", "b"]);
    assert_eq!(found(&format!("{either} $h != \"a\""), &both), ["b"]);
    // Equal values are one copy, unset ones are kept out as ever.
    assert_eq!(found(either, &minute(0, json!({"target": {"hostname": "b"}}))), ["b"]);
    let same = minute(0, json!({"principal": {"hostname": "a"}, "target": {"hostname": "a"}}));
    assert_eq!(found(either, &same), ["a"]);
    let chosen = "(($e.target.hostname = \"b\" and $e.principal.hostname = $h)
        or ($e.target.hostname = \"c\" and $e.target.hostname = $h))";
    assert_eq!(found(chosen, &both), ["a"]);
    assert_eq!(found("$h = $e.principal.hostname nocase", &both), ["a"]);
}

#[test]
fn events_join_by_a_placeholder_of_alternatives() {
    let events = [
        minute(0, json!({"principal": {"hostname": "a"}, "target": {"hostname": "b"}})),
        minute(1, json!({"src": {"hostname": "b"}})),
    ];
    let sections = "events: ($e.principal.hostname = $h or $e.target.hostname = $h) $f.src.hostname = $h
        $e.principal.hostname != \"\" match: $h over 5m condition: $e and $f";
    assert_eq!(texts(&run(sections, &events), "h"), ["b"]);
}

#[test]
fn a_placeholder_of_some_alternatives_is_for_the_service() {
    let each_another = "($e.principal.hostname = $h and $e.src.ip = $f.src.ip)
        or ($f.principal.hostname = $h and $e.src.ip = $f.src.ip)";
    for events in ["($e.principal.hostname = $h or $e.target.hostname = \"x\")", each_another] {
        let condition = if events.contains("$f") { "$e and $f" } else { "$e" };
        let refused =
            compile(&rule(&format!("events: {events} match: $h over 5m condition: {condition}"))).unwrap_err();
        assert!(matches!(&refused, CompileError::NotOffline { what, .. } if what == "$h"), "{refused}");
    }
}

#[test]
fn what_only_the_service_can_tell_is_said_so() {
    let host = "$e.principal.hostname = $h";
    for (sections, expected) in [
        ("events: $e.principal is null condition: $e".to_owned(), "principal"),
        (
            format!("events: {host} match: $h over 5m outcome: $o = array_distinct($e.principal) condition: $e"),
            "principal",
        ),
        (format!("events: {host} match: $h over 5m outcome: $o = array_distinct(%t.a) condition: $e"), "%t"),
        (
            format!("events: {host} $f.principal.hostname = $h match: $h over 5m after $e condition: $e or $f"),
            "the window around $e",
        ),
        (
            "setup: graph_override($g.graph.entity.hostname = %a.x and $g.graph.entity.ip = %b.x)
             events: $g.graph.entity.hostname = $h $e.principal.hostname = $h match: $h over 5m condition: $e and $g"
                .to_owned(),
            "%b",
        ),
        (format!("events: {host} no.such($h) = \"x\" condition: $e"), "no.such"),
    ] {
        let refused = compile(&rule(&sections)).unwrap_err();
        assert!(
            matches!(&refused, CompileError::NotOffline { what, .. } if what == expected),
            "{sections}\n{refused:?}"
        );
    }
}

#[test]
fn a_field_that_only_the_service_sets_is_unset() {
    let agent = "$e.network.http.parsed_user_agent";
    let found = |statement: &str| {
        let sections = format!("events: {statement} condition: $e");
        run_with(&sections, &events_of(&[minute(0, json!({}))]), &Settings::default())
    };
    let equal = found(&format!("{agent}.os = \"Windows\""));
    assert!(equal.detections.is_empty());
    assert_eq!(
        equal.notes,
        ["network.http.parsed_user_agent.os is computed by the service, and is read as unset here"]
    );
    assert_eq!(found(&format!("{agent}.os = \"\"")).detections.len(), 1);
    assert_eq!(found(&format!("{agent}.os != \"x\" and $o = {agent}.os")).detections.len(), 1);
}

#[test]
fn equal_events_give_ids_of_their_own() {
    let event = minute(0, json!({"principal": {"hostname": "a"}}));
    let other = minute(0, json!({"principal": {"hostname": "b"}}));
    let ids = |events: &[Json]| -> Vec<String> {
        let found = run("events: $e.principal.hostname != \"\" condition: $e", events);
        let mut ids: Vec<_> = found.into_iter().map(|one| one.id).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    let three = ids(&[event.clone(), other.clone(), event.clone(), event.clone()]);
    assert_eq!(three.len(), 4);
    assert_eq!(three, ids(&[event.clone(), event.clone(), event.clone(), other]));
    // The first keeps the id that it has alone.
    assert!(three.contains(&ids(&[event])[0]));
}
