//! The public keys of whoever issues tokens: a JWKS, from a file or from its address.
//!
//! A file is read anew when it changes. An address is asked when a token names a key that is not known, and once in a
//! while, so that withdrawn keys end; at most once a minute, and what is known stays in force while it does not answer.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use crate::{
    config::JwksPlace,
    files::FileStamp,
    sink::{
        Context,
        http::{HttpClient, HttpOptions, Method},
    },
};

/// The shortest time between two questions to the issuer, however many unknown keys are named in between.
const SHORTEST_REST: Duration = Duration::from_secs(60);
/// So old may the keys be before they are asked for again.
const STALE: Duration = Duration::from_secs(15 * 60);
/// The longest wait for the issuer's answer: a request waits along.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most keys that are looked at.
const MOST_KEYS: usize = 100;
/// The largest JWKS, in bytes.
const LARGEST: usize = 1 << 20;

/// Why tokens can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file of keys can't be read.
    #[error("can't read the keys of tokens, {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It was read, and is no JWKS.
    #[error("{place} is no JWKS: {message}")]
    Damaged {
        /// The file or the address.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// The address can't be asked.
    #[error("can't ask {place} for the keys of tokens: {message}")]
    Address {
        /// The address.
        place: String,
        /// Why not.
        message: String,
    },
}

/// Why a token's key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The issuer does not have it.
    Unknown,
    /// The issuer was never reached.
    Unavailable,
}

/// The keys of the issuer.
#[derive(Debug)]
pub(super) enum IssuerKeys {
    /// They stand in a file.
    File { path: PathBuf, held: RwLock<(FileStamp, Arc<KeySet>)> },
    /// They are asked for.
    Address(Arc<Address>),
}

#[derive(Debug)]
pub(super) struct Address {
    url: Url,
    client: HttpClient,
    held: RwLock<Option<(Instant, Arc<KeySet>)>>,
    /// When the issuer was last asked; held while it is being asked.
    asked: Mutex<Option<Instant>>,
}

impl IssuerKeys {
    pub(super) fn new(place: &JwksPlace) -> Result<Self, TokenError> {
        match place {
            JwksPlace::File(path) => {
                let stamp = FileStamp::of(path);
                let keys = Arc::new(read(path)?);
                Ok(Self::File { path: path.clone(), held: RwLock::new((stamp, keys)) })
            }
            JwksPlace::Address(url) => {
                let context = Context { timeout: PATIENCE, ..Context::new("jwks") };
                let client = HttpClient::new(&context, HttpOptions::default())
                    .map_err(|error| TokenError::Address { place: url.to_string(), message: error.to_string() })?;
                let (held, asked) = (RwLock::new(None), Mutex::new(None));
                Ok(Self::Address(Arc::new(Address { url: url.clone(), client, held, asked })))
            }
        }
    }

    /// The key of this name that fits this algorithm. A token without a name has the only key that fits.
    pub(super) async fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Missing> {
        match self {
            Self::File { path, held } => current(path, held).find(name, algorithm).ok_or(Missing::Unknown),
            Self::Address(address) => address.find(name, algorithm).await,
        }
    }
}

fn current(path: &Path, held: &RwLock<(FileStamp, Arc<KeySet>)>) -> Arc<KeySet> {
    let stamp = FileStamp::of(path);
    let (seen, keys) = held.read().unwrap_or_else(PoisonError::into_inner).clone();
    if seen == stamp {
        return keys;
    }
    let keys = match read(path) {
        Ok(keys) => {
            tracing::info!(file = %path.display(), keys = keys.0.len(), "the keys of tokens were read anew");
            Arc::new(keys)
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the keys of tokens can't be read anew, so the old ones stay in force");
            keys
        }
    };
    *held.write().unwrap_or_else(PoisonError::into_inner) = (stamp, Arc::clone(&keys));
    keys
}

fn read(path: &Path) -> Result<KeySet, TokenError> {
    let bytes = std::fs::read(path).map_err(|source| TokenError::File { path: path.to_owned(), source })?;
    KeySet::read(&bytes).map_err(|message| TokenError::Damaged { place: path.display().to_string(), message })
}

impl Address {
    async fn find(self: &Arc<Self>, name: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Missing> {
        if let Some((asked, keys)) = self.held()
            && let Some(key) = keys.find(name, algorithm)
        {
            if asked.elapsed() > STALE {
                // The token at hand need not wait for it.
                let address = Arc::clone(self);
                tokio::spawn(async move { address.renew().await });
            }
            return Ok(key);
        }
        self.renew().await;
        let (_, keys) = self.held().ok_or(Missing::Unavailable)?;
        keys.find(name, algorithm).ok_or(Missing::Unknown)
    }

    fn held(&self) -> Option<(Instant, Arc<KeySet>)> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the keys, if that was not just done. Who comes in between waits for the same answer.
    async fn renew(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < SHORTEST_REST) {
            return;
        }
        *asked = Some(Instant::now());
        match self.fetch().await {
            Ok(keys) => {
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::new(keys)));
            }
            Err(message) => {
                tracing::warn!(address = %self.url, message, "the keys of tokens can't be had; those at hand stay in force");
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let request = self.client.request(Method::GET, self.url.clone()).header("accept", "application/json");
        let reply = self.client.send(request).await.map_err(|error| error.to_string())?;
        if !reply.is_success() {
            return Err(format!("expected status 200, found {}", reply.status));
        }
        if reply.body.len() > LARGEST {
            return Err(format!("expected at most {LARGEST} bytes, found {}", reply.body.len()));
        }
        KeySet::read(&reply.body)
    }
}

/// Public keys that can check signatures.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Jwk>);

impl KeySet {
    /// Reads a JWKS. Keys that nobody here understands are left out, as RFC 7517 says (section 5).
    fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<serde_json::Value>,
        }
        let keys: Keys = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let known = keys.keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let usable: Vec<Jwk> = known.filter(checks_signatures).collect();
        if usable.is_empty() {
            Err("it has no public key that signatures can be checked with".to_owned())
        } else {
            Ok(Self(usable))
        }
    }

    fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| name.is_none() || key.common.key_id.as_deref() == name)
            .filter(|key| key.common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm)))
            .filter_map(|key| DecodingKey::from_jwk(key).ok())
            .filter(|key| key.family() == algorithm.family());
        let first = fitting.next()?;
        // Without a name it must be clear which key is meant.
        if name.is_none() && fitting.next().is_some() { None } else { Some(first) }
    }
}

fn checks_signatures(key: &Jwk) -> bool {
    let is_public = DecodingKey::from_jwk(key).is_ok_and(|key| key.family() != AlgorithmFamily::Hmac);
    is_public && !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption))
}
