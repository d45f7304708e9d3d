//! T and M: reference lists, data tables, changes of the entity graph, metrics.

use serde_json::{Value as Json, json};
use watchbell_yaral::{
    eval::{Column, DataTable, Dataset, EvalError, Event, ListKind, ReferenceList, Settings},
    resolve::EventSource,
};

use crate::{
    copies::b22,
    house::{compile, events_of, minute, rule, run_with, text, texts},
};

fn table(columns: &[(&str, ListKind, Option<&str>)], rows: &[&[&str]]) -> DataTable {
    let column = |&(name, kind, field): &(&str, ListKind, Option<&str>)| Column {
        kind,
        field: field.map(str::to_owned),
        ..Column::text(name)
    };
    let row = |row: &&[&str]| row.iter().map(|&cell| cell.to_owned()).collect();
    DataTable { columns: columns.iter().map(column).collect(), rows: rows.iter().map(row).collect() }
}

fn with_table(events: &[Json], name: &str, table: DataTable) -> Dataset {
    Dataset { tables: [(name.to_owned(), table)].into(), ..events_of(events) }
}

fn host(name: &str) -> Json {
    minute(0, json!({"principal": {"hostname": name, "ip": ["10.2.3.4"]}}))
}

#[test]
fn t01_t02_reference_lists() {
    let in_list = |statement: &str, kind, lines: &str, event: Json| {
        let list = ReferenceList::parse(kind, lines);
        let data = Dataset { lists: [("l".to_owned(), list)].into(), ..events_of(&[event]) };
        let sections = format!("events: {statement} condition: $e");
        run_with(&sections, &data, &Settings::default()).detections.len()
    };
    let name = "$e.principal.hostname";
    assert_eq!(in_list(&format!("{name} in %l"), ListKind::String, "Host1", host("Host1")), 1);
    assert_eq!(in_list(&format!("{name} in %l"), ListKind::String, "Host1", host("host1")), 0);
    assert_eq!(in_list(&format!("{name} in %l nocase"), ListKind::String, "Host1", host("host1")), 1);
    assert_eq!(in_list(&format!("{name} in regex %l"), ListKind::Regex, "^web", host("webserver")), 1);
    assert_eq!(in_list(&format!("not {name} in regex %l"), ListKind::Regex, "^web", host("webserver")), 0);
    assert_eq!(in_list("$e.principal.ip in cidr %l", ListKind::Cidr, "10.0.0.0/8", host("h")), 1);
    assert_eq!(
        in_list("$e.target.ip in cidr %l", ListKind::Cidr, "10.0.0.0/8", host("h")),
        0,
        "unset is in no network"
    );
}

#[test]
fn t03_the_text_of_a_list() {
    assert_eq!(ReferenceList::parse(ListKind::String, r"a/\/b // note").entries, ["a//b"]);
}

#[test]
fn t04_columns_apart_and_rows_together() {
    let plain = |name| (name, ListKind::String, None);
    let bad = table(&[plain("hostname"), plain("ip")], &[&["h1", "1.1.1.1"], &["h2", "2.2.2.2"]]);
    let found = |statements: &str, ip: &str| {
        let event = minute(0, json!({"target": {"hostname": "h1", "ip": [ip]}}));
        let data = with_table(&[event], "badApps", bad.clone());
        let sections = format!("events: $h = $e.target.hostname {statements} match: $h over 1h condition: $e");
        run_with(&sections, &data, &Settings::default()).detections.len()
    };
    let apart = "$e.target.hostname in %badApps.hostname $e.target.ip in %badApps.ip";
    let together = "$e.target.hostname = %badApps.hostname $e.target.ip = %badApps.ip";
    assert_eq!(found(apart, "2.2.2.2"), 1);
    assert_eq!(found(together, "2.2.2.2"), 0);
    assert_eq!(found(together, "1.1.1.1"), 1);
}

fn login(user: &str, host: &str) -> Json {
    minute(0, json!({"principal": {"user": {"userid": user}, "hostname": host}}))
}

fn people() -> DataTable {
    let plain = |name| (name, ListKind::String, None);
    table(
        &[plain("uid"), plain("title"), plain("hostname")],
        &[&["32452", "HR", "host1"], &["64452", "Finance", "host2"], &["46364", "IT", "host3"]],
    )
}

#[test]
fn t05_a_placeholder_equals_a_column() {
    let events = [login("32452", "host1"), login("64589", "host9"), login("87352", "host4")];
    let sections = "events: $e.principal.user.userid = $userid %t.uid = $userid $e.principal.hostname = %t.hostname
        match: $userid over 1h outcome: $title = array_distinct(%t.title) condition: $e";
    let found = run_with(sections, &with_table(&events, "t", people()), &Settings::default()).detections;
    assert_eq!(texts(&found, "userid"), ["32452"]);
    assert_eq!(text(&found[0], "title"), "HR");
}

#[test]
fn cells_with_several_values_are_lists() {
    let mut people = people();
    people.columns[2].repeated = true;
    people.rows[0][2] = "host1|host7".to_owned();
    let sections = "events: $e.principal.user.userid = $userid %t.uid = $userid $e.principal.hostname = %t.hostname
        match: $userid over 1h condition: $e";
    let found = |host: &str| {
        let data = with_table(&[login("32452", host)], "t", people.clone());
        run_with(sections, &data, &Settings::default()).detections.len()
    };
    assert_eq!((found("host1"), found("host7"), found("host1|host7")), (1, 1, 0));
}

