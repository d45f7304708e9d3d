//! The way to the cluster: the official client's transport, and the sinks' own client where that one can't go.
//!
//! The official client takes a certificate authority, a client certificate or `verify = false` only with features that
//! bring ring or OpenSSL, and offers no way to hand it a client built elsewhere. So whoever sets one of these is served
//! by the client that the other sinks use; paths, nodes and cloud ids are the official client's either way.
//!
//! The official transport follows redirects, which can't be switched off: an answer from elsewhere counts as none.

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use elasticsearch::http::{
    Method, Url,
    headers::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT},
    transport::{Connection, ConnectionPool, Transport, TransportBuilder},
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use watchbell_sink::{
    ConfigError, Context, ErrorKind, NotConnected, Secret, SecretUrl, SinkError, Tls,
    http::{self, HttpClient, HttpOptions, Reply, shown},
    options::host_and_port,
    reach::certificate_error,
};

/// The most that is read of an answer: more than there is to say about one batch.
const LARGEST_ANSWER: u64 = 16 << 20;
const JSON: &str = "application/json";
const LINES_OF_JSON: &str = "application/x-ndjson";

/// How the cluster is reached.
#[derive(Debug)]
pub(crate) struct Access<'a> {
    /// Its nodes, at least one.
    pub(crate) nodes: Vec<Url>,
    /// The value of `Authorization`.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) tls: &'a Tls,
    pub(crate) proxy: Option<&'a SecretUrl>,
    /// What must not appear in an error even when the server repeats it.
    pub(crate) secrets: Vec<Secret>,
}

/// The cluster, by one node at a time.
#[derive(Debug)]
pub(crate) struct Cluster {
    wire: Wire,
    nodes: Nodes,
    headers: HeaderMap,
    timeout: Duration,
    secrets: Arc<[Secret]>,
}

#[derive(Debug)]
enum Wire {
    Official(Transport),
    Shared(HttpClient),
}

/// One question to the cluster.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    path: String,
    content_type: &'static str,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), content_type: JSON, body: None }
    }

    /// A `PUT`, with a body if one is given.
    pub(crate) fn put(path: impl Into<String>, body: Option<&serde_json::Value>) -> Self {
        let body = body.map(|body| body.to_string().into_bytes());
        Self { method: Method::Put, path: path.into(), content_type: JSON, body }
    }

    pub(crate) fn post(path: impl Into<String>, body: Option<&serde_json::Value>) -> Self {
        Self { method: Method::Post, ..Self::put(path, body) }
    }

    /// A `POST` of one JSON text a line.
    pub(crate) fn post_lines(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self { method: Method::Post, path: path.into(), content_type: LINES_OF_JSON, body: Some(body) }
    }
}

