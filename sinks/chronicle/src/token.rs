//! Access tokens out of keys, default credentials, workload identity.
//!
//! Tokens are kept until a minute before their end. One that the API refuses although it should still hold is dropped, so
//! that the next attempt mints a new one. yup-oauth2 writes requests and answers to the crate `log` at level debug; nothing here
//! listens to that crate, and a bridge from it to `tracing` would have to leave that target out.

use std::{
    env, fs, io,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::OnceCell, time::timeout};
use watchbell_sink::{ConfigError, ErrorKind, Secret, SecretUrl, SinkError, Tls};
use yup_oauth2::{
    ApplicationDefaultCredentialsAuthenticator, ApplicationDefaultCredentialsFlowOpts, AuthorizedUserAuthenticator,
    CustomHyperClientBuilder, Error, ExternalAccountAuthenticator, ServiceAccountAuthenticator, ServiceAccountKey,
    authenticator::{ApplicationDefaultCredentialsTypes, Authenticator},
    authorized_user::AuthorizedUserSecret,
    external_account::ExternalAccountSecret,
    hyper_rustls::{HttpsConnector, HttpsConnectorBuilder},
};

use crate::route::Route;

type Connector = HttpsConnector<Route>;

/// Who asks for tokens.
pub(crate) enum Identity {
    /// A service account by its key.
    ServiceAccount(Box<ServiceAccountKey>),
    /// A person who ran `gcloud auth application-default login`.
    AuthorizedUser(Box<AuthorizedUserSecret>),
    /// Workload identity federation: a token of another cloud or of a file.
    ExternalAccount(Box<ExternalAccountSecret>),
    /// What the environment has: a file named there, gcloud's file, or the metadata server of the machine.
    Environment,
}

impl Identity {
    /// Reads a credentials file's content.
    pub(crate) fn read(json: &Secret) -> Result<Self, String> {
        let value: Value = serde_json::from_str(json.expose())
            .map_err(|error| format!("no JSON at line {} column {}", error.line(), error.column()))?;
        // The errors of serde may quote what they read, so they are not passed on.
        fn typed<T: for<'de> Deserialize<'de>>(value: Value, what: &str, keys: &str) -> Result<Box<T>, String> {
            T::deserialize(value).map(Box::new).map_err(|_| format!("incomplete {what}, expected at least {keys}"))
        }
        match value.get("type").and_then(Value::as_str) {
            Some("service_account") => {
                let keys = "client_email, private_key and token_uri";
                let key: Box<ServiceAccountKey> = typed(value, "key of a service account", keys)?;
                if !key.private_key.contains("-----BEGIN") || !key.token_uri.starts_with("http") {
                    return Err("expected a private_key in PEM and an address as token_uri".to_owned());
                }
                Ok(Self::ServiceAccount(key))
            }
            Some("authorized_user") => {
                typed(value, "credentials of a user", "client_id, client_secret and refresh_token")
                    .map(Self::AuthorizedUser)
            }
            Some("external_account") => {
                let keys = "audience, subject_token_type, token_url and a credential_source with file or url";
                typed(value, "configuration of workload identity", keys).map(Self::ExternalAccount)
            }
            _ => Err("expected a JSON whose `type` is service_account, authorized_user or external_account".to_owned()),
        }
    }

    /// Who it is, for people.
    pub(crate) fn who(&self) -> String {
        match self {
            Self::ServiceAccount(key) => format!("service account {}", key.client_email.escape_debug()),
            Self::AuthorizedUser(_) => "a user's default credentials".to_owned(),
            Self::ExternalAccount(account) => format!("workload identity {}", account.audience.escape_debug()),
            Self::Environment => "application default credentials".to_owned(),
        }
    }
}

/// How the token service is reached: as the API is.
pub(crate) struct Way {
    pub(crate) tls: Tls,
    pub(crate) proxy: Option<SecretUrl>,
}

/// Where tokens come from.
pub(crate) struct Tokens {
    identity: Identity,
    scope: &'static str,
    way: Way,
    wait: Duration,
    authenticator: OnceCell<Authenticator<Connector>>,
    stale: AtomicBool,
}

impl Tokens {
    pub(crate) fn new(identity: Identity, scope: &'static str, way: Way, wait: Duration) -> Self {
        Self { identity, scope, way, wait, authenticator: OnceCell::new(), stale: AtomicBool::new(false) }
    }

    pub(crate) fn who(&self) -> String {
        self.identity.who()
    }

