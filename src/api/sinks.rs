//! `/v1/sinks`: how they stand, and whether they work.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{MaybeGiven, Named, NoParameters},
    guard::guarded,
    idempotency::once,
    problem::Problem,
};
use crate::app::{AccessScope, SinkEntry, SinkReport};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    guarded(AccessScope::SinksRead, OpenApiRouter::new().routes(routes!(list)))
        .merge(guarded(AccessScope::SinksWrite, once(OpenApiRouter::new().routes(routes!(check)))))
}

/// The sinks that are switched on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sinks {
    sinks: Vec<SinkEntry>,
}

/// How far a check goes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CheckBody {
    /// Whether the sink gets one finding that says that it is a test.
    send: bool,
}

/// Sinks, and how each stands
#[utoipa::path(get, path = "/v1/sinks", tag = "sinks", operation_id = "list_sinks",
    responses((status = 200, description = "The sinks", body = ref("#/components/schemas/Sinks"))),
)]
async fn list(State(shared): State<Shared>, _: NoParameters) -> Result<Json<Sinks>, Problem> {
    Ok(Json(Sinks { sinks: shared.ask(|desk| desk.sinks()).await? }))
}

/// Check a sink
///
/// A sink that does not work is told in the answer, step by step; the status is 200 all the same.
#[utoipa::path(post, path = "/v1/sinks/{name}/check", tag = "sinks", operation_id = "check_sink",
    request_body(content = ref("#/components/schemas/CheckBody"), content_type = "application/json"),
    responses((status = 200, description = "What was tried, and what came of it", body = ref("#/components/schemas/SinkReport"))),
)]
async fn check(
    State(shared): State<Shared>,
    _: NoParameters,
    Named(name): Named,
    MaybeGiven(body): MaybeGiven<CheckBody>,
) -> Result<Json<SinkReport>, Problem> {
    Ok(Json(shared.ask(move |desk| desk.check_sink(&name, body.send)).await?))
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    let name = json!({ "name": "name", "in": "path", "required": true, "description": "The sink's name in the configuration",
        "schema": { "type": "string", "minLength": 1 } });
    json!({ "check_sink": {
        "parameters": [name],
        "body": { "send": false }, "optional_body": true,
        "responses": { "404": "There is no such sink", "409": "There is no sink at all" },
    } })
}
