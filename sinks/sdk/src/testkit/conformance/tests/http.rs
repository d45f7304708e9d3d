//! A small HTTP sink that can be told to do one thing wrong.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    batch::{Acknowledgement, Batch, Delivery, Receipt, Verdict},
    error::{ConfigError, ErrorKind, SinkError},
    finding::Finding,
    http::{HttpClient, HttpOptions, Method, Reply},
    options::{HttpUrl, Secret},
    sink::{AcknowledgementLimits, Context, Limits, Payload, Sink, SinkConfig},
    steps::Steps,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TinyConfig {
    /// Where findings go.
    url: HttpUrl,
    /// What lets them in.
    token: Secret,
    /// What is done wrong.
    #[serde(default)]
    fault: String,
}

impl SinkConfig for TinyConfig {
    const TYPE: &'static str = "tiny";
    const EXAMPLE: &'static str = "url = \"https://${TINY_HOST:-tiny.example}\"\ntoken_file = \"/run/secrets/tiny\"\n";
    type Sink = Tiny;

    fn build(self, context: &Context) -> Result<Tiny, ConfigError> {
        let options = HttpOptions { secrets: vec![self.token.clone()], ..HttpOptions::default() };
        let client = HttpClient::new(context, options)?;
        Ok(Tiny { client, config: self, counter: AtomicUsize::new(0), busy: AtomicUsize::new(0) })
    }
}

/// Takes keys that it does not know, has an example that does not fit, and a schema that lacks a key.
#[derive(Deserialize, JsonSchema)]
pub(super) struct LaxConfig {
    #[serde(default)]
    fault: u8,
}

impl SinkConfig for LaxConfig {
    const TYPE: &'static str = "lax";
    const EXAMPLE: &'static str = "fault = \"no number\"\nmissing = 1";
    type Sink = Tiny;

    fn build(self, context: &Context) -> Result<Tiny, ConfigError> {
        let url = "http://127.0.0.1:9".parse().map_err(|error: String| ConfigError::new("url", error))?;
        TinyConfig { url, token: Secret::new("x".to_owned()), fault: self.fault.to_string() }.build(context)
    }
}

pub(super) struct Tiny {
    client: HttpClient,
    config: TinyConfig,
    counter: AtomicUsize,
    busy: AtomicUsize,
}

#[derive(Deserialize)]
struct Answered {
    refused: Vec<usize>,
}

#[derive(Deserialize)]
struct Acknowledged {
    done: bool,
}

impl Tiny {
    fn has(&self, fault: &str) -> bool {
        self.config.fault == fault
    }

    async fn ask(&self, path: &str, body: Vec<u8>, attempt: u32) -> Result<Reply, SinkError> {
        if self.has("secret in the log") {
            tracing::debug!(token = self.config.token.expose(), "asking");
        }
        let mut request = self
            .client
            .request(if body.is_empty() { Method::GET } else { Method::POST }, self.config.url.join(path))
            .header("authorization", format!("Bearer {}", self.config.token.expose()))
            .header("x-time", std::time::Instant::now().elapsed().as_nanos().to_string());
        if self.has("attempt in a header") {
            request = request.header("x-attempt", attempt.to_string());
        }
        self.client.send(request.body(body)).await.map_err(|error| self.spoiled(error))
    }

    fn spoiled(&self, error: SinkError) -> SinkError {
        match self.config.fault.as_str() {
            "all is unavailable" => SinkError::new(ErrorKind::Unavailable, error.message),
            "all is rejected" => SinkError::new(ErrorKind::Rejected, error.message),
            "forgets the wait" => SinkError { retry_after: None, ..error },
            "secret in an error" => SinkError::new(error.kind, self.config.token.expose()),
            "secret in a cause" => error.with_source(io::Error::other(self.config.token.expose().to_owned())),
            _ => error,
        }
    }

    fn refused(&self, reply: &Reply) -> SinkError {
        if self.has("repeats the answer") {
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            return SinkError::new(reply.error().kind, body);
        }
        self.spoiled(match reply.status {
            404 => reply.error_of(ErrorKind::Rejected),
            _ => reply.error(),
        })
    }

    fn body(&self, deliveries: &[Delivery]) -> Vec<u8> {
        let mut body: Vec<u8> = deliveries.iter().flat_map(|delivery| delivery.payload.bytes().to_vec()).collect();
        if self.has("attempt in the body") {
            body.push(b'0' + deliveries[0].attempt as u8);
        }
        body
    }