    /// The next token is a new one.
    pub(crate) fn drop_token(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// A token that holds for at least a minute.
    pub(crate) async fn token(&self) -> Result<Secret, SinkError> {
        let waited = timeout(self.wait, self.fetch()).await.map_err(|_| {
            let message = format!("the token service gave no answer within {} s", self.wait.as_secs_f64());
            SinkError::new(ErrorKind::Unavailable, message)
        });
        waited?
    }

    async fn fetch(&self) -> Result<Secret, SinkError> {
        let authenticator = self.authenticator.get_or_try_init(|| self.connect()).await?;
        let scopes = [self.scope];
        let token = if self.stale.swap(false, Ordering::Relaxed) {
            authenticator.force_refreshed_token(&scopes).await
        } else {
            authenticator.token(&scopes).await
        };
        let token = token.map_err(failure)?;
        let text = token.token().ok_or_else(|| failure(Error::MissingAccessToken))?;
        Ok(Secret::new(text.to_owned()))
    }

    async fn connect(&self) -> Result<Authenticator<Connector>, SinkError> {
        let unusable = |error: io::Error| {
            SinkError::new(ErrorKind::Auth, format!("the credentials of {} are of no use: {error}", self.who()))
        };
        match &self.identity {
            Identity::Environment => match from_environment()? {
                Some(found) => self.build(&found).await.map_err(unusable),
                None => self.metadata_server().await.map_err(unusable),
            },
            identity => self.build(identity).await.map_err(unusable),
        }
    }

    async fn build(&self, identity: &Identity) -> io::Result<Authenticator<Connector>> {
        match identity {
            Identity::ServiceAccount(key) => {
                ServiceAccountAuthenticator::with_client((**key).clone(), self.client()?).build().await
            }
            Identity::AuthorizedUser(secret) => {
                AuthorizedUserAuthenticator::with_client((**secret).clone(), self.client()?).build().await
            }
            Identity::ExternalAccount(secret) => {
                ExternalAccountAuthenticator::with_client((**secret).clone(), self.client()?).build().await
            }
            Identity::Environment => self.metadata_server().await,
        }
    }

    /// The account that the machine or the workload runs as.
    async fn metadata_server(&self) -> io::Result<Authenticator<Connector>> {
        let host = env::var("GCE_METADATA_HOST").unwrap_or_else(|_| "metadata.google.internal".to_owned());
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let options = ApplicationDefaultCredentialsFlowOpts { metadata_url: Some(url) };
        match ApplicationDefaultCredentialsAuthenticator::with_client(options, self.client()?).await {
            ApplicationDefaultCredentialsTypes::InstanceMetadata(builder) => builder.build().await,
            ApplicationDefaultCredentialsTypes::ServiceAccount(builder) => builder.build().await,
        }
    }

    /// Reading the trusted certificates takes its time, so it is done when the first token is asked for.
    fn client(&self) -> io::Result<CustomHyperClientBuilder<Connector>> {
        let tls = self.way.tls.client_config().map_err(io::Error::other)?;
        let route = Route::new(self.way.proxy.as_ref());
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let connector = builder.wrap_connector(route);
        Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build::<_, String>(connector).into())
    }
}

/// The file that the environment names, or the one that gcloud writes; `None` when there is neither.
fn from_environment() -> Result<Option<Identity>, SinkError> {
    let named = env::var_os("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
    let of_gcloud =
        || Some(PathBuf::from(env::var_os("HOME")?).join(".config/gcloud/application_default_credentials.json"));
    let Some(path) = named.or_else(|| of_gcloud().filter(|path| path.exists())) else { return Ok(None) };
    let refused = |reason: String| {
        SinkError::new(ErrorKind::Auth, format!("the default credentials in {}: {reason}", path.display()))
    };
    let text = fs::read_to_string(&path).map_err(|error| refused(error.to_string()))?;
    Identity::read(&Secret::new(text)).map(Some).map_err(refused)
}

/// The option that credentials are read from.
pub(crate) fn config_error(reason: String) -> ConfigError {
    ConfigError::new("credentials", reason)
}

fn failure(error: Error) -> SinkError {
    match error {
        Error::AuthError(refusal) => {
            let hint = match refusal.error.as_str() {
                "invalid_grant" => "; is the key deleted, or this machine's clock wrong?",
                _ => "",
            };
            SinkError::new(ErrorKind::Auth, format!("the token service refuses the credentials: {refusal}{hint}"))
        }
        Error::UserError(_) | Error::CredentialSourceError(_) | Error::LowLevelError(_) => {
            SinkError::new(ErrorKind::Auth, format!("no token with these credentials: {error}")).with_source(error)
        }
        // An answer that is no JSON comes from something in between, or from a service that fails at the moment.
        Error::JSONError(_) | Error::MissingAccessToken => {
            SinkError::new(ErrorKind::Unavailable, "the token service answers with something unexpected")
        }
        other => {
            let message = format!("no connection to the token service: {}", root_cause(&other));
            SinkError::new(ErrorKind::Unavailable, message)
        }
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    watchbell_sink::http::shown(&innermost.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, String> {
        Identity::read(&Secret::new(json.to_owned())).map(|identity| identity.who())
    }

    #[test]
    fn every_kind_of_credentials_is_known_by_its_type() {
        let key = r#"{"type":"service_account","client_email":"a@p.example","private_key":"-----BEGIN PRIVATE KEY-----","token_uri":"https://t.example"}"#;
        assert_eq!(read(key).unwrap(), "service account a@p.example");
        let user = r#"{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}"#;
        assert_eq!(read(user).unwrap(), "a user's default credentials");
        let external = r#"{"type":"external_account","audience":"//iam/x","subject_token_type":"t","token_url":"https://sts.example","credential_source":{"file":"/token"}}"#;
        assert_eq!(read(external).unwrap(), "workload identity //iam/x");
    }

    #[test]
    fn wrong_credentials_are_told_without_being_shown() {
        for wrong in [
            "hunter2",
            "{\"type\":\"hunter2\"}",
            r#"{"type":"service_account","private_key":"hunter2"}"#,
            r#"{"type":"service_account","client_email":"hunter2","private_key":"hunter2","token_uri":"https://t"}"#,
            r#"{"type":"authorized_user","client_id":7,"client_secret":"hunter2"}"#,
        ] {
            let error = read(wrong).unwrap_err();
            assert!(!error.contains("hunter2") && error.len() > 10, "{error}");
        }
    }
}
