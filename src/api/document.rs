//! The OpenAPI document. `utoipa` has the routes; the schemas of their bodies are those that the types of the application
//! derive, because OpenAPI 3.1 takes JSON Schema as it is, and MCP wants the very same.

use axum::{Json, Router, routing::get};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::{Shared, problem::Problem};
use crate::app::{Analysis, Change, Explanation, FindingPage, FindingView, Health};

/// The document with all that the routes don't say.
pub(super) fn complete(routes: OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).expect("a document is JSON");
    document["info"] = json!({
        "title": "Watchbell",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Learns from raw security logs what is normal, says what is not and why, and carries it on.",
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    document["components"]["schemas"] = Value::Object(schemas());
    document["components"]["securitySchemes"] = json!({
        "api_key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
        "bearer": { "type": "http", "scheme": "bearer", "description": "An API key, or a JWT" },
    });
    document
}

/// The document as text, as it is committed.
pub(super) fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("a document is JSON");
    text.push('\n');
    text
}

/// Every schema that a route names.
fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    fn add<T: JsonSchema>(generator: &mut schemars::SchemaGenerator) {
        generator.subschema_for::<T>();
    }
    add::<Problem>(&mut generator);
    add::<Analysis>(&mut generator);
    add::<FindingPage>(&mut generator);
    add::<FindingView>(&mut generator);
    add::<Explanation>(&mut generator);
    add::<Health>(&mut generator);
    add::<Change>(&mut generator);
    generator.take_definitions(true)
}

/// `/openapi.json`.
pub(super) fn routes(document: Value) -> Router<Shared> {
    Router::new().route("/openapi.json", get(move || async move { Json(document) }))
}
