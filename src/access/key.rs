//! An API key: how it is made, and what is kept of it.
//!
//! A key is `wbk_`, its id, `_` and 256 random bits in hex. Of the whole text a SHA-256 is kept: nobody can try out 2^256
//! secrets, so there is no need for a slow hash, and a key costs no more than a request is worth.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Refusal, Scopes};

/// What every key begins with, so that scanners for leaked secrets find it.
pub(super) const PREFIX: &str = "wbk_";
/// Bytes of the secret.
const SECRET_BYTES: usize = 32;
/// Bytes of the id: it tells the keys of one file apart, and is no secret.
const ID_BYTES: usize = 4;

/// An API key as it is shown once.
#[derive(Debug)]
pub struct NewKey {
    /// The key itself.
    pub secret: SecretString,
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
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl KeyCard {
    /// Whether it opens the gate at this time.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// What a new key is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it ends; without end by default.
    pub expires: Option<Timestamp>,
}

/// A key as it stands in the file. An unknown field is an error, because a misspelled `expires` must not make a key that
/// never ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptKey {
    pub(super) id: String,
    pub(super) name: String,
    sha256: Hash,
    pub(super) scopes: Scopes,
    pub(super) created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revoked: Option<Timestamp>,
}

impl KeptKey {
    /// A new key, and what is kept of it.
    pub(super) fn make(request: KeyRequest, now: Timestamp) -> Result<(Self, SecretString), getrandom::Error> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut secret)?;
        let id = hex(&id);
        let text = SecretString::from(format!("{PREFIX}{id}_{}", hex(&secret)));
        let kept = Self {
            id,
            name: request.name,
            sha256: Hash::of(text.expose_secret()),
            scopes: request.scopes,
            created: now,
            expires: request.expires,
            revoked: None,
        };
        Ok((kept, text))
    }

    /// Whether this text is the key; it takes the same time for every wrong one.
    pub(super) fn is(&self, text: &str) -> bool {
        self.sha256.0.ct_eq(&Hash::of(text).0).into()
    }

    pub(super) fn card(&self) -> KeyCard {
        KeyCard {
            id: self.id.clone(),
            name: self.name.clone(),
            scopes: self.scopes.clone(),
            created: self.created,
            expires: self.expires,
            revoked: self.revoked,
        }
    }

    /// What it allows at this time.
    ///
    /// # Errors
    /// It is over or revoked.
    pub(super) fn scopes_at(&self, now: Timestamp) -> Result<Scopes, Refusal> {
        if self.card().is_valid(now) { Ok(self.scopes.clone()) } else { Err(Refusal::Invalid) }
    }
}

/// The id of a text that looks like a key.
pub(super) fn id_of(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)?.split_once('_').map(|(id, _)| id)
}

/// A SHA-256, in hex where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Hash([u8; 32]);

impl Hash {
    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = || "expected a SHA-256 as 64 hex digits".to_owned();
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() || !text.is_ascii() {
            return Err(expected());
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| expected())?;
        }
        Ok(Self(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hex(&hash.0)
    }
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::access::Scope;

    fn request() -> KeyRequest {
        KeyRequest { name: "soc".to_owned(), scopes: [Scope::FindingsRead].into_iter().collect(), expires: None }
    }

    #[test]
    fn a_key_is_itself_and_no_other() {
        let (kept, text) = KeptKey::make(request(), Timestamp::UNIX_EPOCH).unwrap();
        let text = text.expose_secret();
        assert_eq!(text.len(), 4 + 8 + 1 + 64);
        assert_eq!(id_of(text), Some(kept.id.as_str()));
        assert!(kept.is(text));
        for wrong in [&text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase(), "", PREFIX] {
            assert!(!kept.is(wrong), "{wrong}");
        }
        let other = KeptKey::make(request(), Timestamp::UNIX_EPOCH).unwrap().1;
        assert!(!kept.is(other.expose_secret()));
    }

    #[test]
    fn what_is_kept_does_not_hold_the_key_and_reads_back() {
        let (kept, text) = KeptKey::make(request(), Timestamp::UNIX_EPOCH).unwrap();
        let written = serde_json::to_string(&kept).unwrap();
        let secret = text.expose_secret().rsplit('_').next().unwrap();
        assert!(!written.contains(secret), "{written}");
        assert_eq!(serde_json::from_str::<KeptKey>(&written).unwrap(), kept);
        assert!(!format!("{:?}", NewKey { secret: text.clone(), card: kept.card() }).contains(secret));
        for wrong in [
            written.replace("name", "nam"),
            written.replace("created", "expirse"),
            written.replace("\"sha256\":\"", "\"sha256\":\"é"),
        ] {
            assert!(serde_json::from_str::<KeptKey>(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_ends_when_its_time_is_over() {
        let end = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let request = KeyRequest { expires: Some(end), ..request() };
        let (kept, _) = KeptKey::make(request, Timestamp::UNIX_EPOCH).unwrap();
        assert!(kept.scopes_at(end - SignedDuration::from_secs(1)).is_ok());
        assert_eq!(kept.scopes_at(end), Err(Refusal::Invalid));
    }
}
