//! `/v1/findings`: listed, shown, explained, summed up, forwarded.

use axum::{Json, extract::State};
use jiff::{Timestamp, Zoned};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{Given, Named, NoParameters, Object, Parameters, short},
    guard::guarded,
    idempotency::once,
    problem::{Place, Problem},
};
use crate::app::{
    AccessScope, Explanation, FindingPage, FindingQuery, FindingView, ForwardOrder, ForwardReceipt, LARGEST_PAGE,
    Severity, Summary, ThreatType, now, past,
};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let looking = OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(explain))
        .routes(routes!(summary));
    let forwarding = guarded(AccessScope::SinksWrite, once(OpenApiRouter::new().routes(routes!(forward))));
    guarded(AccessScope::FindingsRead, looking).merge(forwarding)
}

/// Findings, a page at a time
#[utoipa::path(get, path = "/v1/findings", tag = "findings", operation_id = "list_findings", responses(
    (status = 200, description = "A page", body = ref("#/components/schemas/FindingPage")),
))]
async fn list(State(shared): State<Shared>, mut parameters: Parameters) -> Result<Json<FindingPage>, Problem> {
    let page =
        (parameters.one("order", str::parse), parameters.one("limit", page_size), parameters.one("cursor", cursor));
    let filter = filter(parameters, &now(shared.desk.plan()))?;
    let query = FindingQuery {
        order: page.0.unwrap_or(filter.order),
        limit: page.1.unwrap_or(filter.limit),
        after: page.2,
        ..filter
    };
    let page = shared.ask(move |desk| desk.findings(&query)).await;
    page.map(Json).map_err(|problem| problem.of_parameters(&["cursor"]))
}

/// One finding, and where it stands at each sink
#[utoipa::path(get, path = "/v1/findings/{id}", tag = "findings", operation_id = "show_finding", responses(
    (status = 200, description = "The finding", body = ref("#/components/schemas/FindingView")),
))]
async fn show(State(shared): State<Shared>, _: NoParameters, Named(id): Named) -> Result<Json<FindingView>, Problem> {
    let finding = shared.ask(move |desk| desk.finding(&id)).await;
    finding.map(Json).map_err(|problem| problem.of_parameters(&["id"]))
}

/// Why it is one, and what to do about it
#[utoipa::path(get, path = "/v1/findings/{id}/explain", tag = "findings", operation_id = "explain_finding", responses(
    (status = 200, description = "The explanation", body = ref("#/components/schemas/Explanation")),
))]
async fn explain(
    State(shared): State<Shared>,
    _: NoParameters,
    Named(id): Named,
) -> Result<Json<Explanation>, Problem> {
    let explanation = shared.ask(move |desk| desk.explain(&id)).await;
    explanation.map(Json).map_err(|problem| problem.of_parameters(&["id"]))
}

/// Findings summed up
#[utoipa::path(get, path = "/v1/summary", tag = "findings", operation_id = "summarize_findings", responses(
    (status = 200, description = "The sums", body = ref("#/components/schemas/Summary")),
))]
async fn summary(State(shared): State<Shared>, parameters: Parameters) -> Result<Json<Summary>, Problem> {
    let query = filter(parameters, &now(shared.desk.plan()))?;
    Ok(Json(shared.ask(move |desk| desk.summarize(&query)).await?))
}

/// Hand findings to sinks
///
/// They are on disk when this answers, and go out in the background. A sink that has a finding already gets it no second
/// time; suppressed ones are held back.
#[utoipa::path(post, path = "/v1/findings:forward", tag = "findings", operation_id = "forward_findings",
    request_body(content = ref("#/components/schemas/ForwardBody"), content_type = "application/json"),
    responses((status = 200, description = "What became of them", body = ref("#/components/schemas/ForwardReceipt"))),
)]
async fn forward(
    State(shared): State<Shared>,
    _: NoParameters,
    Given(body): Given<ForwardBody>,
) -> Result<Json<ForwardReceipt>, Problem> {
    let ForwardBody { ids, filter, sinks, dry_run } = body;
    let ids = ids.unwrap_or_default();
    if ids.is_empty() && filter.is_none() {
        return Err(Problem::unprocessable(vec![Place::at("", "expected `ids` or `filter`")]));
    }
    let now = now(shared.desk.plan());
    let order = ForwardOrder {
        ids,
        query: filter.map(|Object(filter)| filter.query(&now)).transpose()?,
        sinks,
        dry_run,
        ..ForwardOrder::default()
    };
    Ok(Json(shared.ask(move |desk| desk.forward(&order)).await?))
}

/// Findings to be forwarded: those named, and all that match.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    { "required": ["ids"], "properties": { "ids": { "type": "array", "minItems": 1 } } },
    { "required": ["filter"], "properties": { "filter": { "type": "object" } } },
]))]
pub(super) struct ForwardBody {
    /// Ids, or clear beginnings of them.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^[0-9a-f]{4,64}$")))]
    ids: Option<Vec<String>>,
    /// All findings that match.
    #[serde(default)]
    #[schemars(with = "Option<Filter>")]
    filter: Option<Object<Filter>>,
    /// Only to these sinks; empty: to all that take findings of their kind.
    #[serde(default)]
    sinks: Vec<String>,
    /// Only say what would be forwarded.
    #[serde(default)]
    dry_run: bool,
}

