//! The transport for clients that are elsewhere: streamable HTTP at `/mcp`, through the same door and behind the same gate as
//! the REST API.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use ipnet::IpNet;
use jiff::Timestamp;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use super::{call::Office, handler::Watchbell, sessions::Sessions};
use crate::{
    app::{AuditEntry, AuditLog, AuditResult, Caller, Gate, Refusal, ServePlan},
    door::{Client, Door, Rates, TooMany, credentials},
};

/// Where the protocol is spoken.
const PATH: &str = "/mcp";
/// Longest time for answers on their way when the server ends.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until the token is cancelled.
pub(super) async fn serve(door: Door, (office, gate): (Office, Gate), stop: CancellationToken) -> std::io::Result<()> {
    let plan = &office.desk.plan().serve;
    let config = config(plan, door.address()).with_cancellation_token(stop.child_token());
    let porter = Arc::new(Porter {
        gate,
        audit: office.audit.clone(),
        rates: Rates::new(plan.rate_per_minute),
        proxies: plan.trusted_proxies.clone(),
        is_tls: plan.tls.is_some(),
        largest: plan.max_body_bytes,
        patience: plan.timeout,
    });
    let watchbell = Watchbell::remote(office);
    let service = StreamableHttpService::new(move || Ok(watchbell.clone()), Arc::new(Sessions::default()), config);
    let router = Router::new().route_service(PATH, service).layer(middleware::from_fn_with_state(porter, admit));
    door.serve(router, stop, DRAIN).await
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

/// Looks at whoever comes in through the door.
struct Porter {
    gate: Gate,
    audit: Option<Arc<AuditLog>>,
    rates: Rates,
    proxies: Vec<IpNet>,
    is_tls: bool,
    /// Most bytes of a body.
    largest: usize,
    /// Longest time until a body is here.
    patience: Duration,
}

/// Why a request goes no further.
enum Stopped {
    Refused(Refusal),
    TooMany(TooMany),
    Body(StatusCode, String),
}

/// Finds out who asks; what they may do, and that it is written down, is each call's own matter.
async fn admit(State(porter): State<Arc<Porter>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let client = Client::of(request.headers(), request.extensions(), (&porter.proxies, porter.is_tls));
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let mut caller = None;
    let mut response = match porter.passed(request, client, &mut caller).await {
        Ok(request) => {
            let mut response = next.run(request).await;
            if method == Method::DELETE && response.status() == StatusCode::ACCEPTED {
                // The protocol's Python client complains of anything but 200 and 204 to the end of a session.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            response
        }
        Err(stopped) => {
            let response = stopped.into_response();
            porter.record((&method, client), caller.as_ref(), (response.status(), began));
            response
        }
    };
    porter.secure(response.headers_mut());
    response
}

impl Porter {
    /// The request with its caller and with its body, which is here by then: what follows has no patience of its own.
    async fn passed(&self, request: Request, client: Client, caller: &mut Option<Caller>) -> Result<Request, Stopped> {
        let admitted = self.admitted(request.headers(), client).await?;
        let caller = caller.insert(admitted);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(caller.clone());
        let body = tokio::time::timeout(self.patience, read(body, self.largest));
        let late = |_| Stopped::Body(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive".to_owned());
        Ok(Request::from_parts(parts, Body::from(body.await.map_err(late)??)))
    }

    /// Who asks, if they may and do not ask too often.
    async fn admitted(&self, headers: &HeaderMap, client: Client) -> Result<Caller, Stopped> {
        let credentials = credentials(headers);
        let who = self.gate.admit(credentials, client.origin(headers), Timestamp::now());
        let admitted = self.rates.admit(&self.gate, (credentials, client), who).await;
        let (asked, _) = admitted.map_err(Stopped::TooMany)?;
        asked.map_err(Stopped::Refused)
    }

    fn record(
        &self,
        (method, client): (&Method, Client),
        caller: Option<&Caller>,
        (status, began): (StatusCode, Instant),
    ) {
        let Some(audit) = &self.audit else { return };
        audit.write(&AuditEntry {
            time: Timestamp::now(),
            request_id: None,
            caller: caller.map(|caller| caller.name.as_str()),
            client: Some(client.address),
            method: if *method == Method::POST { "POST" } else { "other" },
            route: PATH,
            result: AuditResult::Status(status.as_u16()),
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    /// What every answer tells a browser, and what lies between.
    fn secure(&self, headers: &mut HeaderMap) {
        let mut tell = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        tell(header::CACHE_CONTROL, "no-store");
        tell(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        tell(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
        if self.is_tls {
            tell(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
    }
}

/// Reads a body that is no longer than this.
async fn read(body: Body, largest: usize) -> Result<Bytes, Stopped> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Stopped::Body(StatusCode::BAD_REQUEST, "the body breaks off".to_owned()))?;
        if chunk.len() > largest.saturating_sub(bytes.len()) {
            let detail = format!("expected a body of at most {largest} bytes");
            return Err(Stopped::Body(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        let (status, detail) = match &self {
            Self::Refused(refusal) => (status_of(refusal), refusal.to_string()),
            Self::TooMany(too_many) => (StatusCode::TOO_MANY_REQUESTS, too_many.to_string()),
            Self::Body(status, detail) => (*status, detail.clone()),
        };
        let body = serde_json::json!({
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": detail,
        });
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::Refused(Refusal::Unavailable) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::Refused(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TooMany(too_many) => too_many.tell(headers),
            // The rest of the body is not read, so nothing can follow it.
            Self::Body(..) => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
        }
        response
    }
}

fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Missing | Refusal::Invalid | Refusal::Far | Refusal::Scope(_) => StatusCode::UNAUTHORIZED,
    }
}
