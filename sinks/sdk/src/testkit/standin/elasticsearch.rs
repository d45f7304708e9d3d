//! A node of Elasticsearch 9 as far as a sender meets it: who it is, templates, policies, data streams, and bulk requests
//! with one result per item.
//!
//! After Elastic's API reference. A repeated `_id` is a conflict (409) of that item; a data stream takes `create` only and
//! wants `@timestamp`; every answer names the product, because official clients look for it.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::SocketAddr,
    sync::Mutex,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Mood, Protocol, Record, Standin};
use crate::testkit::{
    locked,
    server::{Answer, Request},
};

const NAME: &str = "elasticsearch";

/// Who may write.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// An API key in its encoded form.
    ApiKey(String),
    /// Name and password.
    Basic(String, String),
}

/// Starts a node.
///
/// # Errors
/// The address is taken.
pub async fn start(credentials: Credentials, at: SocketAddr, record: Record) -> io::Result<Standin> {
    let authorization = match credentials {
        Credentials::ApiKey(key) => format!("ApiKey {key}"),
        Credentials::Basic(name, password) => format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))),
    };
    Standin::http(NAME, at, record.clone(), Node { authorization, record, state: Mutex::default() }).await
}

struct Node {
    authorization: String,
    record: Record,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    templates: HashMap<String, Value>,
    policies: HashMap<String, Value>,
    streams: HashSet<String>,
    indexes: HashSet<String>,
    documents: HashSet<(String, String)>,
}

