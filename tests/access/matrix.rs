//! Every route with every kind of credentials. What each needs is written down here a second time and compared with the
//! OpenAPI document, so that neither a new route without a guard nor another scope at an old one goes unnoticed.

use std::{collections::BTreeMap, time::Duration};

use super::*;

const SCOPES: [&str; 8] = [
    "findings:read",
    "findings:write",
    "logs:write",
    "models:read",
    "models:write",
    "sinks:read",
    "sinks:write",
    "metrics:read",
];

/// What each route needs.
const NEEDED: [(&str, &str, &str); 30] = [
    ("POST", "/analyze", "logs:write"),
    ("GET", "/metrics", "metrics:read"),
    ("POST", "/v1/analyze", "logs:write"),
    ("GET", "/v1/batches", "logs:write"),
    ("POST", "/v1/batches", "logs:write"),
    ("GET", "/v1/batches/{id}", "logs:write"),
    ("POST", "/v1/batches/{id}/cancel", "logs:write"),
    ("GET", "/v1/batches/{id}/result", "logs:write"),
    ("GET", "/v1/changes", "findings:read"),
    ("GET", "/v1/feedback", "findings:read"),
    ("GET", "/v1/findings", "findings:read"),
    ("GET", "/v1/findings/{id}", "findings:read"),
    ("GET", "/v1/findings/{id}/explain", "findings:read"),
    ("POST", "/v1/findings/{id}/feedback", "findings:write"),
    ("POST", "/v1/findings:forward", "sinks:write"),
    ("GET", "/v1/models", "models:read"),
    ("POST", "/v1/models", "models:write"),
    ("POST", "/v1/models/{name}/load", "models:write"),
    ("GET", "/v1/outbox", "sinks:read"),
    ("GET", "/v1/outbox/dead", "sinks:read"),
    ("POST", "/v1/outbox/dead:replay", "sinks:write"),
    ("GET", "/v1/sinks", "sinks:read"),
    ("POST", "/v1/sinks/{name}/check", "sinks:write"),
    ("GET", "/v1/summary", "findings:read"),
    ("GET", "/v1/suppressions", "findings:read"),
    ("POST", "/v1/suppressions", "findings:write"),
    ("DELETE", "/v1/suppressions/{id}", "findings:write"),
    ("GET", "/v1/trainings", "models:read"),
    ("GET", "/v1/trainings/{id}", "models:read"),
    ("POST", "/v1/trainings/{id}/cancel", "models:write"),
];

/// Routes that the document tells about and that need no key: asked by machines that have none.
const OPEN: [&str; 2] = ["/health/live", "/health/ready"];

/// Routes that the document does not tell about, each with what becomes of it without credentials: 200 says that it holds
/// nothing that is secret, 303 that a person is sent to log in.
const UNDOCUMENTED: [(&str, &str, u16); 7] = [
    ("GET", "/", 303),
    ("GET", "/findings/{id}", 303),
    ("GET", "/assets/{name}", 404),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs/", 200),
    ("GET", "/login", 200),
    ("POST", "/logout", 303),
];

#[derive(Debug)]
struct Route {
    method: Method,
    path: String,
    /// What it needs.
    scope: Option<String>,
}

/// What the document tells about.
fn documented(document: &Value) -> Vec<Route> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let known = ["get", "post", "put", "patch", "delete"];
        let operations = item.as_object().unwrap().iter().filter(move |(name, _)| known.contains(&name.as_str()));
        operations.map(move |(method, operation)| {
            let scope = operation["security"][0].as_object().and_then(|needs| needs.values().next()?[0].as_str());
            Route {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                scope: scope.map(str::to_owned),
            }
        })
    });
    operations.collect()
}

/// Every kind of credentials, by name.
struct Credentials {
    wrong: String,
    expired: String,
    revoked: String,
    right: BTreeMap<&'static str, String>,
    all_but: BTreeMap<&'static str, String>,
    issuer: Issuer,
}

impl Credentials {
    fn make(place: &Place) -> Self {
        let issuer = Issuer::new(place);
        let expired = key(place, &["admin"], &["--expires", "1s"]).1;
        let (id, revoked) = key(place, &["admin"], &[]);
        assert_eq!(place.run(&["keys", "revoke", &id]).code, 0);
        let right = SCOPES.map(|scope| (scope, key(place, &[scope], &[]).1)).into();
        let all_but = SCOPES.map(|scope| {
            let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
            (scope, key(place, &others, &[]).1)
        });
        // The form is right, the secret is not.
        let wrong = format!("{}{}", &revoked[..revoked.len() - 4], "0000");
        std::thread::sleep(Duration::from_millis(1100));
        Self { wrong, expired, revoked, right, all_but: all_but.into(), issuer }
    }

    /// Each kind with the status that it must lead to, `None` where the route itself answers.
    fn cases(&self, scope: &str) -> Vec<(&'static str, Option<String>, Option<u16>)> {
        let others = SCOPES.into_iter().filter(|other| *other != scope).collect::<Vec<_>>().join(" ");
        vec![
            ("no key", None, Some(401)),
            ("a wrong key", Some(self.wrong.clone()), Some(401)),
            ("an expired key", Some(self.expired.clone()), Some(401)),
            ("a revoked key", Some(self.revoked.clone()), Some(401)),
            ("a key of other scopes", Some(self.all_but[scope].clone()), Some(403)),
            ("the right key", Some(self.right[scope].clone()), None),
            ("an expired token", Some(self.issuer.token(scope, -120)), Some(401)),
            ("a token of other scopes", Some(self.issuer.token(&others, 300)), Some(403)),
            ("the right token", Some(self.issuer.token(scope, 300)), None),
        ]
    }
}

