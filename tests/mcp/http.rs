//! The HTTP transport: who may ask, under which name, and how it ends. Requests are written by hand, so that they can be
//! what no client sends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::{hello, place};
use crate::{place::Place, server::Served};

struct Server(Served);

impl Server {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let all = [&["mcp", "--http", "127.0.0.1:0"], arguments].concat();
        Self(Served::start(place.command(&all)))
    }

    /// Status, head and body.
    fn post(&self, head: &str, body: &Value) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.0.authority()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let body = body.to_string();
        let host = if head.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.0.authority()) };
        let request = format!(
            "POST /mcp HTTP/1.1\r\n{host}{head}Content-Type: application/json\r\nConnection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A stream of events may stay open: what came until then is enough.
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, head.to_lowercase(), body.to_owned())
    }

    fn status(&self, head: &str) -> u16 {
        self.post(head, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() })).0
    }

    /// Asks in the protocol's newest form, which knows no sessions.
    fn ask(&self, key: &str, method: &str, mut parameters: Value) -> Value {
        const VERSION: &str = "2026-07-28";
        parameters["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut head =
            format!("Authorization: Bearer {key}\r\nMCP-Protocol-Version: {VERSION}\r\nMcp-Method: {method}\r\n");
        if let Some(name) = parameters["name"].as_str().or(parameters["uri"].as_str()) {
            head.push_str(&format!("Mcp-Name: {name}\r\n"));
        }
        let (status, _, body) =
            self.post(&head, &json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }));
        assert_eq!(status, 200, "{body}");
        let data = body.lines().filter_map(|line| line.strip_prefix("data:").or(Some(line)));
        let mut messages = data.filter_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        messages.rfind(|message| message["id"] == 1).unwrap_or_else(|| panic!("{body}"))
    }
}

fn key(place: &Place, scopes: &[&str]) -> String {
    let mut arguments = vec!["keys", "create", "--name", "test", "--json"];
    scopes.iter().for_each(|scope| arguments.extend(["--scope", scope]));
    let made = place.run(&arguments);
    assert_eq!(made.code, 0, "{made:?}");
    made.json()["key"].as_str().unwrap().to_owned()
}

#[test]
fn pages_of_other_names_are_turned_away() {
    let place = place();
    let server = Server::start(&place, &[]);
    assert_eq!(server.status(""), 200);
    assert_eq!(server.status("Host: localhost\r\n"), 200);
    assert_eq!(server.status("Host: evil.example\r\n"), 403);
    assert_eq!(server.status("Origin: https://evil.example\r\n"), 403);
    assert_eq!(server.status("Origin: http://localhost:3000\r\n"), 200);
}

#[test]
fn names_of_the_configuration_are_let_in() {
    let place = Place::new("[serve]\nallowed_hosts = [\"watch.example\"]\n");
    let server = Server::start(&place, &[]);
    assert_eq!(server.status("Host: watch.example\r\n"), 200);
    assert_eq!(server.status("Host: evil.example\r\n"), 403);
}

#[test]
fn a_key_is_asked_for_and_opens_what_it_says() {
    let place = place();
    let (reader, all) = (key(&place, &["findings:read"]), key(&place, &["admin"]));
    let server = Server::start(&place, &[]);
    let (status, head, body) = server.post("", &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
    assert!(status == 401 && head.contains("www-authenticate: bearer"), "{head}\n{body}");
    assert_eq!(server.status("Authorization: Bearer wbk_nonsense\r\n"), 401);
    assert_eq!(server.status(&format!("X-API-Key: {reader}\r\n")), 200);
    assert_eq!(server.status(&format!("Authorization: bearer {reader}\r\n")), 200);
    let names = |key: &str| -> Vec<String> {
        let tools = server.ask(key, "tools/list", json!({}))["result"]["tools"].clone();
        tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&reader), ["list_findings", "get_finding", "explain_finding", "summarize_findings"]);
    assert_eq!(names(&all), super::TOOLS);
    let call =
        |key: &str, tool: &str| server.ask(key, "tools/call", json!({ "name": tool, "arguments": { "path": "." } }));
    let refused = call(&reader, "analyze_logs");
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    assert!(refused.to_string().contains("logs:write"), "{refused}");
    assert_eq!(call(&all, "analyze_logs")["result"]["isError"], false);
    let config = server.ask(&reader, "resources/read", json!({ "uri": "watchbell://config/redacted" }));
    assert!(config["error"].is_object(), "{config}");
}

#[test]
fn who_called_what_is_written_down() {
    let place = place();
    let log = place.folder.path().join("audit.jsonl");
    place.write("watchbell.toml", "[serve]\naudit_log = \"audit.jsonl\"\n");
    let reader = key(&place, &["findings:read"]);
    let server = Server::start(&place, &[]);
    assert_eq!(server.status("X-API-Key: SECRETWORD\r\n"), 401);
    server.ask(&reader, "tools/call", json!({ "name": "list_findings", "arguments": { "entity": "SECRETWORD" } }));
    server.ask(&reader, "tools/call", json!({ "name": "test_sink", "arguments": { "sink": "SECRETWORD" } }));
    server.ask(&reader, "tools/call", json!({ "name": "SECRETWORD", "arguments": {} }));
    server.ask(&reader, "resources/read", json!({ "uri": "watchbell://config/redacted" }));
    let text = std::fs::read_to_string(&log).unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = entries.iter().map(|entry| (&entry["method"], &entry["route"], &entry["outcome"])).collect();
    assert_eq!(entries[0]["status"], 401, "{text}");
    assert_eq!(
        told[1..],
        [
            (&json!("tools/call"), &json!("list_findings"), &json!("ok")),
            (&json!("tools/call"), &json!("test_sink"), &json!("forbidden")),
            (&json!("tools/call"), &json!("none"), &json!("no_such_tool")),
            (&json!("resources/read"), &json!("watchbell://config/redacted"), &json!("forbidden")),
        ],
        "{text}"
    );
    assert!(entries[1..].iter().all(|entry| entry["caller"].is_string() && entry["client"] == "127.0.0.1"), "{text}");
    assert!(!text.contains("SECRETWORD"), "{text}");
}

#[test]
fn nobody_listens_to_the_network_without_keys() {
    let place = place();
    let refused = place.run(&["mcp", "--http", "0.0.0.0:0"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    refused.says("--insecure");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_order() {
    let place = place();
    let server = Server::start(&place, &[]);
    assert_eq!(server.status(""), 200);
    server.0.terminate();
    let ran = server.0.ended();
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
}
