//! The four verbs. Before its first delivery the sink looks whether its data stream is there: the server would otherwise
//! make an index of that name, without our mappings, and never a data stream again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use elasticsearch::{
    BulkParts,
    http::Url,
    indices::{IndicesGetAliasParts, IndicesGetDataStreamParts},
    ingest::IngestGetPipelineParts,
};
use watchbell_schemas::ecs;
use watchbell_sink::{Batch, ErrorKind, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, Tls, async_trait};

use crate::{
    bulk,
    transport::{Cluster, Request},
};

/// Elastic advises bulk requests of 5 to 15 MB; a finding is a few kB.
const LIMITS: Limits = Limits::new(500, 5 << 20);
/// Of the answer only what is read, so that a large batch has a small answer.
const FILTER: &str = "filter_path=errors,error,status,items.*._id,items.*.status,items.*.error,items.*.failure_store";

/// Where the documents go.
#[derive(Debug)]
pub(crate) enum Target {
    DataStream(String),
    Index(String),
}

impl Target {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::DataStream(name) | Self::Index(name) => name,
        }
    }

    pub(crate) const fn noun(&self) -> &'static str {
        match self {
            Self::DataStream(_) => "data stream",
            Self::Index(_) => "index",
        }
    }

    /// Asks for it without reading it.
    pub(crate) fn question(&self) -> Request {
        match self {
            Self::DataStream(name) => Request::get(IndicesGetDataStreamParts::Name(&[name]).url()),
            Self::Index(name) => Request::get(IndicesGetAliasParts::Index(&[name]).url()),
        }
    }

    /// What is wrong when the question is answered with this status; `None`: nothing that is known.
    pub(crate) fn absent(&self, status: u16) -> Option<SinkError> {
        let message = match (self, status) {
            (_, 404) => format!("there is no {} `{}`; `watchbell --setup` makes it", self.noun(), self.name()),
            // No handler for the path.
            (Self::DataStream(_), 400 | 405) => "this server has no data streams; `index` names an index".to_owned(),
            _ => return None,
        };
        Some(SinkError::new(ErrorKind::Config, message).with_status(status))
    }

    /// What a user can do about it.
    pub(crate) const fn fix(&self, status: u16) -> &'static str {
        match status {
            404 => "run `watchbell --setup` with credentials that may create it",
            _ => "give `index` instead of `data_stream`",
        }
    }
}

/// A cluster of Elasticsearch or OpenSearch.
#[derive(Debug)]
pub struct ElasticsearchSink {
    pub(crate) cluster: Cluster,
    pub(crate) nodes: Vec<Url>,
    pub(crate) tls: Tls,
    pub(crate) proxied: bool,
    pub(crate) has_credentials: bool,
    pub(crate) timeout: Duration,
    pub(crate) target: Target,
    pub(crate) pipeline: Option<String>,
    pub(crate) template: String,
    pub(crate) manages_template: bool,
    pub(crate) retention_days: Option<u32>,
    /// Whether what we write to was seen to be there.
    pub(crate) seen: AtomicBool,
}

#[async_trait]
impl Sink for ElasticsearchSink {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        let document = serde_json::to_vec(&ecs::document(finding)).map_err(|error| {
            SinkError::new(ErrorKind::Rejected, "the finding can't be said as an ECS document").with_source(error)
        })?;
        Ok(Payload::json(document))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.provision(steps).await
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.look(steps).await
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        self.see_target().await?;
        let mut path = format!("{}?{FILTER}", BulkParts::Index(self.target.name()).url());
        if let Some(pipeline) = &self.pipeline {
            path.push_str("&pipeline=");
            path.push_str(pipeline);
        }
        let reply = self.cluster.ask(Request::post_lines(path, bulk::body(batch))).await?;
        let receipt = bulk::receipt(batch, &reply);
        if receipt.is_err() {
            // Whoever deletes the data stream gets it looked for again.
            self.seen.store(false, Ordering::Relaxed);
        }
        receipt
    }
}

impl ElasticsearchSink {
    /// Only a clear no stops the delivery. Whoever may write but not look (403) is let through.
    async fn see_target(&self) -> Result<(), SinkError> {
        if self.seen.load(Ordering::Relaxed) {
            return Ok(());
        }
        let there = self.cluster.ask(self.target.question()).await?.status;
        if let Some(error) = self.target.absent(there) {
            return Err(error);
        }
        let mut settled = there < 500 && there != 429;
        if let Some(pipeline) = &self.pipeline {
            let there = self.cluster.ask(Request::get(IngestGetPipelineParts::Id(pipeline).url())).await?.status;
            if there == 404 {
                return Err(missing_pipeline(pipeline));
            }
            settled &= there < 500 && there != 429;
        }
        self.seen.store(settled, Ordering::Relaxed);
        Ok(())
    }
}

/// A bulk request would refuse each document for it, and each would end in the dead letters.
pub(crate) fn missing_pipeline(pipeline: &str) -> SinkError {
    SinkError::new(ErrorKind::Config, format!("there is no ingest pipeline `{pipeline}`")).with_status(404)
}
