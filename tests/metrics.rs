//! Metrics and health of a server that runs; dashboard, alert rules and the page about them hold nothing that it does not have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use regex::Regex;
use serde_json::Value;

use crate::{place::Place, server::Served};

/// A sink that can't be reached: nothing listens on the port of discard.
const SINK: &str = "[sinks.soc]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nallow_private = true\n";
/// The same, but that it may not be asked: its lane is held.
const REFUSED: &str = "[sinks.soc]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";

/// The program, serving.
struct Server {
    served: Served,
    place: Place,
}

impl Server {
    fn start(place: Place, arguments: &[&str]) -> Self {
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Self { served: Served::start(place.command(&all)), place }
    }

    /// Status, head and body of an answer.
    fn ask(&self, method: &str, path: &str, (head, body): (&str, &str)) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.served.authority()).unwrap();
        let (host, length) = (self.served.authority(), body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    fn metrics(&self) -> Metrics {
        let (status, _, body) = self.ask("GET", "/metrics", ("", ""));
        assert_eq!(status, 200, "{body}");
        Metrics::read(&body)
    }

    /// The metrics as soon as this one is not 0 any more.
    fn metrics_with(&self, name: &str) -> Metrics {
        let began = Instant::now();
        loop {
            let metrics = self.metrics();
            if metrics.value(name) > 0.0 {
                return metrics;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{name} is 0 after 30 s");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Posts records as one request.
    fn analyze(&self, records: &[Value]) -> Value {
        let body = serde_json::json!({ "logs": records }).to_string();
        let (status, _, body) = self.ask("POST", "/analyze", ("Content-Type: application/json\r\n", &body));
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Every check of `/health/ready` by its name, and the status.
    fn health(&self) -> (u16, BTreeMap<String, Value>) {
        let (status, _, body) = self.ask("GET", "/health/ready", ("", ""));
        let health: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(health["ready"], Value::Bool(status == 200));
        let checks = health["checks"].as_array().unwrap().iter();
        (status, checks.map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone())).collect())
    }
}

/// What a scrape says.
struct Metrics {
    /// By name and labels, as they stand there.
    values: BTreeMap<String, f64>,
    /// By name: type, labels in their order, help.
    families: BTreeMap<String, (String, Vec<String>, String)>,
}

impl Metrics {
    fn read(text: &str) -> Self {
        let (mut values, mut families) = (BTreeMap::new(), BTreeMap::<_, (String, Vec<String>, String)>::new());
        let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
        let mut family = String::new();
        for line in text.lines() {
            if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
                family = name.to_owned();
                families.entry(family.clone()).or_default().2 = help.to_owned();
            } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                assert_eq!(name, family);
                families.entry(family.clone()).or_default().0 = kind.to_owned();
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(name.starts_with(&family), "{name} does not belong to {family}");
                assert!(values.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} stands there twice");
                let labels = label.captures_iter(name).map(|found| found[1].to_owned()).filter(|label| label != "le");
                families.entry(family.clone()).or_default().1 = labels.collect();
            }
        }
        Self { values, families }
    }

    fn value(&self, name: &str) -> f64 {
        *self.values.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.values.keys()))
    }

    fn sum(&self, start: &str) -> f64 {
        self.values.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    /// Names of the numbers with the labels that each has.
    fn labels(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let label = Regex::new(r#"([a-z_]+)=""#).unwrap();
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in self.values.keys() {
            let (name, rest) = name.split_once('{').unwrap_or((name, ""));
            let found = label.captures_iter(rest).map(|found| found.get(1).unwrap().as_str());
            labels.entry(name).or_default().extend(found);
        }
        labels
    }
}

/// Logins of an ordinary day, and a burst of failed ones.
fn records(burst: usize) -> Vec<Value> {
    let record = |second: usize, user: &str, address: &str, status: &str| {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        serde_json::json!({
            "timestamp": format!("2026-03-02T{hour:02}:{minute:02}:{second:02}Z"),
            "user": user, "source_ip": address, "action": "login", "status": status,
        })
    };
    let usual =
        (0..300).map(|at| record(at * 200, &format!("user{}", at % 12), &format!("192.0.2.{}", at % 12), "success"));
    usual.chain((0..burst).map(|at| record(61_000 + at, "user3", "203.0.113.9", "failure"))).collect()
}

/// A server with everything that gives metrics: a sink and models.
fn whole() -> Server {
    let place = Place::new(SINK);
    let lines: String = records(0).iter().map(|record| format!("{record}\n")).collect();
    place.write("logs/auth.jsonl", &lines);
    let trained = place.run(&["train", "--model-dir", "models"]);
    assert_eq!(trained.code, 0, "{trained:#?}");
    Server::start(place, &["--model-dir", "models"])
}

#[test]
fn what_is_analyzed_is_counted_once() {
    let server = Server::start(Place::new(SINK), &[]);
    let before = server.metrics();
    assert_eq!(before.value("watchbell_events_total{source=\"analyze\"}"), 0.0);
    assert_eq!(before.value("watchbell_http_requests_total{method=\"POST\",route=\"/analyze\",status=\"200\"}"), 0.0);
    let answer = server.analyze(&records(120));
    let found = answer["findings"].as_array().unwrap().len();
    assert!(found > 0, "{answer}");
    let after = server.metrics();
    assert_eq!(after.value("watchbell_events_total{source=\"analyze\"}"), 420.0);
    assert_eq!(after.value("watchbell_records_total{source=\"analyze\"}"), 420.0);
    assert_eq!(after.value("watchbell_events_total{source=\"batch\"}"), 0.0);
    assert_eq!(after.value("watchbell_anomaly_score_count"), 420.0);
    assert_eq!(
        after.value("watchbell_anomalies_total{source=\"analyze\"}"),
        answer["anomalies_detected"].as_f64().unwrap()
    );
    assert_eq!(after.sum("watchbell_findings_total{") as usize, found);
    assert_eq!(after.value("watchbell_scoring_duration_seconds_count{source=\"analyze\"}"), 1.0);
    assert_eq!(after.value("watchbell_http_requests_total{method=\"POST\",route=\"/analyze\",status=\"200\"}"), 1.0);
    assert_eq!(after.value("watchbell_sink_accepted_total{sink=\"soc\"}") as usize, found);
    assert_eq!(after.value("watchbell_http_requests_in_flight"), 1.0);
    server.analyze(&records(120));
    assert_eq!(server.metrics().sum("watchbell_findings_total{") as usize, found, "the same again is no news");
}

#[test]
fn a_sink_that_can_not_be_reached_shows() {
    let server = Server::start(Place::new(SINK), &[]);
    let found = server.analyze(&records(120))["findings"].as_array().unwrap().len();
    let metrics = server.metrics_with("watchbell_sink_errors_total{sink=\"soc\",kind=\"unavailable\"}");
    assert_eq!(metrics.sum("watchbell_sink_pending{") as usize, found);
    assert!(metrics.value("watchbell_sink_oldest_pending_seconds{sink=\"soc\"}") > 0.0);
    assert!(metrics.value("watchbell_sink_attempts_total{sink=\"soc\"}") > 0.0);
    assert_eq!(metrics.value("watchbell_sink_held{sink=\"soc\"}"), 0.0);
    let (status, checks) = server.health();
    assert_eq!((status, &checks["sink:soc"]["required"]), (200, &Value::Bool(false)));
}

#[test]
fn a_lane_that_is_held_shows_and_the_rest_works() {
    let server = Server::start(Place::new(REFUSED), &[]);
    server.analyze(&records(120));
    let metrics = server.metrics_with("watchbell_sink_held{sink=\"soc\"}");
    assert!(metrics.value("watchbell_sink_errors_total{sink=\"soc\",kind=\"config\"}") > 0.0);
    let (status, checks) = server.health();
    assert_eq!((status, &checks["sink:soc"]["ok"]), (200, &Value::Bool(false)));
    let detail = checks["sink:soc"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("held since ") && !detail.contains("127.0.0.1"), "{detail}");
}

#[test]
fn both_formats_say_the_same() {
    let server = Server::start(Place::new(""), &[]);
    let (_, head, plain) = server.ask("GET", "/metrics", ("", ""));
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert!(!plain.contains("# EOF") && !plain.contains("# UNIT"), "{plain}");
    let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
    let (_, head, open) = server.ask("GET", "/metrics", (accept, ""));
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(open.ends_with("\n# EOF\n"), "{open}");
    let names = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    assert_eq!(names(&plain), names(&open));
}

#[test]
fn callers_and_logs_make_no_series() {
    let server = Server::start(Place::new(SINK), &[]);
    for (method, path) in [("GET", "/nowhere"), ("BREW", "/pot")] {
        server.ask(method, path, ("", ""));
    }
    server.analyze(&records(0));
    let names = |metrics: Metrics| metrics.values.into_keys().collect::<BTreeSet<String>>();
    let before = names(server.metrics());
    for at in 0..20 {
        assert_eq!(server.ask("GET", &format!("/nowhere/{at}"), ("", "")).0, 404);
        server.ask(&format!("BREW{at}"), &format!("/pot/{at}"), ("", ""));
    }
    let hostile = ["a\"} 1\nwatchbell_events_total 7", "<script>", "user\u{0}", "{{ x }}"];
    let odd: Vec<Value> = hostile.iter().map(|user| serde_json::json!({ "user": user, "action": user })).collect();
    server.analyze(&odd);
    assert_eq!(names(server.metrics()), before);
    assert!(before.iter().any(|name| name.contains("route=\"none\"")), "{before:#?}");
}

#[test]
fn the_answers_of_the_document_are_there_from_the_start() {
    let server = Server::start(Place::new(""), &[]);
    let metrics = server.metrics();
    let (_, _, document) = server.ask("GET", "/openapi.json", ("", ""));
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut seen = 0;
    for (route, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                let method = method.to_uppercase();
                let name = format!(
                    "watchbell_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"
                );
                assert_eq!(metrics.value(&name), 0.0);
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn health_tells_what_does_not_hold() {
    let server = Server::start(Place::new(""), &["--model-dir", "models"]);
    let (status, checks) = server.health();
    let names: Vec<&str> = checks.keys().map(String::as_str).collect();
    assert_eq!((status, names), (200, vec!["disk", "jobs", "models", "outbox", "reports"]));
    server.place.write("models/auth.wbmodel", "no model");
    std::thread::sleep(Duration::from_millis(1100));
    let (status, checks) = server.health();
    assert_eq!((status, &checks["models"]["ok"]), (200, &false.into()), "one bad file does not end the service");
    server.place.write("batch_outputs", "a file where the reports are to be");
    std::thread::sleep(Duration::from_millis(1100));
    let (status, checks) = server.health();
    assert_eq!(status, 503);
    assert_eq!((&checks["reports"]["required"], &checks["models"]["required"]), (&true.into(), &false.into()));
    let head = server.ask("GET", "/health/ready", ("", "")).1;
    assert!(head.contains("\r\nretry-after: 5\r\n"), "{head}");
    for (name, ok) in [("reports", false), ("models", false), ("outbox", true), ("disk", true)] {
        assert_eq!(checks[name]["ok"], Value::Bool(ok), "{checks:#?}");
    }
    let text = format!("{checks:?}");
    assert!(!text.contains(server.place.folder.path().to_str().unwrap()), "no path is told: {text}");
    assert_eq!(server.ask("GET", "/health/live", ("", "")).0, 204);
    assert_eq!(server.metrics().value("watchbell_models_unreadable"), 1.0);
}

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every expression of the dashboard, and those that its variables ask for.
fn of_dashboard(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().filter(|_| ["expr", "definition"].contains(&key.as_str())) {
                    Some(expression) => found.push(expression.to_owned()),
                    None => of_dashboard(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| of_dashboard(item, found)),
        _ => {}
    }
}

/// Every expression of the alert rules.
fn of_rules(text: &str) -> Vec<String> {
    let rules = text.split("expr:").skip(1);
    rules.map(|rule| rule.lines().take_while(|line| !line.trim().starts_with("labels:")).collect()).collect()
}

#[test]
fn dashboard_and_rules_name_nothing_that_is_not_there() {
    let server = whole();
    server.analyze(&records(120));
    let metrics = server.metrics();
    let labels = metrics.labels();
    let mut expressions = of_rules(&file("deploy/grafana/watchbell-rules.yaml"));
    assert!(expressions.len() > 15, "{expressions:#?}");
    of_dashboard(&serde_json::from_str(&file("deploy/grafana/watchbell-dashboard.json")).unwrap(), &mut expressions);
    assert!(expressions.len() > 50, "{}", expressions.len());
    let name = Regex::new(r"\b(?:watchbell|process)_[a-z0-9_]+").unwrap();
    let selector = Regex::new(r"\b((?:watchbell|process)_[a-z0-9_]+)\{([^}]*)\}").unwrap();
    let matcher = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#).unwrap();
    let grouping = Regex::new(r"\bby \(([^)]*)\)").unwrap();
    for expression in &expressions {
        // What a server gives to every number.
        let mut known = BTreeSet::from(["job", "instance"]);
        for found in name.find_iter(expression) {
            let labels = labels.get(found.as_str());
            known.extend(labels.unwrap_or_else(|| panic!("no {} for {expression}", found.as_str())));
        }
        for found in selector.captures_iter(expression) {
            for label in matcher.captures_iter(&found[2]).map(|found| found.get(1).unwrap().as_str()) {
                let has = ["job", "instance"].contains(&label) || labels[&found[1]].contains(label);
                assert!(has, "{} has no label {label}: {expression}", &found[1]);
            }
        }
        for label in grouping
            .captures_iter(expression)
            .flat_map(|found| found[1].replace(' ', "").split(',').map(str::to_owned).collect::<Vec<_>>())
        {
            assert!(known.contains(label.as_str()), "nothing has a label {label}: {expression}");
        }
    }
}

#[test]
fn every_alert_says_what_to_do_and_has_its_test() {
    let rules = file("deploy/grafana/watchbell-rules.yaml");
    let tests =
        file("deploy/grafana/watchbell-rules.test.yaml") + &file("deploy/grafana/watchbell-rules.days.test.yaml");
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 15);
    for alert in alerts {
        let name = alert.lines().next().unwrap();
        for part in ["severity: ", "summary: ", "description: ", "runbook: "] {
            assert!(alert.contains(part), "{name} has no {part}");
        }
        assert!(tests.contains(&format!("- name: {name}\n")), "{name} has no test");
    }
}

#[test]
fn the_page_about_metrics_has_all_of_them_and_no_more() {
    let server = whole();
    let metrics = server.metrics();
    let rows: Vec<String> = metrics
        .families
        .iter()
        .map(|(name, (kind, labels, help))| {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{name}` | {kind} | {} | {help} |", labels.join(", "))
        })
        .collect();
    let page = file("docs/metrics.md");
    let written: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| `watchbell_") || line.starts_with("| `process_")).collect();
    let expected = rows.join("\n");
    for row in &rows {
        assert!(written.contains(&row.as_str()), "docs/metrics.md lacks\n{row}\nAll of them:\n{expected}");
    }
    for row in written {
        assert!(rows.iter().any(|one| one == row), "docs/metrics.md has\n{row}\nAll of them:\n{expected}");
    }
}

/// The files of a folder and of the folders in it.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Whether a route's template is what a path means: `{id}` stands for anything, also for a variable of the shell.
fn is_route(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

#[test]
fn every_route_that_rules_and_pages_name_is_there() {
    let document: Value = serde_json::from_str(&file("openapi.json")).unwrap();
    let routes = document["paths"].as_object().unwrap();
    let named = Regex::new(r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?(/v1/[\w:/{}$.-]+)").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["docs", "deploy"].iter().flat_map(|folder| files_below(&root.join(folder)));
    let mut count = 0;
    for page in pages.chain([root.join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        for found in named.captures_iter(&text) {
            let (method, path) =
                (found.get(1).map(|method| method.as_str().to_lowercase()), found[2].trim_end_matches(['/', '.']));
            let of_path = routes.iter().find(|(template, _)| is_route(template, path));
            let is_there =
                of_path.is_some_and(|(_, methods)| method.is_none_or(|method| methods.get(&method).is_some()));
            assert!(is_there, "{} names {}, which is no route of openapi.json", page.display(), &found[0]);
            count += 1;
        }
    }
    assert!(count > 40, "only {count} routes are named");
}
