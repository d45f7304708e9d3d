//! The options of Google SecOps, and what they build.

use schemars::JsonSchema;
use serde::Deserialize;
use watchbell_sink::{
    ConfigError, Context, HttpUrl, Limits, Secret, SecretUrl, SinkConfig, Tls,
    http::{HttpClient, HttpOptions},
    reach::Target,
};
use watchbell_udm::lint::is_hostname;

use crate::{
    encode::Style,
    location::Location,
    sink::{Chronicle, Parts},
    token::{Identity, Tokens, Way, config_error},
};

/// What one request may carry, by Google's published practice and by what is known to pass.
const MOST_EVENTS: usize = 1000;
const MOST_BYTES: usize = 1_000_000;
/// Less would not hold one event of the usual size.
const LEAST_BYTES: usize = 16_384;

/// Which instance findings go to, and as whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChronicleConfig {
    /// ID of the Google Cloud project that is linked to the instance.
    pub project: String,
    /// Where the instance lives, for example `us`, `eu` or `europe-west3`.
    pub location: String,
    /// The instance: the customer ID, a UUID. In SecOps under Settings, SIEM Settings, Profile.
    pub instance: String,
    /// Content of a credentials file: the key of a service account, or a workload identity configuration.
    /// `credentials_file` reads it from a file. Without one, `auth` has to be `application_default`.
    pub credentials: Option<Secret>,
    /// As whom: `credentials` (the default) or `application_default` (what `GOOGLE_APPLICATION_CREDENTIALS`, gcloud or the
    /// machine's metadata server gives).
    #[serde(default)]
    pub auth: Auth,
    /// Which API: `v1` (the default; falls back to v1beta where v1 is not served) or `legacy`, which ends on 2027-07-20.
    #[serde(default)]
    pub api: Api,
    /// Address of the API instead of the location's own, for example `https://chronicle.europe-west3.rep.googleapis.com`.
    pub endpoint: Option<HttpUrl>,
    /// Most events in one request, up to 1000.
    #[serde(default = "most_events")]
    pub max_events: usize,
    /// Most bytes in one request, from 16384 up to 1000000.
    #[serde(default = "most_bytes")]
    pub max_bytes: usize,
    /// `metadata.vendor_name` of the events.
    #[serde(default = "watchbell")]
    pub vendor_name: String,
    /// `metadata.product_name` of the events; the rules look for it.
    #[serde(default = "watchbell")]
    pub product_name: String,
    /// Name of the computer that sends, as `observer.hostname`.
    pub collector: Option<String>,
    /// Environment namespace of the nouns, where several networks use the same addresses.
    pub namespace: Option<String>,
    /// Certificates.
    #[serde(default)]
    pub tls: Tls,
    /// Proxy to go through, `http://host:port`; without one, what the environment says.
    pub proxy: Option<SecretUrl>,
}

/// As whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The credentials given here.
    #[default]
    Credentials,
    /// What the environment gives.
    ApplicationDefault,
}

/// Which API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// The Chronicle API.
    #[default]
    V1,
    /// The ingestion API of before; ends on 2027-07-20.
    Legacy,
}

impl SinkConfig for ChronicleConfig {
    const TYPE: &'static str = "chronicle";
    const EXAMPLE: &'static str = include_str!("example.toml");
    type Sink = Chronicle;

