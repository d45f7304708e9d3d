//! `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it: a request that is repeated because its answer got
//! lost changes nothing a second time, and gets the answer of the first.
//!
//! Only what succeeded is kept: what failed changed nothing and may be tried again. Work goes on when the client goes away
//! or its time is over, because its answer is what the repetition asks for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    Shared, ask,
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
/// Most answers of one caller, so that nobody's requests make those of others forgotten.
const MOST_EACH: usize = 1_000;
/// Most bytes of all answers.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Most bytes of one caller's answers.
const MOST_BYTES_EACH: usize = 8 * 1024 * 1024;
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
    /// The name of every entry by its number, the oldest first.
    order: BTreeMap<u64, Name>,
    /// What each caller has of the above.
    shares: HashMap<String, Share>,
    bytes: usize,
    next: u64,
}

#[derive(Debug, Default)]
struct Share {
    entries: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    print: Print,
    since: Instant,
    /// Tells it from an earlier one of the same name.
    number: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Running,
    Done(Answer),
    /// It was done, and its answer is not kept.
    Unkept,
}

/// What became of the beginning of a request.
#[derive(Debug)]
enum Begun {
    /// It is to be done; its number.
    New(u64),
    /// It was done before.
    Before(Answer),
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
    let number = match answers.begin(&name, hash.finalize().into(), Instant::now())? {
        Begun::New(number) => number,
        Begun::Before(answer) => {
            let mut response = answer.response();
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            return Ok(response);
        }
    };
    let running = Running { answers, name, number, is_over: false };
    let request = Request::from_parts(parts, Body::from(bytes));
    // The key stays taken until the work itself is over. The client is not kept waiting longer than without a key.
    let work = tokio::spawn(ask::to_its_end(async move { running.end(next.run(request).await).await }));
    let done = tokio::time::timeout(limits.time, work).await.map_err(|_| ask::late(limits.time))?;
    done.map_err(|panicked| Problem::unexpected(&panicked))
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
    number: u64,
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
        self.answers.keep(&self.name, self.number, answer.clone());
        answer.response()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over {
            self.answers.forget(&self.name, self.number);
        }
    }
}

impl Answers {
    /// Begins a request, or gives the answer that it got before.
    fn begin(&self, name: &Name, print: Print, now: Instant) -> Result<Begun, Problem> {
        let mut kept = self.kept();
        kept.drop_old(now);
        if let Some(entry) = kept.entries.get(name) {
            if entry.print != print {
                let detail = "this Idempotency-Key was used for another request";
                return Err(Problem::unprocessable(vec![Place::parameter("Idempotency-Key", detail)]));
            }
            return match &entry.state {
                State::Done(answer) => Ok(Begun::Before(answer.clone())),
                State::Running => Err(conflict("a request with this Idempotency-Key is under way")),
                State::Unkept => Err(conflict("this was done before; its answer is not kept")),
            };
        }
        kept.make_room(&name.0)?;
        Ok(Begun::New(kept.add(name, print, now)))
    }

    /// Keeps the answer to the request of this number.
    fn keep(&self, name: &Name, number: u64, answer: Answer) {
        let mut kept = self.kept();
        let bytes = answer.body.len();
        let Some(entry) = kept.entries.get_mut(name).filter(|entry| entry.number == number) else { return };
        if bytes > LARGEST {
            entry.state = State::Unkept;
            return;
        }
        entry.state = State::Done(answer);
        kept.bytes += bytes;
        kept.share(&name.0).bytes += bytes;
        while kept.share(&name.0).bytes > MOST_BYTES_EACH && kept.empty_oldest(Some(&name.0)) {}
        while kept.bytes > MOST_BYTES && kept.empty_oldest(None) {}
    }

