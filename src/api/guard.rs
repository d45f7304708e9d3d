//! What stands around every route: who asks, whether they may, and what every answer carries.

mod around;
mod place;

use axum::{
    extract::{FromRequestParts, Request},
    http::{
        Extensions, HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, AUTHORIZATION, LOCATION, WWW_AUTHENTICATE},
        request::Parts,
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder, security::SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

pub(super) use self::around::{By, around};
use self::place::Places;
use super::{Shared, problem::Problem};
use crate::{
    app::{AccessScope, AppError, AuditLog, Caller, Refusal, ServePlan, Sessions},
    door::{API_KEY, Client, Rates},
};

/// Statuses that every guarded route may answer with, beside its own.
const COMMON: [(&str, &str); 9] = [
    ("400", "The request can't be read"),
    ("401", "No valid API key or token"),
    ("403", "The key or token lacks the scope, or the host is not allowed"),
    ("408", "The request took too long"),
    ("413", "The body is too large"),
    ("422", "The request says what can't be"),
    ("429", "Too many requests; `Retry-After` says when to come back"),
    ("500", "Something failed here; the log says more"),
    ("503", "Not possible at the moment"),
];

/// Routes that need a scope; the document says so.
pub(super) fn guarded(scope: AccessScope, routes: OpenApiRouter<Shared>) -> OpenApiRouter<Shared> {
    let mut routes =
        routes.route_layer(middleware::from_fn(move |request: Request, next: Next| check(scope, request, next)));
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        for operation in operations(item) {
            let needs = |scheme: &str| SecurityRequirement::new(scheme, [scope.name()]);
            operation.security = Some(vec![needs("api_key"), needs("bearer")]);
            for (status, description) in COMMON {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
            }
        }
    }
    routes
}

fn operations(item: &mut utoipa::openapi::PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// A response that carries a problem.
pub(super) fn problem(description: &str) -> RefOr<utoipa::openapi::Response> {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RefOr::T(ResponseBuilder::new().description(description).content("application/problem+json", content).build())
}

async fn check(scope: AccessScope, request: Request, next: Next) -> Response {
    let refusal = match request.extensions().get::<Result<Caller, Refusal>>() {
        Some(Ok(caller)) if caller.scopes.allow(scope) => return next.run(request).await,
        Some(Ok(_)) => Refusal::Scope(scope),
        Some(Err(refusal)) => refusal.clone(),
        None => return Problem::internal().into_response(),
    };
    refused(&refusal, &request)
}

/// People who look at a page are sent to log in; programs are told.
fn refused(refusal: &Refusal, request: &Request) -> Response {
    let status = match refusal {
        Refusal::Far => StatusCode::UNAUTHORIZED,
        Refusal::Scope(_) => StatusCode::FORBIDDEN,
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Missing | Refusal::Invalid if wants_page(request) => {
            return (StatusCode::SEE_OTHER, [(LOCATION, "/login")]).into_response();
        }
        Refusal::Missing | Refusal::Invalid => StatusCode::UNAUTHORIZED,
    };
    let mut response = Problem::new(status, refusal.to_string()).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// Whether a browser wants to show the answer. Whoever brings credentials along is a program.
fn wants_page(request: &Request) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_program = request.headers().contains_key(AUTHORIZATION) || request.headers().contains_key(API_KEY);
    request.method() == Method::GET && accepts.contains("text/html") && !is_program
}

/// What the layers work with.
#[derive(Debug)]
pub(super) struct Guard {
    places: Places,
    rates: Rates,
    /// People who look with a browser.
    pub(super) sessions: Sessions,
    audit: Option<AuditLog>,
    proxies: Vec<IpNet>,
    is_tls: bool,
}

impl Guard {
    /// # Errors
    /// The audit log can't be opened.
    pub(super) fn new(plan: &ServePlan) -> Result<Self, AppError> {
        Ok(Self {
            places: Places::new(plan.listen.ip(), &plan.allowed_hosts),
            rates: Rates::new(plan.rate_per_minute),
            sessions: Sessions::default(),
            audit: plan.audit_log.as_deref().map(AuditLog::open).transpose()?,
            proxies: plan.trusted_proxies.clone(),
            is_tls: plan.tls.is_some(),
        })
    }

    /// Counts credentials that are not valid; the answer when there were too many.
    pub(super) fn failed(&self, client: Client) -> Option<Response> {
        self.rates.fail(client.counted()).err().map(IntoResponse::into_response)
    }

    fn client(&self, headers: &HeaderMap, extensions: &Extensions) -> Client {
        Client::of(headers, extensions, (&self.proxies, self.is_tls))
    }
}

/// Who asks, for handlers that write it down.
#[derive(Debug)]
pub(super) struct AskedBy(pub(super) String);

impl<S: Sync> FromRequestParts<S> for AskedBy {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Result<Caller, Refusal>>() {
            Some(Ok(caller)) => Ok(Self(caller.name.clone())),
            _ => Err(Problem::internal()),
        }
    }
}
