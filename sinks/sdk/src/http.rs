//! The HTTP client that sinks share: no redirects, bounded answers, errors by kind, and no address or secret in any of them.
//!
//! It does not retry. A connection that broke is tried once more by the outbox, which knows what else is waiting.

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
pub use reqwest::RequestBuilder;
use reqwest::{
    Client, Proxy,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use url::{Host, Url};

use crate::{
    error::{ConfigError, ErrorKind, NotConnected, SinkError},
    options::{Secret, SecretUrl, Tls, host_and_port},
    reach::certificate_error,
    sink::Context,
};

/// The most that is read of an answer: more than any destination has to say about one batch.
const LARGEST_ANSWER: usize = 16 << 20;
/// The most that an error repeats of what the destination says.
const LONGEST_EXCERPT: usize = 300;
/// The longest wait that a destination can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How the client is built.
#[derive(Debug, Default)]
pub struct HttpOptions<'a> {
    /// Certificates.
    pub tls: Option<&'a Tls>,
    /// The proxy to go through; without one, what the environment says.
    pub proxy: Option<&'a SecretUrl>,
    /// Only public addresses are spoken to, whether they stand in the URL or a name leads there. Excludes a proxy.
    pub public_only: bool,
    /// What must not appear in an error even when the destination repeats it.
    pub secrets: Vec<Secret>,
}

/// An HTTP client for one sink.
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    timeout: Duration,
    public_only: bool,
    secrets: Arc<[Secret]>,
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client that waits for an answer as long as the context says.
    ///
    /// # Errors
    /// Names the option: `tls` and what is below it, or `proxy`.
    pub fn new(context: &Context, options: HttpOptions<'_>) -> Result<Self, ConfigError> {
        let mut tls = options.tls.cloned().unwrap_or_default().client_config()?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent(concat!("watchbell/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(context.timeout.min(Duration::from_secs(10)))
            .timeout(context.timeout);
        if options.public_only {
            builder = builder.no_proxy().dns_resolver(Arc::new(PublicAddresses));
        } else if let Some(proxy) = options.proxy {
            let proxy = Proxy::all(proxy.expose().clone())
                .map_err(|error| ConfigError::new("proxy", told(&error.without_url())))?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| ConfigError::new("tls", told(&error.without_url())))?;
        let (timeout, public_only) = (context.timeout, options.public_only);
        Ok(Self { client, timeout, public_only, secrets: options.secrets.into() })
    }

    /// A request to be filled and [sent](Self::send).
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads the whole answer, of whatever status.
    ///
    /// # Errors
    /// There was no answer: [`ErrorKind::Unavailable`], or [`ErrorKind::Config`] when the destination's certificate is not
    /// trusted or its address is not allowed.
    pub async fn send(&self, request: RequestBuilder) -> Result<Reply, SinkError> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| {
            SinkError::new(
                ErrorKind::Config,
                self.hide(format!("the request can't be made: {}", told(&error.without_url()))),
            )
        })?;
        let host = host_and_port(request.url());
        if self.public_only {
            refuse_private(request.url())?;
        }
        let failed = |error: reqwest::Error| self.failure(&host, error);
        let mut response = client.execute(request).await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                let message = format!("{host} answers with more than {} MiB", LARGEST_ANSWER >> 20);
                return Err(SinkError::new(ErrorKind::Unavailable, message).with_status(status));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers, body: body.into(), host, secrets: Arc::clone(&self.secrets) })
    }

    fn failure(&self, host: &str, error: reqwest::Error) -> SinkError {
        let error = error.without_url();
        if let Some(reason) = certificate_error(&error) {
            return SinkError::new(ErrorKind::Config, format!("the certificate of {host} is not taken: {reason}"));
        }
        if let Some(refused) = caused_by::<NotPublic>(&error) {
            return SinkError::new(ErrorKind::Config, format!("{host}: {refused}"));
        }
        let message = match &error {
            _ if error.is_timeout() => format!("{host} gave no answer within {} s", self.timeout.as_secs_f64()),
            _ if error.is_connect() => format!("cannot connect to {host}: {}", root_cause(&error)),
            _ => format!("the connection to {host} broke: {}", root_cause(&error)),
        };
        let failed = SinkError::new(ErrorKind::Unavailable, self.hide(message));
        // Not the client's own error: its words may hold an address or a secret.
        if error.is_connect() { failed.with_source(NotConnected) } else { failed }
    }

    fn hide(&self, text: String) -> String {
        hide(text, &self.secrets)
    }
}

