//! `watchbell mcp` as clients know it: JSON-RPC lines in, JSON-RPC lines out. `hostile.jsonl` beside this holds texts that
//! attackers write into logs; `.ci/mcp/run` uses it too, with a client that is not ours.

mod ending;
mod http;
mod injection;
mod protocol;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::place::Place;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The names of the usual tools, in their order.
const TOOLS: [&str; 12] = [
    "analyze_logs",
    "analyze_file",
    "list_findings",
    "get_finding",
    "explain_finding",
    "summarize_findings",
    "list_models",
    "load_model",
    "train_model",
    "list_sinks",
    "test_sink",
    "forward_findings",
];

/// Those that change something.
const WRITING: [&str; 4] = ["load_model", "train_model", "test_sink", "forward_findings"];

/// A server and what it says.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    next: u64,
}

impl Session {
    /// Starts the server; nothing is said yet.
    fn silent(place: &Place, arguments: &[&str]) -> Self {
        let all = [&["mcp"], arguments].concat();
        let mut command = place.command(&all);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { input: child.stdin.take(), child, lines, next: 1 }
    }

    /// Starts the server and shakes hands.
    pub(crate) fn open(place: &Place, arguments: &[&str]) -> Self {
        let mut session = Self::silent(place, arguments);
        let hello = session.ask("initialize", &hello());
        assert_eq!(hello["result"]["serverInfo"]["name"], "watchbell", "{hello}");
        session.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        session
    }

    fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// The next line, which must be JSON.
    fn hear(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a line from the server");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }).to_string());
        loop {
            let message = self.hear();
            if message["id"] == id {
                return message;
            }
        }
    }

    /// A call's answer, whatever it is.
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// The structured content of a call that must work.
    pub(crate) fn get(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["result"]["isError"], false, "{tool}: {answer}");
        let content = &answer["result"]["structuredContent"];
        let text: Value = serde_json::from_str(answer["result"]["content"][1]["text"].as_str().unwrap()).unwrap();
        assert_eq!(&text, content, "both forms say the same");
        content.clone()
    }

    /// The error of a call that must run and fail.
    fn failure(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.call(tool, arguments);
        assert_eq!(answer["result"]["isError"], true, "{tool}: {answer}");
        serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap()).unwrap()
    }

    /// Closes the input; gives the lines that were left, and how the server ended.
    fn close(mut self) -> (Vec<Value>, i32, String) {
        drop(self.input.take());
        let mut left = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            left.push(serde_json::from_str(&line).unwrap());
        }
        let output = self.child.wait_with_output().unwrap();
        (left, output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
    }
}

fn hello() -> Value {
    json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } })
}

/// A place with a folder of logs, in which somebody guesses a password.
fn place() -> Place {
    let place = Place::new("[batch]\noutput_dir = \"reports\"\nmodel_dir = \"models\"\n");
    place.write("logs/auth.json", &log("alice", "192.0.2.77"));
    place
}

/// A day of ordinary logins, and a burst of failures of one account from one address, as JSON lines.
fn log(victim: &str, attacker: &str) -> String {
    let mut lines = Vec::new();
    let mut add = |minute: usize, second: usize, (user, address): (&str, &str), status: &str| {
        let (hour, minute) = (minute / 60, minute % 60);
        let time = format!("2026-03-02T{hour:02}:{minute:02}:{second:02}Z");
        let record = json!({ "timestamp": time, "user": user, "source_ip": address, "action": "login",
            "status": status, "host": "srv-1", "country": "SE", "resource": "/login" });
        lines.push(record.to_string());
    };
    for turn in 0..300 {
        let (user, address) = (format!("user{}", turn % 12), format!("10.0.0.{}", turn % 12));
        add(turn * 4, 0, (&user, &address), "success");
    }
    for turn in 0..80 {
        add(900 + turn / 20, (turn % 20) * 3, (victim, attacker), "failure");
    }
    lines.join("\n") + "\n"
}

/// The texts of the corpus.
fn hostile() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/hostile.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[cfg(unix)]
fn terminate(child: &Child) {
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}