impl Cluster {
    /// # Errors
    /// Names the option: `tls` and what is below it, or `proxy`.
    pub(crate) fn new(access: Access<'_>, context: &Context) -> Result<Self, ConfigError> {
        let nodes = Nodes::new(access.nodes);
        let Tls { ca, cert, key, verify } = access.tls;
        let wire = if ca.is_none() && cert.is_none() && key.is_none() && *verify {
            Wire::Official(official(nodes.clone(), access.proxy, context.timeout)?)
        } else {
            let secrets = access.secrets.clone();
            let options = HttpOptions { tls: Some(access.tls), proxy: access.proxy, secrets, ..HttpOptions::default() };
            Wire::Shared(HttpClient::new(context, options)?)
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("watchbell/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = access.authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        Ok(Self { wire, nodes, headers, timeout: context.timeout, secrets: access.secrets.into() })
    }

    /// Asks one node and reads its answer, of whatever status. When it does not answer, the next question goes to the
    /// next node.
    ///
    /// # Errors
    /// There was no answer: [`ErrorKind::Unavailable`], or [`ErrorKind::Config`] when the certificate is not trusted.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, SinkError> {
        let node = self.nodes.current();
        let answer = match &self.wire {
            Wire::Official(transport) => self.ask_official(transport, request).await,
            Wire::Shared(client) => self.ask_shared(client, request).await,
        };
        if answer.as_ref().map_or(true, |reply| reply.status >= 500) {
            self.nodes.leave(node);
        }
        answer
    }

    fn headers_for(&self, request: &Request) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(request.content_type));
        headers
    }

    async fn ask_official(&self, transport: &Transport, request: Request) -> Result<Reply, SinkError> {
        let headers = self.headers_for(&request);
        let Request { method, path, body, .. } = request;
        let response = transport
            .send(method, &path, headers, None::<&()>, body, None)
            .await
            .map_err(|error| self.failure(&self.nodes.host(), &error))?;
        let (status, headers, url) =
            (response.status_code().as_u16(), response.headers().clone(), response.url().clone());
        let host = host_and_port(&url);
        if !self.nodes.reach(&url, &path) {
            let message =
                format!("a node redirects to {host}, which is not followed; give the final address in `nodes`");
            return Err(SinkError::new(ErrorKind::Config, message));
        }
        if response.content_length().is_some_and(|length| length > LARGEST_ANSWER) {
            let message = format!("{host} answers with more than {} MiB", LARGEST_ANSWER >> 20);
            return Err(SinkError::new(ErrorKind::Unavailable, message).with_status(status));
        }
        let body = response.bytes().await.map_err(|error| self.failure(&host, &error))?;
        Ok(Reply::new(status, headers, body, (host, Arc::clone(&self.secrets))))
    }

    async fn ask_shared(&self, client: &HttpClient, request: Request) -> Result<Reply, SinkError> {
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Put => http::Method::PUT,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
            Method::Head => http::Method::HEAD,
        };
        let url = self.nodes.next().url().join(request.path.trim_start_matches('/')).map_err(|error| {
            SinkError::new(ErrorKind::Config, format!("the address of a node takes no path: {error}"))
        })?;
        let outgoing = client.request(method, url).headers(self.headers_for(&request));
        client.send(outgoing.body(request.body.unwrap_or_default())).await
    }

    fn failure(&self, host: &str, error: &elasticsearch::Error) -> SinkError {
        if let Some(reason) = certificate_error(error) {
            return SinkError::new(ErrorKind::Config, format!("the certificate of {host} is not taken: {reason}"));
        }
        let cause = root_cause(error);
        let inner = error.source().and_then(|source| source.downcast_ref::<elasticsearch_reqwest::Error>());
        if inner.is_some_and(elasticsearch_reqwest::Error::is_redirect) {
            return SinkError::new(ErrorKind::Config, format!("{host} answers with redirects without an end"));
        }
        let is_unconnected = inner.is_some_and(elasticsearch_reqwest::Error::is_connect);
        let message = match is_unconnected {
            _ if error.is_timeout() => format!("{host} gave no answer within {} s", self.timeout.as_secs_f64()),
            true => format!("cannot connect to {host}: {cause}"),
            false => format!("the connection to {host} broke: {cause}"),
        };
        let failed = SinkError::new(ErrorKind::Unavailable, message);
        if is_unconnected { failed.with_source(NotConnected) } else { failed }
    }
}

/// The official client's transport. Credentials go with each request instead of into it: its `Debug` shows them.
fn official(nodes: Nodes, proxy: Option<&SecretUrl>, timeout: Duration) -> Result<Transport, ConfigError> {
    // Its HTTP client asks for the process's provider and panics without one; a program that has set one keeps it.
    if CryptoProvider::get_default().is_none() {
        let _ = aws_lc_rs::default_provider().install_default();
    }
    let mut builder = TransportBuilder::new(nodes).timeout(timeout).enable_meta_header(false);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy.expose().clone(), None, None);
    }
    let option = if proxy.is_some() { "proxy" } else { "tls" };
    // The error may name the proxy with its password, so only its innermost cause is told.
    builder.build().map_err(|error| ConfigError::new(option, root_cause(&error)))
}

/// The innermost cause: what is around it repeats that a request was sent, and where to.
fn root_cause(error: &dyn StdError) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    shown(&innermost.to_string())
}

/// The nodes, of which one is used until it does not answer. Taking turns would let a dead one fail its share forever.
#[derive(Debug, Clone)]
struct Nodes {
    connections: Arc<[Connection]>,
    turn: Arc<AtomicUsize>,
}

impl Nodes {
    fn new(urls: Vec<Url>) -> Self {
        Self { connections: urls.into_iter().map(Connection::new).collect(), turn: Arc::default() }
    }

    fn current(&self) -> usize {
        self.turn.load(Ordering::Relaxed)
    }

    /// Goes on to the next node, unless somebody did so already.
    fn leave(&self, node: usize) {
        let _ = self.turn.compare_exchange(node, node.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    fn host(&self) -> String {
        host_and_port(&self.next().url())
    }

    /// Whether a node asked for this path has this address.
    fn reach(&self, url: &Url, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        self.connections.iter().any(|node| node.url().join(path).is_ok_and(|own| own == *url))
    }
}

impl ConnectionPool for Nodes {
    fn next(&self) -> Connection {
        self.connections[self.current() % self.connections.len()].clone()
    }
}
