//! The verbs of a sink over `events:import`.
//!
//! The API takes a request whole or not at all, so a refusal is of the whole batch, and whoever sends splits it until the bad
//! event is alone. The number that some refusals name (`invalid event 3`) is shown but not trusted: nobody published what it
//! counts, and a wrong guess would put an innocent finding to the dead letters.

use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;
use watchbell_sink::{
    Batch, ErrorKind, Finding, HttpUrl, Limits, Payload, Receipt, Sink, SinkError, Steps, async_trait,
    http::{HttpClient, Method, Reply, header},
    reach::Target,
    rules::RuleHost,
};

use crate::{
    answer::Answered,
    check,
    config::Api,
    encode::{self, Style},
    rules::Served,
    token::Tokens,
};

/// What an instance is spoken to with.
pub(crate) struct Parts {
    pub(crate) api: Api,
    pub(crate) base: HttpUrl,
    /// `projects/../locations/../instances/..`.
    pub(crate) parent: String,
    pub(crate) envelope: (String, &'static str),
    pub(crate) style: Style,
    pub(crate) limits: Limits,
    pub(crate) http: HttpClient,
    pub(crate) target: Target,
    pub(crate) tokens: Tokens,
    pub(crate) proxied: bool,
}

/// One Google SecOps instance.
pub struct Chronicle {
    pub(crate) parts: Parts,
    /// v1 answered 404 where v1beta did not.
    beta: AtomicBool,
    /// The same for each method on rules.
    pub(crate) served: Served,
    /// The end of the legacy API was told of.
    warned: AtomicBool,
}

impl std::fmt::Debug for Chronicle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chronicle").field("parent", &self.parts.parent).finish_non_exhaustive()
    }
}

impl Chronicle {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts, beta: AtomicBool::new(false), served: Served::default(), warned: AtomicBool::new(false) }
    }

    /// Sends with a fresh or kept token; an answer of whatever status.
    pub(crate) async fn exchange(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<Answered, SinkError> {
        let token = self.parts.tokens.token().await?;
        let request = self.parts.http.request(method, url).bearer_auth(token.expose());
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body),
            None => request,
        };
        let reply = self.parts.http.send(request).await?;
        if reply.status == 401 {
            self.parts.tokens.drop_token();
        }
        Ok(Answered::new(reply, token))
    }

    /// Sends what needs this permission; the error of the whole request, but for a 404, which may mean another version.
    pub(crate) async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        permission: &str,
    ) -> Result<Reply, SinkError> {
        let answered = self.exchange(method, url, body).await?;
        match answered.reply.status {
            200..=299 => Ok(answered.reply),
            404 if self.parts.api == Api::V1 => Ok(answered.reply),
            _ => Err(self.refusal(&answered, permission)),
        }
    }

    /// The address of a method below the instance.
    pub(crate) fn url(&self, version: &str, method: &str) -> Url {
        match self.parts.api {
            Api::V1 => self.parts.base.join(&format!("{version}/{}{method}", self.parts.parent)),
            Api::Legacy => self.parts.base.join("v2/udmevents:batchCreate"),
        }
    }

    async fn import(&self, body: Vec<u8>) -> Result<(), SinkError> {
        let versions: &[&str] = if self.beta.load(Ordering::Relaxed) { &["v1beta"] } else { &["v1", "v1beta"] };
        for &version in versions {
            let url = self.url(version, "/events:import");
            let answered = self.call(Method::POST, url, Some(body.clone()), "chronicle.events.import").await;
            let not_here = matches!(&answered, Ok(reply) if reply.status == 404);
            if !not_here {
                // Any other answer proves that this version is served here.
                self.beta.store(version == "v1beta", Ordering::Relaxed);
                return answered.map(|_| ());
            }
        }
        Err(self.not_found())
    }

    pub(crate) fn not_found(&self) -> SinkError {
        let message = format!(
            "no instance at {}/{}: check the location, the project and the customer ID",
            self.parts.target.host, self.parts.parent
        );
        SinkError::new(ErrorKind::Config, message).with_status(404)
    }

    /// The error that an answer stands for, with the permission that was missing.
    pub(crate) fn refusal(&self, answered: &Answered, permission: &str) -> SinkError {
        let (reply, told) = (&answered.reply, answered.told());
        let host = &self.parts.target.host;
        let saying = |error: SinkError, message: String| SinkError { message, ..error };
        if reply.status == 403 {
            let message = format!(
                "{host} answers 403 to {}: {told}; it needs {permission} (role roles/chronicle.editor) in the project that is \
                 linked to the instance",
                self.parts.tokens.who()
            );
            return saying(reply.error_of(ErrorKind::Auth), message);
        }
        let error = match reply.status {
            // ABORTED: somebody else was faster; the same request may pass next time.
            409 => reply.error_of(ErrorKind::Unavailable),
            _ => reply.error(),
        };
        match told.as_str() {
            "" => error,
            told => saying(error, format!("{host} answers {}: {told}", reply.status)),
        }
    }
}

#[async_trait]
impl Sink for Chronicle {
    fn limits(&self) -> Limits {
        self.parts.limits
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        encode::payload(finding, &self.parts.style)
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        steps.skipped("provisioning", "an instance takes UDM events as it is; there is nothing to make");
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        check::run(self, steps).await
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        if self.parts.api == Api::Legacy && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(end = check::LEGACY_END, "the legacy ingestion API is used, which ends: remove `api`");
        }
        let (before, after) = &self.parts.envelope;
        let mut body = Vec::with_capacity(before.len() + after.len() + batch.bytes() + batch.deliveries().len());
        body.extend_from_slice(before.as_bytes());
        for (position, delivery) in batch.deliveries().iter().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            body.extend_from_slice(delivery.payload.bytes());
        }
        body.extend_from_slice(after.as_bytes());
        self.import(body).await.map(|()| batch.accepted())
    }

    fn rule_host(&self) -> Option<&dyn RuleHost> {
        match self.parts.api {
            Api::V1 => Some(self),
            // Its rules have another API on another host, which ends on the same day.
            Api::Legacy => None,
        }
    }
}
