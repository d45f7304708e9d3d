//! The destinations: an HTTP event collector with acknowledgements, a bulk index, and a webhook, each with the troubles
//! of a real one, and each with a book of what arrived.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Result;
use serde_json::{Deserializer, Value, json};
use watchbell::sink::{
    Finding,
    testkit::server::{Answer, Request, Server},
};

use super::child::SinkOrders;

/// The hash of a content, and how often it arrived.
type Seen = ([u8; 32], u64);

/// What arrived at one destination: by finding, each content and how often.
#[derive(Default)]
pub(super) struct Book {
    arrived: Mutex<HashMap<String, Vec<Seen>>>,
    /// Repetitions that the destination recognized by their id.
    recognized: AtomicU64,
    /// Requests that it refused.
    refused: AtomicU64,
    requests: AtomicU64,
}

/// One destination and what is known of it.
pub(super) struct Destination {
    pub(super) orders: SinkOrders,
    pub(super) book: Arc<Book>,
    _server: Server,
}

/// What a book says about the findings that were accepted.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) kind: String,
    pub(super) arrived: u64,
    pub(super) lost: u64,
    /// Something else than what was accepted arrived under the id.
    pub(super) altered: u64,
    /// Arrived more than once.
    pub(super) duplicates: u64,
    pub(super) recognized: u64,
    pub(super) refused: u64,
}

/// What becomes of a request.
enum Trouble {
    None,
    /// It is not taken, and that is said.
    Refused,
    /// It is taken, and the answer gets lost.
    Unanswered,
}

impl Book {
    fn write(&self, id: &str, content: &Value) {
        let hash = hash(content);
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = arrived.entry(id.to_owned()).or_default();
        match contents.iter_mut().find(|(known, _)| *known == hash) {
            Some((_, count)) => *count += 1,
            None => contents.push((hash, 1)),
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    fn trouble(&self) -> Trouble {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        if number % 19 == 7 {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Trouble::Refused;
        }
        if number % 37 == 11 { Trouble::Unanswered } else { Trouble::None }
    }
}

fn hash(content: &Value) -> [u8; 32] {
    *blake3::hash(content.to_string().as_bytes()).as_bytes()
}

impl Destination {
    /// Compares the book with what must be there.
    pub(super) fn audit(&self, accepted: impl Iterator<Item = Finding>) -> Result<Audit> {
        let sink = self.orders.build(None)?;
        let arrived = self.book.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let mut audit = Audit {
            kind: self.orders.kind.clone(),
            recognized: self.book.recognized.load(Ordering::Relaxed),
            refused: self.book.refused.load(Ordering::Relaxed),
            ..Audit::default()
        };
        for finding in accepted {
            let expected = hash(&serde_json::from_slice(sink.encode(&finding)?.bytes())?);
            match arrived.get(&finding.id).map(Vec::as_slice) {
                None => audit.lost += 1,
                Some([(content, count)]) if *content == expected => {
                    audit.arrived += 1;
                    audit.duplicates += count - 1;
                }
                Some(_) => audit.altered += 1,
            }
        }
        Ok(audit)
    }
}

/// Starts all three.
pub(super) async fn start() -> Result<Vec<Destination>> {
    Ok(vec![
        destination("splunk_hec", collector, |address| {
            format!("{{ endpoint = \"http://{address}\", token = \"8f1e3c5a\", ack = true, ack_poll_secs = 1 }}")
        })
        .await?,
        destination("elasticsearch", bulk_index, |address| {
            format!("{{ nodes = [\"http://{address}\"], index = \"findings\", username = \"u\", password = \"p\" }}")
        })
        .await?,
        destination("webhook", webhook, |address| {
            format!("{{ url = \"http://{address}/hook\", allow_private = true, secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\" }}")
        })
        .await?,
    ])
}

async fn destination(
    kind: &str,
    answer: fn(&Book, &Request) -> Answer,
    options: fn(&str) -> String,
) -> Result<Destination> {
    let book = Arc::new(Book::default());
    let writes = Arc::clone(&book);
    let server = Server::start(move |request| answer(&writes, request)).await?;
    let address = server.address().to_string();
    Ok(Destination { orders: SinkOrders { kind: kind.to_owned(), options: options(&address) }, book, _server: server })
}

fn collector(book: &Book, request: &Request) -> Answer {
    if request.route() == "/services/collector/ack" {
        let asked = request.json()["acks"].as_array().cloned().unwrap_or_default();
        let acks: serde_json::Map<String, Value> = asked.iter().map(|id| (id.to_string(), true.into())).collect();
        return Answer::json(200, json!({ "acks": acks }));
    }
    let trouble = book.trouble();
    if matches!(trouble, Trouble::Refused) {
        return Answer::json(503, json!({ "text": "Server is busy", "code": 9 }));
    }
    for event in Deserializer::from_slice(&request.plain()).into_iter::<Value>().flatten() {
        book.write(event["fields"]["finding_id"].as_str().unwrap_or_default(), &event);
    }
    let number = book.requests.load(Ordering::Relaxed);
    answer(&trouble, json!({ "text": "Success", "code": 0, "ackId": number }))
}

fn bulk_index(book: &Book, request: &Request) -> Answer {
    if !request.route().ends_with("/_bulk") {
        return Answer::json(200, json!({})).header("x-elastic-product", "Elasticsearch");
    }
    let trouble = book.trouble();
    if matches!(trouble, Trouble::Refused) {
        return Answer::json(429, json!({ "error": { "type": "circuit_breaking_exception" }, "status": 429 }));
    }
    let body = request.plain();
    let lines: Vec<Value> = Deserializer::from_slice(&body).into_iter().flatten().collect();
    let (mut items, mut errors) = (Vec::new(), false);
    for pair in lines.chunks_exact(2) {
        let id = pair[0]["create"]["_id"].as_str().unwrap_or_default();
        let finding = id.split(['-', '.']).next().unwrap_or_default();
        let status = if book.knows(finding) {
            book.recognized.fetch_add(1, Ordering::Relaxed);
            409
        } else if finding.ends_with("b") && book.requests.load(Ordering::Relaxed).is_multiple_of(2) {
            429
        } else {
            book.write(finding, &pair[1]);
            201
        };
        let kind = if status == 409 { "version_conflict_engine_exception" } else { "es_rejected_execution_exception" };
        let mut item = json!({ "_index": "findings", "_id": id, "status": status });
        if status != 201 {
            errors = true;
            item["error"] = json!({ "type": kind, "reason": "as scripted" });
        }
        items.push(json!({ "create": item }));
    }
    answer(&trouble, json!({ "took": 1, "errors": errors, "items": items }))
        .header("x-elastic-product", "Elasticsearch")
}

fn webhook(book: &Book, request: &Request) -> Answer {
    let trouble = book.trouble();
    if matches!(trouble, Trouble::Refused) {
        return Answer::status(500);
    }
    let id = request.header("webhook-id").unwrap_or_default();
    let finding = id.split(['-', '.', '_']).find(|part| part.len() == 32).unwrap_or_default();
    book.write(finding, &request.json());
    answer(&trouble, json!({}))
}

fn answer(trouble: &Trouble, body: Value) -> Answer {
    if matches!(trouble, Trouble::Unanswered) { Answer::reset() } else { Answer::json(200, body) }
}
