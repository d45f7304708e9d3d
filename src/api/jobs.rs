//! What rounds of the batch and trainings have in common: work that outlasts its request, and is asked about by its id.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Shared, problem::Problem};
use crate::app::{AppError, Job, JobKind};

/// Jobs of one kind, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Jobs {
    jobs: Vec<Job>,
}

/// A job that goes on, and where to ask about it.
pub(super) fn accepted(at: &str, job: Job) -> Response {
    let location = HeaderValue::from_str(&format!("{at}/{}", job.id)).expect("an id is hexadecimal");
    (StatusCode::ACCEPTED, [(LOCATION, location)], Json(job)).into_response()
}

/// The jobs of a kind.
pub(super) async fn of_kind(shared: &Shared, kind: JobKind) -> Result<Json<Jobs>, Problem> {
    let jobs = shared.ask(|desk| Ok(desk.jobs())).await?;
    Ok(Json(Jobs { jobs: jobs.into_iter().filter(|job| job.kind == kind).collect() }))
}

/// A job of a kind.
pub(super) async fn one(shared: &Shared, id: String, kind: JobKind) -> Result<Job, Problem> {
    let job = shared.ask(move |desk| desk.job(&id)).await?;
    if job.kind == kind { Ok(job) } else { Err(Problem::of(&AppError::NoSuchJob(job.id))) }
}

/// Asks a job of a kind to end.
pub(super) async fn stop(shared: &Shared, id: String, kind: JobKind) -> Result<Job, Problem> {
    let job = one(shared, id, kind).await?;
    shared.ask(move |desk| desk.cancel(&job.id)).await
}

/// The id in a job's path, as the document tells of it.
pub(super) fn id_parameter() -> Value {
    json!({ "name": "id", "in": "path", "required": true, "description": "The job's id",
        "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" } })
}