#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let place = Place::new(&format!("{CONFIGURATION}{TOKENS}"));
    let credentials = Credentials::make(&place);
    let server = Server::start(place);
    let document: Value = server.get("/openapi.json").send().await.unwrap().json().await.unwrap();
    let routes = documented(&document);
    let mut told: Vec<_> = routes
        .iter()
        .filter_map(|route| Some((route.method.as_str(), route.path.as_str(), route.scope.as_deref()?)))
        .collect();
    told.sort_unstable_by_key(|(method, path, _)| (*path, *method));
    let mut needed = NEEDED.to_vec();
    needed.sort_unstable_by_key(|(method, path, _)| (*path, *method));
    assert_eq!(told, needed);
    let (mut wrong, mut asked) = (Vec::new(), 0_u32);
    for route in &routes {
        let Some(scope) = &route.scope else {
            assert!(OPEN.contains(&route.path.as_str()), "{} {} asks nobody", route.method, route.path);
            continue;
        };
        let path = route.path.replace("{", "").replace("}", "");
        for (kind, credential, expected) in credentials.cases(scope) {
            for header in ["authorization", "x-api-key"] {
                // Each from an address of its own: failures are limited.
                asked += 1;
                let from = std::net::Ipv4Addr::from_bits(asked).to_string();
                let mut request = server.ask(route.method.clone(), &path).header("x-forwarded-for", from);
                request = match (&credential, header) {
                    (Some(text), "authorization") => request.bearer_auth(text),
                    (Some(text), _) => request.header("x-api-key", text),
                    (None, _) => request,
                };
                let response = request.send().await.unwrap();
                let found = response.status().as_u16();
                let challenge = response.headers().get("www-authenticate").is_some();
                let is_right = expected.map_or(!matches!(found, 401 | 403 | 429), |expected| found == expected);
                if !is_right || challenge != (found == 401) {
                    wrong.push(format!("{} {} with {kind} in {header}: {found}", route.method, route.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One call over the other front, in the protocol's newest form, which knows no sessions.
async fn call(server: &Server, credential: Option<&str>, tool: &str) -> (u16, Value) {
    const VERSION: &str = "2026-07-28";
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let parameters = json!({ "name": tool, "arguments": {}, "_meta": meta });
    let mut request = server.ask(Method::POST, "").header("accept", "application/json, text/event-stream");
    for (name, value) in [("mcp-protocol-version", VERSION), ("mcp-method", "tools/call"), ("mcp-name", tool)] {
        request = request.header(name, value);
    }
    if let Some(text) = credential {
        request = request.bearer_auth(text);
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters });
    let response = request.json(&message).send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    let data = text.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim());
    let mut messages = data.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    (status, messages.rfind(|message| message["id"] == 1).unwrap_or_default())
}

/// The other front has one route and decides on scopes by the tool: who may not come in at all gets a status.
#[tokio::test]
async fn every_call_over_mcp_asks_for_its_scope() {
    let place = Place::new(&format!("[serve]\nrate_per_minute = 100000\n{TOKENS}"));
    let credentials = Credentials::make(&place);
    let server = Server::running(place, &["mcp", "--http", "127.0.0.1:0"], Client::builder());
    for (tool, scope) in [("list_findings", "findings:read"), ("list_sinks", "sinks:read")] {
        for (kind, credential, expected) in credentials.cases(scope) {
            let (status, answer) = call(&server, credential.as_deref(), tool).await;
            let is_refused = answer.to_string().contains("forbidden");
            let found = if status == 200 && is_refused { 403 } else { status };
            assert_eq!(found, expected.unwrap_or(200), "{tool} with {kind}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_the_document_does_not_tell_about_is_guarded_too() {
    let place = Place::new(CONFIGURATION);
    let other = key(&place, &["models:read"], &[]).1;
    let admin = key(&place, &["admin"], &[]).1;
    let server = Server::start(place);
    for (method, path, expected) in UNDOCUMENTED {
        let method: Method = method.parse().unwrap();
        let path = path.replace("{", "").replace("}", "");
        let ask = || server.ask(method.clone(), &path).header("accept", "text/html");
        let response = ask().send().await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{path}");
        if expected == 303 {
            assert_eq!(response.headers()["location"], "/login", "{path}");
        }
        if expected == 303 && method == Method::GET {
            assert_eq!(status(ask().bearer_auth(&other)).await, 403, "{path}");
            assert!(matches!(status(ask().bearer_auth(&admin)).await, 200 | 404), "{path}");
        }
    }
    for path in OPEN {
        assert!(matches!(status(server.get(path)).await, 200 | 204), "{path}");
    }
}

/// A route that is written into a router by hand is in no document, so it must be in the list above.
#[test]
fn every_route_that_is_written_by_hand_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut unlisted = Vec::new();
    let mut found = 0;
    for file in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|file| file.file_type().is_file())
    {
        let text = std::fs::read_to_string(file.path()).unwrap();
        let program = text.split("#[cfg(test)]").next().unwrap();
        for part in program.split(".route(\"").skip(1) {
            let path = part.split('"').next().unwrap();
            found += 1;
            let is_listed = UNDOCUMENTED.iter().any(|(_, listed, _)| *listed == path);
            if !is_listed {
                unlisted.push(format!("{}: {path}", file.path().display()));
            }
        }
    }
    assert!(found >= 5, "{found}");
    assert!(unlisted.is_empty(), "{unlisted:?}");
}
