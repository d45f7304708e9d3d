//! An HTTP server on the loopback that answers as it is told: well, badly, half, late, or never.
//!
//! It remembers what it was asked, in the order of arrival, up to [`REMEMBERED`] requests.

use std::{
    collections::VecDeque,
    io::{self, Read},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use super::{identity::Identity, locked, wire};

/// How many requests a server remembers; older ones are forgotten first.
pub const REMEMBERED: usize = 10_000;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// For example `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    /// The body as it came, compressed or not.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    #[must_use]
    pub fn route(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The body, unpacked when it came as gzip. What does not unpack stays as it is.
    #[must_use]
    pub fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        match self.header("content-encoding") {
            Some("gzip") if MultiGzDecoder::new(self.body.as_slice()).read_to_end(&mut plain).is_ok() => plain,
            _ => self.body.clone(),
        }
    }

    /// The unpacked body as text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.plain()).into_owned()
    }

    /// The unpacked body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.plain()).unwrap_or_default()
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers but for the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long the answer lets wait.
    pub delay: Duration,
    /// What becomes of it on the way.
    pub manner: Manner,
}

/// What becomes of an answer on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It arrives.
    Whole,
    /// Half of the body, then the connection is closed.
    Cut,
    /// It never comes; the connection stays open.
    Hang,
    /// The connection is reset (RST) instead.
    Reset,
    /// It arrives, and the connection is closed.
    Close,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO, manner: Manner::Whole }
    }

    /// Some text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let answer = Self { body: body.into(), ..Self::status(status) };
        answer.header("content-type", "text/plain; charset=utf-8")
    }

    /// A JSON document, from its text or from a [`serde_json::Value`] (which prints itself as such).
    #[must_use]
    pub fn json(status: u16, body: impl ToString) -> Self {
        let answer = Self { body: body.to_string().into_bytes(), ..Self::status(status) };
        answer.header("content-type", "application/json")
    }

    /// No answer: the connection stays open.
    #[must_use]
    pub fn hang() -> Self {
        Self { manner: Manner::Hang, ..Self::status(200) }
    }

    /// No answer: the connection is reset.
    #[must_use]
    pub fn reset() -> Self {
        Self { manner: Manner::Reset, ..Self::status(200) }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// After a while.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Only half of it, then the connection is closed.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { manner: Manner::Cut, ..self }
    }

    /// And the connection is closed.
    #[must_use]
    pub fn closing(self) -> Self {
        Self { manner: Manner::Close, ..self }
    }
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

struct Inner {
    handler: Box<Handler>,
    requests: Mutex<VecDeque<Request>>,
    seen: AtomicUsize,
}

/// A running server. It ends when it is dropped.
pub struct Server {
    address: SocketAddr,
    authority: Option<String>,
    inner: Arc<Inner>,
    accepting: AbortHandle,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Server {
    /// Listens on a free port of 127.0.0.1, in the current runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<Self> {
        Self::listen(free_port(), None, handler).await
    }

    /// Listens on this address, for a server that comes back where it was.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn start_on(
        address: SocketAddr,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::listen(address, None, handler).await
    }

    /// Speaks TLS with a certificate for `localhost` and 127.0.0.1, of an authority made for it: [`Server::authority`].
    ///
    /// # Errors
    /// No port or no certificate could be had.
    pub async fn start_tls(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<Self> {
        let identity = Identity::new(&["localhost", "127.0.0.1"])?;
        let config = identity.server_config(None)?;
        let mut server = Self::listen(free_port(), Some(TlsAcceptor::from(Arc::new(config))), handler).await?;
        server.authority = Some(identity.authority);
        Ok(server)
    }

    /// Speaks TLS as this says, for example with a look at the client's certificate.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start_with(
        tls: ServerConfig,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::listen(free_port(), Some(TlsAcceptor::from(Arc::new(tls))), handler).await
    }

    async fn listen(
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let inner =
            Arc::new(Inner { handler: Box::new(handler), requests: Mutex::default(), seen: AtomicUsize::default() });
        let accepting = tokio::spawn(accept(listener, tls, Arc::clone(&inner))).abort_handle();
        Ok(Self { address, authority: None, inner, accepting })
    }

    /// Where it listens: `127.0.0.1:PORT`.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority in PEM, of a server that speaks TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The requests so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.inner.requests).iter().cloned().collect()
    }

    /// How many requests came, forgotten ones among them.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.inner.seen.load(Ordering::Relaxed)
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        locked(&self.inner.requests).clear();
    }
}

/// An address on which nobody listens.
///
/// # Errors
/// No port could be had.
pub fn closed_port() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind(free_port())?.local_addr()
}

