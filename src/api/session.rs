//! `/login` and `/logout`: a person shows an API key once, and the browser carries a session's number from then on.
//!
//! The number is in a cookie that no script reads and no other site sends along. The key itself is not kept.

use std::time::Duration;

use axum::{
    Router,
    body::{self, Body},
    extract::{Extension, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{COOKIE, LOCATION, SET_COOKIE},
    },
    middleware,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{Shared, guard::By, page::with_headers, problem::Problem};
use crate::{
    app::{Credentials, Pages, Refusal, Sessions},
    door::Client,
};

/// The cookie's name. With the prefix, browsers take it over TLS and from this host only.
const SECURE_COOKIE: &str = "__Host-watchbell_session";
/// The same without TLS, where no browser would take the prefix.
const PLAIN_COOKIE: &str = "watchbell_session";
/// The largest form, in bytes: a key and its name.
const LARGEST_FORM: usize = 4096;
/// The longest time for sending it.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/login", get(show).post(log_in))
        .route("/logout", post(log_out))
        .layer(middleware::from_fn(with_headers))
}

async fn show(State(shared): State<Shared>) -> Result<Response, Problem> {
    if shared.gate.is_open() {
        return Ok(to("/"));
    }
    page(StatusCode::OK, None)
}

async fn log_in(
    State(shared): State<Shared>,
    Extension(client): Extension<Client>,
    request: Request,
) -> Result<Response, Problem> {
    if shared.gate.is_open() {
        return Ok(to("/"));
    }
    let (parts, form) = request.into_parts();
    let key = key_in(form).await?;
    let credentials = Credentials { bearer: None, api_key: Some(key.expose_secret()) };
    let now = Timestamp::now();
    let caller = match shared.gate.admit_key(credentials, now) {
        Ok(caller) => caller,
        Err(Refusal::Missing) => return page(StatusCode::UNAUTHORIZED, Some("Expected an API key.")),
        Err(_) => {
            if let Some(too_many) = shared.guard.failed(client) {
                return Ok(too_many);
            }
            return page(StatusCode::UNAUTHORIZED, Some("This API key is not valid."));
        }
    };
    By::tell(&parts.extensions, &caller.name);
    let session = shared.guard.sessions.open(caller.name, now).map_err(|error| Problem::unexpected(&error))?;
    let mut response = to("/");
    response.headers_mut().insert(SET_COOKIE, cookie(session.expose_secret(), Sessions::LASTS.as_secs(), client));
    Ok(response)
}

async fn log_out(State(shared): State<Shared>, Extension(client): Extension<Client>, headers: HeaderMap) -> Response {
    if let Some(session) = of(&headers, client.is_secure) {
        shared.guard.sessions.close(session);
    }
    let mut response = to("/login");
    response.headers_mut().insert(SET_COOKIE, cookie("", 0, client));
    response
}

/// The session that a request's cookie names.
pub(super) fn of(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
    let name = if is_secure { SECURE_COOKIE } else { PLAIN_COOKIE };
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

fn cookie(session: &str, seconds: i64, client: Client) -> HeaderValue {
    let (name, secure) = if client.is_secure { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    let text = format!("{name}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).expect("names and hex are ASCII");
    value.set_sensitive(true);
    value
}

async fn key_in(form: Body) -> Result<SecretString, Problem> {
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time");
    let read = tokio::time::timeout(PATIENCE, body::to_bytes(form, LARGEST_FORM)).await.map_err(late)?;
    let large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("expected at most {LARGEST_FORM} bytes"));
    let bytes = read.map_err(large)?;
    let key = url::form_urlencoded::parse(&bytes).find(|(name, _)| name == "key").map(|(_, value)| value.into_owned());
    Ok(SecretString::from(key.unwrap_or_default().trim().to_owned()))
}

fn page(status: StatusCode, message: Option<&str>) -> Result<Response, Problem> {
    // Made anew each time: it is asked for rarely, and what is common to all pages belongs to theirs.
    let html = Pages::new().and_then(|pages| pages.login(message)).map_err(|error| Problem::unexpected(&error))?;
    Ok((status, Html(html)).into_response())
}

fn to(place: &'static str) -> Response {
    let headers: [(HeaderName, &str); 1] = [(LOCATION, place)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("a=b; watchbell_session=1; __Host-watchbell_session=2"));
        headers.append(COOKIE, HeaderValue::from_static("c=d"));
        assert_eq!(of(&headers, false), Some("1"));
        // Over TLS only the cookie counts that nobody else could have set.
        assert_eq!(of(&headers, true), Some("2"));
        assert_eq!(of(&HeaderMap::new(), false), None);
    }

    #[test]
    fn the_page_escapes_what_it_says() {
        let response = page(StatusCode::UNAUTHORIZED, Some("<script>alert(1)</script>")).unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(body::to_bytes(response.into_body(), usize::MAX)).unwrap();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script>"), "{html}");
    }
}
