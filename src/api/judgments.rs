//! `/v1/suppressions` and `/v1/feedback`: what people decide about findings.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{Given, Named, NoParameters, Object, Parameters, truth},
    guard::{AskedBy, guarded},
    idempotency::once,
    problem::{Place, Problem},
    words::Words,
};
use crate::app::{
    AccessScope, Entity, Feedback, FeedbackReport, Plan, Severity, SuppressRequest, Suppressions, ThreatType, Truth,
    Which, future, now,
};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let looking = OpenApiRouter::new().routes(routes!(suppressions)).routes(routes!(feedback));
    let changing = OpenApiRouter::new().routes(routes!(suppress)).routes(routes!(lift)).routes(routes!(give));
    guarded(AccessScope::FindingsRead, looking).merge(guarded(AccessScope::FindingsWrite, once(changing)))
}

/// Suppressions
#[utoipa::path(get, path = "/v1/suppressions", tag = "judgments", operation_id = "list_suppressions",
    responses((status = 200, description = "The suppressions", body = ref("#/components/schemas/Suppressions"))),
)]
async fn suppressions(State(shared): State<Shared>, mut parameters: Parameters) -> Result<Json<Suppressions>, Problem> {
    let all = parameters.one("all", truth).unwrap_or(false);
    parameters.done()?;
    Ok(Json(shared.ask(move |desk| desk.suppressions(all)).await?))
}

/// Silence findings for a while
///
/// Findings like one that is named, or of a threat. They stay in the reports, and go to no sink. With `dry_run` the answer
/// says which ones it would be, and nothing is changed.
#[utoipa::path(post, path = "/v1/suppressions", tag = "judgments", operation_id = "suppress_findings",
    request_body(content = ref("#/components/schemas/SuppressBody"), content_type = "application/json"),
    responses(
        (status = 200, description = "What it would hide", body = ref("#/components/schemas/SuppressionEffect")),
        (status = 201, description = "What it hides", body = ref("#/components/schemas/SuppressionEffect")),
    ),
)]
async fn suppress(
    State(shared): State<Shared>,
    _: NoParameters,
    AskedBy(by): AskedBy,
    Given(body): Given<SuppressBody>,
) -> Result<Response, Problem> {
    let dry_run = body.dry_run;
    let request = body.request(by, shared.desk.plan())?;
    let effect = shared.ask(move |desk| desk.suppress(&request, dry_run)).await?;
    let status = if effect.made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(effect)).into_response())
}

/// Let findings ring again
#[utoipa::path(delete, path = "/v1/suppressions/{id}", tag = "judgments", operation_id = "lift_suppression",
    responses((status = 204, description = "They ring again")),
)]
async fn lift(
    State(shared): State<Shared>,
    AskedBy(by): AskedBy,
    Named(id): Named,
    mut parameters: Parameters,
) -> Result<StatusCode, Problem> {
    let reason = parameters.one("reason", Words::new);
    parameters.done()?;
    let reason = reason.map_or_else(|| "lifted by request".to_owned(), Words::text);
    shared.ask(move |desk| desk.lift(&id, &reason, &by)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What people said about findings
#[utoipa::path(get, path = "/v1/feedback", tag = "judgments", operation_id = "list_feedback",
    responses((status = 200, description = "The last word about each finding", body = ref("#/components/schemas/FeedbackReport"))),
)]
async fn feedback(State(shared): State<Shared>, _: NoParameters) -> Result<Json<FeedbackReport>, Problem> {
    Ok(Json(shared.ask(|desk| desk.feedback()).await?))
}

