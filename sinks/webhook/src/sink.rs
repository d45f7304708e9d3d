//! One finding, one request. Redirects are not followed, and addresses that are not public are refused unless allowed.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::{net::lookup_host, time::timeout};
use watchbell_sink::{
    Batch, ConfigError, Context, Delivery, ErrorKind, Finding, Limits, Payload, Receipt, Secret, SecretUrl, Sink,
    SinkError, Steps, Tls, Verdict, async_trait,
    http::{HeaderMap, HttpClient, HttpOptions, Method, is_public},
    reach::Target,
};

use crate::{
    body::Encoder,
    sign::{ID, SIGNATURE, Signer, TIMESTAMP, webhook_id},
};

/// Tells the time of an attempt.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A webhook.
pub struct Webhook {
    client: HttpClient,
    message: Message,
    target: Target,
    proxied: bool,
    allow_private: bool,
    now: Clock,
}

/// What a request is made of.
pub(crate) struct Message {
    pub(crate) url: SecretUrl,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) encoder: Encoder,
    pub(crate) signer: Option<Signer>,
}

/// How the destination is reached.
pub(crate) struct Way {
    pub(crate) tls: Tls,
    pub(crate) proxy: Option<SecretUrl>,
    pub(crate) allow_private: bool,
    /// What must not appear in an error.
    pub(crate) secrets: Vec<Secret>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &self.message.url).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(crate) fn new(message: Message, way: Way, context: &Context) -> Result<Self, ConfigError> {
        let proxy = way.proxy.as_ref();
        let options = HttpOptions { tls: Some(&way.tls), proxy, public_only: !way.allow_private, secrets: way.secrets };
        let client = HttpClient::new(context, options)?;
        let target = match proxy {
            Some(proxy) => Target::of_url(proxy.expose(), &Tls::default(), context.timeout)?,
            None => Target::of_url(message.url.expose(), &way.tls, context.timeout)?,
        };
        let (proxied, allow_private) = (proxy.is_some(), way.allow_private);
        Ok(Self { client, message, target, proxied, allow_private, now: Arc::new(Timestamp::now) })
    }

    /// The webhook with another clock, for tests.
    #[must_use]
    pub fn with_clock(self, now: Clock) -> Self {
        Self { now, ..self }
    }

    async fn send(&self, delivery: &Delivery) -> Result<(), SinkError> {
        let Message { url, method, headers, signer, .. } = &self.message;
        let (id, body) = (webhook_id(&delivery.key), delivery.payload.bytes());
        let timestamp = (self.now)().as_second().to_string();
        let mut request = self.client.request(method.clone(), url.expose().clone()).headers(headers.clone());
        if let Some(signer) = signer {
            request = request.header(SIGNATURE, signer.sign(&id, &timestamp, body));
        }
        let request = request.header(ID, id).header(TIMESTAMP, timestamp).body(body.to_vec());
        let reply = self.client.send(request).await?;
        if reply.is_success() { Ok(()) } else { Err(reply.error()) }
    }

    /// Says before anything is connected to that the address would be refused.
    async fn check_address(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let Target { host, port, timeout: wait, .. } = &self.target;
        // A name that is not known is reported by the next step.
        let Ok(Ok(found)) = timeout(*wait, lookup_host((host.as_str(), *port))).await else { return Ok(()) };
        let Some(private) = found.map(|address| address.ip()).find(|&address| !is_public(address)) else {
            steps.done("address is public");
            return Ok(());
        };
        let message = format!("{host} leads to {private}, which is not a public address");
        steps
            .failed("address is public", "set allow_private = true if the destination is in your own network")
            .with(&message);
        Err(SinkError::new(ErrorKind::Config, message))
    }
}

#[async_trait]
impl Sink for Webhook {
    fn limits(&self) -> Limits {
        Limits::new(1, usize::MAX)
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        self.message.encoder.encode(finding)
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        steps.skipped("nothing to set up", "the receiver makes its own address; give it the secret");
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        match &self.message.signer {
            Some(signer) => steps.done("signature").with(format!("by {} secret(s)", signer.secrets())),
            None => steps
                .warned("signature", "give `secret`, so that the receiver can tell our requests from others")
                .with("requests are not signed"),
        };
        if !self.allow_private {
            self.check_address(steps).await?;
        }
        self.target.reach(steps).await?;
        if self.proxied {
            steps.skipped("destination", "only the proxy was reached; the way behind it shows with a delivery");
        }
        steps.skipped(
            "delivery",
            "a webhook can't be asked without delivering: send a marked test finding to see it taken",
        );
        Ok(())
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut verdicts = batch.verdicts();
        while let Some(delivery) = verdicts.next() {
            match self.send(delivery).await {
                Ok(()) => verdicts.settle(Verdict::Delivered),
                Err(error) if error.kind == ErrorKind::Rejected => verdicts.settle(Verdict::Failed(error)),
                Err(error) => return Ok(verdicts.finish(&error)),
            }
        }
        Ok(verdicts.finish(&SinkError::new(ErrorKind::Unavailable, "was not sent")))
    }
}
