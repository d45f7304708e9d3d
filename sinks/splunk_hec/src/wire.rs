//! What goes over the wire, as Splunk's "Format events for HTTP Event Collector", "About HTTP Event Collector Indexer
//! Acknowledgment" and "Troubleshoot HTTP Event Collector" spell it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use watchbell_schemas::cim::Alert;

/// Paths below the collector's address.
pub(crate) const EVENT: &str = "services/collector/event";
pub(crate) const ACK: &str = "services/collector/ack";
pub(crate) const HEALTH: &str = "services/collector/health/1.0";

/// One event with its metadata. What is absent, the token decides.
#[derive(Serialize)]
pub(crate) struct Envelope<'a> {
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<&'a str>,
    pub(crate) sourcetype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<&'a str>,
    pub(crate) event: Alert,
    pub(crate) fields: Fields<'a>,
}

/// Indexed fields: found with `tstats` and without reading the events.
#[derive(Serialize)]
pub(crate) struct Fields<'a> {
    pub(crate) finding_id: &'a str,
}

/// How the collector answers. Other programs that speak its language leave things out.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Answer {
    pub(crate) code: Option<u16>,
    #[serde(rename = "invalid-event-number")]
    pub(crate) invalid_event_number: Option<usize>,
    #[serde(rename = "ackId", alias = "ackID")]
    pub(crate) ack_id: Option<u64>,
}

/// Which of these were indexed?
#[derive(Serialize)]
pub(crate) struct AckQuestion {
    pub(crate) acks: Vec<u64>,
}

/// `true` for what was indexed, once; `false` for what was not yet, and for what is not known.
#[derive(Deserialize)]
pub(crate) struct AckAnswer {
    pub(crate) acks: BTreeMap<String, bool>,
}
