//! Splunk's HTTP Event Collector: token, codes 0 to 27 as far as they can be provoked, gzip, acknowledgements by channel.
//!
//! After "Format events for HTTP Event Collector", "Troubleshoot HTTP Event Collector" and "About HTTP Event Collector
//! Indexer Acknowledgment". Events before a bad one are indexed, and an acknowledgement is said once: both as Splunk does.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::SocketAddr,
    sync::Mutex,
};

use serde_json::{Value, json};

use super::{Mood, Protocol, Record, Standin, id_in};
use crate::testkit::{
    locked,
    server::{Answer, Request},
};

const NAME: &str = "splunk_hec";

/// How the token is set up.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub token: String,
    /// Whether it asks for a channel and acknowledges.
    pub acknowledges: bool,
    /// The indexes it may write to; empty: any.
    pub indexes: Vec<String>,
}

/// Starts a collector for one token.
///
/// # Errors
/// The address is taken.
pub async fn start(token: Token, at: SocketAddr, record: Record) -> io::Result<Standin> {
    let collector = Collector { token, record: record.clone(), channels: Mutex::default() };
    Standin::http(NAME, at, record, collector).await
}

struct Collector {
    token: Token,
    record: Record,
    /// By channel: the next ackId, and those not yet asked for.
    channels: Mutex<HashMap<String, Channel>>,
}

#[derive(Default)]
struct Channel {
    next: u64,
    indexed: Vec<u64>,
}

