//! What a destination does: `setup`, `check`, `encode`, `deliver`. It never retries, queues, sleeps or drops.

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::{
    batch::{Batch, Receipt},
    error::{ConfigError, SinkError},
    finding::Finding,
};

/// One configured destination. It delivers once and reports.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// The most that one call may carry.
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

    /// Shows, step by step, that the destination answers and takes our credentials.
    ///
    /// # Errors
    /// The first step that failed, with its fix in `steps`.
    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError>;

    /// Delivers a batch. `Ok` holds one verdict per delivery.
    ///
    /// # Errors
    /// One verdict for the whole batch.
    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError>;
}

/// A sink's own options: `Deserialize` with `deny_unknown_fields`; the doc comments are the reference.
pub trait SinkConfig: DeserializeOwned + 'static {
    /// The name of the type, also of its folder, for example `splunk_hec`.
    const TYPE: &'static str;
    /// An example in TOML; it is pasted into the example configuration and tested.
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
#[derive(Debug, Clone)]
pub struct Context {
    /// The name the user gave the sink.
    pub name: String,
}

/// The most that one `deliver` may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Number of deliveries.
    pub items: usize,
    /// Sum of the payloads in bytes.
    pub bytes: usize,
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

/// What `setup` and `check` did, step by step.
#[derive(Debug, Default)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// A step that went well.
    pub fn done(&mut self, name: impl Into<String>) {
        self.0.push(Step { name: name.into(), fix: None });
    }

    /// A step that failed, and what the user can do about it.
    pub fn failed(&mut self, name: impl Into<String>, fix: impl Into<String>) {
        self.0.push(Step { name: name.into(), fix: Some(fix.into()) });
    }

    /// The steps so far.
    #[must_use]
    pub fn all(&self) -> &[Step] {
        &self.0
    }
}

/// One step of `setup` or `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was done, for example `token accepted`.
    pub name: String,
    /// What to do about it, when it failed.
    pub fix: Option<String>,
}
