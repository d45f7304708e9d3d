//! The options. Whoever reads them knows everything a user can say about this sink.

use std::num::NonZeroU32;

use base64::{Engine, engine::general_purpose::STANDARD};
use elasticsearch::http::{Url, headers::HeaderValue, transport::CloudId};
use schemars::JsonSchema;
use serde::Deserialize;
use watchbell_sink::{ConfigError, Context, HttpUrl, Secret, SecretUrl, SinkConfig, Tls};

use crate::{
    ElasticsearchSink,
    sink::Target,
    transport::{Access, Cluster},
};

/// Begins with none of the words (`logs-`, `metrics-`, `synthetics-`, `traces-`) for which Elasticsearch and Fleet bring
/// templates of their own, so that only our template ever applies.
const DATA_STREAM: &str = "watchbell-findings";

/// Findings as documents of the Elastic Common Schema, into Elasticsearch 8 and 9 or OpenSearch 2 and 3.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElasticsearchConfig {
    /// Addresses of the cluster's nodes, for example `["https://es1.example:9200"]`. One is used until it does not answer,
    /// then the next. Either this or `cloud_id`.
    #[serde(default)]
    pub nodes: Vec<HttpUrl>,
    /// The Cloud ID of an Elastic Cloud deployment, from its overview page.
    pub cloud_id: Option<String>,
    /// An API key: the encoded form that Kibana shows, or `id:key`. Elasticsearch only.
    pub api_key: Option<Secret>,
    /// The name of a user, where no API key is used.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The data stream that the findings go to. Default: `watchbell-findings`.
    pub data_stream: Option<String>,
    /// A plain index (or an alias for writing) instead of the data stream.
    pub index: Option<String>,
    /// An ingest pipeline that each document passes.
    pub pipeline: Option<String>,
    /// The index template that `--setup` keeps.
    #[serde(default)]
    pub template: TemplateOptions,
    /// Findings older than so many days are deleted by the cluster. Default: never. Data streams only.
    pub retention_days: Option<NonZeroU32>,
    /// Certificates.
    #[serde(default)]
    pub tls: Tls,
    /// The proxy to go through, for example `http://proxy.example:3128`. Default: what the environment says.
    pub proxy: Option<SecretUrl>,
}

/// The index template that `--setup` keeps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TemplateOptions {
    /// Its name, also that of the lifecycle policy. Default: the name of the data stream or index.
    pub name: Option<String>,
    /// Whether `--setup` makes template and policy and renews its own. With `false` both are yours.
    pub manage: bool,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self { name: None, manage: true }
    }
}

impl SinkConfig for ElasticsearchConfig {
    const TYPE: &'static str = "elasticsearch";
    const EXAMPLE: &'static str = r#"nodes = ["https://elasticsearch.example:9200"]
api_key = "${ELASTICSEARCH_API_KEY}"   # or api_key_file; or username and password
# cloud_id = "deployment:ZXhhbXBsZS5jb20kYWJj"   # instead of nodes
# data_stream = "watchbell-findings"             # or index = "..."
# retention_days = 365
"#;
    type Sink = ElasticsearchSink;

    fn build(self, context: &Context) -> Result<ElasticsearchSink, ConfigError> {
        let target = self.target()?;
        let template = match &self.template.name {
            Some(name) => checked_name("template.name", name)?,
            None => target.name().to_owned(),
        };
        if let Some(pipeline) = &self.pipeline {
            checked_path_part("pipeline", pipeline)?;
        }
        if self.retention_days.is_some() && matches!(target, Target::Index(_)) {
            let message = "expected together with `data_stream` only: a plain index would be deleted as a whole";
            return Err(ConfigError::new("retention_days", message));
        }
        let nodes = self.nodes()?;
        let (authorization, secrets) = self.credentials()?;
        let has_credentials = authorization.is_some();
        let access =
            Access { nodes: nodes.clone(), authorization, tls: &self.tls, proxy: self.proxy.as_ref(), secrets };
        let cluster = Cluster::new(access, context)?;
        Ok(ElasticsearchSink {
            cluster,
            nodes,
            tls: self.tls,
            proxied: self.proxy.is_some(),
            has_credentials,
            timeout: context.timeout,
            target,
            pipeline: self.pipeline,
            template,
            manages_template: self.template.manage,
            retention_days: self.retention_days.map(NonZeroU32::get),
            seen: false.into(),
        })
    }
}

