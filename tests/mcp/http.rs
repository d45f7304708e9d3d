//! The HTTP transport: who may ask, under which name, how much, and how it ends. Requests are written by hand, so that they
//! can be what no client sends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use watchbell_sink::testkit::identity::Identity;

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
        let body = body.to_string();
        let host = if head.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.0.authority()) };
        let request = format!(
            "POST /mcp HTTP/1.1\r\n{host}{head}Content-Type: application/json\r\nConnection: close\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(&request)
    }

    /// What is answered to these very bytes.
    fn send(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.0.authority()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A connection that is turned away may be closed before this.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        // A stream of events may stay open: what came until then is enough.
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, head.to_lowercase(), body.to_owned())
    }

    fn initialize(&self, head: &str) -> (u16, String, String) {
        self.post(head, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() }))
    }

    fn status(&self, head: &str) -> u16 {
        self.initialize(head).0
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
    let place = Place::new("[serve]\nallowed_hosts = [\"watch.example\", \"proxy.example:8443\"]\n");
    let server = Server::start(&place, &["--insecure"]);
    assert_eq!(server.status("Host: watch.example\r\n"), 200);
    assert_eq!(server.status("Host: proxy.example\r\nOrigin: https://proxy.example:8443\r\n"), 200);
    assert_eq!(server.status("Host: proxy.example\r\nOrigin: https://proxy.example:3000\r\n"), 403);
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

/// What a header of an answer says.
fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(own, _)| *own == name).map(|(_, value)| value).next().unwrap_or_else(|| panic!("no {name}: {head}"))
}

#[test]
fn wrong_keys_are_limited_for_their_address_alone() {
    let place = place();
    let log = place.folder.path().join("audit.jsonl");
    place.write("watchbell.toml", "[serve]\naudit_log = \"audit.jsonl\"\ntrusted_proxies = [\"127.0.0.1\"]\n");
    let right = key(&place, &["findings:read"]);
    let server = Server::start(&place, &[]);
    let ask = |key: &str, from: &str| {
        server.initialize(&format!("Authorization: Bearer {key}\r\nX-Forwarded-For: {from}\r\n"))
    };
    for _ in 0..20 {
        assert_eq!(ask("wbk_00000000_wrong", "203.0.113.1").0, 401);
    }
    let (status, head, body) = ask("wbk_00000000_wrong", "203.0.113.1");
    assert_eq!(status, 429, "{head}\n{body}");
    assert!((1..=60).contains(&header(&head, "retry-after").parse::<u32>().unwrap()), "{head}");
    assert_eq!(header(&head, "content-type"), "application/problem+json");
    assert_eq!(ask("wbk_00000000_wrong", "203.0.113.2").0, 401);
    assert_eq!(ask(&right, "203.0.113.1").0, 200, "a valid key is not held back by others");
    let list = "Authorization: Bearer KEY\r\nX-Forwarded-For: 203.0.113.9\r\nMCP-Protocol-Version: 2025-06-18\r\n";
    let session = ask(&right, "203.0.113.9").1;
    let session = header(&session, "mcp-session-id");
    let head = format!("{}Mcp-Session-Id: {session}\r\n", list.replace("KEY", &right));
    server.post(&head, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let call = json!({ "name": "list_findings", "arguments": {} });
    let called = server.post(&head, &json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }));
    assert_eq!(called.0, 200, "{called:?}");
    let text = std::fs::read_to_string(&log).unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |client: &str| entries.iter().filter(|entry| entry["client"] == client).count();
    assert_eq!((of("203.0.113.1"), of("203.0.113.2"), of("203.0.113.9")), (21, 1, 1), "{text}");
    assert_eq!(entries[20]["status"], 429, "{text}");
}

#[test]
fn who_asks_too_much_is_told_when_to_come_back() {
    let place = Place::new("[serve]\nrate_per_minute = 2\n");
    let server = Server::start(&place, &["--insecure"]);
    // Nobody is believed about an address but a proxy.
    let ask = |from: &str| server.initialize(&format!("X-Forwarded-For: {from}\r\n"));
    assert_eq!((ask("203.0.113.1").0, ask("203.0.113.2").0), (200, 200));
    let (status, head, _) = ask("203.0.113.3");
    assert_eq!(status, 429, "{head}");
    assert!((1..=30).contains(&header(&head, "retry-after").parse::<u32>().unwrap()), "{head}");
}

#[test]
fn nothing_that_is_answered_is_kept_or_guessed_at() {
    let place = place();
    let reader = key(&place, &["findings:read"]);
    let server = Server::start(&place, &[]);
    for (head, expected) in [("", 401), (&*format!("X-API-Key: {reader}\r\n"), 200)] {
        let (status, head, _) = server.initialize(head);
        assert_eq!(status, expected);
        assert_eq!(header(&head, "cache-control"), "no-store");
        assert_eq!(header(&head, "x-content-type-options"), "nosniff");
    }
}

#[test]
fn one_address_has_its_share_of_connections() {
    let place = place();
    let server = Server::start(&place, &[]);
    let held: Vec<_> = (0..64).map(|_| TcpStream::connect(server.0.authority()).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.status(""), 0);
    drop(held);
    let began = Instant::now();
    while server.status("") != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "no room");
    }
}

#[test]
fn a_body_is_neither_too_large_nor_too_slow() {
    let place = Place::new("[serve]\ntimeout_secs = 1\nmax_body_bytes = \"1KB\"\n");
    let server = Server::start(&place, &[]);
    let head = format!("POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n", server.0.authority());
    let slow = server.send(&format!("{head}Content-Length: 100\r\n\r\n{{"));
    assert_eq!(slow.0, 408, "{slow:?}");
    let large = server.send(&format!("{head}Content-Length: 2000\r\n\r\n{}", " ".repeat(2000)));
    assert_eq!(large.0, 413, "{large:?}");
}

#[test]
fn sessions_that_nobody_ends_make_room() {
    let place = place();
    let server = Server::start(&place, &[]);
    let open = || header(&server.initialize("").1, "mcp-session-id").to_owned();
    let list = |session: &str| {
        let head = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-06-18\r\n");
        server.post(&head, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).0
    };
    let (first, second) = (open(), open());
    for _ in 0..254 {
        open();
    }
    assert_eq!(list(&first), 202);
    let last = open();
    assert_eq!((list(&second), list(&first), list(&last)), (404, 202, 202));
}

#[tokio::test]
async fn it_speaks_tls_where_the_configuration_has_a_certificate() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let place = Place::new("[serve]\ntls_cert = \"server.crt\"\ntls_key = \"server.key\"\n");
    place.write("server.crt", &identity.certificate);
    place.write("server.key", &identity.key);
    let server = Server::start(&place, &[]);
    assert!(server.0.address.starts_with("https://"), "{}", server.0.address);
    let authority = reqwest::Certificate::from_pem(identity.authority.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]).no_proxy().build().unwrap();
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() });
    let request = client.post(&server.0.address).body(hello.to_string());
    let request =
        request.header("content-type", "application/json").header("accept", "application/json, text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    place.write("server.key", "nothing");
    let refused = place.run(&["mcp", "--http", "127.0.0.1:0"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    refused.says("server.key");
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
