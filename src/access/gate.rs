//! The gate: credentials in, the caller out.

use jiff::Timestamp;
use serde::Serialize;

use super::{Scope, Scopes};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As it stands in the audit log and in decisions about findings: a key's id, `jwt:` and a token's subject, or
    /// `anonymous`.
    pub name: String,
    /// What they may do.
    pub scopes: Scopes,
}

/// What a request brings along to say who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// What stands after `Bearer`: a key or a token.
    pub bearer: Option<&'a str>,
    /// What stands in `X-API-Key`.
    pub api_key: Option<&'a str>,
}

/// Why somebody may not ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are no credentials.
    #[error("expected an API key or a token")]
    Missing,
    /// They are wrong, over or revoked; it is not told which.
    #[error("the API key or token is not valid")]
    Invalid,
    /// The caller may not do this.
    #[error("expected the scope `{0}`")]
    Scope(Scope),
}

/// An API key as it is shown once.
#[derive(Debug)]
pub struct NewKey {
    /// The key itself.
    pub secret: secrecy::SecretString,
    /// What is kept of it.
    pub card: KeyCard,
}

/// What is known about an API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyCard {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// Says who asks.
#[derive(Debug)]
pub struct Gate {
    is_open: bool,
}

impl Gate {
    /// A gate that lets everybody do everything.
    #[must_use]
    pub fn open() -> Self {
        Self { is_open: true }
    }

    /// Whether nobody is asked who they are.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Who asks, at this time.
    ///
    /// # Errors
    /// The credentials are missing or not valid.
    pub fn admit(&self, credentials: Credentials<'_>, now: Timestamp) -> Result<Caller, Refusal> {
        let _ = (credentials, now);
        if self.is_open {
            return Ok(Caller { name: "anonymous".to_owned(), scopes: Scopes::all() });
        }
        Err(Refusal::Missing)
    }
}