impl ElasticsearchConfig {
    fn target(&self) -> Result<Target, ConfigError> {
        match (&self.data_stream, &self.index) {
            (Some(_), Some(_)) => Err(ConfigError::new("index", "expected either `data_stream` or `index`, not both")),
            (None, Some(index)) => checked_name("index", index).map(Target::Index),
            (Some(stream), None) => checked_name("data_stream", stream).map(Target::DataStream),
            (None, None) => Ok(Target::DataStream(DATA_STREAM.to_owned())),
        }
    }

    fn nodes(&self) -> Result<Vec<Url>, ConfigError> {
        match (self.nodes.as_slice(), &self.cloud_id) {
            ([], None) => Err(ConfigError::new("nodes", "expected at least one address, or `cloud_id`")),
            ([], Some(cloud_id)) => {
                let expected = "expected the Cloud ID from the deployment's page, `name:base64`";
                CloudId::parse(cloud_id.trim())
                    .map(|cloud| vec![cloud.url])
                    .map_err(|_| ConfigError::new("cloud_id", expected))
            }
            (_, Some(_)) => Err(ConfigError::new("cloud_id", "expected either `nodes` or `cloud_id`, not both")),
            (nodes, None) => match nodes.iter().find(|node| node.url().query().or(node.url().fragment()).is_some()) {
                Some(_) => Err(ConfigError::new("nodes", "expected addresses without `?` and `#`")),
                None => Ok(nodes.iter().map(|node| node.url().clone()).collect()),
            },
        }
    }

    /// The value of `Authorization`, and what must never be shown.
    fn credentials(&self) -> Result<(Option<HeaderValue>, Vec<Secret>), ConfigError> {
        let (option, scheme, encoded) = match (&self.api_key, &self.username, &self.password) {
            (None, None, None) => return Ok((None, Vec::new())),
            (Some(_), Some(_), _) => {
                return Err(ConfigError::new("username", "expected either `api_key` or `username` and `password`"));
            }
            (Some(_), None, Some(_)) => {
                return Err(ConfigError::new("password", "expected either `api_key` or `username` and `password`"));
            }
            (None, Some(_), None) => return Err(ConfigError::new("password", "expected the password of `username`")),
            (None, None, Some(_)) => return Err(ConfigError::new("username", "expected the user of `password`")),
            (Some(key), None, None) => {
                let key = key.expose().trim();
                // An encoded key has no colon; `id:key` is what the API calls its two parts.
                ("api_key", "ApiKey", if key.contains(':') { STANDARD.encode(key) } else { key.to_owned() })
            }
            (None, Some(user), Some(password)) => {
                ("password", "Basic", STANDARD.encode(format!("{user}:{}", password.expose())))
            }
        };
        let mut value = HeaderValue::from_str(&format!("{scheme} {encoded}"))
            .map_err(|_| ConfigError::new(option, "expected one line of printable characters"))?;
        value.set_sensitive(true);
        let mut secrets: Vec<Secret> = [&self.api_key, &self.password].into_iter().flatten().cloned().collect();
        // A server may repeat the second half alone: of an API key as of a name and password.
        let halves = STANDARD.decode(&encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let second = halves.as_deref().and_then(|halves| halves.split_once(':')).map(|(_, second)| second.to_owned());
        secrets.extend(second.into_iter().chain([encoded]).map(Secret::new));
        Ok((Some(value), secrets))
    }
}

/// A name that Elasticsearch and OpenSearch take for an index, a data stream or a template.
fn checked_name(option: &str, name: &str) -> Result<String, ConfigError> {
    let refused = |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control() || r#"\/*?"<>|,#:"#.contains(c);
    let wrong = name.is_empty() || name.len() > 255 || name.starts_with(['-', '_', '+', '.']) || name.contains(refused);
    if wrong {
        let message = "expected a name in lower case, at most 255 bytes, without spaces and \\ / * ? \" < > | , # :, \
                       that does not begin with - _ + or .";
        return Err(ConfigError::new(option, message));
    }
    Ok(name.to_owned())
}

fn checked_path_part(option: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@~".contains(&byte);
    match !name.is_empty() && name.bytes().all(plain) {
        true => Ok(()),
        false => Err(ConfigError::new(option, "expected a name of letters, digits and - _ . @ ~")),
    }
}
