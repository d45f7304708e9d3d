//! Tokens that somebody else issues: JWTs, signed with a key that only the issuer has.
//!
//! The configuration says which algorithms count, never the token; and only those with a public key are known here, so that
//! a public key can't be taken for a shared secret.

mod keys;

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use self::keys::TokenError;
use self::keys::{IssuerKeys, Missing};
use super::{Caller, Refusal, Scopes, gate::TOKEN};
use crate::config::{SigningAlgorithm, TokenPlan};

/// So far may the clocks of issuer and server be apart, in seconds.
const LEEWAY: i64 = 60;
/// The longest token: issuers stay far below it, and nobody makes us decode more.
const LONGEST_TOKEN: usize = 16 << 10;
/// Most tokens that are known to have been valid; then it begins anew.
const MOST_KNOWN: usize = 10_000;
/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 256;

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Tokens {
    keys: IssuerKeys,
    issuer: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    /// Hashes of tokens that were valid when they were last looked at.
    known: Mutex<HashSet<[u8; 32]>>,
}

/// What is read of a token, beside what the library checks.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    iat: Option<f64>,
    scope: Option<Names>,
    scopes: Option<Names>,
}

/// Names of scopes, as issuers write them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    Spaced(String),
    Listed(Vec<String>),
}

impl Names {
    fn scopes(&self) -> Scopes {
        match self {
            Self::Spaced(names) => Scopes::known(names.split(' ')),
            Self::Listed(names) => Scopes::known(names.iter().map(String::as_str)),
        }
    }
}

impl Tokens {
    /// # Errors
    /// The keys are in a file that can't be read, or no client can be made to fetch them.
    pub(super) fn new(plan: &TokenPlan) -> Result<Self, TokenError> {
        Ok(Self {
            keys: IssuerKeys::new(&plan.jwks)?,
            issuer: plan.issuer.clone(),
            audience: plan.audience.clone(),
            algorithms: plan.algorithms.iter().map(|algorithm| named(*algorithm)).collect(),
            known: Mutex::default(),
        })
    }

    /// Whether this very token was valid before. It says nothing about now.
    pub(super) fn is_known(&self, token: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash(token))
    }

    /// Whose token this is.
    pub(super) async fn admit(&self, token: &str, now: Timestamp) -> Result<Caller, Refusal> {
        let invalid = |reason: &str| {
            tracing::debug!(reason, "a token is not valid");
            Refusal::Invalid
        };
        if token.len() > LONGEST_TOKEN {
            return Err(invalid("it is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| invalid(&error.to_string()))?;
        if !self.algorithms.contains(&header.alg) || header.alg.family() == AlgorithmFamily::Hmac {
            return Err(invalid("its algorithm is not among those of the configuration"));
        }
        if header.crit.is_some() {
            // RFC 7515, 4.1.11: what must be understood and is not makes the token invalid.
            return Err(invalid("it demands that an extension is understood"));
        }
        let key = match self.keys.find(header.kid.as_deref(), header.alg).await {
            Ok(key) => key,
            Err(Missing::Unknown) => return Err(invalid("its key is not among those of the issuer")),
            Err(Missing::Unavailable) => return Err(Refusal::Unavailable),
        };
        let checked = jsonwebtoken::decode::<Claims>(token, &key, &self.validation(header.alg));
        let claims = checked.map_err(|error| invalid(&error.to_string()))?.claims;
        // No comparison holds with what is no number.
        let is_past = |issued: f64| issued <= (now.as_second() + LEEWAY) as f64;
        if !claims.iat.is_none_or(is_past) {
            return Err(invalid("it was issued in the future"));
        }
        let subject = claims.sub;
        if subject.is_empty()
            || subject.chars().count() > LONGEST_SUBJECT
            || subject.chars().any(|letter| letter.is_control())
        {
            return Err(invalid("its subject is no name"));
        }
        let scopes = [&claims.scope, &claims.scopes].into_iter().flatten();
        let scopes = scopes.fold(Scopes::default(), |all, names| all.with(&names.scopes()));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(hash(token));
        Ok(Caller { name: format!("{TOKEN}{subject}"), scopes })
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY.unsigned_abs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

const fn named(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs384 => Algorithm::RS384,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::Ps384 => Algorithm::PS384,
        SigningAlgorithm::Ps512 => Algorithm::PS512,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Es384 => Algorithm::ES384,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests;
