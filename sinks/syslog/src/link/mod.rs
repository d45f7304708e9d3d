//! The connection to a receiver. Streams are kept from batch to batch; datagram sockets are made for each, which costs
//! nothing and follows a name that moves.

mod datagram;
mod failure;
mod stream;

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls::ClientConfig;
use tokio::{sync::Mutex, time::timeout};
use watchbell_sink::{Batch, ErrorKind, Receipt, SinkError, Steps, http::shown};

use crate::unconfirmed::Unconfirmed;
use stream::{Heard, Wire};

/// How long an idle connection is listened to before it is written to. Whatever came meanwhile is there at once.
const GLANCE: Duration = Duration::from_millis(1);
/// How long a new TLS connection is listened to at least before the first message: with TLS 1.3 the handshake is over for us
/// before the receiver has looked at our certificate, and its refusal comes one round trip later.
const AFTER_HANDSHAKE: Duration = Duration::from_millis(150);
/// The same in a check, where nobody waits for messages.
const AFTER_HANDSHAKE_IN_CHECK: Duration = Duration::from_millis(300);

/// Where messages go.
#[derive(Debug)]
pub(crate) enum Endpoint {
    /// One datagram per message.
    Udp { host: String, port: u16 },
    /// A stream, with TLS or without.
    Stream { host: String, port: u16, tls: Option<Arc<ClientConfig>> },
    /// A local socket: this one, or the first of the usual ones.
    Local(Option<PathBuf>),
}

/// The connection to one receiver.
#[derive(Debug)]
pub(crate) struct Link {
    endpoint: Endpoint,
    timeout: Duration,
    open: Mutex<Open>,
}

/// What is kept from batch to batch.
#[derive(Debug)]
struct Open {
    /// `None` before the first batch and after a failure; taken out while it is written to, so that a batch that is given
    /// up half way leaves no half message behind.
    wire: Option<Wire>,
    unconfirmed: Unconfirmed,
}

impl Link {
    pub(crate) fn new(endpoint: Endpoint, timeout: Duration, resend_last: usize) -> Self {
        let open = Open { wire: None, unconfirmed: Unconfirmed::new(resend_last) };
        Self { endpoint, timeout, open: Mutex::new(open) }
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends every message of a batch.
    pub(crate) async fn send(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        match &self.endpoint {
            Endpoint::Udp { host, port } => datagram::send_udp((host, *port), batch, self.timeout).await,
            Endpoint::Stream { .. } => self.within(self.write(batch, b"")).await,
            Endpoint::Local(path) => match datagram::connect_local(path.as_deref())? {
                Some(socket) => datagram::send_local(&socket, batch, self.timeout).await,
                None => self.within(self.write(batch, b"\0")).await,
            },
        }
    }

    /// Connects as for a batch, listens whether the receiver says no, and writes nothing.
    pub(crate) async fn probe(&self) -> Result<(), SinkError> {
        let mut wire = self.within(self.connect()).await?;
        let wait = wire.refusal_takes(AFTER_HANDSHAKE_IN_CHECK).unwrap_or(AFTER_HANDSHAKE_IN_CHECK);
        self.refused(&mut wire, wait).await
    }

    /// Resolves the name; that is all that can be learned without sending something.
    pub(crate) async fn check_udp(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let Endpoint::Udp { host, port } = &self.endpoint else { return Ok(()) };
        match timeout(self.timeout, datagram::connect_udp((host, *port))).await {
            Ok(Ok(socket)) => {
                let address = socket.peer_addr().map(|address| address.to_string()).unwrap_or_default();
                steps.done("DNS").with(format!("{host} is {address}"));
                Ok(())
            }
            other => {
                let error = other.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).err();
                let reason = error.map(|error| shown(&error.to_string())).unwrap_or_default();
                let message = format!("no way to {}: {reason}", self.name());
                steps
                    .failed("DNS", "check the spelling of the host, and the name server of this machine")
                    .with(&message);
                Err(SinkError::new(ErrorKind::Unavailable, message))
            }
        }
    }

