//! The layers around everything, from the outside: what every answer tells a browser, the record, the place, the limits, and
//! who asks.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            AUTHORIZATION, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use super::{Client, rate::Counted};
use crate::{
    api::{
        Shared,
        frame::{NO_ROUTE, RequestId},
        session,
    },
    app::{AuditEntry, AuditResult, Caller, Credentials, Refusal},
};

/// The longest method that is written down as it is.
const LONGEST_METHOD: usize = 16;

/// Who asked, told to the layers outside of the one that found out.
#[derive(Debug, Clone)]
struct By(String);

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
    let asked = who(&shared, request.headers(), client).await;
    let rates = &shared.guard.rates;
    if asked == Err(Refusal::Invalid)
        && let Err(too_many) = rates.fail(client.counted())
    {
        return too_many.into_response();
    }
    let by = asked.as_ref().ok().map(|caller| caller.name.clone());
    let counted = match &by {
        Some(name) if !shared.gate.is_open() => Counted::Caller(name.clone()),
        _ => Counted::Address(client.counted()),
    };
    let mut response = match rates.ask(counted) {
        Ok(left) => {
            request.extensions_mut().insert(asked);
            let mut response = next.run(request).await;
            left.tell(response.headers_mut());
            response
        }
        Err(too_many) => too_many.into_response(),
    };
    if let Some(name) = by {
        response.extensions_mut().insert(By(name));
    }
    response
}

/// Credentials in the headers count; without any, the session of a browser.
async fn who(shared: &Shared, headers: &HeaderMap, client: Client) -> Result<Caller, Refusal> {
    let now = Timestamp::now();
    let asked = shared.gate.admit(credentials(headers), now).await;
    if asked != Err(Refusal::Missing) {
        return asked;
    }
    let session = session::of(headers, client.is_secure).and_then(|text| shared.guard.sessions.key(text, now));
    // A session that is over is like none: the browser is sent to log in again, and counts as no failure.
    session.map_or(asked, |key| shared.gate.admit_again(&key, now).map_err(|_| Refusal::Missing))
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Credentials::of_headers(text(AUTHORIZATION.as_str()), text("x-api-key"))
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
    let began = Instant::now();
    let method = request.method().clone();
    let id = request.extensions().get::<RequestId>().cloned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let by = response.extensions_mut().remove::<By>();
    audit.write(&AuditEntry {
        time: Timestamp::now(),
        request_id: id.as_ref().map(|id| &*id.0),
        caller: by.as_ref().map(|by| by.0.as_str()),
        client: Some(client.address),
        method: if method.as_str().len() <= LONGEST_METHOD { method.as_str() } else { "other" },
        route: route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str),
        result: AuditResult::Status(response.status().as_u16()),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    response
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
