//! `/v1/outbox`: what waits for the sinks, and what they will never take.

use std::num::NonZeroU32;

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shared,
    extract::{MaybeGiven, NoParameters, Parameters, short},
    guard::guarded,
    idempotency::once,
    problem::Problem,
};
use crate::app::{AccessScope, DeadLetterPage, LARGEST_PAGE, Letters, Status};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let looking = OpenApiRouter::new().routes(routes!(status)).routes(routes!(dead));
    guarded(AccessScope::SinksRead, looking)
        .merge(guarded(AccessScope::SinksWrite, once(OpenApiRouter::new().routes(routes!(replay)))))
}

/// Which dead letters; what is left out does not matter.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReplayBody {
    /// Only those to this sink.
    sink: Option<String>,
    /// Only those of this finding.
    finding: Option<String>,
    /// Only those of this kind, for example `rejected`.
    kind: Option<String>,
    /// At most so many, the oldest first.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    limit: Option<NonZeroU32>,
}

/// How many get another try.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Replayed {
    replayed: u64,
}

/// How the outbox stands
#[utoipa::path(get, path = "/v1/outbox", tag = "sinks", operation_id = "outbox_status",
    responses((status = 200, description = "What waits, sink by sink", body = ref("#/components/schemas/Status"))),
)]
async fn status(State(shared): State<Shared>, _: NoParameters) -> Result<Json<Status>, Problem> {
    Ok(Json(shared.ask(|desk| desk.outbox()).await?))
}

/// What sinks will never take, a page at a time
#[utoipa::path(get, path = "/v1/outbox/dead", tag = "sinks", operation_id = "list_dead_letters",
    responses((status = 200, description = "A page", body = ref("#/components/schemas/DeadLetterPage"))),
)]
async fn dead(State(shared): State<Shared>, mut parameters: Parameters) -> Result<Json<DeadLetterPage>, Problem> {
    let limit = |text: &str| {
        let number = text.parse().ok().filter(|number| (1..=LARGEST_PAGE).contains(number));
        number.ok_or_else(|| format!("expected a number from 1 to {LARGEST_PAGE}"))
    };
    let which = Letters {
        sink: parameters.one("sink", short::<100>),
        finding: parameters.one("finding", short::<100>),
        kind: parameters.one("kind", short::<100>),
        limit: Some(parameters.one("limit", limit).unwrap_or(20)),
    };
    let after = parameters.one("cursor", cursor);
    parameters.done()?;
    Ok(Json(shared.ask(move |desk| desk.dead_letter_page(&which, after.as_deref())).await?))
}

/// Give dead letters another try
#[utoipa::path(post, path = "/v1/outbox/dead:replay", tag = "sinks", operation_id = "replay_dead_letters",
    request_body(content = ref("#/components/schemas/ReplayBody"), content_type = "application/json"),
    responses((status = 200, description = "They go out again", body = ref("#/components/schemas/Replayed"))),
)]
async fn replay(
    State(shared): State<Shared>,
    _: NoParameters,
    MaybeGiven(body): MaybeGiven<ReplayBody>,
) -> Result<Json<Replayed>, Problem> {
    let limit = body.limit.map(|limit| limit.get() as usize);
    let which = Letters { sink: body.sink, finding: body.finding, kind: body.kind, limit };
    Ok(Json(Replayed { replayed: shared.ask(move |desk| desk.replay(&which)).await? }))
}

fn cursor(text: &str) -> Result<String, &'static str> {
    let is_one = (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| text.to_owned()).ok_or("expected the `next` of a page")
}

/// A number without a fraction, also when it is written as `20.0`, which is the same in JSON.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NonZeroU32>, D::Error> {
    let Some(given) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    let fits = |number: &f64| number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just seen that it fits")]
    let number = given.as_f64().filter(fits).map(|number| number as u32).and_then(NonZeroU32::new);
    number.map(Some).ok_or_else(|| D::Error::custom(format!("expected a whole number from 1 to {}", u32::MAX)))
}

/// What the document says about these routes beside the above.
pub(super) fn details() -> Value {
    let text = |name: &str, description: &str| {
        json!({ "name": name, "in": "query", "description": description,
            "schema": { "type": "string", "minLength": 1, "maxLength": 100 } })
    };
    json!({
        "list_dead_letters": { "parameters": [
            text("sink", "Only those to this sink"),
            text("finding", "Only those of this finding"),
            text("kind", "Only those of this kind, for example `rejected`"),
            { "name": "limit", "in": "query", "description": "Most dead letters on the page",
              "schema": { "type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": 20 } },
            { "name": "cursor", "in": "query", "description": "The `next` of the page before",
              "schema": { "type": "string", "pattern": "^[0-9]{1,18}$" } },
        ] },
        "replay_dead_letters": { "body": { "kind": "rejected" }, "optional_body": true },
    })
}