    /// Opens the local socket.
    pub(crate) async fn check_local(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let Endpoint::Local(path) = &self.endpoint else { return Ok(()) };
        let opened = match datagram::connect_local(path.as_deref()) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.probe().await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(()) => {
                steps.done("socket").with(self.name());
                Ok(())
            }
            Err(error) => {
                steps
                    .failed("socket", "start the syslog service of this machine, or give its socket's path as `socket`")
                    .with(&error.message);
                Err(error)
            }
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, SinkError>>) -> Result<T, SinkError> {
        timeout(self.timeout, work).await.unwrap_or_else(|_| {
            let message = format!("{} took nothing within {} s", self.name(), self.timeout.as_secs_f64());
            Err(SinkError::new(ErrorKind::Unavailable, message))
        })
    }

    /// All or nothing: of a batch that broke, nobody knows how much arrived.
    async fn write(&self, batch: &Batch, behind_each: &[u8]) -> Result<Receipt, SinkError> {
        let mut open = self.open.lock().await;
        let mut wire = match self.still_there(&mut open).await {
            Some(wire) => wire,
            None => self.reopen(&open.unconfirmed).await?,
        };
        let messages: Vec<Vec<u8>> =
            batch.deliveries().iter().map(|delivery| [delivery.payload.bytes(), behind_each].concat()).collect();
        wire.write(&messages.concat()).await.map_err(|error| failure::of(&self.name(), &error))?;
        self.refused(&mut wire, GLANCE).await?;
        let written: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        open.unconfirmed.remember(&written);
        open.wire = Some(wire);
        Ok(batch.accepted())
    }

    /// The connection of the last batch, when nothing was heard on it since.
    async fn still_there(&self, open: &mut Open) -> Option<Wire> {
        let mut wire = open.wire.take()?;
        match wire.listen(GLANCE).await {
            Heard::Nothing => Some(wire),
            Heard::Closed { all_read } => {
                if all_read {
                    open.unconfirmed.forget();
                }
                None
            }
            Heard::Broke(_) => None,
        }
    }

    async fn reopen(&self, unconfirmed: &Unconfirmed) -> Result<Wire, SinkError> {
        let mut wire = self.connect().await?;
        let wait = wire.refusal_takes(AFTER_HANDSHAKE).unwrap_or(GLANCE);
        self.refused(&mut wire, wait).await?;
        let again = unconfirmed.bytes();
        if !again.is_empty() {
            wire.write(&again).await.map_err(|error| failure::of(&self.name(), &error))?;
        }
        Ok(wire)
    }

    async fn connect(&self) -> Result<Wire, SinkError> {
        let wire = match &self.endpoint {
            Endpoint::Stream { host, port, tls } => Wire::connect(host, *port, tls.as_ref()).await,
            Endpoint::Local(path) => Wire::connect_local(path.as_deref()).await,
            Endpoint::Udp { .. } => Err(std::io::Error::other("datagrams have no stream")),
        };
        wire.map_err(|error| failure::of(&self.name(), &error))
    }

    async fn refused(&self, wire: &mut Wire, wait: Duration) -> Result<(), SinkError> {
        match wire.listen(wait).await {
            Heard::Nothing => Ok(()),
            Heard::Closed { .. } => {
                let message = format!("{} closed the connection", self.name());
                Err(SinkError::new(ErrorKind::Unavailable, message))
            }
            Heard::Broke(error) => Err(failure::of(&self.name(), &error)),
        }
    }

    /// What errors call the receiver.
    pub(crate) fn name(&self) -> String {
        match &self.endpoint {
            Endpoint::Udp { host, port } | Endpoint::Stream { host, port, .. } if host.contains(':') => {
                format!("[{host}]:{port}")
            }
            Endpoint::Udp { host, port } | Endpoint::Stream { host, port, .. } => format!("{host}:{port}"),
            Endpoint::Local(path) => match datagram::local_path(path.as_deref()) {
                Some(path) => path.display().to_string(),
                None => "the local socket".to_owned(),
            },
        }
    }
}
