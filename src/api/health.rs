//! Whether the program lives and can work. Asked by machines that have no key, so nothing secret is in the answers.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Shared, problem::Problem};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// The process lives
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 204, description = "It lives")))]
async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// It can do its work, check by check
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, description = "Every required check holds", body = ref("#/components/schemas/Health")),
    (status = 503, description = "One does not hold", body = ref("#/components/schemas/Health")),
))]
async fn ready(State(shared): State<Shared>) -> Result<impl IntoResponse, Problem> {
    let health = shared.ask(|desk| Ok(desk.health())).await?;
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(health)))
}
