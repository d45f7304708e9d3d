//! What stands around every route: who asks, whether they may, and what every answer carries.

use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder, security::SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

use super::{Shared, problem::Problem};
use crate::app::{AccessScope, Caller, Credentials, Refusal};

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
    match request.extensions().get::<Result<Caller, Refusal>>() {
        Some(Ok(caller)) if caller.scopes.allow(scope) => next.run(request).await,
        Some(Ok(_)) => refused(&Refusal::Scope(scope)),
        Some(Err(refusal)) => refused(refusal),
        None => Problem::internal().into_response(),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Scope(_) => StatusCode::FORBIDDEN,
        Refusal::Missing | Refusal::Invalid => StatusCode::UNAUTHORIZED,
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, refusal.to_string()).into_response()
}

/// What stands around everything.
pub(super) fn around(router: Router<Shared>, shared: &Shared) -> Router<Shared> {
    router.layer(middleware::from_fn_with_state(shared.clone(), identify))
}

/// Finds out who asks; whether they may is each route's own matter.
async fn identify(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let asked = shared.gate.admit(credentials(request.headers()), Timestamp::now()).await;
    request.extensions_mut().insert(asked);
    next.run(request).await
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Credentials {
        bearer: text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer ")),
        api_key: text("x-api-key"),
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
