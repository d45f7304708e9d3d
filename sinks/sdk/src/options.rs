//! Option blocks that sinks share.
//!
//! [`Secret`], [`SecretUrl`] and [`Pem`] say in their schema that they may come from a file; the engine reads it, so that
//! building a sink stays free of I/O.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::{error::ConfigError, trust::TrustEverybody};

/// The key of a schema that says: `NAME_file` may name a file that holds the value.
pub const FROM_FILE: &str = "x-from-file";

/// A credential. Prints as `[redacted]`; only [`Secret::expose`] shows it, so that a reader can find every place.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes over a credential.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(value.into())
    }

    /// The credential itself, for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        if value.trim().is_empty() {
            return Err(de::Error::custom("expected a secret, found an empty text"));
        }
        Ok(Self::new(value))
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password", "x-from-file": true })
    }
}

/// Certificates in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pem(String);

impl Pem {
    /// Takes over PEM text; it is read when it is used.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    fn certificates(&self, key: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.0.as_bytes()).collect();
        match read {
            Ok(certificates) if !certificates.is_empty() => Ok(certificates),
            _ => Err(ConfigError::new(key, "expected certificates in PEM (`-----BEGIN CERTIFICATE-----`)")),
        }
    }
}

impl JsonSchema for Pem {
    fn schema_name() -> Cow<'static, str> {
        "Pem".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-from-file": true })
    }
}

/// The address of an HTTP service, without credentials in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

impl HttpUrl {
    /// The address.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The address with this path below its own.
    #[must_use]
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{}", self.0.path().trim_end_matches('/'), path.trim_start_matches('/')));
        url
    }
}

impl FromStr for HttpUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = http_url(text)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong into the address; they have options of their own".to_owned());
        }
        Ok(Self(url))
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The address of an HTTP service that is itself a credential, as webhooks are. Shows scheme and host only.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// The address itself, for the wire only.
    #[must_use]
    pub const fn expose(&self) -> &Url {
        &self.0
    }
}

impl FromStr for SecretUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        http_url(text).map(Self)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/[redacted]", self.0.scheme(), host_and_port(&self.0))
    }
}

/// The host of an address as people write it, with a port that is not the scheme's own.
#[must_use]
pub fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The text is never repeated: it may hold a secret.
fn http_url(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text.trim()).map_err(|error| format!("expected an address like `https://host:port`: {error}"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("expected an address that begins with `https://` or `http://`".to_owned()),
    }
}

macro_rules! deserialize_from_text {
    ($($type:ident, $schema:tt;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

deserialize_from_text! {
    HttpUrl, { "type": "string", "format": "uri" };
    SecretUrl, { "type": "string", "format": "password", "x-from-file": true };
}

/// TLS towards a destination. Without it the system's authorities are trusted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates of authorities to trust beside the system's, in PEM.
    pub ca: Option<Pem>,
    /// Our certificate (and its chain) in PEM, where the destination asks for one.
    pub cert: Option<Pem>,
    /// The key of our certificate in PEM.
    pub key: Option<Secret>,
    /// Whether the destination's certificate is verified. Switch it off for a test only: without it, anybody can read along.
    pub verify: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self { ca: None, cert: None, key: None, verify: true }
    }
}

impl Tls {
    /// What rustls needs.
    ///
    /// # Errors
    /// Names the option, as if the block's name was `tls`.
    pub fn client_config(&self) -> Result<ClientConfig, ConfigError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let extra = self.ca.as_ref().map_or_else(|| Ok(Vec::new()), |ca| ca.certificates("tls.ca"))?;
        let mut roots = RootCertStore::empty();
        for authority in extra.clone() {
            roots.add(authority).map_err(|error| ConfigError::new("tls.ca", error.to_string()))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| ConfigError::new("tls", error.to_string()))?;
        let builder = if self.verify {
            let verifier = Verifier::new_with_extra_roots(extra, provider)
                .map_err(|error| ConfigError::new("tls.ca", error.to_string()))?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustEverybody(provider)))
        };
        match (&self.cert, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(certificates), Some(key)) => {
                let chain = certificates.certificates("tls.cert")?;
                let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                    .map_err(|_| ConfigError::new("tls.key", "expected a private key in PEM"))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| ConfigError::new("tls.key", format!("does not fit to tls.cert: {error}")))
            }
            (Some(_), None) => Err(ConfigError::new("tls.key", "expected the key that belongs to tls.cert")),
            (None, Some(_)) => Err(ConfigError::new("tls.cert", "expected the certificate that belongs to tls.key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(secret.expose(), "hunter2");
        assert!(serde_json::from_str::<Secret>("\" \"").is_err());
    }

    #[test]
    fn an_address_that_is_a_secret_shows_its_host_only() {
        let url: SecretUrl = "https://hooks.example:8443/T0/B0/hunter2?x=hunter2".parse().unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "https://hooks.example:8443/[redacted] https://hooks.example:8443/[redacted]"
        );
        let error = "htps://u:hunter2@host/hunter2".parse::<SecretUrl>().unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn an_open_address_holds_no_credentials() {
        let error = "https://user:hunter2@host".parse::<HttpUrl>().unwrap_err();
        assert!(error.contains("options of their own") && !error.contains("hunter2"), "{error}");
        for wrong in ["host:9200", "ftp://host", "https://", "", "/path"] {
            assert!(wrong.parse::<HttpUrl>().is_err(), "{wrong}");
        }
        let url: HttpUrl = "https://host:8088/base/".parse().unwrap();
        assert_eq!(url.join("/services/collector").as_str(), "https://host:8088/base/services/collector");
    }

    fn identity() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn tls_options_belong_together() {
        let (cert, key) = identity();
        let (cert, key) = (Pem::new(cert), Secret::new(key));
        assert!(Tls::default().client_config().is_ok());
        let full = Tls { ca: Some(cert.clone()), cert: Some(cert.clone()), key: Some(key.clone()), verify: true };
        assert!(full.client_config().is_ok());
        let wrong = |tls: Tls| tls.client_config().unwrap_err().key;
        assert_eq!(wrong(Tls { cert: Some(cert.clone()), ..Tls::default() }), "tls.key");
        assert_eq!(wrong(Tls { key: Some(key), ..Tls::default() }), "tls.cert");
        assert_eq!(wrong(Tls { ca: Some(Pem::new("no".to_owned())), ..Tls::default() }), "tls.ca");
        let garbled = Tls { cert: Some(cert.clone()), key: Some(Secret::new("no".to_owned())), ..Tls::default() };
        assert_eq!(wrong(garbled), "tls.key");
        let other = Secret::new(identity().1);
        assert_eq!(wrong(Tls { cert: Some(cert), key: Some(other), ..Tls::default() }), "tls.key");
    }
}