/// An answer, of whatever status.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    host: String,
    secrets: Arc<[Secret]>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Reply {
    /// An answer that another client than ours brought; `host` and `secrets` are for its errors.
    #[must_use]
    pub fn new(status: u16, headers: HeaderMap, body: Bytes, (host, secrets): (String, Arc<[Secret]>)) -> Self {
        Self { status, headers, body, host, secrets }
    }

    /// 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is something else: [`ErrorKind::Unavailable`], because it then is not the destination that answered.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, SinkError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("{} answers with something unexpected ({error}): {}", self.host, self.excerpt());
            SinkError::new(ErrorKind::Unavailable, message).with_status(self.status)
        })
    }

    /// How long the destination asks us to wait, as seconds or as a date; at most an hour.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match value.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).unwrap_or_default(),
        };
        Some(wait.min(LONGEST_WAIT))
    }

    /// The error that the status stands for. A redirect is one too: whoever follows it carries the credentials along.
    #[must_use]
    pub fn error(&self) -> SinkError {
        self.error_of(ErrorKind::from_status(self.status).unwrap_or(ErrorKind::Config))
    }

    /// The error of this kind, for a sink that knows better than the status.
    #[must_use]
    pub fn error_of(&self, kind: ErrorKind) -> SinkError {
        let message = match self.status {
            300..=399 => format!("{} answers {}, a redirect, which is not followed", self.host, self.status),
            _ if self.body.is_empty() => format!("{} answers {}", self.host, self.status),
            _ => format!("{} answers {}: {}", self.host, self.status, self.excerpt()),
        };
        let error = SinkError::new(kind, message).with_status(self.status);
        self.retry_after().map_or(error.clone(), |wait| error.with_retry_after(wait))
    }

    /// The beginning of the body, fit to be shown.
    #[must_use]
    pub fn excerpt(&self) -> String {
        self.shown(&String::from_utf8_lossy(&self.body))
    }

    /// A text out of this answer, fit to be shown: without secrets, and as [`shown`] makes it.
    #[must_use]
    pub fn shown(&self, text: &str) -> String {
        shown(&hide(text.to_owned(), &self.secrets))
    }
}

/// A text from elsewhere, fit for one line of an error: cut, without control characters.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut out = String::new();
    for letter in text.trim().chars().take(LONGEST_EXCERPT) {
        let invisible =
            matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        match letter {
            _ if letter.is_whitespace() => out.push(' '),
            _ if letter.is_control() || invisible => out.extend(letter.escape_unicode()),
            _ => out.push(letter),
        }
    }
    if text.trim().chars().nth(LONGEST_EXCERPT).is_some() {
        out.push('…');
    }
    out
}

fn hide(text: String, secrets: &[Secret]) -> String {
    secrets.iter().filter(|secret| secret.expose().len() >= 4).fold(text, |text, secret| {
        let hidden = text.replace(secret.expose(), "[redacted]");
        // What is no JSON string's own spelling may come back as one.
        let escaped = serde_json::to_string(secret.expose()).unwrap_or_default();
        hidden.replace(escaped.trim_matches('"'), "[redacted]")
    })
}

/// An error and its causes on one line.
fn told(error: &dyn StdError) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        out.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    shown(&out)
}

/// The innermost cause: what is around it repeats that a request was sent.
fn root_cause(error: &dyn StdError) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    shown(&innermost.to_string())
}

