//! The test kit's server with what the tests of this sink ask of it, and findings ready to be delivered.

use std::{ops::Deref, time::Duration};

use tokio_rustls::rustls::ServerConfig;
use toml::de::ValueDeserializer;
use watchbell_elasticsearch::{ElasticsearchConfig, ElasticsearchSink, KIND};
pub(crate) use watchbell_sink::testkit::server::{Answer, Request};
use watchbell_sink::{
    Batch, Context, Delivery, Finding, Outcome, Sink, SinkConfig, Steps,
    testkit::{findings, server},
};

/// A running server; it ends when it is dropped.
pub(crate) struct Server(server::Server);

impl Deref for Server {
    type Target = server::Server;

    fn deref(&self) -> &server::Server {
        &self.0
    }
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self(server::Server::start(script).await.unwrap())
    }

    pub(crate) async fn start_tls(
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
        tls: ServerConfig,
    ) -> Self {
        Self(server::Server::start_with(tls, script).await.unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Methods and paths, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(line).collect()
    }

    /// The last bulk request.
    pub(crate) fn bulk(&self) -> Request {
        self.requests().into_iter().rfind(|asked| asked.path.contains("/_bulk")).unwrap()
    }
}

pub(crate) fn line(asked: &Request) -> String {
    format!("{} {}", asked.method, asked.route())
}

pub(crate) fn answer(status: u16, body: impl ToString) -> Answer {
    Answer::json(status, body)
}

/// A sink by these options, in TOML, that waits for a second at most.
pub(crate) fn sink(options: &str) -> ElasticsearchSink {
    let config: ElasticsearchConfig = toml::from_str(options).unwrap();
    config.build(&Context { timeout: Duration::from_secs(1), ..Context::new("soc") }).unwrap()
}

/// The same, through the kind as the engine does it; what is wrong, as text.
pub(crate) fn refused(options: &str) -> String {
    KIND.build(ValueDeserializer::parse(&inline(options)).unwrap(), &Context::new("soc")).err().unwrap().to_string()
}

fn inline(options: &str) -> String {
    format!("{{ {options} }}")
}

/// So many realistic findings under different ids, encoded.
pub(crate) fn batch(sink: &ElasticsearchSink, count: usize) -> Batch {
    let findings = (0..count).map(|n| Finding { id: format!("{n:032x}"), ..findings::sample() });
    of(sink, findings)
}

pub(crate) fn of(sink: &ElasticsearchSink, findings: impl Iterator<Item = Finding>) -> Batch {
    let delivery = |finding: Finding| Delivery {
        key: format!("{}.soc", finding.id),
        payload: sink.encode(&finding).unwrap(),
        attempt: 1,
    };
    Batch::new(findings.map(delivery).collect()).unwrap()
}

/// The steps on one line each: outcome, name, detail.
pub(crate) fn told(steps: &Steps) -> Vec<String> {
    let line = |step: &watchbell_sink::Step| {
        let outcome = match &step.outcome {
            Outcome::Ok => "ok",
            Outcome::Present => "present",
            Outcome::Created => "created",
            Outcome::Changed => "changed",
            Outcome::Skipped => "skipped",
            Outcome::Warning { .. } => "warning",
            Outcome::Failed { .. } => "failed",
        };
        format!("{outcome} {}: {}", step.name, step.detail.as_deref().unwrap_or_default())
    };
    steps.all().iter().map(line).collect()
}
