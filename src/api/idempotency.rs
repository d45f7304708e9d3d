//! `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it: a request that is repeated because its answer got
//! lost changes nothing a second time, and gets the answer of the first.
//!
//! Only what succeeded is kept: what failed changed nothing and may be tried again. Work goes on when the client goes away,
//! because its answer is what the repetition asks for.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    body::{self as axum_body, Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Response as Parted, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;

use super::{
    Shared,
    body::{self, Limits},
    guard::AskedBy,
    problem::{Place, Problem},
};

/// The header.
pub(super) const KEY: &str = "idempotency-key";
/// Says that an answer was given before.
pub(super) const REPLAYED: &str = "idempotency-replayed";
/// Longest key: a uuid has 36.
const LONGEST_KEY: usize = 255;
/// So long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Most answers.
const MOST: usize = 10_000;
/// Most bytes of all answers.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// An answer longer than this is not kept, only that there was one.
const LARGEST: usize = 4 * 1024 * 1024;

/// Routes that change something, and each request only once.
pub(super) fn once(routes: OpenApiRouter<Shared>) -> OpenApiRouter<Shared> {
    routes.route_layer(middleware::from_fn(remember))
}

/// What the document says about it: every POST but analyses takes the header.
pub(super) fn parameter() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A key of your own, for example a uuid: a repetition within 24 hours with the same key and body changes \
            nothing and gets the first answer, with `Idempotency-Replayed: true`",
        "schema": { "type": "string", "pattern": format!("^([!#-~]{{1,{LONGEST_KEY}}}|\"[!#-~]{{1,{LONGEST_KEY}}}\")$") },
    })
}

/// Who asked under which key.
type Name = (String, String);
/// What was asked: method, path, query and body.
type Print = [u8; 32];

/// The answers that were given.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Name, Entry>,
    /// The names in the order in which they came, for forgetting the oldest.
    order: VecDeque<(Name, Instant)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    print: Print,
    since: Instant,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Running,
    Done(Answer),
    TooLong,
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn response(self) -> Response {
        let mut response = Parted::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

async fn remember(
    Extension(answers): Extension<Arc<Answers>>,
    Extension(limits): Extension<Limits>,
    AskedBy(caller): AskedBy,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let Some(key) = key(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let bytes = body::command(body, limits).await?;
    let mut hash = Sha256::new();
    hash.update(format!("{} {}\n", parts.method, parts.uri));
    hash.update(&bytes);
    let name = (caller, key);
    if let Some(answer) = answers.begin(&name, hash.finalize().into(), Instant::now())? {
        let mut response = answer.response();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok(response);
    }
    let running = Running { answers, name, is_over: false };
    let request = Request::from_parts(parts, Body::from(bytes));
    let work = tokio::spawn(async move { running.end(next.run(request).await).await });
    work.await.map_err(|panicked| Problem::unexpected(&panicked))
}

/// The key, which a client may write with quotation marks, as the draft does, or without.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(KEY).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let text = first.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_key =
        (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if !is_key || given.next().is_some() {
        let detail = format!("expected one Idempotency-Key of 1 to {LONGEST_KEY} printable ASCII letters");
        let place = Place::parameter("Idempotency-Key", detail.clone());
        return Err(Problem { errors: vec![place], ..Problem::new(StatusCode::BAD_REQUEST, detail) });
    }
    Ok(Some(text.to_owned()))
}

/// A request under way; when its work ends without an answer, its key is free again.
struct Running {
    answers: Arc<Answers>,
    name: Name,
    is_over: bool,
}

impl Running {
    async fn end(mut self, response: Response) -> Response {
        if !response.status().is_success() {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = axum_body::to_bytes(body, usize::MAX).await else { return Problem::internal().into_response() };
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.is_over = true;
        self.answers.keep(&self.name, answer.clone());
        answer.response()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            self.answers.forget(&self.name);
        }
    }
}

impl Answers {
    /// Begins a request; gives the answer if it was answered before.
    fn begin(&self, name: &Name, print: Print, now: Instant) -> Result<Option<Answer>, Problem> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear_away(now);
        if let Some(entry) = kept.entries.get(name) {
            if entry.print != print {
                let detail = "this Idempotency-Key was used for another request";
                return Err(Problem::unprocessable(vec![Place::parameter("Idempotency-Key", detail)]));
            }
            return match &entry.state {
                State::Done(answer) => Ok(Some(answer.clone())),
                State::Running => Err(conflict("a request with this Idempotency-Key is under way")),
                State::TooLong => Err(conflict("this was done before; its answer was too long to be kept")),
            };
        }
        kept.order.push_back((name.clone(), now));
        kept.entries.insert(name.clone(), Entry { print, since: now, state: State::Running });
        Ok(None)
    }

    fn keep(&self, name: &Name, answer: Answer) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = answer.body.len();
        let Some(entry) = kept.entries.get_mut(name) else { return };
        entry.state = if bytes > LARGEST { State::TooLong } else { State::Done(answer) };
        kept.bytes += if bytes > LARGEST { 0 } else { bytes };
        while kept.bytes > MOST_BYTES && kept.drop_oldest() {}
    }

    fn forget(&self, name: &Name) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Kept {
    /// Forgets what is too old, and the oldest when there are too many.
    fn clear_away(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(_, since)| now.duration_since(*since) > KEPT) {
            self.drop_oldest();
        }
        while self.order.len() >= MOST && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((name, since)) = self.order.pop_front() else { return false };
        // A key that became free and was taken again stands twice in the order; this is about the older one.
        if self.entries.get(&name).is_some_and(|entry| entry.since == since) {
            self.remove(&name);
        }
        true
    }

    fn remove(&mut self, name: &Name) {
        if let Some(Entry { state: State::Done(answer), .. }) = self.entries.remove(name) {
            self.bytes -= answer.body.len();
        }
    }
}

