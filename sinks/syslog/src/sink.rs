//! The four verbs of a syslog destination. There is nothing to set up, and no answer that says what arrived: a batch
//! counts as delivered when the kernel took it and the receiver did not object.

use watchbell_sink::{
    Batch, ErrorKind, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, async_trait, reach::Target,
};

use crate::{
    link::{Endpoint, Link},
    message::Wording,
};

/// The most messages of one batch, and their bytes: small enough to be written in one piece.
const LIMITS: Limits = Limits::new(500, 1 << 20);

/// A syslog receiver.
#[derive(Debug)]
pub struct Syslog {
    wording: Wording,
    link: Link,
}

impl Syslog {
    pub(crate) const fn new(wording: Wording, link: Link) -> Self {
        Self { wording, link }
    }

    async fn check_stream(&self, target: Target, steps: &mut Steps) -> Result<(), SinkError> {
        target.reach(steps).await?;
        let Err(error) = self.link.probe().await else {
            steps.done("receiver").with("took the connection and kept it open");
            return Ok(());
        };
        let fix = match error.kind {
            ErrorKind::Auth => "give a certificate the receiver trusts as tls.cert_file, and its key as tls.key_file",
            ErrorKind::Config => "check that address, transport and certificates belong to the same receiver",
            _ => "look into the receiver's log: it may allow certain senders only",
        };
        steps.failed("receiver", fix).with(&error.message);
        Err(error)
    }
}

#[async_trait]
impl Sink for Syslog {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        Ok(Payload::text(self.wording.message(finding)))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        steps.skipped("setup", "a syslog receiver needs nothing from this side");
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        match self.link.endpoint() {
            Endpoint::Stream { host, port, tls } => {
                let (host, port, tls) = (host.clone(), *port, tls.clone());
                self.check_stream(Target { host, port, tls, timeout: self.link.timeout() }, steps).await
            }
            Endpoint::Udp { .. } => {
                self.link.check_udp(steps).await?;
                steps.skipped("receiver", "nothing answers a datagram; look at the receiver for the first message");
                Ok(())
            }
            Endpoint::Local(_) => self.link.check_local(steps).await,
        }
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        self.link.send(batch).await
    }
}
