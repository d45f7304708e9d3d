//! Slack: incoming webhooks and the Web API methods that a poster needs, with Block Kit's limits and the rate of one
//! message a second enforced.
//!
//! After the reference of each method, "Sending messages using incoming webhooks" and "Block Kit". The Web API refuses with
//! status 200 and `ok: false`; the webhook with a status and a word.

use std::{
    io,
    net::SocketAddr,
    sync::Mutex,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{Mood, Protocol, Record, Standin, block_kit, id_in};
use crate::testkit::{
    locked,
    server::{Answer, Request},
};

const NAME: &str = "slack";
/// "Short bursts" are allowed, of a length that is not published.
const BURST: f64 = 5.0;

/// A workspace.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The bot's token, `xoxb-`.
    pub token: String,
    /// The channel that the bot is in, by id and by name.
    pub channel: (String, String),
    /// The path of the incoming webhook, `/services/T../B../..`.
    pub webhook: String,
}

/// Starts a workspace: the Web API below `/api`, the incoming webhook at its path.
///
/// # Errors
/// The address is taken.
pub async fn start(workspace: Workspace, at: SocketAddr, record: Record) -> io::Result<Standin> {
    let posted = Mutex::new(Posted { tokens: BURST, refilled: Instant::now(), messages: Vec::new() });
    Standin::http(NAME, at, record.clone(), Slack { workspace, record, posted }).await
}

struct Slack {
    workspace: Workspace,
    record: Record,
    posted: Mutex<Posted>,
}

struct Posted {
    tokens: f64,
    refilled: Instant,
    /// The time stamps that name messages.
    messages: Vec<String>,
}

/// Why the Web API does not do it: the error's name and what it says besides.
type Refusal = (&'static str, Vec<String>);

fn refusal(name: &'static str) -> Refusal {
    (name, Vec::new())
}

impl Protocol for Slack {
    fn answer(&self, request: &Request) -> Answer {
        match request.route().strip_prefix("/api/") {
            Some(method) => self.method(method, request),
            None => self.webhook(request),
        }
    }

    fn refusal(&self, mood: Mood) -> Answer {
        match mood {
            Mood::Unauthorized => Answer::json(200, json!({ "ok": false, "error": "invalid_auth" })),
            Mood::Throttled => Answer::json(429, json!({ "ok": false, "error": "ratelimited" })),
            _ => Answer::text(503, "Service Unavailable"),
        }
    }
}

fn too_many() -> Answer {
    Answer::json(429, json!({ "ok": false, "error": "ratelimited" })).header("Retry-After", 1)
}

impl Slack {
    fn may_post(&self) -> bool {
        let mut posted = locked(&self.posted);
        let refill = posted.refilled.elapsed().as_secs_f64();
        posted.tokens = (posted.tokens + refill).min(BURST);
        posted.refilled = Instant::now();
        let allowed = posted.tokens >= 1.0;
        posted.tokens -= if allowed { 1.0 } else { 0.0 };
        allowed
    }

    fn webhook(&self, request: &Request) -> Answer {
        if request.method != "POST" {
            return Answer::text(400, "invalid_payload");
        }
        if request.route() != self.workspace.webhook {
            let ours = |path: &str| path.split('/').take(4).map(str::to_owned).collect::<Vec<_>>();
            let known = ours(request.route()) == ours(&self.workspace.webhook);
            return if known { Answer::text(403, "invalid_token") } else { Answer::text(404, "no_service") };
        }
        let message = request.json();
        if !message.is_object() {
            return Answer::text(400, "invalid_payload");
        }
        if let Err((name, _)) = content(&message) {
            return Answer::text(400, name);
        }
        if !self.may_post() {
            return Answer::text(429, "rate_limited").header("Retry-After", 1);
        }
        self.note(&message);
        Answer::text(200, "ok")
    }

    fn method(&self, method: &str, request: &Request) -> Answer {
        let authorized = request.header("authorization") == Some(&format!("Bearer {}", self.workspace.token));
        let answered = match (authorized, method) {
            (false, _) if request.header("authorization").is_none() => Err(refusal("not_authed")),
            (false, _) => Err(refusal("invalid_auth")),
            (true, "auth.test") => Ok(json!({
                "url": "https://sandbox.slack.com/", "team": "Sandbox", "user": "watchbell", "team_id": "T0000000001",
                "user_id": "U0000000001", "bot_id": "B0000000001", "is_enterprise_install": false,
            })),
            (true, "conversations.info") => self.channel(&parameters(request)).map(|(id, name)| {
                json!({ "channel": { "id": id, "name": name, "is_channel": true, "is_member": true, "is_archived": false } })
            }),
            (true, "chat.postMessage") if !self.may_post() => return too_many(),
            (true, "chat.postMessage") => self.post(&parameters(request)),
            (true, "chat.update") => self.update(&parameters(request)),
            (true, _) => Err(refusal("unknown_method")),
        };
        let body = match answered {
            Ok(mut body) => {
                body["ok"] = true.into();
                body
            }
            Err((error, messages)) if messages.is_empty() => json!({ "ok": false, "error": error }),
            Err((error, messages)) => {
                json!({ "ok": false, "error": error, "errors": messages, "response_metadata": { "messages": messages } })
            }
        };
        Answer::json(200, body).header("X-OAuth-Scopes", "chat:write,channels:read")
    }

    fn channel(&self, parameters: &Value) -> Result<&(String, String), Refusal> {
        let channel = &self.workspace.channel;
        match parameters["channel"].as_str() {
            Some(given) if given == channel.0 || given.trim_start_matches('#') == channel.1 => Ok(channel),
            _ => Err(refusal("channel_not_found")),
        }
    }

    fn post(&self, message: &Value) -> Result<Value, Refusal> {
        let (channel, _) = self.channel(message)?;
        content(message)?;
        let mut posted = locked(&self.posted);
        if let Some(thread) = message["thread_ts"].as_str()
            && !posted.messages.iter().any(|known| known == thread)
        {
            return Err(refusal("thread_not_found"));
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let stamp = format!("{seconds}.{:06}", posted.messages.len());
        posted.messages.push(stamp.clone());
        drop(posted);
        self.note(message);
        Ok(json!({ "channel": channel, "ts": stamp, "message": message }))
    }

    fn update(&self, message: &Value) -> Result<Value, Refusal> {
        let (channel, _) = self.channel(message)?;
        content(message)?;
        let stamp = message["ts"].as_str().unwrap_or_default();
        if !locked(&self.posted).messages.iter().any(|known| known == stamp) {
            return Err(refusal("message_not_found"));
        }
        self.note(message);
        Ok(json!({ "channel": channel, "ts": stamp, "text": message["text"] }))
    }

    fn note(&self, message: &Value) {
        let text = message.to_string();
        self.record.note(NAME, id_in(&text), text);
    }
}

/// JSON, or for reading methods the query.
fn parameters(request: &Request) -> Value {
    let json = request.json();
    if json.is_object() {
        return json;
    }
    let query = request.path.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_else(|| request.text());
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), Value::from(value))).collect()
}

/// Something to show, within the limits.
fn content(message: &Value) -> Result<(), Refusal> {
    let text = message["text"].as_str().unwrap_or_default();
    let none = |key: &str| message[key].as_array().is_none_or(Vec::is_empty);
    if text.is_empty() && none("blocks") && none("attachments") {
        return Err(refusal("no_text"));
    }
    block_kit::check(message)
}
