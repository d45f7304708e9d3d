//! Findings listed, silenced and judged, through the program itself.

use std::fs;

use serde_json::Value;
use tokio::runtime::Runtime;
use watchbell_sink::testkit::server::{Answer, Server};

use crate::place::Place;

fn ids(page: &Value) -> Vec<String> {
    page["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn findings_are_listed_a_page_at_a_time_and_shown_one_by_one() {
    let place = Place::new("");
    let file = place.findings(25);
    let first = place.run(&["findings", "list", "--limit", "20", "--json", &file]).json();
    assert_eq!((first["total"].as_u64(), ids(&first).len()), (Some(25), 20));
    let next = first["next"].as_str().unwrap();
    let second = place.run(&["findings", "list", "--after", next, "--json", &file]).json();
    assert_eq!((ids(&second).len(), &second["next"]), (5, &Value::Null));
    let shown = place.run(&["findings", "show", &ids(&second)[0][..10], "--json", &file]).json();
    assert_eq!(shown["id"].as_str(), Some(ids(&second)[0].as_str()));
    let table = place.run(&["findings", "list", &file]);
    assert!(table.out.contains("20 of 25 findings\n"), "{}", table.out);
    assert!(!table.out.chars().any(|letter| letter.is_control() && letter != '\n'), "texts of logs are made harmless");
}

#[test]
fn a_suppression_holds_findings_back_until_it_is_lifted_and_never_a_true_positive() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(|_| Answer::text(200, ""))).unwrap();
    let place = Place::new(&format!(
        "[sinks.hook]\ntype = \"webhook\"\nurl = \"http://{}/hook\"\nallow_private = true\n",
        server.address()
    ));
    let file = place.findings(4);
    let all = ids(&place.run(&["findings", "list", "--json", &file]).json());
    let silenced = all[0].as_str();
    let add = ["suppress", "add", "--from-finding", silenced, "--reason", "a test of ours", "--by", "ada", "--json"];
    let dry = place.run(&[&add[..], &["--dry-run", &file]].concat()).json();
    assert_eq!((dry["made"].as_bool(), dry["hides"][0]["id"].as_str()), (Some(false), Some(silenced)));
    assert!(dry["suppression"]["id"].is_null(), "a dry run makes nothing that has an id: {dry}");
    assert_eq!(ids(&place.run(&["findings", "list", "--json", &file]).json()).len(), 4, "a dry run hides nothing");
    let hidden = dry["hides"].as_array().unwrap().len() as u64;
    let made = place.run(&[&add[..], &[&file]].concat()).json();
    assert_eq!(made["made"].as_bool(), Some(true));
    let listed = place.run(&["findings", "list", "--json", &file]).json();
    assert_eq!(listed["suppressed"].as_u64(), Some(hidden));
    assert!(!ids(&listed).contains(&silenced.to_owned()));
    let forwarded = place.run(&["forward", "--json", &file]).json();
    assert_eq!(forwarded["suppressed"].as_u64(), Some(hidden));
    assert_eq!(forwarded["new"].as_u64(), Some(4 - hidden));
    place.run(&["feedback", "tp", &silenced[..8], "--note", "it was one", &file]);
    let again = place.run(&["forward", "--json", &file]).json();
    assert_eq!(again["new"].as_u64(), Some(1), "what a person called right rings");
    let suppression = made["suppression"]["id"].as_str().unwrap();
    assert_eq!(place.run(&["suppress", "lift", suppression, "--reason", "over"]).code, 0);
    let rest = place.run(&["forward", "--json", &file]).json();
    assert_eq!((rest["suppressed"].as_u64(), rest["new"].as_u64()), (Some(0), Some(hidden - 1)));
    let journal = fs::read_to_string(place.path("outbox/judgments.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 3);
    assert!(journal.lines().next().unwrap().contains("\"by\":\"ada\""));
    let said = place.run(&["feedback", "list", "--json"]).json();
    assert_eq!(said["threats"][0]["true_positives"].as_u64(), Some(1));
}

#[test]
fn a_suppression_is_said_to_hide_what_falls_silent_and_nothing_else() {
    let place = Place::new("[input]\ntime_zone = \"Europe/Berlin\"\n");
    let file = place.findings(30);
    let all = place.run(&["findings", "list", "--limit", "100", "--json", &file]).json();
    let right = &all["findings"][0];
    let id = right["id"].as_str().unwrap();
    place.run(&["feedback", "tp", id, &file]);
    let add = ["suppress", "add", "--from-finding", id, "--reason", "x", "--json"];
    let hidden = |effect: &Value| -> Vec<String> {
        effect["hides"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    let dry = place.run(&[&add[..], &["--dry-run", &file]].concat()).json();
    assert!(!hidden(&dry).contains(&id.to_owned()), "what was called right goes on ringing");
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(jiff::Span::new().days(60));
    let day = day.unwrap().to_string();
    let made = place.run(&[&add[..], &["--expires", &day, &file]].concat()).json();
    assert_eq!(hidden(&made), hidden(&dry));
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let midnight = day.parse::<jiff::civil::Date>().unwrap().to_zoned(zone).unwrap().timestamp().to_string();
    assert_eq!(made["suppression"]["expires"], *midnight, "a date is its midnight");
    let only = place.run(&["findings", "list", "--suppressed", "only", "--limit", "100", "--json", &file]).json();
    assert_eq!(only["total"].as_u64(), Some(hidden(&made).len() as u64));
}

#[test]
fn what_cannot_be_is_refused_with_what_was_expected() {
    let place = Place::new("");
    let file = place.findings(3);
    let refused = |arguments: &[&str], code: i32, said: &str| {
        let ran = place.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    };
    refused(&["findings", "list"], 4, "no such directory");
    refused(&["findings", "show", "ffffffff", &file], 4, "there is no finding `ffffffff`");
    refused(&["suppress", "add", "--from-finding", "ab", "--reason", "x", &file], 2, "too short");
    refused(&["suppress", "add", "--threat-type", "brute_force", "--reason", " ", &file], 2, "expected a reason");
    let add = ["suppress", "add", "--threat-type", "brute_force", "--reason", "x"];
    refused(&[&add[..], &["--expires", "400d", &file]].concat(), 2, "within a year");
    refused(&[&add[..], &["--expires", "soon", &file]].concat(), 2, "--expires: expected a length like");
    refused(&["findings", "list", "--since", "long ago", &file], 2, "--since: expected a length like");
    refused(&["findings", "list", "--suppressed", "all", &file], 2, "`hide`, `show`, `only`");
    refused(&["suppress", "lift", "s1", "--reason", "x"], 2, "there is none");
    assert!(!place.path("outbox/judgments.jsonl").exists(), "nothing was decided");
}
