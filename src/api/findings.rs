//! `/v1/findings`: listed, shown, explained.

use axum::{
    Json,
    extract::{Path, State},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Shared, guard::guarded, problem::Problem};
use crate::app::{AccessScope, Explanation, FindingPage, FindingQuery, FindingView};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    guarded(
        AccessScope::FindingsRead,
        OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(explain)),
    )
}

/// Findings, a page at a time
#[utoipa::path(get, path = "/v1/findings", tag = "findings", responses(
    (status = 200, description = "A page", body = ref("#/components/schemas/FindingPage")),
))]
async fn list(State(shared): State<Shared>) -> Result<Json<FindingPage>, Problem> {
    Ok(Json(shared.ask(|desk| desk.findings(&FindingQuery::default())).await?))
}

/// One finding, and where it stands at each sink
#[utoipa::path(get, path = "/v1/findings/{id}", tag = "findings",
    params(("id" = String, Path, description = "The finding's id, or a clear beginning of it")),
    responses((status = 200, description = "The finding", body = ref("#/components/schemas/FindingView"))),
)]
async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<FindingView>, Problem> {
    Ok(Json(shared.ask(move |desk| desk.finding(&id)).await?))
}

/// Why it is one, and what to do about it
#[utoipa::path(get, path = "/v1/findings/{id}/explain", tag = "findings",
    params(("id" = String, Path, description = "The finding's id, or a clear beginning of it")),
    responses((status = 200, description = "The explanation", body = ref("#/components/schemas/Explanation"))),
)]
async fn explain(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Explanation>, Problem> {
    Ok(Json(shared.ask(move |desk| desk.explain(&id)).await?))
}
