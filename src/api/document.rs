//! The OpenAPI document. `utoipa` has the routes; the schemas of their bodies are those that the types of the application
//! derive, because OpenAPI 3.1 takes JSON Schema as it is, and MCP wants the very same. Parameters, examples and rarer statuses
//! stand with each resource as `details`.

use axum::{
    Json, Router,
    http::{HeaderValue, header::CONTENT_SECURITY_POLICY},
    response::Response,
    routing::get,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    Shared, analyze, batches, findings, idempotency, jobs, judgments, models, outbox, problem::Problem, sinks,
    words::Words,
};
use crate::app::{
    Analysis, BatchSummary, Change, DeadLetterPage, Explanation, Feedback, FeedbackReport, FindingPage, FindingView,
    ForwardReceipt, Health, Job, ModelEntry, Order, Severity, SinkReport, Status, Summary, Suppressed,
    SuppressionEffect, Suppressions, ThreatType,
};

/// Where the page that shows the document is.
const PAGE: &str = "/docs";
/// It runs its own scripts, and draws with inline styles and images; nothing comes from elsewhere.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The document with all that the routes don't say.
pub(super) fn complete(routes: OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).expect("a document is JSON");
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "Watchbell",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Learns from raw security logs what is normal, says what is not and why, and carries it on.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["tags"] = json!([
        { "name": "logs", "description": "Logs in, findings out" },
        { "name": "batches", "description": "Rounds over the log directory" },
        { "name": "findings", "description": "What was found" },
        { "name": "judgments", "description": "What people decide about it" },
        { "name": "models", "description": "What was learned" },
        { "name": "sinks", "description": "Where findings go" },
        { "name": "changes", "description": "What happens, while it happens" },
        { "name": "health", "description": "Whether it works" },
    ]);
    document["components"]["schemas"] = Value::Object(schemas());
    document["components"]["headers"] = headers();
    document["components"]["securitySchemes"] = json!({
        "api_key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
        "bearer": { "type": "http", "scheme": "bearer", "description": "An API key, or a JWT" },
    });
    let details = details();
    let paths = document["paths"].as_object_mut().expect("a document has paths");
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().expect("a path has operations") {
            let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
            let is_repeatable = method == "post" && !path.ends_with("/analyze");
            detailed(operation, details.get(&id).unwrap_or(&Value::Null), is_repeatable);
        }
    }
    document
}

fn details() -> Map<String, Value> {
    let all = [
        analyze::details(),
        batches::details(),
        findings::details(),
        judgments::details(),
        models::details(),
        sinks::details(),
        outbox::details(),
    ];
    all.into_iter().filter_map(|details| details.as_object().cloned()).flatten().collect()
}

/// Adds to an operation what stands in its details.
fn detailed(operation: &mut Value, details: &Value, is_repeatable: bool) {
    let mut parameters = details["parameters"].as_array().cloned().unwrap_or_default();
    if is_repeatable {
        parameters.push(idempotency::parameter());
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = details.get("requestBody") {
        operation["requestBody"] = body.clone();
    }
    if let Some(example) = details.get("body") {
        operation["requestBody"]["content"]["application/json"]["example"] = example.clone();
    }
    if operation.get("requestBody").is_some() {
        operation["requestBody"]["required"] = json!(details.get("optional_body").is_none());
        let detail = "The body is not of a type that this takes";
        add_problem(operation, "415", detail);
    }
    for (status, description) in details["responses"].as_object().into_iter().flatten() {
        add_problem(operation, status, description.as_str().unwrap_or_default());
    }
    if is_repeatable && operation["responses"].get("409").is_none() {
        add_problem(operation, "409", "A request with this `Idempotency-Key` is under way");
    }
    let responses = operation["responses"].as_object_mut().expect("an operation has responses");
    for (status, response) in responses {
        response["headers"] = headers_of(status, is_repeatable);
    }
}

fn add_problem(operation: &mut Value, status: &str, description: &str) {
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    operation["responses"][status] =
        json!({ "description": description, "content": { "application/problem+json": { "schema": schema } } });
}

/// Headers that answers carry.
fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "RequestId": { "required": true, "description": "The request's id: the one that came with it, or a new one",
            "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$" } },
        "Location": { "required": true, "description": "Where to ask how far it is",
            "schema": { "type": "string", "format": "uri-reference" } },
        "IdempotencyReplayed": text("`true` when this is the answer of an earlier request with the same key"),
        "RetryAfter": { "required": true, "description": "Seconds until it is worth trying again",
            "schema": { "type": "integer", "minimum": 1 } },
    })
}

