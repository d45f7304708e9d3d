//! One address of the collector. Every request to it carries the token, the channel, and the cookies it set before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use watchbell_sink::{
    ConfigError, Context, HttpUrl, Memory, Secret, SecretUrl, SinkError, Tls,
    http::{HeaderValue, HttpClient, Method, Reply, RequestBuilder, header},
    reach::Target,
};

use crate::{channel::Channel, cookies::Cookies};

/// The header of the channel.
const CHANNEL: &str = "x-splunk-request-channel";

/// One address of the collector.
pub(crate) struct Endpoint {
    url: HttpUrl,
    pub(crate) target: Target,
    cookies: Mutex<Cookies>,
    channel: Mutex<Channel>,
    memory: Arc<dyn Memory>,
}

impl Endpoint {
    pub(crate) fn new(url: HttpUrl, way: &Way<'_>, context: &Context) -> Result<Self, ConfigError> {
        let Way { tls, proxy, fixed } = way;
        let target = match proxy {
            Some(proxy) => Target::of_url(proxy.expose(), &Tls::default(), context.timeout)?,
            None => Target::of_url(url.url(), tls, context.timeout)?,
        };
        let memory = Arc::clone(&context.memory);
        let recall = |what| memory.recall(&remembered_as(what, &url)).unwrap_or_default();
        let cookies = Mutex::new(Cookies::parse(&recall(COOKIES)));
        let channel = fixed.map_or_else(|| Channel::fresh(&recall(RENOUNCED)), |id| Channel::fixed(id.to_owned()));
        Ok(Self { target, cookies, channel: Mutex::new(channel), memory, url })
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
        if let Some(cookies) = locked(&self.cookies).header() {
            builder = builder.header(header::COOKIE, cookies);
        }
        let reply = access.client.send((request.fill)(builder)).await?;
        let mut cookies = locked(&self.cookies);
        if cookies.take(&reply.headers) {
            // After a restart the acknowledgements that are still open are asked for at the same indexer.
            self.memory.keep(&remembered_as(COOKIES, &self.url), &cookies.text());
        }
        Ok(reply)
    }

    /// The channel that the next request goes out on.
    pub(crate) fn channel(&self) -> String {
        locked(&self.channel).current()
    }

    /// A request on this channel was taken under this number; whether that can be believed.
    pub(crate) fn takes(&self, channel: &str, number: u64) -> bool {
        let mut state = locked(&self.channel);
        let believed = state.takes(channel, number);
        if !believed {
            self.memory.keep(&remembered_as(RENOUNCED, &self.url), &state.renounced());
        }
        believed
    }

    /// Whether nothing on this channel is believed any more.
    pub(crate) fn is_renounced(&self, channel: &str) -> bool {
        locked(&self.channel).is_renounced(channel)
    }
}

const COOKIES: &str = "cookies";
const RENOUNCED: &str = "renounced channels";

fn remembered_as(what: &str, url: &HttpUrl) -> String {
    format!("{what} {url}")
}

fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How endpoints are reached.
pub(crate) struct Way<'a> {
    pub(crate) tls: &'a Tls,
    pub(crate) proxy: Option<&'a SecretUrl>,
    /// The channel, where it stays.
    pub(crate) fixed: Option<&'a str>,
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
