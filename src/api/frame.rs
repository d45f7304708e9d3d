//! What every request and every answer has, whatever the route: an id, unpacked bytes, errors as problems, no cache.
//!
//! A handler's [`Problem`] travels beside its answer, so that the request's id gets into it here, in one place.

use std::{any::Any, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    Shared,
    body::{self, Limits},
    idempotency::Answers,
    page,
    problem::Problem,
};

/// The header of a request's id.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// What stands for the path of requests that no route takes: their paths are the callers' to choose.
pub(super) const NO_ROUTE: &str = "none";
/// Longest id that is taken from a client: it ends up in logs.
const LONGEST_ID: usize = 128;

/// The request's id, for whoever writes down what happened.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);

/// What stands between the guard and the routes.
pub(super) fn inner(router: Router<Shared>, shared: &Shared) -> Router<Shared> {
    let limits = Limits::of(&shared.desk.plan().serve);
    router
        .fallback(page::lost())
        .layer(Extension(limits))
        .layer(Extension(Arc::new(Answers::default())))
        .layer(middleware::from_fn_with_state(limits, body::unpack))
}

/// What stands around everything, the guard too.
pub(super) fn outer(router: Router<Shared>) -> Router<Shared> {
    router
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            tracing::error!(panic = told(panic.as_ref()), "a request ended in a panic");
            Problem::internal().into_response()
        }))
        .layer(middleware::from_fn(frame))
}

fn told(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

async fn frame(mut request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let value = HeaderValue::from_str(&id).expect("an id is printable ASCII");
    let id = RequestId(id.into());
    request.extensions_mut().insert(id.clone());
    let mut response = finished(next.run(request).await, &id);
    response.headers_mut().insert(REQUEST_ID, value);
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id that the client chose, if it is one.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_ID).contains(&id.len()).then_some(())?;
    id.bytes().all(is_sane).then(|| id.to_owned())
}

/// The answer with its problem written out; what a library answered with a bare status becomes a problem too.
fn finished(mut response: Response, RequestId(id): &RequestId) -> Response {
    let problem = response.extensions_mut().remove::<Problem>().or_else(|| bare(&response));
    let Some(problem) = problem else { return response };
    if problem.status >= 500 {
        tracing::warn!(request = &**id, status = problem.status, "answered with a problem");
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, Problem::MEDIA_TYPE);
    Response::from_parts(parts, Body::from(Problem { instance: Some(id.to_string()), ..problem }.text()))
}

fn bare(response: &Response) -> Option<Problem> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    (is_error && !kind.contains("json") && !kind.contains("html")).then(|| Problem::new(status, bare_detail(status)))
}

fn bare_detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "expected another method; `Allow` names those that there are",
        _ => "the request can't be answered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_when_it_can_do_no_harm() {
        let given = |id: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_static(id));
            given_id(&headers)
        };
        assert_eq!(given("a-1_b.2").as_deref(), Some("a-1_b.2"));
        assert_eq!(given(""), None);
        assert_eq!(given("a b"), None);
        assert_eq!(given("a\"}"), None);
        let long = HeaderValue::from_str(&"x".repeat(LONGEST_ID + 1)).unwrap();
        assert_eq!(given_id(&HeaderMap::from_iter([(REQUEST_ID.parse().unwrap(), long)])), None);
    }
}
