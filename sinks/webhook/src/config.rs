//! The options of a webhook.
//!
//! The address counts as a secret: what is below the host often is one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchbell_sink::{
    ConfigError, Context, Secret, SecretUrl, SinkConfig, Tls,
    http::{self, HeaderMap, HeaderName, HeaderValue, header},
};

use crate::{
    body::Encoder,
    sign,
    sign::Signer,
    sink::{Message, Way, Webhook},
    template::Template,
};

/// Where findings go, and in which form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Address that each finding is sent to. Only its host is ever shown. `url_file` reads it from a file.
    pub url: SecretUrl,
    /// Method of the request: `POST`, `PUT` or `PATCH`.
    #[serde(default)]
    pub method: Method,
    /// Headers to add to each request; their values are never shown. Headers that the connection, the body or the
    /// signature has itself are refused.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// What is sent: `watchbell` (the finding as it is, in an envelope), `ocsf` (Detection Finding) or `ecs` (Elastic
    /// Common Schema). `watchbell` unless there is a `template`.
    pub body: Option<Body>,
    /// Jinja template that makes the body, instead of `body`; it sees `finding`. In a JSON body each `{{ .. }}` writes a
    /// whole JSON value, quotes included. `template_file` reads it from a file.
    #[schemars(extend("x-from-file" = true))]
    pub template: Option<String>,
    /// Media type of the body; `application/json` unless given. It decides how a template's values are escaped.
    pub content_type: Option<String>,
    /// Secret that signs each request as Standard Webhooks says: `whsec_` and 24 to 64 bytes in base64. Without one,
    /// requests are not signed. `secret_file` reads it from a file.
    pub secret: Option<Secret>,
    /// More secrets that sign as well, while the receiver changes from one to another.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Whether addresses that are not on the public internet are allowed (your own network, this machine).
    #[serde(default)]
    pub allow_private: bool,
    /// Certificates.
    pub tls: Option<Tls>,
    /// Proxy to go through; needs `allow_private = true`, because then the proxy looks the address up.
    pub proxy: Option<SecretUrl>,
}

/// Methods that carry a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `POST`.
    #[default]
    Post,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
        }
    }
}

/// Forms of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Watchbell's own finding, as `data` of an event `finding.created`.
    Watchbell,
    /// A Detection Finding of the Open Cybersecurity Schema Framework 1.8.
    Ocsf,
    /// A document of the Elastic Common Schema.
    Ecs,
}

impl SinkConfig for WebhookConfig {
    const TYPE: &'static str = "webhook";
    const EXAMPLE: &'static str = include_str!("example.toml");
    type Sink = Webhook;

    fn build(self, context: &Context) -> Result<Webhook, ConfigError> {
        let content_type = self.content_type.clone().unwrap_or_else(|| "application/json".to_owned());
        let encoder = match (self.body, &self.template) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new("template", "makes the body itself: give either `body` or `template`"));
            }
            (_, Some(template)) => Encoder::Template(Box::new(Template::new(template.clone(), &content_type)?)),
            (Some(Body::Ocsf), None) => Encoder::Ocsf,
            (Some(Body::Ecs), None) => Encoder::Ecs,
            (Some(Body::Watchbell) | None, None) => Encoder::Watchbell,
        };
        if self.proxy.is_some() && !self.allow_private {
            let message = "a proxy looks addresses up itself, so private ones can't be refused here: set \
                           `allow_private = true` if the proxy refuses them or they may be reached";
            return Err(ConfigError::new("proxy", message));
        }
        let mut headers = headers(&self.headers)?;
        let content_type = HeaderValue::from_str(&content_type)
            .map_err(|_| ConfigError::new("content_type", "expected a media type like `application/json`"))?;
        headers.insert(header::CONTENT_TYPE, content_type);
        let named = self.secret.iter().map(|secret| ("secret", secret));
        let signer = Signer::new(named.chain(self.secrets.iter().map(|secret| ("secrets", secret))))?;
        let secrets = secrets(&self);
        let message = Message { url: self.url, method: self.method.into(), headers, encoder, signer };
        let way =
            Way { tls: self.tls.unwrap_or_default(), proxy: self.proxy, allow_private: self.allow_private, secrets };
        Webhook::new(message, way, context)
    }
}

/// What the receiver may repeat and nobody should see: also what stands below the host in the address, whole and in parts.
fn secrets(config: &WebhookConfig) -> Vec<Secret> {
    /// Shorter parts are words like `hooks`, without which an answer can't be read.
    const SHORTEST_PART: usize = 10;
    let url = config.url.expose();
    let parts = url.path().split('/').chain(url.query().unwrap_or_default().split(['&', '=']));
    let parts = parts.filter(|part| part.len() >= SHORTEST_PART);
    let whole = [url.path(), url.query().unwrap_or_default(), url.password().unwrap_or_default()];
    let of_address = whole.into_iter().chain(parts).map(|text| Secret::new(text.to_owned()));
    let given = config.secret.iter().chain(&config.secrets).chain(config.headers.values()).cloned();
    // The longest first: a part that is taken out before would leave the rest of the whole.
    let mut all: Vec<Secret> = given.chain(of_address).collect();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    all
}

/// Headers that only the connection, the body or the signature may set.
const REFUSED: [&str; 15] = [
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    sign::ID,
    sign::TIMESTAMP,
    sign::SIGNATURE,
];

fn headers(given: &BTreeMap<String, Secret>) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let option = || format!("headers.{}", http::shown(name));
        let name: HeaderName =
            name.parse().map_err(|_| ConfigError::new(option(), "expected the name of a header, like `X-Api-Key`"))?;
        if name == header::CONTENT_TYPE {
            return Err(ConfigError::new(option(), "is set by the option `content_type`"));
        }
        if REFUSED.contains(&name.as_str()) {
            return Err(ConfigError::new(option(), "is set by the connection or the signature; remove it"));
        }
        let mut value = HeaderValue::from_str(value.expose().trim())
            .map_err(|_| ConfigError::new(option(), "expected a value without line ends and control characters"))?;
        value.set_sensitive(true);
        if headers.insert(name, value).is_some() {
            return Err(ConfigError::new(option(), "is there twice, in different letters"));
        }
    }
    Ok(headers)
}
