//! Who answers: Elasticsearch or OpenSearch, and which of their ways to age data there are.

use std::fmt;

use watchbell_sink::{ErrorKind, SinkError, Steps, http::shown};

use crate::{bulk::refusal, sink::ElasticsearchSink, transport::Request, wire::Root};

/// The server's family, which decides how data ages and how privileges are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Elasticsearch,
    /// Elastic Cloud Serverless: no lifecycle policies, data streams age by themselves.
    Serverless,
    OpenSearch,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::Serverless => "Elasticsearch Serverless",
            Self::OpenSearch => "OpenSearch",
        })
    }
}

impl ElasticsearchSink {
    /// Asks a node who it is; where one does not answer, the next.
    ///
    /// # Errors
    /// It does not say; the step with its fix is in `steps`.
    pub(crate) async fn identify(&self, steps: &mut Steps) -> Result<Family, SinkError> {
        let mut answer = self.cluster.ask(Request::get("/")).await;
        for _ in 1..self.nodes.len() {
            if answer.is_err() {
                answer = self.cluster.ask(Request::get("/")).await;
            }
        }
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                steps.failed("server", fix_of(&error)).with(&error.message);
                return Err(error);
            }
        };
        // An API key for writing alone must not ask. A gateway may not let the question through.
        let why = match reply.status {
            403 => Some("the credentials may not ask for the version; Elasticsearch is assumed"),
            405 => Some("the version can't be asked for here; Elasticsearch is assumed"),
            _ => None,
        };
        if let Some(why) = why {
            steps.skipped("server", why);
            return Ok(Family::Elasticsearch);
        }
        let root = if reply.is_success() { reply.json::<Root>() } else { Err(refusal(&reply)) };
        let root = match root {
            Ok(root) => root,
            Err(error) => {
                steps.failed("server", fix_of(&error)).with(&error.message);
                return Err(error);
            }
        };
        let family = match (root.version.distribution.as_deref(), root.version.build_flavor.as_deref()) {
            (Some("opensearch"), _) => Family::OpenSearch,
            (_, Some("serverless")) => Family::Serverless,
            _ => Family::Elasticsearch,
        };
        let cluster = root.cluster_name.as_deref().unwrap_or("without a name");
        let version = shown(&root.version.number);
        let seen = format!("{family} {version}, cluster {}", shown(cluster));
        match (family, major(&version)) {
            (Family::Elasticsearch, Some(..8)) => {
                let fix = "upgrade to Elasticsearch 8 or later; this version is not tried";
                steps.warned("server", fix).with(seen);
            }
            (Family::OpenSearch, Some(..2)) => {
                steps.warned("server", "upgrade to OpenSearch 2 or later; this version is not tried").with(seen);
            }
            _ => {
                steps.done("server").with(seen);
            }
        }
        Ok(family)
    }
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// What a user can do about an error of this kind.
pub(crate) const fn fix_of(error: &SinkError) -> &'static str {
    match error.kind {
        ErrorKind::Auth => "check `api_key`, or `username` and `password`, and what they are allowed to do",
        ErrorKind::Config => "check the address in `nodes`: it should be that of Elasticsearch or OpenSearch itself",
        ErrorKind::Throttled => "the cluster is overloaded; try again later",
        ErrorKind::Unavailable => "check that the cluster runs and that nothing else answers at this address",
        ErrorKind::Rejected => "check the server's log: it does not take a request that it should",
    }
}