/// Say whether a finding was right
#[utoipa::path(post, path = "/v1/findings/{id}/feedback", tag = "judgments", operation_id = "give_feedback",
    request_body(content = ref("#/components/schemas/FeedbackBody"), content_type = "application/json"),
    responses((status = 201, description = "It is written down", body = ref("#/components/schemas/Feedback"))),
)]
async fn give(
    State(shared): State<Shared>,
    _: NoParameters,
    AskedBy(by): AskedBy,
    Named(id): Named,
    Given(body): Given<FeedbackBody>,
) -> Result<(StatusCode, Json<Feedback>), Problem> {
    let FeedbackBody { truth, note } = body;
    let note = note.map(Words::text);
    let feedback = shared.ask(move |desk| desk.give_feedback(&id, (truth, note.as_deref()), &by)).await;
    let feedback = feedback.map_err(|problem| problem.of_parameters(&["id"]))?;
    Ok((StatusCode::CREATED, Json(feedback)))
}

/// Whether a finding was right.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedbackBody {
    /// What it was.
    truth: Truth,
    /// What others are to know.
    #[serde(default)]
    note: Option<Words>,
}

/// Findings that are to be silent: those like one, or those of a threat.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["from_finding"], "properties": {
        "from_finding": { "type": "string" }, "threat_type": { "type": "null" }, "entity": { "type": "null" } } },
    { "required": ["threat_type"], "properties": {
        "threat_type": { "type": "string" }, "from_finding": { "type": "null" } } },
]))]
pub(super) struct SuppressBody {
    /// Those like this one: its threat, its entity, no worse.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-f]{4,64}$"))]
    from_finding: Option<String>,
    /// Those of this threat.
    #[serde(default)]
    threat_type: Option<ThreatType>,
    /// Of that threat only those about this.
    #[serde(default)]
    #[schemars(with = "Option<Entity>")]
    entity: Option<Object<Entity>>,
    /// No worse than this; without it no worse than the finding, or than `medium` for those of a threat.
    #[serde(default)]
    max_severity: Option<Severity>,
    /// Why.
    reason: Words,
    /// When it ends, within a year: so long from now, a date (its midnight in the configured time zone), or a time.
    #[schemars(extend("examples" = ["30d", "12h", "2026-12-31", "2026-12-31T08:00:00Z"]))]
    expires: String,
    /// Only say what it would hide.
    #[serde(default)]
    dry_run: bool,
}

impl SuppressBody {
    fn request(self, by: String, plan: &Plan) -> Result<SuppressRequest, Problem> {
        let wrong = |pointer: &str, detail: &str| Problem::unprocessable(vec![Place::at(pointer, detail)]);
        let which = match (self.from_finding, self.threat_type, self.entity) {
            (Some(finding), None, None) => Which::Like { finding, max_severity: self.max_severity },
            (None, Some(threat_type), entity) => {
                Which::Of { threat_type, entity: entity.map(|Object(entity)| entity), max_severity: self.max_severity }
            }
            (Some(_), ..) => return Err(wrong("/from_finding", "expected it without `threat_type` and `entity`")),
            (None, None, _) => return Err(wrong("", "expected `from_finding` or `threat_type`")),
        };
        let expires = future(&self.expires, &now(plan)).map_err(|error| wrong("/expires", &error))?;
        Ok(SuppressRequest { which, reason: self.reason.text(), expires, by })
    }
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    json!({
        "list_suppressions": { "parameters": [{ "name": "all", "in": "query",
            "description": "Also those that are over or lifted", "schema": { "type": "boolean", "default": false } }] },
        "suppress_findings": {
            "body": { "threat_type": "beaconing", "entity": { "kind": "host", "value": "backup" },
                "reason": "the backup calls home every hour", "expires": "30d" },
            "responses": { "404": "There is no such finding" },
        },
        "lift_suppression": {
            "parameters": [
                { "name": "id", "in": "path", "required": true, "description": "The suppression's id",
                  "schema": { "type": "string", "pattern": "^s[0-9a-f]{8}$" } },
                { "name": "reason", "in": "query", "description": "Why",
                  "schema": { "$ref": "#/components/schemas/Words" } },
            ],
            "responses": { "404": "No such suppression stands" },
        },
    })
}
