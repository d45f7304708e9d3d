//! Google SecOps: the token endpoint that takes a service account's signed assertion, the instance, `events:import`,
//! which takes all events of a request or none, and [rules](Rules).
//!
//! After RFC 7523, "Using OAuth 2.0 for Server to Server Applications" and the reference of the Chronicle API. Of an event
//! it checks what every event needs, not the whole model.

pub mod rules;

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use rustls::{crypto::aws_lc_rs, pki_types::alg_id};
use serde_json::{Value, json};

use super::{Mood, Protocol, Record, Standin};
use crate::testkit::server::{Answer, Request};
use rules::Call;
pub use rules::Rules;

const NAME: &str = "chronicle";
const MOST_EVENTS: usize = 1000;
const MOST_BYTES: usize = 4_000_000;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An instance of SecOps and the service account that may write to it.
#[derive(Debug)]
pub struct Tenant {
    project: String,
    location: String,
    instance: String,
    email: String,
    key: KeyPair,
}

impl Tenant {
    /// A tenant with a new key for its service account.
    ///
    /// # Errors
    /// No key could be made.
    pub fn new(project: &str, location: &str, instance: &str) -> io::Result<Self> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(io::Error::other)?;
        let email = format!("watchbell@{project}.iam.gserviceaccount.com");
        let [project, location, instance] = [project, location, instance].map(str::to_owned);
        Ok(Self { project, location, instance, email, key })
    }

    /// The credentials file of the service account, for a stand-in at this address.
    #[must_use]
    pub fn credentials(&self, address: SocketAddr) -> String {
        json!({
            "type": "service_account", "project_id": self.project, "private_key_id": "1",
            "private_key": self.key.serialize_pem(), "client_email": self.email, "client_id": "1",
            "auth_uri": format!("http://{address}/auth"), "token_uri": format!("http://{address}/token"),
        })
        .to_string()
    }
}

/// Starts the tenant's API, at `/v1`, `/v1beta` and `/v1alpha`, and its token endpoint at `/token`.
///
/// # Errors
/// The address is taken.
pub async fn start(tenant: &Tenant, at: SocketAddr, record: Record) -> io::Result<Standin> {
    start_with(tenant, at, record, Rules::default()).await
}

/// The same with rules that the caller looks at and changes meanwhile.
///
/// # Errors
/// The address is taken.
pub async fn start_with(tenant: &Tenant, at: SocketAddr, record: Record, rules: Rules) -> io::Result<Standin> {
    let path = format!("projects/{}/locations/{}/instances/{}", tenant.project, tenant.location, tenant.instance);
    let api = Api {
        path,
        email: tenant.email.clone(),
        public_key: tenant.key.der_bytes().to_vec(),
        tokens: AtomicU64::new(0),
        record: record.clone(),
        rules,
    };
    Standin::http(NAME, at, record, api).await
}

struct Api {
    path: String,
    email: String,
    public_key: Vec<u8>,
    tokens: AtomicU64,
    record: Record,
    rules: Rules,
}

