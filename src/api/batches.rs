//! `/v1/batches`: rounds of the batch job over the configured log directory.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{MaybeGiven, Named, NoParameters},
    guard::{AskedBy, guarded},
    idempotency::once,
    jobs::{Jobs, accepted, id_parameter, of_kind, one, stop},
    problem::Problem,
};
use crate::app::{AccessScope, BatchRequest, Job, JobKind, JobResult};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let changing = OpenApiRouter::new().routes(routes!(start)).routes(routes!(cancel));
    let looking = OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(result));
    guarded(AccessScope::LogsWrite, once(changing).merge(looking))
}

/// Which files a round reads.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BatchBody {
    /// Only files that match one of these patterns, seen from the log directory; empty: as the configuration says.
    include: Vec<String>,
    /// Not the files that match one of these, beside those that the configuration leaves out.
    exclude: Vec<String>,
}

/// Begin a round of the batch
///
/// It reads what is new in the log directory since the last round. `Location` says where to ask how far it is.
#[utoipa::path(post, path = "/v1/batches", tag = "batches", operation_id = "start_batch",
    request_body(content = ref("#/components/schemas/BatchBody"), content_type = "application/json"),
    responses((status = 202, description = "It waits for its turn", body = ref("#/components/schemas/Job"))),
)]
async fn start(
    State(shared): State<Shared>,
    _: NoParameters,
    AskedBy(by): AskedBy,
    MaybeGiven(body): MaybeGiven<BatchBody>,
) -> Result<Response, Problem> {
    let request = BatchRequest { include: body.include, exclude: body.exclude };
    let job = shared.ask(move |desk| desk.start_batch(request, &by)).await?;
    Ok(accepted("/v1/batches", job))
}

/// Rounds that are known, the newest first
#[utoipa::path(get, path = "/v1/batches", tag = "batches", operation_id = "list_batches",
    responses((status = 200, description = "The rounds", body = ref("#/components/schemas/Jobs"))),
)]
async fn list(State(shared): State<Shared>, _: NoParameters) -> Result<Json<Jobs>, Problem> {
    of_kind(&shared, JobKind::Batch).await
}

/// How far a round is
#[utoipa::path(get, path = "/v1/batches/{id}", tag = "batches", operation_id = "show_batch",
    responses((status = 200, description = "The round", body = ref("#/components/schemas/Job"))),
)]
async fn show(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Json<Job>, Problem> {
    Ok(Json(one(&shared, id, JobKind::Batch).await?))
}

/// What came of a round
#[utoipa::path(get, path = "/v1/batches/{id}/result", tag = "batches", operation_id = "batch_result",
    responses((status = 200, description = "Its summary", body = ref("#/components/schemas/BatchSummary"))),
)]
async fn result(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Json<JobResult>, Problem> {
    let job = one(&shared, id, JobKind::Batch).await?;
    let state = job.state.name();
    let missing = || {
        let why = job.error.map(|error| format!(": {error}")).unwrap_or_default();
        Problem::new(StatusCode::CONFLICT, format!("the round has no result, it is {state}{why}"))
    };
    job.result.map(Json).ok_or_else(missing)
}

/// End a round
///
/// What it has read so far is dropped; the next round reads it again.
#[utoipa::path(post, path = "/v1/batches/{id}/cancel", tag = "batches", operation_id = "cancel_batch",
    responses((status = 202, description = "It ends within moments", body = ref("#/components/schemas/Job"))),
)]
async fn cancel(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Response, Problem> {
    let job = stop(&shared, id, JobKind::Batch).await?;
    Ok(accepted("/v1/batches", job))
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    let id = id_parameter();
    json!({
        "start_batch": { "body": { "include": ["auth*.jsonl"] }, "optional_body": true },
        "show_batch": { "parameters": [id], "responses": { "404": "There is no such round" } },
        "batch_result": {
            "parameters": [id],
            "responses": { "404": "There is no such round", "409": "It is not done, or failed" },
        },
        "cancel_batch": {
            "parameters": [id],
            "responses": { "404": "There is no such round", "409": "It is over already" },
        },
    })
}
