//! The transport for clients that are elsewhere: streamable HTTP at `/mcp`, behind the same gate as the REST API.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
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
use crate::app::{AuditEntry, AuditLog, AuditResult, Credentials, Gate, Refusal, ServePlan};

/// Where the protocol is spoken.
const PATH: &str = "/mcp";
/// Longest time for answers on their way when the server ends.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until the token is cancelled.
pub(super) async fn serve(
    listener: TcpListener,
    (office, gate): (Office, Gate),
    stop: CancellationToken,
) -> std::io::Result<()> {
    let bound = listener.local_addr()?;
    let door = Arc::new(Door { gate, audit: office.audit.clone() });
    let config = config(&office.desk.plan().serve, bound).with_cancellation_token(stop.child_token());
    let service = StreamableHttpService::new(
        move || Ok(Watchbell::remote(office.clone())),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router = Router::new().route_service(PATH, service).layer(middleware::from_fn_with_state(door, admit));
    let handle = Handle::new();
    let ending = handle.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        ending.graceful_shutdown(Some(DRAIN));
    });
    axum_server::from_tcp(listener)?
        .handle(handle)
        .serve(router.into_make_service_with_connect_info::<SocketAddr>())
        .await
}

/// Who may ask under which name: a page in a browser must not reach this server by a name of its own that leads here.
fn config(plan: &ServePlan, bound: SocketAddr) -> StreamableHttpServerConfig {
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    hosts.extend(plan.allowed_hosts.iter().filter(|host| host.port.is_none()).map(ToString::to_string));
    if !bound.ip().is_unspecified() {
        hosts.push(bound.ip().to_string());
    }
    let bracketed = |host: &String| match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.clone(),
    };
    let both = |authority: String| ["http", "https"].map(|scheme| format!("{scheme}://{authority}"));
    let mut origins: Vec<String> = hosts.iter().map(bracketed).flat_map(|host| both(format!("{host}:*"))).collect();
    for exact in plan.allowed_hosts.iter().filter(|host| host.port.is_some()) {
        // A proxy need not name its port to us, a browser does.
        hosts.push(exact.name.clone());
        origins.extend(both(exact.to_string()));
    }
    StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(plan.max_body_bytes)
}

/// Where callers come in.
struct Door {
    gate: Gate,
    audit: Option<Arc<AuditLog>>,
}

/// Finds out who asks; what they may do, and that it is written down, is each call's own matter.
async fn admit(
    State(door): State<Arc<Door>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let refusal = match door.gate.admit(credentials(request.headers()), client.ip(), Timestamp::now()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let ends = request.method() == Method::DELETE;
            let mut response = next.run(request).await;
            if ends && response.status() == StatusCode::ACCEPTED {
                // The protocol's Python client complains of anything but 200 and 204 to the end of a session.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            return response;
        }
        Err(refusal) => refusal,
    };
    let response = refused(&refusal);
    if let Some(audit) = &door.audit {
        audit.write(&AuditEntry {
            time: Timestamp::now(),
            request_id: None,
            caller: None,
            client: Some(client.ip()),
            method: if request.method() == Method::POST { "POST" } else { "other" },
            route: PATH,
            result: AuditResult::Status(response.status().as_u16()),
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    response
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Missing | Refusal::Invalid | Refusal::Far | Refusal::Scope(_) => StatusCode::UNAUTHORIZED,
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
    Credentials::of_headers(text(header::AUTHORIZATION.as_str()), text("x-api-key"))
}