    fn build(self, context: &Context) -> Result<Chronicle, ConfigError> {
        let location = Location::read(&self.location, self.endpoint.is_some())?;
        let project = project(&self.project)?;
        let instance = uuid(&self.instance)?;
        within("max_events", self.max_events, 1..=MOST_EVENTS)?;
        within("max_bytes", self.max_bytes, LEAST_BYTES..=MOST_BYTES)?;
        let identity = identity(self.auth, self.credentials.as_ref())?;
        let base = match (&self.endpoint, self.api) {
            (Some(endpoint), _) => endpoint.clone(),
            (None, Api::V1) => http_url(&location.modern())?,
            (None, Api::Legacy) => http_url(&location.legacy())?,
        };
        let proxied = self.proxy.is_some();
        let options = HttpOptions {
            tls: Some(&self.tls),
            proxy: self.proxy.as_ref(),
            public_only: false,
            secrets: self.credentials.iter().cloned().collect(),
        };
        let http = HttpClient::new(context, options)?;
        let target = Target::of_url(base.url(), &self.tls, context.timeout)?;
        let tokens = Tokens::new(identity, self.api.scope(), Way { tls: self.tls, proxy: self.proxy }, context.timeout);
        let parent = format!("projects/{project}/locations/{}/instances/{instance}", location.as_str());
        let envelope = self.api.envelope(&instance);
        // Between the events stand commas.
        let room = self.max_bytes - envelope.0.len() - envelope.1.len() - self.max_events;
        let style = Style {
            vendor_name: short("vendor_name", self.vendor_name)?,
            product_name: short("product_name", self.product_name)?,
            namespace: self.namespace.map(|namespace| short("namespace", namespace)).transpose()?,
            collector: self.collector.map(collector).transpose()?,
            wrapped: self.api == Api::V1,
            largest: room,
        };
        let limits = Limits::new(self.max_events, room);
        Ok(Chronicle::new(Parts {
            api: self.api,
            base,
            parent,
            envelope,
            style,
            limits,
            http,
            target,
            tokens,
            proxied,
        }))
    }
}

impl Api {
    /// What the token is good for.
    const fn scope(self) -> &'static str {
        match self {
            Self::V1 => "https://www.googleapis.com/auth/cloud-platform",
            Self::Legacy => "https://www.googleapis.com/auth/malachite-ingestion",
        }
    }

    /// What stands before and after the events.
    fn envelope(self, instance: &str) -> (String, &'static str) {
        match self {
            Self::V1 => ("{\"inline_source\":{\"events\":[".to_owned(), "]}}"),
            Self::Legacy => (format!("{{\"customerId\":\"{instance}\",\"events\":["), "]}"),
        }
    }
}

fn most_events() -> usize {
    MOST_EVENTS
}

fn most_bytes() -> usize {
    MOST_BYTES
}

fn watchbell() -> String {
    "Watchbell".to_owned()
}

fn identity(auth: Auth, credentials: Option<&Secret>) -> Result<Identity, ConfigError> {
    match (auth, credentials) {
        (Auth::Credentials, Some(credentials)) => Identity::read(credentials).map_err(config_error),
        (Auth::Credentials, None) => {
            let message =
                "expected credentials_file with the key of a service account, or auth = \"application_default\"";
            Err(ConfigError::new("credentials", message))
        }
        (Auth::ApplicationDefault, None) => Ok(Identity::Environment),
        (Auth::ApplicationDefault, Some(_)) => {
            Err(ConfigError::new("auth", "expected either credentials or auth = \"application_default\", found both"))
        }
    }
}

fn http_url(url: &url::Url) -> Result<HttpUrl, ConfigError> {
    url.as_str().parse().map_err(|error: String| ConfigError::new("location", error))
}

/// A project's ID or number; organizations of old have a domain before a colon.
fn project(text: &str) -> Result<String, ConfigError> {
    let text = text.trim();
    let fine = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    let message = || ConfigError::new("project", "expected the ID of a project, for example my-project-123");
    fine.then(|| text.to_owned()).ok_or_else(message)
}

fn uuid(text: &str) -> Result<String, ConfigError> {
    let text = text.trim().to_ascii_lowercase();
    let fine = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    let message = "expected the customer ID, a UUID like 01234567-89ab-cdef-0123-456789abcdef";
    if fine { Ok(text) } else { Err(ConfigError::new("instance", message)) }
}

fn within(key: &str, number: usize, range: std::ops::RangeInclusive<usize>) -> Result<(), ConfigError> {
    let message = || format!("{number} is not within {} to {}", range.start(), range.end());
    if range.contains(&number) { Ok(()) } else { Err(ConfigError::new(key, message())) }
}

fn short(key: &str, text: String) -> Result<String, ConfigError> {
    let fine = !text.trim().is_empty() && text.len() <= 256;
    if fine { Ok(text) } else { Err(ConfigError::new(key, "expected 1 to 256 bytes of text")) }
}

fn collector(name: String) -> Result<String, ConfigError> {
    if is_hostname(&name) { Ok(name) } else { Err(ConfigError::new("collector", "expected a host name (RFC 1123)")) }
}