fn headers_of(status: &str, is_repeatable: bool) -> Value {
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let mut headers = json!({ "X-Request-Id": header("RequestId") });
    match status {
        "202" => headers["Location"] = header("Location"),
        "429" | "503" => headers["Retry-After"] = header("RetryAfter"),
        _ => {}
    }
    if is_repeatable && status.starts_with('2') {
        headers["Idempotency-Replayed"] = header("IdempotencyReplayed");
    }
    headers
}

/// The document as text, as it is committed.
pub(super) fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a document is JSON");
    text.push('\n');
    text
}

/// Every schema that a route names: what is answered as it is written, what is asked as it is read.
fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut asked = settings.clone().for_deserialize().into_generator();
    add::<findings::ForwardBody>(&mut asked);
    add::<findings::Filter>(&mut asked);
    add::<batches::BatchBody>(&mut asked);
    add::<judgments::SuppressBody>(&mut asked);
    add::<judgments::FeedbackBody>(&mut asked);
    add::<models::TrainBody>(&mut asked);
    add::<sinks::CheckBody>(&mut asked);
    add::<outbox::ReplayBody>(&mut asked);
    add::<Words>(&mut asked);
    add::<Suppressed>(&mut asked);
    add::<Order>(&mut asked);
    let mut schemas = asked.take_definitions(true);
    schemas.extend(answered(settings.for_serialize().into_generator()));
    schemas.insert("AnalyzeBody".to_owned(), analyze::body_schema());
    schemas
}

fn answered(mut generator: SchemaGenerator) -> Map<String, Value> {
    add::<Problem>(&mut generator);
    add::<Severity>(&mut generator);
    add::<ThreatType>(&mut generator);
    add::<Analysis>(&mut generator);
    add::<Job>(&mut generator);
    add::<jobs::Jobs>(&mut generator);
    add::<BatchSummary>(&mut generator);
    add::<FindingPage>(&mut generator);
    add::<FindingView>(&mut generator);
    add::<Explanation>(&mut generator);
    add::<Summary>(&mut generator);
    add::<ForwardReceipt>(&mut generator);
    add::<Suppressions>(&mut generator);
    add::<SuppressionEffect>(&mut generator);
    add::<Feedback>(&mut generator);
    add::<FeedbackReport>(&mut generator);
    add::<models::Models>(&mut generator);
    add::<ModelEntry>(&mut generator);
    add::<sinks::Sinks>(&mut generator);
    add::<SinkReport>(&mut generator);
    add::<Status>(&mut generator);
    add::<DeadLetterPage>(&mut generator);
    add::<outbox::Replayed>(&mut generator);
    add::<Health>(&mut generator);
    add::<Change>(&mut generator);
    generator.take_definitions(true)
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
    let _: Schema = generator.subschema_for::<T>();
}

/// `/openapi.json`, and the page that shows it.
pub(super) fn routes(document: Value) -> Router<Shared> {
    let config = Config::from("/openapi.json").validator_url("none").try_it_out_enabled(true);
    let page: Router<Shared> = SwaggerUi::new(PAGE).config(config).into();
    let with_policy = page.layer(axum::middleware::map_response(async |mut response: Response| {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
        response
    }));
    Router::new().route("/openapi.json", get(move || async move { Json(document) })).merge(with_policy)
}
