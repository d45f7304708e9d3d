//! `POST /analyze`: logs in, findings out.

use axum::{Extension, Json, body::Body, extract::State, http::HeaderMap};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    ask::waiting,
    body::{self, Limits, Taken},
    extract::{Parameters, media_type, truth, unsupported},
    guard::guarded,
    problem::Problem,
    records,
    words::LogName,
};
use crate::app::{AccessScope, Analysis, AnalyzeRequest, LogInput, NoProgress, Watch};

/// The types that are taken; all but the first are logs as they are.
const TYPES: &str = "application/json, application/x-ndjson, text/csv or text/plain";

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let routes = OpenApiRouter::new().routes(routes!(analyze)).routes(routes!(analyze_v1));
    guarded(AccessScope::LogsWrite, routes)
}

/// Analyze logs
///
/// The findings are in the answer, and go out to the sinks in the background. The same logs give the same findings with the
/// same ids, and no sink gets a finding twice, so a request may be repeated. The body may be packed: `Content-Encoding: gzip`.
#[utoipa::path(post, path = "/analyze", tag = "logs", operation_id = "analyze", responses(
    (status = 200, description = "What was found", body = ref("#/components/schemas/Analysis")),
))]
async fn analyze(
    State(shared): State<Shared>,
    Extension(limits): Extension<Limits>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Analysis>, Problem> {
    let is_document = match media_type(&headers).as_deref() {
        Some("application/json") => true,
        Some("application/x-ndjson" | "text/csv" | "text/plain") => false,
        _ => return Err(unsupported(TYPES)),
    };
    let (name, hand_over) = asked(parameters)?;
    let taken = body::logs(&headers, body, limits).await?;
    let input = match taken {
        document if is_document => {
            LogInput::Records { name, records: waiting(|| records::records(document)).await?.into() }
        }
        Taken::Memory(text) => LogInput::Text { name, text },
        Taken::Spooled(file) => LogInput::Spooled { name, file },
    };
    let request = AnalyzeRequest { input, hand_over };
    let found =
        shared.ask_while_wanted(move |desk, stop| desk.analyze(request, Watch { progress: &NoProgress, stop })).await?;
    Ok(Json(found))
}

/// Analyze logs
///
/// The same as `/analyze`.
#[utoipa::path(post, path = "/v1/analyze", tag = "logs", operation_id = "analyze_v1", responses(
    (status = 200, description = "What was found", body = ref("#/components/schemas/Analysis")),
))]
async fn analyze_v1(
    shared: State<Shared>,
    limits: Extension<Limits>,
    parameters: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Analysis>, Problem> {
    analyze(shared, limits, parameters, headers, body).await
}

fn asked(mut parameters: Parameters) -> Result<(String, bool), Problem> {
    let name = parameters.one("name", |text| LogName::new(text.to_owned()));
    let hand_over = parameters.one("hand_over", truth);
    parameters.done()?;
    Ok((name.map_or_else(|| "request".to_owned(), LogName::text), hand_over.unwrap_or(true)))
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    // No schema: whatever the bytes are, they are a log.
    let raw = |example: &str| json!({ "example": example });
    let records = json!({ "logs": [
        { "timestamp": "2026-03-02T08:00:00Z", "user": "ada", "source_ip": "192.0.2.10", "action": "login",
          "outcome": "success" },
        "2026-03-02T08:00:05Z sshd[811]: Failed password for root from 198.51.100.7 port 51122 ssh2",
    ] });
    let line = r#"{"timestamp":"2026-03-02T08:00:00Z","user":"ada","source_ip":"192.0.2.10","action":"login"}"#;
    let details = json!({
        "parameters": [
            { "name": "name", "in": "query", "description": "How the log is shown, `request` if left out; it also says which model is used",
              "schema": { "$ref": "#/components/schemas/LogName" }, "example": "auth.log" },
            { "name": "hand_over", "in": "query",
              "description": "Whether findings are kept and go to the sinks; otherwise they are only told",
              "schema": { "type": "boolean", "default": true } },
        ],
        "requestBody": {
            "required": true,
            "description": "Records in one JSON document, or a log in any format as it is",
            "content": {
                "application/json": { "schema": { "$ref": "#/components/schemas/AnalyzeBody" }, "example": records },
                "application/x-ndjson": raw(&format!("{line}\n")),
                "text/csv": raw("timestamp,user,source_ip,action\n2026-03-02T08:00:00Z,ada,192.0.2.10,login\n"),
                "text/plain": raw("Mar  2 08:00:05 web sshd[811]: Failed password for root from 198.51.100.7 port 51122\n"),
            },
        },
        "responses": {
            "409": "The model for this log can't be read; train it anew, or give the log another name",
            "413": "The body, or what a packed log in it becomes, is larger than `max_body_bytes`",
            "415": format!("The body is not {TYPES}, packed in another way than gzip, or a log packed in another way than \
                            gzip or zstd"),
            "422": "A parameter or a record can't be; or the log can't be read at all, because it is not text",
        },
    });
    json!({ "analyze": details, "analyze_v1": details })
}

/// The schema of the JSON document; the document itself is read record by record.
pub(super) fn body_schema() -> Value {
    json!({
        "type": "object",
        "required": ["logs"],
        "additionalProperties": false,
        "properties": { "logs": {
            "description": "Records, in any order: objects, and texts as a log has them. Objects and texts are read as two logs; \
                            what is said about line 7 is about the seventh record",
            "type": "array",
            "items": { "type": ["object", "string"] },
        } },
    })
}
