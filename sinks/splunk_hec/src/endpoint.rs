//! One address of the collector. Every request to it carries the token, the channel, and the cookies it set before.

use std::sync::{Arc, Mutex, PoisonError};

use watchbell_sink::{
    ConfigError, Context, HttpUrl, Memory, Secret, SecretUrl, SinkError, Tls,
    http::{HeaderValue, HttpClient, Method, Reply, RequestBuilder, header},
    reach::Target,
};

use crate::cookies::Cookies;

/// The header of the channel.
const CHANNEL: &str = "x-splunk-request-channel";

/// One address of the collector.
pub(crate) struct Endpoint {
    url: HttpUrl,
    pub(crate) target: Target,
    cookies: Mutex<Cookies>,
    memory: Arc<dyn Memory>,
}

impl Endpoint {
    pub(crate) fn new(
        url: HttpUrl,
        tls: &Tls,
        proxy: Option<&SecretUrl>,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        let target = match proxy {
            Some(proxy) => Target::of_url(proxy.expose(), &Tls::default(), context.timeout)?,
            None => Target::of_url(url.url(), tls, context.timeout)?,
        };
        let memory = Arc::clone(&context.memory);
        let cookies = memory.recall(&remembered_as(&url)).map(|text| Cookies::parse(&text));
        Ok(Self { url, target, cookies: Mutex::new(cookies.unwrap_or_default()), memory })
    }

    /// The address, as an acknowledgement's reference names it.
    pub(crate) fn name(&self) -> &str {
        self.url.url().as_str()
    }

    /// Asks for a path below the address.
    pub(crate) async fn send(&self, access: &Access, request: Request<'_>) -> Result<Reply, SinkError> {
        let mut builder = access.client.request(request.method, self.url.join(request.path));
        builder = builder.header(header::AUTHORIZATION, access.authorization.clone());
        builder = builder.header(CHANNEL, request.channel);
        if let Some(cookies) = self.locked().header() {
            builder = builder.header(header::COOKIE, cookies);
        }
        let reply = access.client.send((request.fill)(builder)).await?;
        let mut cookies = self.locked();
        if cookies.take(&reply.headers) {
            // After a restart the acknowledgements that are still open are asked for at the same indexer.
            self.memory.keep(&remembered_as(&self.url), &cookies.text());
        }
        Ok(reply)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Cookies> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remembered_as(url: &HttpUrl) -> String {
    format!("cookies {url}")
}

/// How we are let in.
pub(crate) struct Access {
    client: HttpClient,
    authorization: HeaderValue,
}

impl Access {
    pub(crate) fn new(client: HttpClient, token: &Secret) -> Result<Self, ConfigError> {
        let wrong = |_| ConfigError::new("token", "expected a token as Splunk shows it, without line ends");
        let token = token.expose().trim();
        let token = token.strip_prefix("Splunk ").unwrap_or(token);
        let mut authorization = HeaderValue::from_str(&format!("Splunk {token}")).map_err(wrong)?;
        authorization.set_sensitive(true);
        Ok(Self { client, authorization })
    }
}

/// What is asked for.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) channel: &'a str,
    /// Adds the body.
    pub(crate) fill: &'a (dyn Fn(RequestBuilder) -> RequestBuilder + Sync),
}