fn conflict(detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(caller: &str, key: &str) -> Name {
        (caller.to_owned(), key.to_owned())
    }

    fn answer(bytes: usize) -> Answer {
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: vec![b'x'; bytes].into() }
    }

    #[test]
    fn a_key_is_for_one_caller_and_one_request() {
        let (answers, now) = (Answers::default(), Instant::now());
        let ada = name("ada", "1");
        assert!(answers.begin(&ada, [1; 32], now).unwrap().is_none());
        assert_eq!(answers.begin(&ada, [1; 32], now).unwrap_err().status, 409);
        assert_eq!(answers.begin(&ada, [2; 32], now).unwrap_err().status, 422);
        assert!(answers.begin(&name("bob", "1"), [2; 32], now).unwrap().is_none());
        answers.keep(&ada, answer(3));
        assert_eq!(answers.begin(&ada, [1; 32], now).unwrap().unwrap().body.len(), 3);
        let later = now + KEPT + Duration::from_secs(1);
        assert!(answers.begin(&ada, [2; 32], later).unwrap().is_none());
    }

    #[test]
    fn what_failed_may_be_tried_again() {
        let answers = Arc::new(Answers::default());
        let ada = name("ada", "1");
        answers.begin(&ada, [1; 32], Instant::now()).unwrap();
        drop(Running { answers: Arc::clone(&answers), name: ada.clone(), is_over: false });
        assert!(answers.begin(&ada, [2; 32], Instant::now()).unwrap().is_none());
    }

    #[test]
    fn memory_is_bounded_by_answers_and_by_bytes() {
        let (answers, now) = (Answers::default(), Instant::now());
        for number in 0..MOST + 5 {
            answers.begin(&name("ada", &number.to_string()), [1; 32], now).unwrap();
        }
        assert!(answers.0.lock().unwrap().entries.len() <= MOST);
        for number in 0..20 {
            let name = name("bob", &number.to_string());
            answers.begin(&name, [1; 32], now).unwrap();
            answers.keep(&name, answer(LARGEST));
        }
        let kept = answers.0.lock().unwrap();
        assert!(kept.bytes <= MOST_BYTES, "{}", kept.bytes);
        let held = kept.entries.values().map(|entry| match &entry.state {
            State::Done(answer) => answer.body.len(),
            _ => 0,
        });
        assert_eq!(held.sum::<usize>(), kept.bytes);
    }

    #[test]
    fn an_answer_that_is_too_long_is_not_given_twice_nor_is_its_work_done_twice() {
        let (answers, now) = (Answers::default(), Instant::now());
        let ada = name("ada", "1");
        answers.begin(&ada, [1; 32], now).unwrap();
        answers.keep(&ada, answer(LARGEST + 1));
        assert_eq!(answers.begin(&ada, [1; 32], now).unwrap_err().status, 409);
    }
}
