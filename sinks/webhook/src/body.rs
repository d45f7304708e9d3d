//! A finding as the body of a request.

use jiff::Timestamp;
use serde::Serialize;
use watchbell_schemas::{ecs, ocsf, product};
use watchbell_sink::{ErrorKind, Finding, Payload, SinkError};

use crate::template::Template;

/// What makes the body.
pub(crate) enum Encoder {
    Watchbell,
    Ocsf,
    Ecs,
    Template(Box<Template>),
}

impl Encoder {
    /// The exact bytes of the body.
    pub(crate) fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        match self {
            Self::Watchbell => json(&Event { kind: "finding.created", timestamp: finding.last_seen, data: finding }),
            Self::Ocsf => json(&ocsf::detection_finding(finding, product::VERSION)),
            Self::Ecs => json(&ecs::document(finding)),
            Self::Template(template) => template.body(finding).map(Payload::text),
        }
    }
}

/// The body that Standard Webhooks 1.0.0 recommends (`spec/standard-webhooks.md`, payload structure).
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it happened, not when it was sent: the body is the same on every attempt.
    timestamp: Option<Timestamp>,
    data: &'a Finding,
}

fn json(body: &impl Serialize) -> Result<Payload, SinkError> {
    let bytes = serde_json::to_vec(body)
        .map_err(|error| SinkError::new(ErrorKind::Rejected, "the finding can't be said in JSON").with_source(error))?;
    Ok(Payload::json(bytes))
}
