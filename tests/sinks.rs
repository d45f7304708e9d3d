//! Sinks as users meet them: what is said of a wrong configuration, and findings that travel the whole way to stand-ins of
//! the destinations, through the program itself.

use std::{fs, path::Path, process::Stdio};

use tokio::runtime::Runtime;
use watchbell_sink::testkit::server::{Answer, Request, Server};

use crate::place::Place;

/// A server with the runtime that it lives in.
struct Served {
    server: Server,
    _runtime: Runtime,
}

impl std::ops::Deref for Served {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn serve(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Served {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    Served { server: runtime.block_on(Server::start(handler)).unwrap(), _runtime: runtime }
}

fn webhook(server: &Served) -> String {
    format!("[sinks.hook]\ntype = \"webhook\"\nurl = \"http://{}/hook\"\nallow_private = true\n", server.address())
}

#[test]
fn every_mistake_is_told_at_its_place_and_no_secret_with_it() {
    let place = Place::new(
        r#"[sinks.soc]
type = "splunk_hec"
endpoint = "https://splunk.example:8088"
tokn = "hunter2"
min_severty = "high"
timeout_secs = "long"
[sinks.two]
type = "webhok"
[sinks.three]
type = "webhook"
url = "http://hooks.example/T0/hunter2"
secret = "hunter2"
batch = { itms = 5 }
[sinks.four]
type = "slack"
webhook_url_file = "no/such/file"
[sinks."a b"]
type = "webhook"
[sinks.five]
type = "webhook"
url = "${NO_SUCH_VARIABLE}"
"#,
    );
    let ran = place.run(&["config", "check"]);
    assert_eq!(ran.code, 3);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
    insta::with_settings!({prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("sinks_config_check", ran.err);
    });
}

#[test]
fn what_is_shown_of_sinks_says_where_it_comes_from_and_holds_no_secret() {
    let place = Place::new(
        "[sinks.hook]\ntype = \"webhook\"\nurl = \"https://hooks.example/hunter2\"\nsecret = \"${SECRET}\"\n\
         headers = { Authorization = \"hunter2\" }\nmin_severity = \"${LEVEL:-high}\"\n",
    );
    let ran = place.run(&["config", "show"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = ran.out.split("[sinks.hook]\n").nth(1).unwrap();
    assert_eq!(
        shown,
        "headers = { Authorization = \"[redacted]\" }  # configuration file\n\
         min_severity = \"high\"  # LEVEL\n\
         secret = \"[redacted]\"  # SECRET\n\
         type = \"webhook\"  # configuration file\n\
         url = \"[redacted]\"  # configuration file\n"
    );
}

#[test]
fn a_command_that_delivers_nothing_needs_no_secret() {
    let place = Place::new("[sinks.hook]\ntype = \"webhook\"\nurl = \"${NO_SUCH_VARIABLE}\"\n");
    fs::write(place.path("a.log"), "Jan 1 00:00:00 host sshd[1]: Failed password for root from 198.51.100.1\n")
        .unwrap();
    assert_eq!(place.run(&["inspect", "a.log"]).code, 0);
    assert_eq!(place.run(&["config", "check"]).code, 3);
}

#[test]
fn the_schema_of_the_configuration_knows_every_sink() {
    let schema = Place::new("").run(&["config", "schema"]).json();
    let types = &schema["properties"]["sinks"]["additionalProperties"]["properties"]["type"]["enum"];
    assert_eq!(*types, serde_json::json!(["chronicle", "elasticsearch", "slack", "splunk_hec", "syslog", "webhook"]));
    assert!(schema["$defs"]["splunk_hec"]["properties"]["token_file"].is_object());
    assert!(schema["$defs"]["splunk_hec"]["properties"]["min_severity"].is_object());
}

#[test]
fn findings_arrive_once_however_often_they_are_forwarded() {
    let server = serve(|_| Answer::status(204));
    let place = Place::new(&webhook(&server));
    let file = place.findings(25);
    let first = place.run(&["forward", &file, "--json", "--timeout", "60"]);
    assert_eq!(
        (first.code, first.json()["new"].as_u64(), first.json()["complete"].as_bool()),
        (0, Some(25), Some(true))
    );
    assert_eq!(server.requests().len(), 25);
    let second = place.run(&["forward", &file, "--json", "--timeout", "60"]);
    assert_eq!((second.code, second.json()["new"].as_u64(), second.json()["known"].as_u64()), (0, Some(0), Some(25)));
    assert_eq!(server.requests().len(), 25);
    let status = place.run(&["outbox", "status", "--json"]).json();
    let sink = &status["sinks"][0];
    assert_eq!((sink["accepted"].as_u64(), sink["delivered"].as_u64()), (Some(25), Some(25)));
}

#[test]
fn what_could_not_be_delivered_waits_and_goes_out_later() {
    let dead = serve(|_| Answer::status(503));
    let place = Place::new(&webhook(&dead));
    let file = place.findings(3);
    let ran = place.run(&["forward", &file, "--timeout", "1"]);
    assert_eq!(ran.code, 5, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the time is over"), "{}", ran.out);
    let live = serve(|_| Answer::status(200));
    fs::write(place.path("watchbell.toml"), webhook(&live)).unwrap();
    let ran = place.run(&["forward", &file, "--timeout", "60"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(live.requests().len(), 3);
}

#[test]
fn what_a_destination_never_takes_is_a_dead_letter_with_its_words() {
    let picky = serve(|request| match String::from_utf8_lossy(&request.body).contains("\"critical\"") {
        true => Answer::json(422, "{\"reason\":\"too loud\"}"),
        false => Answer::status(200),
    });
    let place = Place::new(&webhook(&picky));
    let file = place.findings(40);
    let ran = place.run(&["forward", &file, "--timeout", "60"]);
    assert_eq!(ran.code, 8, "{}{}", ran.out, ran.err);
    let dead = place.run(&["outbox", "dead"]);
    assert!(dead.out.contains("rejected 422") && dead.out.contains("too loud"), "{}", dead.out);
    assert_eq!(place.run(&["outbox", "purge", "--all"]).code, 2, "purging asks for --yes");
    assert_eq!(place.run(&["outbox", "replay"]).code, 2, "replaying asks which");
    let replayed = place.run(&["outbox", "replay", "--all"]);
    assert!(replayed.code == 0 && replayed.out.contains("to be delivered again"), "{}{}", replayed.out, replayed.err);
}

#[test]
fn credentials_that_are_not_taken_hold_the_sink_and_keep_the_findings() {
    let closed = serve(|_| Answer::status(401));
    let place = Place::new(&webhook(&closed));
    let file = place.findings(5);
    let ran = place.run(&["forward", &file, "--timeout", "2"]);
    assert_eq!(ran.code, 6, "{}{}", ran.out, ran.err);
    let status = place.run(&["outbox", "status"]);
    assert!(status.out.contains("held since"), "{}", status.out);
    assert_eq!(place.run(&["outbox", "status", "--json"]).json()["sinks"][0]["pending"]["ready"].as_u64(), Some(5));
}

#[test]
fn a_batch_hands_its_findings_over_before_it_counts_as_done() {
    let server = serve(|_| Answer::status(204));
    let place = Place::new(&webhook(&server));
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs");
    let logs = logs.to_str().unwrap();
    let batch = ["batch", "--log-dir", logs, "--output-dir", "out", "--once", "--forward", "--forward-timeout", "60"];
    let ran = place.run(&batch);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let arrived = server.requests().len();
    assert!(arrived >= 20, "{arrived}");
    let again = place.run(&["forward", "out", "--json"]).json();
    assert_eq!((again["new"].as_u64(), again["known"].as_u64()), (Some(0), Some(arrived as u64)));
}

#[test]
fn a_sink_is_set_up_without_a_terminal_and_its_secrets_are_kept_apart() {
    let server = serve(|_| Answer::status(204));
    let place = Place::new("# kept\n[batch]\ninterval_secs = 60  # kept too\n");
    let url = format!("url=http://{}/hook", server.address());
    let arguments = ["--setup", "hook", "--type", "webhook", "--set", &url, "--set", "allow_private=true", "--yes"];
    let ran = place.run(&arguments);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let written = fs::read_to_string(place.path("watchbell.toml")).unwrap();
    assert_eq!(
        written,
        "# kept\n[batch]\ninterval_secs = 60  # kept too\n\n[sinks.hook]\ntype = \"webhook\"\n\
         url_file = \"secrets/hook.url\"\nallow_private = true\n"
    );
    assert!(!ran.out.contains("/hook\n") || ran.out.contains("secrets/hook.url"), "{}", ran.out);
    #[cfg(unix)]
    for file in ["watchbell.toml", "secrets/hook.url"] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(place.path(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    assert_eq!(place.run(&["--test", "hook"]).code, 0);
    let wrong = place.run(&["setup", "hook", "--set", "colour=red", "--yes"]);
    assert!(wrong.code == 3 && wrong.err.contains("unknown key `colour`"), "{}", wrong.err);
    assert_eq!(fs::read_to_string(place.path("watchbell.toml")).unwrap(), written, "nothing wrong is written");
}

#[test]
fn a_test_names_each_step_and_its_fix() {
    let place = Place::new("[sinks.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/x\"\nallow_private = true\n");
    let ran = place.run(&["test"]);
    assert_eq!(ran.code, 5);
    assert!(ran.out.contains("failed   TCP") && ran.out.contains("fix: "), "{}", ran.out);
    let steps = place.run(&["test", "--json"]).json();
    assert_eq!(steps[0]["failure"]["kind"], "unavailable");
    assert_eq!(place.run(&["test", "other"]).code, 3);
}

#[test]
fn a_test_finding_is_sent_only_when_it_is_asked_for() {
    let server = serve(|_| Answer::status(204));
    let place = Place::new(&webhook(&server));
    assert_eq!(place.run(&["test"]).code, 0);
    assert!(server.requests().is_empty());
    let ran = place.run(&["test", "--send"]);
    assert!(ran.code == 0 && ran.out.contains("test finding"), "{}{}", ran.out, ran.err);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn rendering_prints_the_bytes_and_sends_none() {
    let server = serve(|_| Answer::status(204));
    let place = Place::new(&webhook(&server));
    let file = place.findings(2);
    let ran = place.run(&["render", "--sink", "hook", &file]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}", ran.err);
    for line in ran.out.lines() {
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap()["type"], "finding.created");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn udm_events_of_others_are_checked() {
    let place = Place::new("");
    fs::write(
        place.path("events.jsonl"),
        "{\"metadata\":{\"event_timestamp\":\"2026-01-01T00:00:00Z\",\"event_type\":\"GENERIC_EVENT\"}}\n\
         {\"udm\":{\"metadata\":{\"event_timestamp\":\"x\",\"event_type\":\"USER_LOGN\"},\"principal\":{\"ip\":\"1.2.3.4\"}}}\n",
    )
    .unwrap();
    let ran = place.run(&["udm", "check", "events.jsonl"]);
    assert_eq!(ran.code, 1);
    for part in ["/udm/metadata/event_timestamp", "did you mean `USER_LOGIN`", "/udm/principal/ip", "2 events"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn two_processes_do_not_deliver_from_one_outbox() {
    let slow = serve(|_| Answer::hang());
    let place = Place::new(&webhook(&slow));
    let file = place.findings(1);
    let mut first = place.command(&["forward", &file, "--timeout", "20"]).stdout(Stdio::null()).spawn().unwrap();
    while slow.requests().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let second = place.run(&["forward", &file, "--timeout", "1"]);
    assert_eq!(second.code, 4, "{}{}", second.out, second.err);
    assert!(second.err.contains("outbox"), "{}", second.err);
    assert_eq!(place.run(&["outbox", "status"]).code, 0, "it can be looked at meanwhile");
    first.kill().unwrap();
    first.wait().unwrap();
}
