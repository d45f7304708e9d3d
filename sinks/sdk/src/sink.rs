//! What a destination does: `setup`, `check`, `encode`, `deliver`. It never retries, queues, sleeps or drops: all of that
//! is the outbox's, which knows the other destinations too.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    batch::{Acknowledgement, Batch, Receipt},
    error::{ConfigError, SinkError},
    finding::Finding,
    rules::RuleHost,
    steps::Steps,
};

/// One configured destination. It delivers once and reports.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// The most that one call may carry, and how often it may come.
    fn limits(&self) -> Limits;

    /// What goes over the wire for this finding. Pure: same finding, same bytes; no clock, no I/O.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when the finding can't be said in the destination's language.
    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError>;

    /// Makes what must exist there first (index template, topic). Idempotent; reports each step.
    ///
    /// # Errors
    /// The first step that failed, with its fix in `steps`.
    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError>;

    /// Shows, step by step, that the destination answers and takes our credentials. Delivers nothing.
    ///
    /// # Errors
    /// The first step that failed, with its fix in `steps`.
    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError>;

    /// Delivers a batch. `Ok` holds one verdict per delivery.
    ///
    /// # Errors
    /// One verdict for the whole batch.
    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError>;

    /// What became of deliveries that were [accepted](crate::Verdict::Accepted) under these references: as many answers,
    /// in their order. Only sinks whose [`Limits::acknowledgement`] is set are asked.
    ///
    /// # Errors
    /// Nothing could be learned; they stay as they are.
    async fn acknowledged(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        Ok(vec![Acknowledgement::Unknown; references.len()])
    }

    /// Where this destination's own detection rules are installed; `None` where it runs none.
    fn rule_host(&self) -> Option<&dyn RuleHost> {
        None
    }
}

/// A sink's own options: `Deserialize` with `deny_unknown_fields`; the doc comments are the reference.
///
/// The engine puts environment variables into texts and reads files: whoever writes `token_file = "PATH"` for an option
/// `token` of type [`crate::Secret`] or [`crate::Pem`] gets the file's content there, and a new sink when it changes.
pub trait SinkConfig: DeserializeOwned + JsonSchema + 'static {
    /// The name of the type, also of its folder, for example `splunk_hec`.
    const TYPE: &'static str;
    /// An example in TOML, of the options below `type`; it is pasted into the example configuration and tested.
    const EXAMPLE: &'static str;
    /// What the options build.
    type Sink: Sink;

    /// Builds the sink. Pure: no I/O, no waiting, so that checking a configuration is building it.
    ///
    /// # Errors
    /// Names the option and what was expected there.
    fn build(self, context: &Context) -> Result<Self::Sink, ConfigError>;
}

/// What a sink may know about its surroundings when it is built.
#[derive(Clone)]
pub struct Context {
    /// The name the user gave the sink.
    pub name: String,
    /// Longest wait for one answer (`timeout_secs`).
    pub timeout: Duration,
    /// What the sink wants to know again after a restart.
    pub memory: Arc<dyn Memory>,
}

impl Context {
    /// A sink's surroundings without anything durable: for tests, checks and dry runs.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), timeout: Duration::from_secs(30), memory: Arc::new(Forgetful) }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("name", &self.name).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Texts that a sink wants to find again after a restart, for example the thread of a message. Losing one must cost no
/// more than comfort.
pub trait Memory: Send + Sync {
    /// What was kept under this key.
    fn recall(&self, key: &str) -> Option<String>;
    /// Keeps it, over what was there.
    fn keep(&self, key: &str, value: &str);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _key: &str) -> Option<String> {
        None
    }

    fn keep(&self, _key: &str, _value: &str) {}
}

/// The most that one `deliver` may carry, and how often it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of deliveries.
    pub items: usize,
    /// Sum of the payloads in bytes.
    pub bytes: usize,
    /// Least time from one call to the next.
    pub pace: Duration,
    /// Up to this many due deliveries go one in a call; when more are due, they go together (a digest). 0: always together.
    pub together_above: usize,
    /// How acknowledgements are asked for, where the destination gives them later.
    pub acknowledgement: Option<AcknowledgementLimits>,
}

impl Limits {
    /// Batches of so many items and bytes, as fast as they go, settled by the answer.
    #[must_use]
    pub const fn new(items: usize, bytes: usize) -> Self {
        Self { items, bytes, pace: Duration::ZERO, together_above: 0, acknowledgement: None }
    }
}

/// How acknowledgements are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcknowledgementLimits {
    /// From one question to the next.
    pub poll: Duration,
    /// Without an acknowledgement for so long, a delivery goes out again.
    pub timeout: Duration,
}

/// What goes over the wire for one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    content_type: &'static str,
    bytes: Vec<u8>,
}

impl Payload {
    /// A JSON document.
    #[must_use]
    pub fn json(bytes: Vec<u8>) -> Self {
        Self { content_type: "application/json", bytes }
    }

    /// Text in UTF-8.
    #[must_use]
    pub fn text(bytes: Vec<u8>) -> Self {
        Self { content_type: "text/plain; charset=utf-8", bytes }
    }

    /// The media type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The exact bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