/// The cause of this type, also where an [`io::Error`] wraps it.
pub(crate) fn caused_by<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(inner) = wrapped
            && let Some(found) = caused_by::<T>(inner)
        {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// Why an address is not spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a public address; `allow_private = true` allows it")]
struct NotPublic(IpAddr);

/// An address that stands in the URL itself never meets the resolver.
fn refuse_private(url: &Url) -> Result<(), SinkError> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return Ok(()),
    };
    match is_public(address) {
        true => Ok(()),
        false => Err(SinkError::new(ErrorKind::Config, NotPublic(address).to_string())),
    }
}

/// Resolves names to public addresses only.
#[derive(Debug)]
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address among public ones is refused too: which of them is taken is not ours to say.
            if let Some(private) = found.iter().find(|address| !is_public(address.ip())) {
                return Err(NotPublic(private.ip()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the open internet: none of the ranges that IANA sets apart for special purposes.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let set_apart =
                matches!((a, b, c), (0 | 10 | 127, ..) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _))
                    || matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (192, 168, _) | (198, 18 | 19, _))
                    || matches!((a, b, c), (198, 51, 100) | (203, 0, 113) | (224..=255, ..));
            !set_apart
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public(IpAddr::V4(mapped)),
            None => {
                let segments = address.segments();
                let embedded = [segments[6], segments[7]].map(u16::to_be_bytes).concat();
                let inner = || is_public(IpAddr::from([embedded[0], embedded[1], embedded[2], embedded[3]]));
                match segments[0] {
                    // NAT64 carries an IPv4 address, which is the one that counts.
                    0x64 if segments[1] == 0xff9b && segments[2..6] == [0; 4] => inner(),
                    // 6to4 as well, further to the front.
                    0x2002 => {
                        let [a, b] = segments[1].to_be_bytes();
                        let [c, d] = segments[2].to_be_bytes();
                        is_public(IpAddr::from([a, b, c, d]))
                    }
                    // Teredo and other protocol assignments, and documentation.
                    0x2001 => segments[1] >= 0x200 && segments[1] != 0xdb8,
                    // Global unicast is 2000::/3; 3fff::/20 is for documentation.
                    0x2000..=0x3ffe => true,
                    0x3fff => segments[1] >= 0x1000,
                    _ => false,
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "2002:808:808::",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn literals_in_any_spelling_are_seen() {
        for spelling in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://[::ffff:7f00:1]/",
        ] {
            assert!(refuse_private(&spelling.parse().unwrap()).is_err(), "{spelling}");
        }
    }

    #[test]
    fn what_a_server_says_is_shown_without_secrets_and_without_control() {
        let secrets: Arc<[Secret]> = [Secret::new("hunter2\"x".to_owned())].into();
        let body = "\u{1b}[2Jyour token hunter2\"x or hunter2\\\"x\n\u{202e}is wrong".as_bytes().to_vec();
        let reply = |status, headers| Reply {
            status,
            headers,
            body: body.clone().into(),
            host: "siem.example".to_owned(),
            secrets: Arc::clone(&secrets),
        };
        let error = reply(400, HeaderMap::new()).error();
        assert_eq!(error.kind, ErrorKind::Rejected);
        assert_eq!(
            error.message,
            "siem.example answers 400: \\u{1b}[2Jyour token [redacted] or [redacted] \\u{202e}is wrong"
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(reply(429, headers.clone()).error().retry_after, Some(Duration::from_secs(7)));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        headers.insert(header::RETRY_AFTER, soon.parse().unwrap());
        let wait = reply(503, headers.clone()).error().retry_after.unwrap();
        assert!((85..=90).contains(&wait.as_secs()), "{wait:?}");
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("999999999"));
        assert_eq!(reply(503, headers).error().retry_after, Some(LONGEST_WAIT));
        assert_eq!(reply(302, HeaderMap::new()).error().kind, ErrorKind::Config);
    }
}