pub(super) fn free_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, inner: Arc<Inner>) {
    // Owned here, so that the connections end with the server.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, tls.clone(), Arc::clone(&inner)));
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, inner: Arc<Inner>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => {
            let mut stream = BufReader::new(stream);
            if serve(&mut stream, &inner).await? == Manner::Reset {
                stream.get_ref().set_zero_linger()?;
            }
        }
        Some(tls) => {
            let mut stream = BufReader::new(tls.accept(stream).await?);
            if serve(&mut stream, &inner).await? == Manner::Reset {
                stream.get_ref().get_ref().0.set_zero_linger()?;
            }
        }
    }
    Ok(())
}

/// Answers until the connection shall end; says how.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, inner: &Inner) -> io::Result<Manner> {
    while let Some(request) = wire::read_request(stream).await? {
        let answer = (inner.handler)(&request);
        let head_only = request.method == "HEAD";
        inner.remember(request);
        tokio::time::sleep(answer.delay).await;
        let bytes = wire::answer_bytes(&answer, head_only);
        match answer.manner {
            Manner::Whole => stream.write_all(&bytes).await?,
            Manner::Reset => return Ok(Manner::Reset),
            Manner::Hang => std::future::pending().await,
            Manner::Cut => {
                stream.write_all(&bytes[..bytes.len() - answer.body.len().div_ceil(2)]).await?;
                stream.shutdown().await?;
                return Ok(Manner::Cut);
            }
            Manner::Close => {
                stream.write_all(&bytes).await?;
                stream.shutdown().await?;
                return Ok(Manner::Close);
            }
        }
        stream.flush().await?;
    }
    Ok(Manner::Close)
}

impl Inner {
    fn remember(&self, request: Request) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        let mut requests = locked(&self.requests);
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{HttpClient, HttpOptions, Method},
        options::{Pem, Tls},
        sink::Context,
    };

    async fn get(url: String, tls: Option<&Tls>) -> Result<u16, String> {
        let context = Context { timeout: Duration::from_millis(500), ..Context::new("test") };
        let client = HttpClient::new(&context, HttpOptions { tls, ..HttpOptions::default() }).unwrap();
        let request = client.request(Method::POST, url.parse().unwrap()).body("hello");
        client.send(request).await.map(|reply| reply.status).map_err(|error| error.message)
    }

    #[tokio::test]
    async fn it_answers_as_told_and_remembers() {
        let server = Server::start(|request| match request.route() {
            "/reset" => Answer::reset(),
            "/hang" => Answer::hang(),
            "/cut" => Answer::text(200, "half of this").cut(),
            "/late" => Answer::status(204).after(Duration::from_millis(20)),
            _ => Answer::json(200, "{}").closing(),
        })
        .await
        .unwrap();
        let url = |path: &str| format!("http://{}{path}", server.address());
        assert_eq!(get(url("/x?y=1"), None).await, Ok(200));
        assert_eq!(get(url("/late"), None).await, Ok(204));
        let failed = |result: Result<u16, String>| result.unwrap_err();
        assert!(failed(get(url("/reset"), None).await).contains("reset"));
        assert!(failed(get(url("/hang"), None).await).contains("no answer within 0.5 s"));
        assert!(failed(get(url("/cut"), None).await).contains("broke"));
        let requests = server.requests();
        assert_eq!(requests.len(), 5);
        assert_eq!(
            (requests[0].path.as_str(), requests[0].route(), requests[0].text().as_str()),
            ("/x?y=1", "/x", "hello")
        );
        assert_eq!(requests[0].header("content-length"), Some("5"));
        let address = closed_port().unwrap();
        assert!(failed(get(format!("http://{address}/"), None).await).contains("cannot connect"));
    }

    #[tokio::test]
    async fn tls_is_trusted_with_its_authority_only() {
        let server = Server::start_tls(|_| Answer::status(200)).await.unwrap();
        let url = format!("https://localhost:{}/", server.address().port());
        let error = get(url.clone(), None).await.unwrap_err();
        assert!(error.contains("certificate"), "{error}");
        let ca = server.authority().map(|authority| Pem::new(authority.to_owned()));
        assert_eq!(get(url, Some(&Tls { ca, ..Tls::default() })).await, Ok(200));
    }

    #[tokio::test]
    async fn a_server_that_is_dropped_is_gone() {
        let server = Server::start(|_| Answer::status(200)).await.unwrap();
        let address = server.address();
        drop(server);
        tokio::task::yield_now().await;
        assert!(get(format!("http://{address}/"), None).await.is_err());
        let again = Server::start_on(address, |_| Answer::status(201)).await.unwrap();
        assert_eq!(get(format!("http://{}/", again.address()), None).await, Ok(201));
    }
}