/// A refusal: HTTP status, code, text.
type Refusal = (u16, u16, &'static str);

const DATA_CHANNEL_MISSING: Refusal = (400, 10, "Data channel is missing");
const INVALID_DATA_FORMAT: Refusal = (400, 6, "Invalid data format");

impl Protocol for Collector {
    fn answer(&self, request: &Request) -> Answer {
        let route = request.route().trim_end_matches('/');
        let answered = match (request.method.as_str(), route) {
            ("GET", "/services/collector/health" | "/services/collector/health/1.0") => self.health(request),
            ("POST", "/services/collector" | "/services/collector/event" | "/services/collector/event/1.0") => {
                self.events(request)
            }
            ("POST", "/services/collector/ack") => self.acknowledgements(request),
            _ => Err((404, 404, "The requested URL was not found on this server.")),
        };
        answered.unwrap_or_else(|(status, code, text)| said(status, code, text))
    }

    fn refusal(&self, mood: Mood) -> Answer {
        match mood {
            Mood::Unauthorized => said(403, 4, "Invalid token"),
            Mood::Throttled => said(429, 26, "HEC queue is at capacity"),
            _ => said(503, 9, "Server is busy"),
        }
    }
}

fn said(status: u16, code: u16, text: &str) -> Answer {
    Answer::json(status, json!({ "text": text, "code": code }))
}

impl Collector {
    fn authorized(&self, request: &Request) -> Result<(), Refusal> {
        let given = request.header("authorization").ok_or((401, 2, "Token is required"))?;
        match given.strip_prefix("Splunk ") {
            Some(token) if token == self.token.token => Ok(()),
            Some(_) => Err((403, 4, "Invalid token")),
            None => Err((401, 3, "Invalid authorization")),
        }
    }

    fn health(&self, request: &Request) -> Result<Answer, Refusal> {
        // The health page needs no token, and has codes of its own for a wrong one.
        match self.authorized(request) {
            Err((403, ..)) => Err((400, 21, "Invalid token")),
            _ => Ok(said(200, 17, "HEC is healthy")),
        }
    }

    fn channel(&self, request: &Request) -> Result<Option<String>, Refusal> {
        let in_query = || {
            let (_, query) = request.path.split_once('?')?;
            query.split('&').find_map(|pair| pair.strip_prefix("channel="))
        };
        let Some(channel) = request.header("x-splunk-request-channel").or_else(in_query) else { return Ok(None) };
        let parts: Vec<usize> = channel.split('-').map(str::len).collect();
        let hexadecimal = channel.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        match hexadecimal && parts == [8, 4, 4, 4, 12] {
            true => Ok(Some(channel.to_ascii_lowercase())),
            false => Err((400, 11, "Invalid data channel")),
        }
    }

    fn events(&self, request: &Request) -> Result<Answer, Refusal> {
        self.authorized(request)?;
        let channel = self.channel(request)?;
        if self.token.acknowledges && channel.is_none() {
            return Err(DATA_CHANNEL_MISSING);
        }
        let body = request.plain();
        let mut taken = 0;
        for event in serde_json::Deserializer::from_slice(&body).into_iter::<Value>() {
            match event.map_err(|_| INVALID_DATA_FORMAT).and_then(|event| self.index(&event)) {
                Ok(()) => taken += 1,
                Err((status, code, text)) => {
                    let refused = json!({ "text": text, "code": code, "invalid-event-number": taken });
                    return Ok(Answer::json(status, refused));
                }
            }
        }
        if taken == 0 {
            return Err((400, 5, "No data"));
        }
        let mut answer = json!({ "text": "Success", "code": 0 });
        if let Some(channel) = channel.filter(|_| self.token.acknowledges) {
            let mut channels = locked(&self.channels);
            let channel = channels.entry(channel).or_default();
            answer["ackId"] = channel.next.into();
            channel.indexed.push(channel.next);
            channel.next += 1;
        }
        Ok(Answer::json(200, answer))
    }

    fn index(&self, event: &Value) -> Result<(), Refusal> {
        let content = match &event["event"] {
            Value::Null if event.get("event").is_none() => return Err((400, 12, "Event field is required")),
            Value::Null => return Err((400, 13, "Event field cannot be blank")),
            Value::String(text) if text.is_empty() => return Err((400, 13, "Event field cannot be blank")),
            content => content,
        };
        let flat = |value: &Value| match value {
            Value::Array(values) => values.iter().all(|value| !value.is_array() && !value.is_object()),
            value => !value.is_object(),
        };
        let fields_fit = match event.get("fields") {
            None => true,
            Some(fields) => fields.as_object().is_some_and(|fields| fields.values().all(flat)),
        };
        if !fields_fit {
            return Err((400, 15, "Error in handling indexed fields"));
        }
        let time_fits = match event.get("time") {
            None => true,
            Some(Value::String(text)) => text.parse::<f64>().is_ok(),
            Some(time) => time.is_number(),
        };
        if !time_fits {
            return Err(INVALID_DATA_FORMAT);
        }
        let index = event["index"].as_str();
        if index.is_some_and(|index| !self.token.indexes.is_empty() && !self.token.indexes.iter().any(|i| i == index)) {
            return Err((400, 7, "Incorrect index"));
        }
        let id = [&event["fields"]["finding_id"], &content["finding_id"], &content["id"]]
            .into_iter()
            .find_map(Value::as_str);
        let text = event.to_string();
        self.record.note(NAME, id.map_or_else(|| id_in(&text), str::to_owned), text);
        Ok(())
    }

    fn acknowledgements(&self, request: &Request) -> Result<Answer, Refusal> {
        self.authorized(request)?;
        if !self.token.acknowledges {
            return Err((400, 14, "ACK is disabled"));
        }
        let channel = self.channel(request)?.ok_or(DATA_CHANNEL_MISSING)?;
        let asked = request.json();
        let asked = asked["acks"].as_array().ok_or(INVALID_DATA_FORMAT)?;
        let mut channels = locked(&self.channels);
        let channel = channels.entry(channel).or_default();
        let mut acks = BTreeMap::new();
        for id in asked.iter().filter_map(Value::as_u64) {
            let before = channel.indexed.len();
            channel.indexed.retain(|&indexed| indexed != id);
            acks.insert(id.to_string(), channel.indexed.len() < before);
        }
        Ok(Answer::json(200, json!({ "acks": acks })))
    }
}
