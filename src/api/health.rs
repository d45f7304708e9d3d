//! Whether the program lives and can work. Asked by machines that have no key, so nothing secret is in the answers.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::NoParameters,
    problem::{LATER, Problem},
};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// The process lives
#[utoipa::path(get, path = "/health/live", tag = "health", responses(
    (status = 204, description = "It lives"),
    (status = 422, description = "The request says what can't be", body = ref("#/components/schemas/Problem"),
        content_type = "application/problem+json"),
))]
async fn live(_: NoParameters) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// It can do its work, check by check
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "Every required check holds", body = ref("#/components/schemas/Health")),
    (status = 422, description = "The request says what can't be", body = ref("#/components/schemas/Problem"),
        content_type = "application/problem+json"),
    (status = 503, description = "One does not hold", body = ref("#/components/schemas/Health")),
))]
async fn ready(State(shared): State<Shared>, _: NoParameters) -> Result<Response, Problem> {
    let health = shared.ask(|desk| Ok(desk.health())).await?;
    if health.ready {
        return Ok(Json(health).into_response());
    }
    Ok((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, LATER)], Json(health)).into_response())
}
