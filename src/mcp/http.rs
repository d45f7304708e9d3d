//! The transport for clients that are elsewhere: streamable HTTP at `/mcp`, behind the same gate as the REST API.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use axum_server::Handle;
use jiff::Timestamp;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio_util::sync::CancellationToken;

use super::{call::Office, handler::Watchbell};
use crate::app::{Credentials, Gate, Refusal, ServePlan};

/// Longest time for answers on their way when the server ends.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until the token is cancelled.
pub(super) async fn serve(
    listener: TcpListener,
    (office, gate): (Office, Gate),
    stop: CancellationToken,
) -> std::io::Result<()> {
    let bound = listener.local_addr()?;
    let config = config(&office.desk.plan().serve, bound).with_cancellation_token(stop.child_token());
    let service = StreamableHttpService::new(
        move || Ok(Watchbell::remote(office.clone())),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router =
        Router::new().route_service("/mcp", service).layer(middleware::from_fn_with_state(Arc::new(gate), admit));
    let handle = Handle::new();
    let ending = handle.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        ending.graceful_shutdown(Some(DRAIN));
    });
    axum_server::from_tcp(listener)?.handle(handle).serve(router.into_make_service()).await
}

/// Who may ask under which name: a page in a browser must not reach this server by a name of its own that leads here.
fn config(plan: &ServePlan, bound: SocketAddr) -> StreamableHttpServerConfig {
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    hosts.extend(plan.allowed_hosts.iter().cloned());
    if !bound.ip().is_unspecified() {
        hosts.push(bound.ip().to_string());
    }
    let bracketed = |host: &String| match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.clone(),
    };
    let origins: Vec<String> = hosts
        .iter()
        .map(bracketed)
        .filter(|host| host.starts_with('[') || !host.contains(':'))
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")))
        .collect();
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(plan.max_body_bytes)
}

/// Finds out who asks; what they may do is each tool's own matter.
async fn admit(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    match gate.admit(credentials(request.headers()), Timestamp::now()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Missing | Refusal::Invalid | Refusal::Scope(_) => StatusCode::UNAUTHORIZED,
    };
    let body = serde_json::json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": refusal.to_string(),
    });
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(rest)
    });
    Credentials { bearer, api_key: text("x-api-key") }
}
