//! A batch is one request: its events one after another. The collector settles it as a whole, or names one event.

use std::{
    io::Write,
    sync::atomic::{AtomicUsize, Ordering},
};

use flate2::{Compression, write::GzEncoder};
use watchbell_schemas::cim;
use watchbell_sink::{
    Acknowledgement, AcknowledgementLimits, Batch, Delivery, ErrorKind, Finding, Limits, Payload, Receipt, Sink,
    SinkError, Steps, Verdict, async_trait,
    http::{Method, Reply, header},
};

use crate::{
    acknowledge::Reference,
    code::{Outcome, fix, outcome},
    endpoint::{Access, Endpoint, Request},
    wire::{Answer, EVENT, Envelope, Fields},
};

/// Splunk takes far more; a smaller request is sooner sent again.
const LARGEST_BATCH: Limits = Limits::new(500, 1_000_000);
/// Below this, compressing saves nothing.
const SMALLEST_GZIP: usize = 1024;

/// Splunk's HTTP event collector.
pub struct SplunkHec {
    pub(crate) access: Access,
    pub(crate) endpoints: Vec<Endpoint>,
    /// Position of the endpoint that is asked next, modulo their number.
    pub(crate) next: AtomicUsize,
    pub(crate) metadata: Metadata,
    pub(crate) gzip: bool,
    pub(crate) acknowledgement: Option<AcknowledgementLimits>,
    pub(crate) proxied: bool,
}

/// What became of one request.
enum Posted {
    /// All of it was taken; this is what becomes of each delivery.
    Taken(Verdict),
    /// One event was refused; perhaps with its number.
    Refused(Option<usize>, SinkError),
}

/// What Splunk calls an event.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) index: Option<String>,
    pub(crate) sourcetype: String,
    pub(crate) source: String,
    pub(crate) host: Option<String>,
}

impl std::fmt::Debug for SplunkHec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SplunkHec").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl SplunkHec {
    async fn post(&self, endpoint: &Endpoint, deliveries: &[Delivery]) -> Result<Posted, SinkError> {
        let body = joined(deliveries);
        let compressed = if self.gzip && body.len() >= SMALLEST_GZIP { Some(compressed(&body)?) } else { None };
        let fill = |request: watchbell_sink::http::RequestBuilder| {
            let request = request.header(header::CONTENT_TYPE, "application/json");
            match &compressed {
                Some(bytes) => request.header(header::CONTENT_ENCODING, "gzip").body(bytes.clone()),
                None => request.body(body.clone()),
            }
        };
        let channel = endpoint.channel();
        let request = Request { method: Method::POST, path: EVENT, channel: &channel, fill: &fill };
        let reply: Reply = endpoint.send(&self.access, request).await?;
        match outcome(&reply)? {
            Outcome::Taken(answer) => self.taken(endpoint, &channel, &answer).map(Posted::Taken),
            Outcome::Event(number, error) => Ok(Posted::Refused(number, error)),
        }
    }

    /// What becomes of deliveries that were taken.
    fn taken(&self, endpoint: &Endpoint, channel: &str, answer: &Answer) -> Result<Verdict, SinkError> {
        if self.acknowledgement.is_none() {
            return Ok(Verdict::Delivered);
        }
        // Taken without a number can't be asked for again: said aloud, because the promise of `ack = true` is not kept.
        let number = answer.ack_id.ok_or_else(|| {
            SinkError::new(ErrorKind::Config, format!("the collector took events without an ackId; {}", fix(14)))
        })?;
        if !endpoint.takes(channel, number) {
            tracing::warn!(
                endpoint = endpoint.name(),
                "another indexer answers, or it restarted; what is open goes out again"
            );
            let message = "the collector counts acknowledgements anew, so its numbers can't be told apart";
            return Err(SinkError::new(ErrorKind::Unavailable, message));
        }
        let reference = Reference { endpoint: endpoint.name(), channel, number };
        Ok(Verdict::Accepted { ack_ref: reference.to_string() })
    }

    /// Finds the event that the collector can't take, and settles it; the others go out again.
    ///
    /// Whether `invalid-event-number` counts from 0 or from 1 depends on the code and the version, so an event is rejected
    /// only when it is refused alone.
    async fn settle_one(&self, endpoint: &Endpoint, batch: &Batch, number: usize) -> Result<Receipt, SinkError> {
        let deliveries = batch.deliveries();
        let suspects = [Some(number), number.checked_sub(1)].into_iter().flatten();
        let mut settled: Vec<Option<Verdict>> = vec![None; deliveries.len()];
        for position in suspects.filter(|&position| position < deliveries.len()) {
            let verdict = match self.post(endpoint, &deliveries[position..=position]).await {
                Ok(Posted::Taken(verdict)) => verdict,
                Ok(Posted::Refused(_, error)) | Err(error) => Verdict::Failed(error),
            };
            let found = matches!(verdict, Verdict::Failed(_));
            settled[position] = Some(verdict);
            if found {
                break;
            }
        }
        Ok(batch.each(|position, _| settled[position].take().unwrap_or(Verdict::Undecided)))
    }

    async fn deliver_to(&self, endpoint: &Endpoint, batch: &Batch) -> Result<Receipt, SinkError> {
        let count = batch.deliveries().len();
        match self.post(endpoint, batch.deliveries()).await? {
            Posted::Taken(verdict) => Ok(batch.each(|_, _| verdict.clone())),
            Posted::Refused(Some(number), _) if count > 1 && number <= count => {
                self.settle_one(endpoint, batch, number).await
            }
            Posted::Refused(_, error) => Err(error),
        }
    }
}

#[async_trait]
impl Sink for SplunkHec {
    fn limits(&self) -> Limits {
        Limits { acknowledgement: self.acknowledgement, ..LARGEST_BATCH }
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        let Metadata { index, sourcetype, source, host } = &self.metadata;
        let envelope = Envelope {
            time: cim::time(finding),
            host: host.as_deref(),
            source: Some(source.as_str()).filter(|source| !source.is_empty()),
            sourcetype,
            index: index.as_deref(),
            event: cim::event(finding),
            fields: Fields { finding_id: &finding.id },
        };
        let bytes = serde_json::to_vec(&envelope).map_err(|error| {
            SinkError::new(ErrorKind::Rejected, "the finding can't be said in JSON").with_source(error)
        })?;
        Ok(Payload::json(bytes))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        steps.skipped("index and token", "the collector can't make them; Splunk's administrator does");
        steps.skipped(
            "tag for the data model Alerts",
            "copy the add-on `sinks/splunk_hec/ta` to the search heads, or its three files into an app of yours",
        );
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.check_all(steps).await
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let turn = self.next.load(Ordering::Relaxed);
        let result = self.deliver_to(&self.endpoints[turn % self.endpoints.len()], batch).await;
        if let Err(SinkError { kind: ErrorKind::Unavailable | ErrorKind::Throttled, .. }) = result {
            // The next call tries the next address; when another call moved on already, that is enough.
            let _ = self.next.compare_exchange(turn, turn.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
        }
        result
    }

    async fn acknowledged(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        self.ask_for(references).await
    }
}

fn joined(deliveries: &[Delivery]) -> Vec<u8> {
    let payloads: Vec<&[u8]> = deliveries.iter().map(|delivery| delivery.payload.bytes()).collect();
    payloads.join(&b'\n')
}

fn compressed(body: &[u8]) -> Result<Vec<u8>, SinkError> {
    let failed = |error| SinkError::new(ErrorKind::Unavailable, "the request can't be compressed").with_source(error);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).map_err(failed)?;
    encoder.finish().map_err(failed)
}
