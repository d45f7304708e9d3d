//! `/v1/models` and `/v1/trainings`: what was learned, and learning anew.

use axum::{Json, extract::State, response::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{MaybeGiven, Named, NoParameters},
    guard::{AskedBy, guarded},
    idempotency::once,
    jobs::{Jobs, accepted, id_parameter, of_kind, one, stop},
    problem::Problem,
    words::LogName,
};
use crate::app::{AccessScope, Job, JobKind, ModelEntry, TrainRequest};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let looking = OpenApiRouter::new().routes(routes!(list)).routes(routes!(trainings)).routes(routes!(training));
    let changing = OpenApiRouter::new().routes(routes!(train)).routes(routes!(load)).routes(routes!(cancel));
    guarded(AccessScope::ModelsRead, looking).merge(guarded(AccessScope::ModelsWrite, once(changing)))
}

/// The models that there are.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Models {
    models: Vec<ModelEntry>,
}

/// What is learned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TrainBody {
    /// The one name of what is learned from all logs; without it each log has its own model.
    name: Option<LogName>,
}

/// Models, by name
#[utoipa::path(get, path = "/v1/models", tag = "models", operation_id = "list_models",
    responses((status = 200, description = "The models", body = ref("#/components/schemas/Models"))),
)]
async fn list(State(shared): State<Shared>, _: NoParameters) -> Result<Json<Models>, Problem> {
    Ok(Json(Models { models: shared.ask(|desk| desk.models()).await? }))
}

/// Learn from the logs of the log directory
///
/// One model for each log is written into the model directory. `Location` says where to ask how far it is.
#[utoipa::path(post, path = "/v1/models", tag = "models", operation_id = "train_models",
    request_body(content = ref("#/components/schemas/TrainBody"), content_type = "application/json"),
    responses((status = 202, description = "It waits for its turn", body = ref("#/components/schemas/Job"))),
)]
async fn train(
    State(shared): State<Shared>,
    _: NoParameters,
    AskedBy(by): AskedBy,
    MaybeGiven(body): MaybeGiven<TrainBody>,
) -> Result<Response, Problem> {
    let request = TrainRequest { name: body.name.map(LogName::text), paths: Vec::new() };
    let job = shared.ask(move |desk| desk.start_training(request, &by)).await?;
    Ok(accepted("/v1/trainings", job))
}

/// Use a model for logs that come with a call and have no model of their name
#[utoipa::path(post, path = "/v1/models/{name}/load", tag = "models", operation_id = "load_model",
    responses((status = 200, description = "It is used", body = ref("#/components/schemas/ModelEntry"))),
)]
async fn load(State(shared): State<Shared>, _: NoParameters, Named(name): Named) -> Result<Json<ModelEntry>, Problem> {
    let model = shared.ask(move |desk| desk.load_model(&name)).await;
    model.map(Json).map_err(|problem| problem.of_parameters(&["name"]))
}

/// Trainings that are known, the newest first
#[utoipa::path(get, path = "/v1/trainings", tag = "models", operation_id = "list_trainings",
    responses((status = 200, description = "The trainings", body = ref("#/components/schemas/Jobs"))),
)]
async fn trainings(State(shared): State<Shared>, _: NoParameters) -> Result<Json<Jobs>, Problem> {
    of_kind(&shared, JobKind::Train).await
}

/// How far a training is
#[utoipa::path(get, path = "/v1/trainings/{id}", tag = "models", operation_id = "show_training",
    responses((status = 200, description = "The training", body = ref("#/components/schemas/Job"))),
)]
async fn training(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Json<Job>, Problem> {
    Ok(Json(one(&shared, id, JobKind::Train).await?))
}

/// End a training
#[utoipa::path(post, path = "/v1/trainings/{id}/cancel", tag = "models", operation_id = "cancel_training",
    responses((status = 202, description = "It ends within moments", body = ref("#/components/schemas/Job"))),
)]
async fn cancel(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Response, Problem> {
    let job = stop(&shared, id, JobKind::Train).await?;
    Ok(accepted("/v1/trainings", job))
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    let name = json!({ "name": "name", "in": "path", "required": true, "description": "The model's name",
        "schema": { "type": "string", "minLength": 1 } });
    let id = id_parameter();
    json!({
        "train_models": { "body": {}, "optional_body": true },
        "load_model": {
            "parameters": [name],
            "responses": { "404": "There is no such model", "409": "It can't be read" },
        },
        "show_training": { "parameters": [id], "responses": { "404": "There is no such training" } },
        "cancel_training": {
            "parameters": [id],
            "responses": { "404": "There is no such training", "409": "It is over already" },
        },
    })
}
