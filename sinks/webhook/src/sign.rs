//! Signatures as Standard Webhooks 1.0.0 wants them (`spec/standard-webhooks.md`): HMAC-SHA256 over `id.timestamp.body`.
//!
//! Every secret signs, so that a receiver can change from one to the next while both are given.

use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use watchbell_sink::{ConfigError, Secret};

/// The headers of the specification.
pub(crate) const ID: &str = "webhook-id";
pub(crate) const TIMESTAMP: &str = "webhook-timestamp";
pub(crate) const SIGNATURE: &str = "webhook-signature";

const PREFIX: &str = "whsec_";
/// The lengths of a secret in bytes that the specification allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// Secrets are handed around with their padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Signs with every secret it was given.
pub(crate) struct Signer(Vec<Hmac<Sha256>>);

impl Signer {
    /// `None` when there is no secret.
    pub(crate) fn new<'a>(
        secrets: impl IntoIterator<Item = (&'a str, &'a Secret)>,
    ) -> Result<Option<Self>, ConfigError> {
        let keys = secrets.into_iter().map(|(key, secret)| keyed(key, secret)).collect::<Result<Vec<_>, _>>()?;
        Ok((!keys.is_empty()).then_some(Self(keys)))
    }

    /// How many secrets sign.
    pub(crate) fn secrets(&self) -> usize {
        self.0.len()
    }

    /// The value of [`SIGNATURE`]: one signature per secret.
    pub(crate) fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let one = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

fn keyed(option: &str, secret: &Secret) -> Result<Hmac<Sha256>, ConfigError> {
    let wrong = || {
        let message = format!(
            "expected `{PREFIX}` and {} to {} random bytes in base64, for example from `openssl rand -base64 32`",
            LENGTHS.start(),
            LENGTHS.end()
        );
        ConfigError::new(option, message)
    };
    let encoded = secret.expose().trim().strip_prefix(PREFIX).ok_or_else(wrong)?;
    let key = LENIENT.decode(encoded).ok().filter(|key| LENGTHS.contains(&key.len())).ok_or_else(wrong)?;
    Hmac::new_from_slice(&key).map_err(|_| wrong())
}

/// A delivery's key as a webhook id: the specification signs with dots between the parts, so the id has none.
pub(crate) fn webhook_id(key: &str) -> String {
    key.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secrets: &[&str]) -> Result<Option<Signer>, ConfigError> {
        let secrets: Vec<Secret> = secrets.iter().map(|&secret| Secret::new(secret.to_owned())).collect();
        Signer::new(secrets.iter().map(|secret| ("secret", secret)))
    }

    const PUBLISHED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_published_vector_passes() {
        let signer = signer(&[PUBLISHED]).unwrap().unwrap();
        let signature = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs() {
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let [one, two] = [&[PUBLISHED][..], &[other]].map(|secrets| signer(secrets).unwrap().unwrap());
        let both = signer(&[PUBLISHED, other]).unwrap().unwrap();
        let signed = |signer: &Signer| signer.sign("id", "1", b"body");
        assert_eq!(signed(&both), format!("{} {}", signed(&one), signed(&two)));
        assert_ne!(signed(&one), signed(&two));
        assert_ne!(one.sign("id", "2", b"body"), signed(&one), "the time is signed");
        assert_ne!(one.sign("other", "1", b"body"), signed(&one), "the id is signed");
    }

    #[test]
    fn a_wrong_secret_is_refused_and_not_repeated() {
        assert!(signer(&[]).unwrap().is_none());
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        let short = format!("whsec_{}", STANDARD.encode([7; 23]));
        for wrong in ["hunter2hunter2", "whsec_", "whsec_hunter2", "whsec_*hunter2*", &long, &short] {
            let error = signer(&[wrong]).err().unwrap();
            assert_eq!(error.key, "secret");
            assert!(error.message.contains("whsec_") && !error.message.contains("hunter2"), "{error}");
        }
        for right in [64, 24].map(|length| format!("whsec_{}", STANDARD.encode(vec![7; length]))) {
            assert!(signer(&[&right, right.trim_end_matches('=')]).is_ok(), "{right}");
        }
    }

    #[test]
    fn an_id_has_no_dot_and_fits_into_a_header() {
        assert_eq!(webhook_id("6f1e.soc-1"), "6f1e_soc-1");
        assert_eq!(webhook_id("a\r\nb ü"), "a__b__");
    }
}
