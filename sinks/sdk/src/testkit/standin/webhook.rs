//! A receiver of Standard Webhooks 1.0.0: it verifies each signature, as a careful receiver does.
//!
//! After `spec/standard-webhooks.md` of the Standard Webhooks project.

use std::{
    io,
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Mood, Protocol, Record, Standin, id_in};
use crate::testkit::server::{Answer, Request};

const NAME: &str = "webhook";
/// How far a timestamp may be off, as the specification's libraries have it.
const TOLERANCE: u64 = 5 * 60;

/// Starts a receiver for one secret (`whsec_` and base64).
///
/// # Errors
/// The address is taken, or the secret is none.
pub async fn start(secret: &str, at: SocketAddr, record: Record) -> io::Result<Standin> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(encoded).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Standin::http(NAME, at, record.clone(), Receiver { key, record }).await
}

struct Receiver {
    key: Vec<u8>,
    record: Record,
}

impl Protocol for Receiver {
    fn answer(&self, request: &Request) -> Answer {
        if !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
            return Answer::status(405).header("Allow", "POST, PUT, PATCH");
        }
        match self.verified(request) {
            Ok(id) => {
                let text = request.text();
                // The key of a delivery is the finding's id and something that belongs to the sink.
                let finding = Some(id_in(id)).filter(|id| !id.is_empty()).unwrap_or_else(|| id.to_owned());
                self.record.note(NAME, finding, text);
                Answer::status(204)
            }
            Err(refusal) => Answer::text(401, refusal),
        }
    }

    fn refusal(&self, mood: Mood) -> Answer {
        match mood {
            Mood::Unauthorized => Answer::text(401, "no matching signature found"),
            Mood::Throttled => Answer::status(429),
            _ => Answer::status(503),
        }
    }
}

impl Receiver {
    fn verified<'a>(&self, request: &'a Request) -> Result<&'a str, &'static str> {
        let header = |name| request.header(name).ok_or("missing required headers");
        let (id, timestamp, signatures) =
            (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
        let seconds: u64 = timestamp.parse().map_err(|_| "invalid signature headers")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now.abs_diff(seconds) > TOLERANCE {
            return Err("message timestamp too old or too new");
        }
        let fits = signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .any(|signature| self.signs(id, timestamp, &request.body, &signature));
        if fits { Ok(id) } else { Err("no matching signature found") }
    }

    fn signs(&self, id: &str, timestamp: &str, body: &[u8], signature: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return false };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac.verify_slice(signature).is_ok()
    }
}
