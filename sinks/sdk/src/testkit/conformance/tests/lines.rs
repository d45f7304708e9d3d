//! A small sink that writes lines to a TCP peer and can be told to do one thing wrong.

use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Mutex, time::timeout};

use crate::{
    batch::{Batch, Receipt},
    error::{ConfigError, ErrorKind, SinkError},
    finding::Finding,
    sink::{Context, Limits, Payload, Sink, SinkConfig},
    steps::Steps,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinesConfig {
    /// Host and port.
    address: String,
    /// What is done wrong.
    #[serde(default)]
    fault: String,
}

impl SinkConfig for LinesConfig {
    const TYPE: &'static str = "lines";
    const EXAMPLE: &'static str = "address = \"lines.example:514\"";
    type Sink = Lines;

    fn build(self, context: &Context) -> Result<Lines, ConfigError> {
        Ok(Lines { config: self, timeout: context.timeout, link: Mutex::new(None) })
    }
}

pub(super) struct Lines {
    config: LinesConfig,
    timeout: Duration,
    link: Mutex<Option<TcpStream>>,
}

impl Lines {
    fn has(&self, fault: &str) -> bool {
        self.config.fault == fault
    }

    fn broken(&self, error: impl ToString) -> SinkError {
        let kind = if self.has("all is rejected") { ErrorKind::Rejected } else { ErrorKind::Unavailable };
        SinkError::new(kind, error.to_string())
    }

    async fn connect(&self) -> Result<TcpStream, SinkError> {
        TcpStream::connect(&self.config.address).await.map_err(|error| self.broken(error))
    }

    async fn write(&self, bytes: &[u8]) -> Result<(), SinkError> {
        let mut link = self.link.lock().await;
        let mut stream = match link.take() {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        let wait = if self.has("waits forever") { Duration::from_secs(3600) } else { self.timeout };
        let written = timeout(wait, stream.write_all(bytes)).await.map_err(|error| self.broken(error))?;
        written.map_err(|error| self.broken(error))?;
        *link = Some(stream);
        Ok(())
    }
}

#[async_trait]
impl Sink for Lines {
    fn limits(&self) -> Limits {
        Limits::new(100, 16 << 20)
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        Ok(Payload::text(format!("{}\n", finding.id).into_bytes()))
    }

    async fn setup(&self, _: &mut Steps) -> Result<(), SinkError> {
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        match self.config.fault.as_str() {
            "check looks away" => {}
            "check writes" => self.write(b"check\n").await?,
            _ => {
                if let Err(error) = self.connect().await {
                    steps.failed("TCP", "check the address").with(&error.message);
                    return Err(error);
                }
            }
        }
        steps.done("TCP");
        Ok(())
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let mut bytes: Vec<u8> = Vec::new();
        for delivery in batch.deliveries() {
            bytes.extend(delivery.payload.bytes());
            if self.has("attempt in the bytes") {
                bytes.push(b'0' + delivery.attempt as u8);
            }
        }
        if !self.has("writes nothing") {
            self.write(&bytes).await?;
        }
        Ok(batch.accepted())
    }
}
