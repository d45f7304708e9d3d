//! The layers around everything, from the outside: what every answer tells a browser, the record, the place, the limits, and
//! who asks.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{
        Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use crate::{
    api::{
        Shared,
        frame::{NO_ROUTE, RequestId},
        session,
    },
    app::{AuditEntry, AuditLog, AuditResult, Caller, Refusal},
    door::{Client, credentials},
};

/// The longest method that is written down as it is.
const LONGEST_METHOD: usize = 16;
/// What came of a call whose client hung up before there was an answer.
const GONE: &str = "gone";

/// Who asked, told to the record by whoever finds out first. It is not told with the answer: there may be none.
#[derive(Debug, Clone, Default)]
pub(in crate::api) struct By(Arc<OnceLock<String>>);

impl By {
    /// Tells who asked; the first one who tells is believed.
    pub(in crate::api) fn tell(extensions: &Extensions, name: &str) {
        if let Some(Self(cell)) = extensions.get() {
            cell.get_or_init(|| name.to_owned());
        }
    }
}

/// What stands around everything.
pub(in crate::api) fn around(router: Router<Shared>, shared: &Shared) -> Router<Shared> {
    router
        .layer(middleware::from_fn_with_state(shared.clone(), identify))
        .layer(middleware::from_fn_with_state(shared.clone(), place))
        .layer(middleware::from_fn_with_state(shared.clone(), record))
        .layer(middleware::from_fn_with_state(shared.clone(), secure))
}

/// Finds out who asks; whether they may is each route's own matter.
async fn identify(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    if is_health(&request) {
        // Asked by machines that have no key, and to be answered however much else is asked.
        request.extensions_mut().insert(Err::<Caller, _>(Refusal::Missing));
        return next.run(request).await;
    }
    let client = client_of(&request);
    let (headers, extensions) = (request.headers(), request.extensions());
    let who = async {
        let asked = who(&shared, headers, client).await;
        if let Ok(caller) = &asked {
            By::tell(extensions, &caller.name);
        }
        asked
    };
    match shared.guard.rates.admit(&shared.gate, (credentials(headers), client), who).await {
        Ok((asked, left)) => {
            request.extensions_mut().insert(asked);
            let mut response = next.run(request).await;
            left.tell(response.headers_mut());
            response
        }
        Err(too_many) => too_many.into_response(),
    }
}

/// Credentials in the headers count; without any, the session of a browser.
async fn who(shared: &Shared, headers: &HeaderMap, client: Client) -> Result<Caller, Refusal> {
    let now = Timestamp::now();
    let asked = shared.gate.admit(credentials(headers), client.origin(headers), now).await;
    if asked != Err(Refusal::Missing) {
        return asked;
    }
    let session = session::of(headers, client.is_secure).and_then(|text| shared.guard.sessions.key(text, now));
    // A session that is over is like none: the browser is sent to log in again, and counts as no failure.
    session.map_or(asked, |key| shared.gate.admit_again(&key, now).map_err(|_| Refusal::Missing))
}

/// Refuses browsers that are led here by somebody else's page.
async fn place(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if is_health(&request) {
        return next.run(request).await;
    }
    match shared.guard.places.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Writes down who did what.
async fn record(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let client = shared.guard.client(request.headers(), request.extensions());
    request.extensions_mut().insert(client);
    let Some(audit) = shared.guard.audit.as_ref().filter(|_| !is_health(&request)) else {
        return next.run(request).await;
    };
    let by = By::default();
    request.extensions_mut().insert(by.clone());
    let mut recording = Recording {
        audit,
        by,
        began: Instant::now(),
        client: client.address,
        method: request.method().clone(),
        id: request.extensions().get::<RequestId>().cloned(),
        route: request.extensions().get::<MatchedPath>().cloned(),
        result: AuditResult::Outcome(GONE),
    };
    let response = next.run(request).await;
    recording.result = AuditResult::Status(response.status().as_u16());
    drop(recording);
    response
}

/// A line of the record in the making. It is written when this is dropped, because a client who hangs up ends the work on
/// the answer wherever it stands, and what was asked for may be done by then, or go on.
struct Recording<'a> {
    audit: &'a AuditLog,
    by: By,
    began: Instant,
    client: IpAddr,
    method: Method,
    id: Option<RequestId>,
    route: Option<MatchedPath>,
    result: AuditResult,
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The layer that makes an answer of a panic is outside of this one.
            self.result = AuditResult::Status(StatusCode::INTERNAL_SERVER_ERROR.as_u16());
        }
        let method = self.method.as_str();
        self.audit.write(&AuditEntry {
            time: Timestamp::now(),
            request_id: self.id.as_ref().map(|id| &*id.0),
            caller: self.by.0.get().map(String::as_str),
            client: Some(self.client),
            method: if method.len() <= LONGEST_METHOD { method } else { "other" },
            route: self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str),
            result: self.result,
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
}

/// What every answer tells a browser, where it does not tell it more exactly.
async fn secure(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut tell = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    tell(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    tell(X_CONTENT_TYPE_OPTIONS, "nosniff");
    tell(X_FRAME_OPTIONS, "DENY");
    // With `no-referrer` browsers would say `Origin: null` when a form is sent, which `place` refuses.
    tell(REFERRER_POLICY, "same-origin");
    tell(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if shared.guard.is_tls {
        tell(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

fn is_health(request: &Request) -> bool {
    request.uri().path().starts_with("/health/")
}

fn client_of(request: &Request) -> Client {
    let client = request.extensions().get::<Client>().copied();
    client.expect("the layer of the record is outside of this one")
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn recording(audit: &AuditLog) -> Recording<'_> {
        let by = By::default();
        let mut extensions = Extensions::new();
        extensions.insert(by.clone());
        By::tell(&extensions, "soc");
        By::tell(&extensions, "another");
        Recording {
            audit,
            by,
            began: Instant::now(),
            client: IpAddr::from([192, 0, 2, 7]),
            method: Method::POST,
            id: None,
            route: None,
            result: AuditResult::Outcome(GONE),
        }
    }

    #[test]
    fn what_has_no_answer_is_written_down_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = AuditLog::open(&path).unwrap();
        drop(recording(&audit));
        let broken = catch_unwind(AssertUnwindSafe(|| {
            let _recording = recording(&audit);
            panic!("a handler's");
        }));
        assert!(broken.is_err());
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[0]["outcome"], &lines[1]["status"]), (2, &"gone".into(), &500.into()));
        assert!(lines.iter().all(|line| line["caller"] == "soc" && line["client"] == "192.0.2.7"), "{text}");
    }
}