    /// Frees the key of the request of this number, which changed nothing.
    fn forget(&self, name: &Name, number: u64) {
        let mut kept = self.kept();
        if kept.entries.get(name).is_some_and(|entry| entry.number == number) {
            kept.remove(number);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn add(&mut self, name: &Name, print: Print, now: Instant) -> u64 {
        let number = self.next;
        self.next += 1;
        self.order.insert(number, name.clone());
        self.entries.insert(name.clone(), Entry { print, since: now, number, state: State::Running });
        self.share(&name.0).entries += 1;
        number
    }

    fn share(&mut self, caller: &str) -> &mut Share {
        self.shares.entry(caller.to_owned()).or_default()
    }

    /// Forgets what is too old.
    fn drop_old(&mut self, now: Instant) {
        let is_old = |name: &Name| self.entries.get(name).is_some_and(|entry| now.duration_since(entry.since) > KEPT);
        let old: Vec<u64> = self.order.iter().take_while(|(_, name)| is_old(name)).map(|(number, _)| *number).collect();
        for number in old {
            if !self.is_running(number) {
                self.remove(number);
            }
        }
    }

    /// Makes room for one more: first the caller gives of its own, then the oldest goes, whoever has it. What is under way
    /// stays, because its repetition would be done a second time.
    fn make_room(&mut self, caller: &str) -> Result<(), Problem> {
        while self.shares.get(caller).is_some_and(|share| share.entries >= MOST_EACH) {
            self.drop_oldest(Some(caller))?;
        }
        while self.entries.len() >= MOST {
            self.drop_oldest(None)?;
        }
        Ok(())
    }

    fn drop_oldest(&mut self, whose: Option<&str>) -> Result<(), Problem> {
        let oldest = self.oldest(whose, |state| !matches!(state, State::Running));
        let detail = "too many requests with an Idempotency-Key are under way";
        let oldest = oldest.ok_or_else(|| Problem::new(StatusCode::TOO_MANY_REQUESTS, detail))?;
        self.remove(oldest);
        Ok(())
    }

    /// Gives the bytes of the oldest answer back, and keeps in mind that it was given.
    fn empty_oldest(&mut self, whose: Option<&str>) -> bool {
        let oldest = self.oldest(whose, |state| matches!(state, State::Done(_)));
        oldest.is_some_and(|number| self.empty(number))
    }

    fn oldest(&self, whose: Option<&str>, is_meant: impl Fn(&State) -> bool) -> Option<u64> {
        let mut own = self.order.iter().filter(|(_, name)| whose.is_none_or(|caller| name.0 == caller));
        let oldest = own.find(|(_, name)| self.entries.get(*name).is_some_and(|entry| is_meant(&entry.state)));
        oldest.map(|(number, _)| *number)
    }

    fn is_running(&self, number: u64) -> bool {
        let entry = self.order.get(&number).and_then(|name| self.entries.get(name));
        entry.is_some_and(|entry| matches!(entry.state, State::Running))
    }

    fn empty(&mut self, number: u64) -> bool {
        let Some(name) = self.order.get(&number).cloned() else { return false };
        let Some(entry) = self.entries.get_mut(&name) else { return false };
        if let State::Done(answer) = std::mem::replace(&mut entry.state, State::Unkept) {
            self.bytes -= answer.body.len();
            self.share(&name.0).bytes -= answer.body.len();
        }
        true
    }

    fn remove(&mut self, number: u64) {
        self.empty(number);
        let Some(name) = self.order.remove(&number) else { return };
        self.entries.remove(&name);
        let share = self.share(&name.0);
        share.entries -= 1;
        if share.entries == 0 {
            self.shares.remove(&name.0);
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

    /// Begins what must be new; gives its number.
    fn begin(answers: &Answers, name: &Name) -> u64 {
        match answers.begin(name, [1; 32], Instant::now()) {
            Ok(Begun::New(number)) => number,
            other => panic!("{other:?}"),
        }
    }

    fn status(answers: &Answers, name: &Name, print: u8) -> u16 {
        answers.begin(name, [print; 32], Instant::now()).unwrap_err().status
    }

    fn replayed(answers: &Answers, name: &Name) -> usize {
        match answers.begin(name, [1; 32], Instant::now()) {
            Ok(Begun::Before(answer)) => answer.body.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_is_for_one_caller_and_one_request() {
        let answers = Answers::default();
        let ada = name("ada", "1");
        let number = begin(&answers, &ada);
        assert_eq!(status(&answers, &ada, 1), 409);
        assert_eq!(status(&answers, &ada, 2), 422);
        begin(&answers, &name("bob", "1"));
        answers.keep(&ada, number, answer(3));
        assert_eq!(replayed(&answers, &ada), 3);
        let later = Instant::now() + KEPT + Duration::from_secs(1);
        assert!(matches!(answers.begin(&ada, [2; 32], later), Ok(Begun::New(_))));
    }

    #[test]
    fn what_failed_may_be_tried_again() {
        let answers = Arc::new(Answers::default());
        let ada = name("ada", "1");
        let number = begin(&answers, &ada);
        drop(Running { answers: Arc::clone(&answers), name: ada.clone(), number, is_over: false });
        begin(&answers, &ada);
    }

    #[test]
    fn failures_of_one_caller_make_nothing_forgotten() {
        let answers = Answers::default();
        let bob = name("bob", "1");
        let number = begin(&answers, &bob);
        answers.keep(&bob, number, answer(3));
        for key in 0..=MOST {
            let ada = name("ada", &key.to_string());
            let number = begin(&answers, &ada);
            answers.forget(&ada, number);
        }
        assert_eq!(replayed(&answers, &bob), 3);
        let kept = answers.kept();
        assert_eq!((kept.entries.len(), kept.order.len(), kept.shares.len()), (1, 1, 1));
    }

    #[test]
    fn a_caller_has_a_share() {
        let answers = Answers::default();
        let bob = name("bob", "1");
        let number = begin(&answers, &bob);
        answers.keep(&bob, number, answer(3));
        for key in 0..MOST_EACH + 5 {
            let ada = name("ada", &key.to_string());
            let number = begin(&answers, &ada);
            answers.keep(&ada, number, answer(MOST_BYTES_EACH / 128));
        }
        assert_eq!(replayed(&answers, &bob), 3);
        let kept = answers.kept();
        assert_eq!((kept.shares["ada"].entries, kept.shares["ada"].bytes), (MOST_EACH, MOST_BYTES_EACH));
    }

    #[test]
    fn what_is_under_way_is_never_forgotten() {
        let answers = Answers::default();
        let first = name("ada", "first");
        begin(&answers, &first);
        for key in 1..MOST_EACH {
            begin(&answers, &name("ada", &key.to_string()));
        }
        assert_eq!(status(&answers, &name("ada", "another"), 1), 429);
        assert_eq!(status(&answers, &first, 1), 409);
        let later = Instant::now() + KEPT + Duration::from_secs(1);
        assert_eq!(answers.begin(&first, [1; 32], later).unwrap_err().status, 409);
        begin(&answers, &name("bob", "another"));
    }

    #[test]
    fn an_end_is_about_the_request_that_began() {
        let answers = Answers::default();
        let ada = name("ada", "1");
        let first = begin(&answers, &ada);
        answers.forget(&ada, first);
        let second = begin(&answers, &ada);
        answers.forget(&ada, first);
        answers.keep(&ada, first, answer(3));
        assert_eq!(status(&answers, &ada, 1), 409);
        answers.keep(&ada, second, answer(4));
        assert_eq!(replayed(&answers, &ada), 4);
    }

    #[test]
    fn memory_is_bounded_by_answers_and_by_bytes() {
        let answers = Answers::default();
        for number in 0..MOST + 5 {
            let name = name(&format!("caller {}", number / MOST_EACH), &number.to_string());
            let number = begin(&answers, &name);
            answers.keep(&name, number, answer(3_500));
        }
        let kept = answers.kept();
        assert_eq!((kept.entries.len(), kept.order.len()), (MOST, MOST));
        assert!(kept.bytes <= MOST_BYTES, "{}", kept.bytes);
        let held = kept.entries.values().map(|entry| match &entry.state {
            State::Done(answer) => answer.body.len(),
            _ => 0,
        });
        assert_eq!(held.sum::<usize>(), kept.bytes);
        assert_eq!(kept.shares.values().map(|share| share.bytes).sum::<usize>(), kept.bytes);
        assert_eq!(kept.shares.values().map(|share| share.entries).sum::<usize>(), MOST);
    }

    #[test]
    fn an_answer_that_is_too_long_is_not_given_twice_nor_is_its_work_done_twice() {
        let answers = Answers::default();
        let ada = name("ada", "1");
        let number = begin(&answers, &ada);
        answers.keep(&ada, number, answer(LARGEST + 1));
        assert_eq!(status(&answers, &ada, 1), 409);
        // The same when there was no room for it any more.
        let keys = ["2", "3", "4"].map(|key| name("ada", key));
        for key in &keys {
            let number = begin(&answers, key);
            answers.keep(key, number, answer(LARGEST));
        }
        assert_eq!(status(&answers, &keys[0], 1), 409);
        assert_eq!(replayed(&answers, &keys[2]), LARGEST);
    }
}