/// Which findings; what is left out does not matter.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "FindingFilter")]
pub(super) struct Filter {
    /// Of these threats.
    threat_type: Vec<ThreatType>,
    /// Nothing below this.
    min_severity: Option<Severity>,
    /// About this account, address, host, as the log spells it.
    entity: Option<String>,
    /// Last seen at this time or after: `today`, `yesterday`, so long ago, a date, or a time.
    #[schemars(extend("examples" = WHEN))]
    since: Option<String>,
    /// Last seen before this time, in the same words.
    #[schemars(extend("examples" = WHEN))]
    until: Option<String>,
}

/// Ways to say a time.
const WHEN: [&str; 4] = ["today", "24h", "2026-12-31", "2026-12-31T08:00:00Z"];

impl Filter {
    fn query(self, now: &Zoned) -> Result<FindingQuery, Problem> {
        let time = |pointer: &str, text: Option<String>| -> Result<Option<Timestamp>, Problem> {
            let wrong = |error| Problem::unprocessable(vec![Place::at(pointer, error)]);
            text.map(|text| past(&text, now).map_err(wrong)).transpose()
        };
        Ok(FindingQuery {
            threats: self.threat_type,
            min_severity: self.min_severity.unwrap_or(Severity::Informational),
            entity: self.entity,
            since: time("/filter/since", self.since)?,
            until: time("/filter/until", self.until)?,
            ..FindingQuery::default()
        })
    }
}

fn filter(mut parameters: Parameters, now: &Zoned) -> Result<FindingQuery, Problem> {
    let all = FindingQuery::default();
    let query = FindingQuery {
        threats: parameters.all("threat_type", str::parse),
        min_severity: parameters.one("min_severity", str::parse).unwrap_or(all.min_severity),
        entity: parameters.one("entity", short::<1000>),
        since: parameters.one("since", |text| past(text, now)),
        until: parameters.one("until", |text| past(text, now)),
        suppressed: parameters.one("suppressed", str::parse).unwrap_or(all.suppressed),
        ..all
    };
    parameters.done()?;
    Ok(query)
}

fn page_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size));
    size.ok_or_else(|| format!("expected a number from 1 to {LARGEST_PAGE}"))
}

fn cursor(text: &str) -> Result<String, &'static str> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_one = (4..=64).contains(&text.len()) && text.bytes().all(is_digit);
    is_one.then(|| text.to_owned()).ok_or("expected the `next` of a page")
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let time = json!({ "anyOf": [
        { "type": "string", "enum": ["now", "today", "yesterday"] },
        { "type": "string", "pattern": "^[1-9][0-9]{0,4}[smhdw]$" },
        { "type": "string", "format": "date" },
        { "type": "string", "format": "date-time", "maxLength": 64 },
    ], "examples": WHEN });
    let severity = json!({ "$ref": "#/components/schemas/Severity" });
    let threats = json!({ "type": "array", "items": { "$ref": "#/components/schemas/ThreatType" } });
    let filters = vec![
        query("threat_type", "Of this threat; may stand several times", threats),
        query("min_severity", "Nothing below this", severity),
        query(
            "entity",
            "About this account, address, host, as the log spells it",
            json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        ),
        query(
            "since",
            "Last seen at this time or after: `today`, `yesterday`, so long ago, a date, or a time",
            time.clone(),
        ),
        query("until", "Last seen before this time, in the same words", time),
        query(
            "suppressed",
            "What is done with suppressed ones",
            json!({ "$ref": "#/components/schemas/Suppressed", "default": "hide" }),
        ),
    ];
    let page = [
        query("order", "What comes first", json!({ "$ref": "#/components/schemas/Order", "default": "strongest" })),
        query(
            "limit",
            "Most findings on the page",
            json!({ "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 20 }),
        ),
        query("cursor", "The `next` of the page before", json!({ "type": "string", "pattern": "^[0-9a-f]{4,64}$" })),
    ];
    let id = json!({ "name": "id", "in": "path", "required": true, "description": "The finding's id, or a clear beginning of it",
        "schema": { "type": "string", "pattern": "^[0-9a-f]{4,64}$" } });
    let missing = json!({ "404": "There is no such finding" });
    let listing = [filters.clone(), page.to_vec()].concat();
    json!({
        "list_findings": { "parameters": listing },
        "summarize_findings": { "parameters": filters },
        "show_finding": { "parameters": [id], "responses": missing },
        "explain_finding": { "parameters": [id], "responses": missing },
        "give_feedback": {
            "parameters": [id], "responses": missing,
            "body": { "truth": "false_positive", "note": "our own scanner" },
        },
        "forward_findings": {
            "body": { "filter": { "min_severity": "high" }, "dry_run": true },
            "responses": { "404": "There is no such finding or sink", "409": "There is no sink" },
        },
    })
}
