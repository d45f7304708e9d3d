//! The desk, in temporary directories, with loopback servers for its sinks.

mod analyze;
mod changes;
mod forward;
mod jobs;
mod models;
mod shelf;

use std::{
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::{
    app::{NoProgress, Watch},
    config::{Given, Overrides, load},
    report::{FileReport, Timeline},
    sink::{
        Finding,
        testkit::server::{Answer, Request, Server},
    },
};

/// Nobody stops the work.
static GO_ON: AtomicBool = AtomicBool::new(false);

fn watch() -> Watch<'static> {
    Watch { progress: &NoProgress, stop: &GO_ON }
}

/// A server with the runtime that it lives in.
struct Served {
    server: Server,
    _runtime: Runtime,
}

impl Served {
    fn new(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { server: runtime.block_on(Server::start(handler)).unwrap(), _runtime: runtime }
    }

    fn sink(&self, name: &str) -> String {
        let address = self.server.address();
        format!("[sinks.{name}]\ntype = \"webhook\"\nurl = \"http://{address}/{name}\"\nallow_private = true\n")
    }
}

/// A plan whose directories are all in this folder.
fn plan(folder: &Path, sinks: &str) -> Plan {
    let file = folder.join("watchbell.toml");
    fs::write(&file, sinks).unwrap();
    let none = |_: &str| None;
    let given = Given { file: Some(file), environment: &none, flags: Overrides::default(), builds_sinks: true };
    let mut plan = Plan::new(load(given).unwrap(), NonZeroUsize::new(2).unwrap()).unwrap();
    plan.input.log_dir = folder.join("logs");
    plan.batch.output_dir = folder.join("out");
    plan.batch.model_dir = Some(folder.join("models"));
    plan.outbox.folder = folder.join("outbox");
    plan.batch.low_disk = crate::config::LowDisk { warn: 0, refuse: 0 };
    fs::create_dir_all(folder.join("logs")).unwrap();
    plan
}

/// A desk in a folder of its own, without sinks.
fn desk() -> (TempDir, Arc<Desk>) {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(plan(folder.path(), ""), Delivery::OnDemand).unwrap();
    (folder, desk)
}

fn report(source: &str, findings: Vec<Finding>) -> FileReport {
    FileReport {
        source_file: source.to_owned(),
        processed_at: Timestamp::UNIX_EPOCH,
        total_events: 100,
        anomalies_detected: findings.len() as u64,
        anomaly_rate: 0.01,
        threshold: 0.7,
        anomalies: Vec::new(),
        findings,
        format: "json lines".to_owned(),
        bytes: 1,
        offset: 0,
        records: 100,
        complaints: Vec::new(),
        first_event: None,
        last_event: None,
        timeline: Timeline::default(),
        score_histogram: Vec::new(),
    }
}

/// Writes a report as the batch does.
fn put(folder: &TempDir, name: &str, findings: Vec<Finding>) {
    let out = folder.path().join("out");
    fs::create_dir_all(&out).unwrap();
    let text = serde_json::to_vec(&report(name, findings)).unwrap();
    fs::write(out.join("new"), text).unwrap();
    fs::rename(out.join("new"), out.join(format!("{name}_20260101T000000Z.json"))).unwrap();
}

/// A hundred events: some at work as every day, and somebody from outside who guesses a password; `salt` makes the
/// content another one.
fn attack(salt: usize) -> String {
    let mut lines = String::new();
    let line = |at: usize, user: &str, address: &str, status: &str| {
        let (hour, minute, second) = (8 + at / 3600, at / 60 % 60, at % 60);
        format!(
            "{{\"timestamp\":\"2026-03-02T{hour:02}:{minute:02}:{second:02}Z\",\"user\":\"{user}\",\"source_ip\":\
             \"{address}\",\"action\":\"login\",\"status\":\"{status}\",\"resource\":\"/sso\",\"bytes\":{}}}\n",
            500 + at % 7
        )
    };
    for at in 0..40 {
        lines += &line(at * 60, ["ada", "bob", "eve", "dan"][at % 4], &format!("10.0.0.{}", 1 + at % 4), "success");
    }
    for at in 0..59 {
        lines += &line(3000 + at * 2, &format!("admin{salt}"), "203.0.113.66", "failure");
    }
    lines + &line(3120, &format!("admin{salt}"), "203.0.113.66", "success")
}

fn text(name: &str, text: impl Into<Vec<u8>>) -> AnalyzeRequest {
    AnalyzeRequest { input: LogInput::Text { name: name.to_owned(), text: text.into() }, hand_over: true }
}

/// Waits until this holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not come true");
        thread::sleep(Duration::from_millis(20));
    }
}
