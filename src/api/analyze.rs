//! `POST /analyze`: logs in, findings out.

use std::sync::atomic::AtomicBool;

use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Shared, guard::guarded, problem::Problem};
use crate::app::{AccessScope, Analysis, AnalyzeRequest, LogInput, NoProgress, Watch};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    guarded(AccessScope::LogsWrite, OpenApiRouter::new().routes(routes!(analyze)))
}

/// Records in one JSON document.
#[derive(Debug, Deserialize)]
struct Records<'a> {
    #[serde(borrow)]
    logs: Vec<&'a RawValue>,
}

/// Analyze logs
#[utoipa::path(post, path = "/analyze", tag = "logs",
    request_body(content = ref("#/components/schemas/AnalyzeBody"), content_type = "application/json"),
    responses(
    (status = 200, description = "What was found", body = ref("#/components/schemas/Analysis")),
))]
async fn analyze(State(shared): State<Shared>, body: Bytes) -> Result<Json<Analysis>, Problem> {
    let records: Records<'_> = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("expected {{\"logs\": [..]}}: {error}")))?;
    let text = records.logs.iter().map(|record| record.get()).collect::<Vec<_>>().join("\n").into_bytes();
    let request = AnalyzeRequest { input: LogInput::Text { name: "request".to_owned(), text }, hand_over: true };
    let analysis =
        shared.ask(move |desk| desk.analyze(request, Watch { progress: &NoProgress, stop: &AtomicBool::new(false) }));
    Ok(Json(analysis.await?))
}
