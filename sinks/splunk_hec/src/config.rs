//! The options of a collector.

use std::{fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;
use watchbell_sink::{
    AcknowledgementLimits, ConfigError, Context, HttpUrl, Secret, SecretUrl, SinkConfig, Tls,
    http::{HttpClient, HttpOptions},
};

use crate::{
    endpoint::{Access, Endpoint, Way},
    sink::{Metadata, SplunkHec},
};

/// Where findings go, and what Splunk calls them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplunkHecConfig {
    /// Address of the collector without a path, for example `https://splunk.example:8088`; or a list of them, of which
    /// the next is taken when one fails.
    pub endpoint: Endpoints,
    /// Token of the HTTP event collector, from Splunk Web: Settings, Data inputs, HTTP Event Collector. `token_file` reads it
    /// from a file.
    pub token: Secret,
    /// Index that findings go to; without it, the token's default.
    pub index: Option<String>,
    /// Source type of the events.
    #[serde(default = "sourcetype")]
    pub sourcetype: String,
    /// Source of the events.
    #[serde(default = "source")]
    pub source: String,
    /// Host of the events; without it, the host that the collector runs on.
    pub host: Option<String>,
    /// Whether requests above 1 kB are compressed.
    #[serde(default = "yes")]
    pub gzip: bool,
    /// Whether a finding counts as delivered only when Splunk says that it was indexed. The token must have indexer
    /// acknowledgement switched on; Splunk Cloud does not offer it.
    #[serde(default)]
    pub ack: bool,
    /// Without an acknowledgement for so many seconds, a finding goes out again.
    #[serde(default = "ack_timeout_secs")]
    pub ack_timeout_secs: u64,
    /// Seconds from one question for acknowledgements to the next.
    #[serde(default = "ack_poll_secs")]
    pub ack_poll_secs: u64,
    /// GUID of the channel; without it, one that follows from the sink's name and first address. With `ack = true` each run has
    /// channels of its own.
    pub channel: Option<String>,
    /// Certificates.
    pub tls: Option<Tls>,
    /// Proxy to go through; without it, what the environment says.
    pub proxy: Option<SecretUrl>,
}

fn sourcetype() -> String {
    "watchbell:finding".to_owned()
}

fn source() -> String {
    "watchbell".to_owned()
}

const fn yes() -> bool {
    true
}

/// The last events before a pause were seen to be acknowledged after two minutes.
const fn ack_timeout_secs() -> u64 {
    300
}

const fn ack_poll_secs() -> u64 {
    10
}

impl SinkConfig for SplunkHecConfig {
    const TYPE: &'static str = "splunk_hec";
    const EXAMPLE: &'static str = include_str!("example.toml");
    type Sink = SplunkHec;

    fn build(self, context: &Context) -> Result<SplunkHec, ConfigError> {
        let acknowledgement = self.acknowledgement()?;
        let channel = self.channel(context)?;
        for (key, value) in [("sourcetype", Some(&self.sourcetype)), ("index", self.index.as_ref())] {
            if value.is_some_and(|value| value.trim().is_empty()) {
                return Err(ConfigError::new(key, "expected a name, found an empty text"));
            }
        }
        let tls = self.tls.unwrap_or_default();
        let options = HttpOptions {
            tls: Some(&tls),
            proxy: self.proxy.as_ref(),
            public_only: false,
            secrets: vec![self.token.clone()],
        };
        let access = Access::new(HttpClient::new(context, options)?, &self.token)?;
        let fixed = Some(channel.as_str()).filter(|_| acknowledgement.is_none());
        let way = Way { tls: &tls, proxy: self.proxy.as_ref(), fixed };
        let endpoint = |url| Endpoint::new(url, &way, context);
        let endpoints = self.endpoint.0.into_iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        let metadata =
            Metadata { index: self.index, sourcetype: self.sourcetype, source: self.source, host: self.host };
        Ok(SplunkHec {
            access,
            endpoints,
            next: 0.into(),
            metadata,
            gzip: self.gzip,
            acknowledgement,
            proxied: self.proxy.is_some(),
        })
    }
}

impl SplunkHecConfig {
    fn acknowledgement(&self) -> Result<Option<AcknowledgementLimits>, ConfigError> {
        if self.ack_poll_secs == 0 {
            return Err(ConfigError::new("ack_poll_secs", "expected at least 1"));
        }
        if self.ack_timeout_secs <= self.ack_poll_secs {
            return Err(ConfigError::new("ack_timeout_secs", "expected more than `ack_poll_secs`"));
        }
        let [poll, timeout] = [self.ack_poll_secs, self.ack_timeout_secs].map(Duration::from_secs);
        Ok(self.ack.then_some(AcknowledgementLimits { poll, timeout }))
    }

    fn channel(&self, context: &Context) -> Result<String, ConfigError> {
        if self.ack && self.channel.is_some() {
            let message = "with `ack = true` a channel is given up when the collector counts anew: remove it";
            return Err(ConfigError::new("channel", message));
        }
        let channel = match &self.channel {
            Some(given) => Uuid::try_parse(given.trim()).map_err(|_| {
                ConfigError::new("channel", "expected a GUID like `0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba`")
            })?,
            None => {
                let first = self.endpoint.0.first().map(ToString::to_string).unwrap_or_default();
                Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("watchbell {} {first}", context.name).as_bytes())
            }
        };
        Ok(channel.hyphenated().to_string())
    }
}

/// One address or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints(Vec<HttpUrl>);

impl<'de> Deserialize<'de> for Endpoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Addresses)
    }
}

impl JsonSchema for Endpoints {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Endpoints".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string", "format": "uri" },
            { "type": "array", "items": { "type": "string", "format": "uri" }, "minItems": 1 },
        ] })
    }
}

struct Addresses;

impl<'de> de::Visitor<'de> for Addresses {
    type Value = Endpoints;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address like `https://splunk.example:8088`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Endpoints, E> {
        Ok(Endpoints(vec![address(text)?]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut texts: A) -> Result<Endpoints, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = texts.next_element::<String>()? {
            addresses.push(address(&text)?);
        }
        if addresses.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(Endpoints(addresses))
    }
}

fn address<E: de::Error>(text: &str) -> Result<HttpUrl, E> {
    let url: HttpUrl = text.parse().map_err(E::custom)?;
    if url.url().path().contains("/services/collector") {
        return Err(E::custom("expected the address without `/services/collector`, which is added"));
    }
    Ok(url)
}
