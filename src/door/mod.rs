//! The way in for the fronts that listen on HTTP: how many connections there are and how long each may take, TLS, who is
//! at the other end, how much one caller may ask.
//!
//! One for all of them, so that no front stands open where another is guarded. What is asked is the fronts' own matter.

mod client;
mod connections;
mod rate;
mod tls;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle, Server,
    accept::DefaultAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

pub use self::tls::TlsError;
pub(crate) use self::{
    client::{API_KEY, Client, credentials},
    rate::{Rates, TooMany},
};
use self::{
    connections::{Bounded, Limits, Room},
    tls::Files,
};
use crate::app::ServePlan;

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl DoorError {
    /// Whether the configuration is to be mended.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// Where callers come in.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<(Files, Arc<ServerConfig>)>,
    room: Room,
}

impl Door {
    /// Listens where the plan says; nobody is taken in yet.
    ///
    /// # Errors
    /// The certificate can't be used, or the address can't be listened on.
    pub(crate) fn open(plan: &ServePlan) -> Result<Self, DoorError> {
        let files = plan.tls.clone().map(|(certificate, key)| Files { certificate, key });
        let tls = files.map(|files| files.load().map(|first| (files, first))).transpose()?;
        let failed = |source| DoorError::Listen { address: plan.listen, source };
        let listener = TcpListener::bind(plan.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, tls, room: Room::new(Limits::USUAL, &plan.trusted_proxies) })
    }

    /// Where it is, with the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes callers in until the token is cancelled; what is on its way then has as long as `drain`.
    ///
    /// # Errors
    /// The listener can't be waited for.
    pub(crate) async fn serve(self, router: Router, stop: CancellationToken, drain: Duration) -> io::Result<()> {
        let handle = Handle::new();
        let ending = handle.clone();
        tokio::spawn(async move {
            stop.cancelled().await;
            ending.graceful_shutdown(Some(drain));
        });
        let server = axum_server::from_tcp(self.listener)?.handle(handle);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        match self.tls {
            None => bounded(server, DefaultAcceptor::new(), self.room).serve(service).await,
            Some((files, first)) => {
                let config = RustlsConfig::from_config(first);
                tokio::spawn(tls::renew(files, config.clone()));
                bounded(server, RustlsAcceptor::new(config), self.room).serve(service).await
            }
        }
    }
}

/// The server with its limits. HTTP/1.1 alone: the server that takes both versions waits for the first bytes of a connection
/// without end, to find out which one it is.
fn bounded<A>(server: Server<SocketAddr>, acceptor: A, room: Room) -> Server<SocketAddr, Bounded<A>> {
    let head = room.limits().head;
    let mut server = server.acceptor(Bounded::new(acceptor, room)).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(head);
    server
}

#[cfg(test)]
mod tests;