    fn fix(&self) -> &'static str {
        if self.has("no fix") { " " } else { "check url and token" }
    }

    async fn probe(&self, steps: &mut Steps) -> Result<(), SinkError> {
        if self.has("fails at once") {
            steps.failed("probe", self.fix());
            return Err(SinkError::new(ErrorKind::Config, "never well"));
        }
        let probed = self.ask("health", Vec::new(), 1).await;
        let error = match probed {
            Ok(reply) if reply.is_success() => {
                steps.done("token accepted");
                return Ok(());
            }
            Ok(reply) => self.refused(&reply),
            Err(error) => error,
        };
        let step = steps.failed("token accepted", self.fix());
        match self.has("secret in a step") {
            true => step.with(self.config.token.expose()),
            false => step.with(&error.message),
        };
        Err(error)
    }
}

#[async_trait]
impl Sink for Tiny {
    fn limits(&self) -> Limits {
        let bytes = if self.has("too large") { 100 } else { 16 << 20 };
        let second = Duration::from_secs(1);
        let acknowledgement =
            (!self.has("no limits")).then_some(AcknowledgementLimits { poll: second, timeout: second });
        Limits { acknowledgement, ..Limits::new(100, bytes) }
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        let mut bytes = match self.config.fault.as_str() {
            "empty" => Vec::new(),
            "no id" => b"finding".to_vec(),
            "encoding fails" => return Err(SinkError::new(ErrorKind::Rejected, "can't be said")),
            _ => serde_json::to_vec(finding).map_err(|error| SinkError::new(ErrorKind::Rejected, error.to_string()))?,
        };
        if self.has("impure") {
            bytes.push(b'0' + self.counter.fetch_add(1, Ordering::Relaxed) as u8 % 10);
        }
        Ok(Payload::json(bytes))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let probed = self.probe(steps).await;
        if self.has("setup looks away") { Ok(()) } else { probed }
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        match self.config.fault.as_str() {
            "check delivers" => drop(self.ask("findings", b"test".to_vec(), 1).await),
            "says nothing" => return Ok(()),
            "asks nothing" => {
                steps.done("all is well");
                return Ok(());
            }
            _ => {}
        }
        self.probe(steps).await
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let deliveries = batch.deliveries();
        let refused = || SinkError::new(ErrorKind::Rejected, "refused");
        match self.config.fault.as_str() {
            "sends nothing" => return Ok(batch.accepted()),
            "refuses all" => return Err(refused()),
            "waits forever" => std::future::pending().await,
            "reads no body" => {
                let _ = self.ask("findings", self.body(deliveries), 1).await;
                return Ok(batch.accepted());
            }
            "follows" => {
                let _ = self.ask("findings", self.body(deliveries), 1).await;
                let elsewhere = "/watchbell-elsewhere";
                let mut url = self.config.url.url().clone();
                url.set_path(elsewhere);
                let _ = self.client.send(self.client.request(Method::GET, url)).await;
            }
            "one at a time" if self.busy.swap(1, Ordering::SeqCst) == 1 => return Err(refused()),
            _ => {}
        }
        let replied = self.ask("findings", self.body(deliveries), deliveries[0].attempt).await;
        self.busy.store(0, Ordering::SeqCst);
        let reply = replied?;
        if !reply.is_success() {
            return Err(self.refused(&reply));
        }
        let answered: Answered = reply.json().map_err(|error| self.spoiled(error))?;
        if self.has("short receipt") {
            let first = Batch::new(deliveries[..1].to_vec()).ok_or_else(refused)?;
            return Ok(first.accepted());
        }
        Ok(batch.each(|position, delivery| match answered.refused.contains(&position) && !self.has("whole batch") {
            true => Verdict::Failed(refused()),
            false => Verdict::Accepted { ack_ref: delivery.key.clone() },
        }))
    }

    async fn acknowledged(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        let reply = self.ask("acks", b"?".to_vec(), 1).await;
        let confirmed = vec![Acknowledgement::Confirmed; references.len()];
        match self.config.fault.as_str() {
            "invents" => return Ok(confirmed),
            "loses acknowledgements" => return Ok(Vec::new()),
            _ => {}
        }
        let reply = reply?;
        if !reply.is_success() {
            return Err(self.refused(&reply));
        }
        let answered: Acknowledged = reply.json()?;
        Ok(if answered.done { confirmed } else { vec![Acknowledgement::Pending; references.len()] })
    }
}