#[test]
fn t06_literals_filter_the_table_once_for_the_whole_rule() {
    let sections = |second: &str| {
        format!(
            "events: $a.principal.user.userid = $u $b.principal.user.userid = $u
             $a.principal.hostname = %t.hostname %t.title = \"HR\" {second} match: $u over 1h condition: $a and $b"
        )
    };
    let data = with_table(&[login("u", "host1"), login("u", "host1")], "t", people());
    let found = |second: &str| run_with(&sections(second), &data, &Settings::default()).detections.len();
    assert_eq!(found("$b.principal.hostname = %t.hostname"), 1);
    assert_eq!(found("$b.principal.hostname = %t.hostname %t.title != \"HR\""), 0);
}

#[test]
fn t07_rows_are_written_for_each_detection() {
    let sections = "events: $user = $e.principal.user.userid $ip = $e.target.ip match: $user, $ip over 1h condition: $e
        export: %s.write_row(user:$user, ip:$ip)";
    let run = run_with(sections, &events_of(&[b22()]), &Settings::default());
    let written = &run.exported["s"];
    assert_eq!(written.rows, [["charlie", "192.0.2.135"], ["charlie", "192.0.2.136"]]);
    assert_eq!(written.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["user", "ip"]);
}

fn owners(rows: &[&[&str]]) -> DataTable {
    table(
        &[
            ("host", ListKind::String, Some("entity.hostname")),
            ("ip", ListKind::String, Some("entity.ip")),
            ("mac", ListKind::String, Some("entity.mac")),
            ("Owner", ListKind::String, None),
        ],
        rows,
    )
}

const OWNERS: [&[&str]; 4] = [
    &["ftp01", "10.1.1.4", ":bb", "alice"],
    &["h1", "10.1.1.6", ":cc", "bob"],
    &["h2", "10.1.1.7", ":dd", "chris"],
    &["h3", "10.1.1.4", ":ee", "doug"],
];

/// The entities that a rule sees after `setup`: hostname, address, mac, owner.
fn graph(setup: &str, table: DataTable) -> Vec<String> {
    let entity = |host: &str, ip: &str, mac: &str| json!({"entity": {"hostname": host, "ip": [ip], "mac": [mac]}, "metadata": {}});
    let entities = vec![entity("ftp01", "10.1.1.4", ":01"), entity("www01", "10.1.1.5", ":02")];
    let data = Dataset {
        entities: Event::read_all(EventSource::Entity, entities).unwrap(),
        ..with_table(&[host("h")], "t", table)
    };
    let sections = format!(
        "setup: {setup} events: $e.principal.hostname = \"h\" $g.graph.metadata.product_name = $e.metadata.product_name
         $row = strings.concat($g.graph.entity.hostname, \" \", $g.graph.entity.ip, \" \", $g.graph.entity.mac, \" \",
             $g.graph.additional.fields[\"Owner\"])
         match: $row over 1h condition: $e and $g"
    );
    texts(&run_with(&sections, &data, &Settings::default()).detections, "row")
}

#[test]
fn t08_t09_t11_override() {
    let by_ip = graph("graph_override ($g.graph.entity.ip = %t.ip)", owners(&OWNERS));
    assert_eq!(by_ip, ["ftp01 10.1.1.4 :bb alice", "h3 10.1.1.4 :ee doug", "www01 10.1.1.5 :02 "]);
    let mut rows = OWNERS;
    rows[1] = &["h1", "10.1.1.5", ":cc", "bob"];
    let by_both =
        graph("graph_override ($g.graph.entity.ip = %t.ip and $g.graph.entity.hostname = %t.host)", owners(&rows));
    assert_eq!(by_both, ["ftp01 10.1.1.4 :bb alice", "www01 10.1.1.5 :02 "]);
}

#[test]
fn t10_append_and_exclude() {
    let mut rows = OWNERS.to_vec();
    rows.push(&["ftp01", "10.1.1.4", ":01", ""]);
    let data = graph("graph_append [$g, %t]", owners(&rows));
    assert_eq!(data.len(), 6, "{data:?}");
    assert_eq!(graph("graph_exclude ($g.graph.entity.ip = %t.ip)", owners(&OWNERS)), ["www01 10.1.1.5 :02 "]);
}

#[test]
fn lists_and_columns_that_are_missing_are_named() {
    let run = |statement: &str| {
        let program = compile(&rule(&format!("events: {statement} condition: $e"))).unwrap();
        program.run(&with_table(&[host("h")], "t", people()), &Settings::default()).unwrap_err()
    };
    assert_eq!(run("$e.principal.hostname in %none"), EvalError::MissingList("none".to_owned()));
    assert_eq!(run("$e.principal.hostname in %t.none").to_string(), "the table %t has no column none");
}

#[test]
fn metrics_are_not_evaluated_here_and_that_is_said() {
    let sections = "events: $e.principal.hostname = $h match: $h over 1h
        outcome: $x = max(metrics.auth_attempts_total(period:1d, window:30d, metric:event_count_sum, agg:max,
            principal.asset.hostname:$h))
        condition: $e";
    let error = compile(&rule(sections)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't be evaluated here: metrics.auth_attempts_total needs months of data that only the service has"
    );
}