/// A refusal: status, type, reason.
type Refusal = (u16, &'static str, String);

impl Protocol for Node {
    fn answer(&self, request: &Request) -> Answer {
        let answered = self.authorized(request).and_then(|()| self.routed(request));
        let answer = answered.unwrap_or_else(|(status, kind, reason)| refused(status, kind, &reason));
        answer.header("X-Elastic-Product", "Elasticsearch")
    }

    fn refusal(&self, mood: Mood) -> Answer {
        let (status, kind, reason) = match mood {
            Mood::Unauthorized => unauthorized(),
            Mood::Throttled => {
                (429, "es_rejected_execution_exception", "rejected execution of coordinating operation".into())
            }
            _ => (503, "unavailable_shards_exception", "primary shard is not active".into()),
        };
        refused(status, kind, &reason).header("X-Elastic-Product", "Elasticsearch")
    }
}

fn unauthorized() -> Refusal {
    (401, "security_exception", "unable to authenticate with provided credentials".to_owned())
}

fn refused(status: u16, kind: &str, reason: &str) -> Answer {
    let cause = json!({ "type": kind, "reason": reason });
    let body = json!({ "error": { "root_cause": [cause], "type": kind, "reason": reason }, "status": status });
    let answer = Answer::json(status, body);
    if status == 401 { answer.header("WWW-Authenticate", "ApiKey") } else { answer }
}

impl Node {
    fn authorized(&self, request: &Request) -> Result<(), Refusal> {
        let fits = request.header("authorization") == Some(&self.authorization);
        if fits { Ok(()) } else { Err(unauthorized()) }
    }

    fn routed(&self, request: &Request) -> Result<Answer, Refusal> {
        let parts: Vec<&str> = request.route().split('/').filter(|part| !part.is_empty()).collect();
        let mut state = locked(&self.state);
        match (request.method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", []) => Ok(Answer::json(200, root())),
            ("GET", ["_security", "_authenticate"]) => {
                Ok(Answer::json(200, json!({ "username": "watchbell", "roles": [], "authentication_type": "api_key" })))
            }
            ("POST", ["_security", "user", "_has_privileges"]) => Ok(Answer::json(
                200,
                json!({ "username": "watchbell", "has_all_requested": true, "cluster": {}, "index": {} }),
            )),
            ("GET" | "HEAD", ["_cluster", "health"]) => {
                Ok(Answer::json(200, json!({ "cluster_name": "sandbox", "status": "green", "timed_out": false })))
            }
            ("GET" | "HEAD", ["_index_template", name]) => {
                let template = state.templates.get(*name);
                let reason = format!("index template matching [{name}] not found");
                let template = template.ok_or((404, "resource_not_found_exception", reason))?;
                Ok(Answer::json(200, json!({ "index_templates": [{ "name": name, "index_template": template }] })))
            }
            ("PUT" | "POST", ["_index_template", name]) => {
                let template = request.json();
                if !template["index_patterns"].is_array() {
                    return Err((400, "illegal_argument_exception", "Required [index_patterns]".to_owned()));
                }
                state.templates.insert((*name).to_owned(), template);
                Ok(acknowledged())
            }
            ("GET", ["_ilm", "policy", name]) => {
                let policy = state.policies.get(*name);
                let policy = policy.ok_or((
                    404,
                    "resource_not_found_exception",
                    format!("Lifecycle policy not found: {name}"),
                ))?;
                let kept = json!({ "version": 1, "modified_date": "2026-01-01T00:00:00.000Z", "policy": policy });
                Ok(Answer::json(200, json!({ *name: kept })))
            }
            ("PUT", ["_ilm", "policy", name]) => {
                state.policies.insert((*name).to_owned(), request.json()["policy"].clone());
                Ok(acknowledged())
            }
            ("GET", ["_data_stream", name]) => {
                let reason = format!("no such index [{name}]");
                state.streams.contains(*name).then_some(()).ok_or((404, "index_not_found_exception", reason))?;
                Ok(Answer::json(200, json!({ "data_streams": [{ "name": name, "status": "GREEN", "generation": 1 }] })))
            }
            ("PUT", ["_data_stream", name]) => state.create_stream(name),
            ("GET" | "HEAD", [index] | [index, "_alias"]) if !index.starts_with('_') => {
                let there = state.streams.contains(*index) || state.indexes.contains(*index);
                there.then_some(()).ok_or((404, "index_not_found_exception", format!("no such index [{index}]")))?;
                Ok(Answer::json(200, json!({ *index: { "aliases": {} } })))
            }
            ("PUT", [index]) if !index.starts_with('_') => match state.indexes.insert((*index).to_owned()) {
                true => {
                    Ok(Answer::json(200, json!({ "acknowledged": true, "shards_acknowledged": true, "index": index })))
                }
                false => Err((400, "resource_already_exists_exception", format!("index [{index}] already exists"))),
            },
            ("POST", [index, "_rollover"]) => {
                Ok(Answer::json(200, json!({ "acknowledged": true, "rolled_over": true, "old_index": index })))
            }
            ("POST" | "PUT", ["_bulk"]) => self.bulk(&mut state, None, request),
            ("POST" | "PUT", [index, "_bulk"]) => self.bulk(&mut state, Some(index), request),
            (method, _) => {
                let reason = format!("no handler found for uri [{}] and method [{method}]", request.path);
                Err((400, "illegal_argument_exception", reason))
            }
        }
    }

    fn bulk(&self, state: &mut State, index: Option<&str>, request: &Request) -> Result<Answer, Refusal> {
        let bad = |reason: &str| (400, "illegal_argument_exception", reason.to_owned());
        let kind = request.header("content-type").unwrap_or_default();
        if !kind.contains("json") {
            let reason = format!("Content-Type header [{kind}] is not supported");
            return Err((406, "media_type_header_exception", reason));
        }
        let body = request.plain();
        if body.last() != Some(&b'\n') {
            return Err(bad("The bulk request must be terminated by a newline [\\n]"));
        }
        let mut lines = body[..body.len() - 1].split(|byte| *byte == b'\n');
        let mut items = Vec::new();
        while let Some(line) = lines.next() {
            let action: Value = serde_json::from_slice(line).map_err(|_| bad("Malformed action/metadata line"))?;
            let (verb, meta) = match action.as_object().and_then(|action| action.iter().next()) {
                Some((verb, meta)) if verb == "create" || verb == "index" => (verb.clone(), meta.clone()),
                _ => return Err(bad("Malformed action/metadata line, expected one of [create, index]")),
            };
            let document = lines.next().ok_or_else(|| bad("The bulk request ends after an action"))?;
            let index = meta["_index"].as_str().or(index).ok_or_else(|| bad("index is missing"))?;
            let id = meta["_id"].as_str().unwrap_or_default();
            let stored = state.store(&verb, index, id, document);
            if stored.is_ok() {
                self.record.note(NAME, id, String::from_utf8_lossy(document));
            }
            let item = match stored {
                Ok(()) => json!({ "_index": index, "_id": id, "_version": 1, "result": "created", "status": 201 }),
                Err((status, kind, reason)) => {
                    let error = json!({ "type": kind, "reason": reason });
                    json!({ "_index": index, "_id": id, "status": status, "error": error })
                }
            };
            items.push(json!({ verb: item }));
        }
        let failed =
            |item: &Value| item.as_object().is_some_and(|item| item.values().any(|item| item["error"].is_object()));
        Ok(Answer::json(200, json!({ "took": 1, "errors": items.iter().any(failed), "items": items })))
    }
}

impl State {
    fn template_of(&self, name: &str) -> Option<&Value> {
        let fits = |pattern: &Value| match pattern.as_str().map(|pattern| (pattern, pattern.strip_suffix('*'))) {
            Some((_, Some(prefix))) => name.starts_with(prefix),
            Some((pattern, None)) => pattern == name,
            None => false,
        };
        self.templates.values().find(|template| {
            template["data_stream"].is_object()
                && template["index_patterns"].as_array().is_some_and(|all| all.iter().any(fits))
        })
    }

    fn create_stream(&mut self, name: &str) -> Result<Answer, Refusal> {
        if self.template_of(name).is_none() {
            let reason = format!("no matching index template found for data stream [{name}]");
            return Err((400, "illegal_argument_exception", reason));
        }
        match self.streams.insert(name.to_owned()) {
            true => Ok(acknowledged()),
            false => Err((400, "resource_already_exists_exception", format!("data_stream [{name}] already exists"))),
        }
    }

    fn store(&mut self, verb: &str, index: &str, id: &str, document: &[u8]) -> Result<(), Refusal> {
        if self.template_of(index).is_some() {
            self.streams.insert(index.to_owned());
        }
        let document: Value = serde_json::from_slice(document).unwrap_or_default();
        let parsed = |reason: &str| (400, "document_parsing_exception", reason.to_owned());
        if !document.is_object() {
            return Err(parsed("failed to parse"));
        }
        if self.streams.contains(index) {
            if verb != "create" {
                let reason = "only write ops with an op_type of create are allowed in data streams";
                return Err((400, "illegal_argument_exception", reason.to_owned()));
            }
            if !document["@timestamp"].is_string() {
                return Err(parsed("data stream timestamp field [@timestamp] is missing"));
            }
        }
        if id.len() > 512 {
            return Err((
                400,
                "action_request_validation_exception",
                "id is too long, must be no longer than 512 bytes".into(),
            ));
        }
        let new = self.documents.insert((index.to_owned(), id.to_owned()));
        if !new && verb == "create" && !id.is_empty() {
            let reason = format!("[{id}]: version conflict, document already exists (current version [1])");
            return Err((409, "version_conflict_engine_exception", reason));
        }
        Ok(())
    }
}

fn acknowledged() -> Answer {
    Answer::json(200, json!({ "acknowledged": true }))
}

fn root() -> Value {
    json!({
        "name": "sandbox-1", "cluster_name": "sandbox", "cluster_uuid": "c2FuZGJveC1jbHVzdGVyLTE",
        "version": {
            "number": "9.1.0", "build_flavor": "default", "build_type": "docker", "build_snapshot": false,
            "lucene_version": "10.2.2", "minimum_wire_compatibility_version": "8.19.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        "tagline": "You Know, for Search",
    })
}