/// A refusal: HTTP status, `google.rpc.Code`, message.
type Refusal = (u16, &'static str, String);

impl Protocol for Api {
    fn answer(&self, request: &Request) -> Answer {
        if request.route() == "/token" {
            return match self.token(request) {
                Ok(token) => {
                    Answer::json(200, json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
                }
                Err(why) => Answer::json(400, json!({ "error": "invalid_grant", "error_description": why })),
            };
        }
        self.rules.with_faults(request, || self.called(request).unwrap_or_else(|refusal| refused(&refusal)))
    }

    fn refusal(&self, mood: Mood) -> Answer {
        refused(&match mood {
            Mood::Unauthorized => unauthenticated(),
            Mood::Throttled => {
                (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Import events'".to_owned())
            }
            _ => (503, "UNAVAILABLE", "The service is currently unavailable.".to_owned()),
        })
    }
}

fn unauthenticated() -> Refusal {
    (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.".to_owned())
}

fn no_method() -> Refusal {
    (404, "NOT_FOUND", "Method not found.".to_owned())
}

fn refused((status, code, message): &Refusal) -> Answer {
    Answer::json(*status, json!({ "error": { "code": status, "message": message, "status": code } }))
}

impl Api {
    /// Takes an assertion for a token.
    fn token(&self, request: &Request) -> Result<String, &'static str> {
        let form = request.text();
        let parameter = |name: &str| {
            let found = url::form_urlencoded::parse(form.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        if parameter("grant_type") != GRANT {
            return Err("Invalid grant_type");
        }
        let assertion = parameter("assertion");
        let (signed, signature) = assertion.rsplit_once('.').ok_or("Invalid JWT")?;
        let claims = signed.split_once('.').and_then(|(_, claims)| decoded(claims));
        let claims: Value = claims.and_then(|claims| serde_json::from_slice(&claims).ok()).ok_or("Invalid JWT")?;
        if !self.signed(signed.as_bytes(), &decoded(signature).ok_or("Invalid JWT Signature.")?) {
            return Err("Invalid JWT Signature.");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let audience = format!("http://{}/token", request.header("host").unwrap_or_default());
        match &claims {
            claims if claims["iss"] != self.email.as_str() => Err("Invalid grant: account not found"),
            claims if claims["aud"] != audience.as_str() => Err("Invalid JWT: wrong audience"),
            claims if claims["exp"].as_u64().is_none_or(|end| end < now) => Err("Invalid JWT: it has expired"),
            claims if claims["scope"].as_str().is_none_or(str::is_empty) => Err("Invalid JWT: no scope"),
            _ => Ok(format!("ya29.stand-in-{}", self.tokens.fetch_add(1, Ordering::Relaxed))),
        }
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let provider = aws_lc_rs::default_provider();
        let mut algorithms = provider.signature_verification_algorithms.all.iter();
        let rsa = algorithms.find(|algorithm| algorithm.signature_alg_id() == alg_id::RSA_PKCS1_SHA256);
        rsa.is_some_and(|rsa| rsa.verify_signature(&self.public_key, message, signature).is_ok())
    }

    fn called(&self, request: &Request) -> Result<Answer, Refusal> {
        let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer ya29.stand-in-"));
        let minted = self.tokens.load(Ordering::Relaxed);
        token
            .and_then(|number| number.parse().ok())
            .filter(|&number: &u64| number < minted)
            .ok_or_else(unauthenticated)?;
        let (version, path) =
            request.route().strip_prefix('/').and_then(|route| route.split_once('/')).unwrap_or_default();
        let path = Some(path).filter(|_| ["v1", "v1beta", "v1alpha"].contains(&version));
        let verb = path.and_then(|path| path.strip_prefix(self.path.as_str()));
        match (request.method.as_str(), path, verb) {
            ("GET", _, Some("")) => {
                self.rules.permitted("chronicle.instances.get", &self.path)?;
                Ok(Answer::json(200, json!({ "name": self.path })))
            }
            ("POST", _, Some("/events:import")) => {
                self.rules.permitted("chronicle.events.import", &self.path)?;
                self.import(request)
            }
            (_, _, Some(verb)) => {
                let call = Call { request, version, parent: &self.path, verb };
                self.rules.called(&call).unwrap_or_else(|| Err(no_method()))
            }
            (_, Some(path), None) if path.starts_with("projects/") => {
                let message = format!(
                    "Permission 'chronicle.events.import' denied on resource '//chronicle.googleapis.com/{path}' (or it may not exist)."
                );
                Err((403, "PERMISSION_DENIED", message))
            }
            _ => Err(no_method()),
        }
    }

    /// All or none.
    fn import(&self, request: &Request) -> Result<Answer, Refusal> {
        let invalid = |message: String| (400, "INVALID_ARGUMENT", message);
        let body = request.plain();
        if body.len() > MOST_BYTES {
            return Err(invalid(format!("Request payload size exceeds the limit: {MOST_BYTES} bytes.")));
        }
        let body: Value =
            serde_json::from_slice(&body).map_err(|_| invalid("Invalid JSON payload received.".to_owned()))?;
        let source = body.get("inline_source").or_else(|| body.get("inlineSource"));
        let events = source.and_then(|source| source["events"].as_array());
        let events = events.ok_or_else(|| invalid("inline_source.events: required".to_owned()))?;
        if events.is_empty() || events.len() > MOST_EVENTS {
            return Err(invalid(format!("{} events, 1 to {MOST_EVENTS} are allowed", events.len())));
        }
        for (position, event) in events.iter().enumerate() {
            check(&event["udm"]).map_err(|why| {
                invalid(format!(
                    "generic::invalid_argument: invalid event {position}: LOG_PARSING_GENERATED_INVALID_EVENT: {why}"
                ))
            })?;
        }
        for event in events {
            let metadata = &event["udm"]["metadata"];
            let id = field(metadata, "product_log_id", "productLogId").as_str().unwrap_or_default();
            self.record.note(NAME, id, event.to_string());
        }
        Ok(Answer::json(200, "{}"))
    }
}

/// A part of an assertion. Some clients pad it, which Google takes.
fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

/// proto3 JSON takes both spellings.
fn field<'a>(object: &'a Value, snake: &str, camel: &str) -> &'a Value {
    object.get(snake).unwrap_or(&object[camel])
}

fn check(event: &Value) -> Result<(), String> {
    let metadata = &event["metadata"];
    let time = field(metadata, "event_timestamp", "eventTimestamp").as_str();
    if time.is_none_or(|time| time.parse::<jiff::Timestamp>().is_err()) {
        return Err("\"metadata.event_timestamp\" must be set to a timestamp".to_owned());
    }
    let kind = field(metadata, "event_type", "eventType").as_str();
    if kind.is_none_or(|kind| kind.is_empty() || kind == "EVENTTYPE_UNSPECIFIED") {
        return Err("\"metadata.event_type\" must be set".to_owned());
    }
    for noun in ["principal", "src", "target", "observer", "intermediary", "about"] {
        let nouns = match &event[noun] {
            Value::Array(nouns) => nouns.as_slice(),
            noun => std::slice::from_ref(noun),
        };
        if nouns.iter().any(|noun| !noun["ip"].is_null() && !noun["ip"].is_array()) {
            return Err(format!("\"{noun}.ip\" is repeated: expected an array"));
        }
    }
    Ok(())
}
