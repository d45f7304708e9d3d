//! A finding as a UDM event. Pure: the same finding gives the same bytes, so that a resend is seen as one.
//!
//! Every event is linted before it leaves, because one bad event costs the whole batch.

mod nouns;
mod result;
mod text;

use serde::Serialize;
use watchbell_sink::{ErrorKind, Finding, Payload, SinkError};
use watchbell_udm::lint::{self, Diagnostic};

use self::{
    nouns::Parties,
    text::{cut, rfc3339},
};
use crate::wire::{Metadata, Udm};

/// How many of a refused event's faults an error names.
const MOST_FAULTS: usize = 5;

/// What the user decides about the events.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    pub(crate) vendor_name: String,
    pub(crate) product_name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) collector: Option<String>,
    /// Whether an event stands in `{"udm": ..}`, as the current API wants it.
    pub(crate) wrapped: bool,
    /// The most bytes that one event may have.
    pub(crate) largest: usize,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    udm: &'a Udm,
}

/// The event as it goes over the wire.
pub(crate) fn payload(finding: &Finding, style: &Style) -> Result<Payload, SinkError> {
    let mut event = event(finding, style);
    let mut bytes = json(&event, style)?;
    while bytes.len() > style.largest {
        let fields = &mut event.security_result[0].detection_fields;
        if fields.is_empty() {
            let message = format!("an event of {} bytes, expected at most {}", bytes.len(), style.largest);
            return Err(SinkError::new(ErrorKind::Rejected, message));
        }
        // Halving ends soon; the first fields say the most.
        fields.truncate(fields.len() / 2);
        bytes = json(&event, style)?;
    }
    let faults: Vec<Diagnostic> = serde_json::to_value(&event)
        .map(|value| lint::check(&value))
        .map_err(unwritable)?
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect();
    if faults.is_empty() { Ok(Payload::json(bytes)) } else { Err(refused(&faults)) }
}

fn event(finding: &Finding, style: &Style) -> Udm {
    let parties = Parties::of(finding);
    // A log without times gives findings without; there is no clock here, and an event needs a time.
    let time = finding.last_seen.or(finding.first_seen).unwrap_or_default();
    let mut event = Udm {
        metadata: Metadata {
            product_log_id: cut(&finding.id, 256),
            event_timestamp: rfc3339(time),
            event_type: parties.event_type(finding.threat_type),
            vendor_name: style.vendor_name.clone(),
            product_name: style.product_name.clone(),
            product_version: env!("CARGO_PKG_VERSION"),
            product_event_type: finding.threat_type.name(),
            description: cut(&finding.summary, 1024),
        },
        security_result: [result::of(finding)],
        ..Udm::default()
    };
    parties.fill(&mut event, style);
    event
}

fn json(event: &Udm, style: &Style) -> Result<Vec<u8>, SinkError> {
    let bytes = if style.wrapped { serde_json::to_vec(&Wrapped { udm: event }) } else { serde_json::to_vec(event) };
    bytes.map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> SinkError {
    SinkError::new(ErrorKind::Rejected, "the event can't be written as JSON").with_source(error)
}

fn refused(faults: &[Diagnostic]) -> SinkError {
    let told: Vec<String> = faults.iter().take(MOST_FAULTS).map(ToString::to_string).collect();
    let message = format!("the event would be refused, {} faults: {}", faults.len(), told.join("; "));
    SinkError::new(ErrorKind::Rejected, message)
}
