//! Tokens signed with real keys, right and wrong in every way that is known.

use std::{fs, path::PathBuf, sync::OnceLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header, jwk::Jwk};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use serde_json::{Value, json};

use super::*;
use crate::access::Scope;
use crate::config::JwksPlace;

/// An issuer with a key for each kind of algorithm.
struct Issuer {
    pairs: Vec<(Algorithm, KeyPair)>,
}

const ISSUER: &str = "https://login.example/";

fn issuer() -> &'static Issuer {
    static ISSUER: OnceLock<Issuer> = OnceLock::new();
    ISSUER.get_or_init(|| Issuer {
        pairs: vec![
            (Algorithm::RS256, KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()),
            (Algorithm::ES256, KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()),
            (Algorithm::ES384, KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()),
            (Algorithm::EdDSA, KeyPair::generate_for(&PKCS_ED25519).unwrap()),
        ],
    })
}

impl Issuer {
    fn pair(&self, algorithm: Algorithm) -> &KeyPair {
        &self.pairs.iter().find(|(own, _)| own.family() == algorithm.family()).unwrap().1
    }

    fn signing(&self, algorithm: Algorithm) -> EncodingKey {
        let pem = self
            .pairs
            .iter()
            .find(|(own, _)| *own == algorithm)
            .map_or_else(|| self.pair(algorithm), |pair| &pair.1)
            .serialize_pem();
        match algorithm.family() {
            AlgorithmFamily::Rsa => EncodingKey::from_rsa_pem(pem.as_bytes()),
            AlgorithmFamily::Ec => EncodingKey::from_ec_pem(pem.as_bytes()),
            _ => EncodingKey::from_ed_pem(pem.as_bytes()),
        }
        .unwrap()
    }

    /// Its public key, under the algorithm's name.
    fn jwk(&self, algorithm: Algorithm) -> Value {
        if algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(self.pair(algorithm).der_bytes());
            return json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "EdDSA", "use": "sig" });
        }
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.signing(algorithm), algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(format!("{algorithm:?}"));
        jwk
    }

    fn jwks(&self) -> Value {
        json!({ "keys": self.pairs.iter().map(|(algorithm, _)| self.jwk(*algorithm)).collect::<Vec<_>>() })
    }

    fn token(&self, algorithm: Algorithm, claims: &Value) -> String {
        let header = Header { kid: Some(format!("{algorithm:?}")), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &self.signing(algorithm)).unwrap()
    }
}

/// Claims that are right, with these put over them; `null` takes one out.
fn claims(changes: Value) -> Value {
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": ISSUER, "aud": "watchbell", "sub": "ada", "exp": now + 300, "nbf": now - 5, "iat": now - 5,
        "scope": "openid findings:read",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn tokens(place: JwksPlace) -> Result<Tokens, TokenError> {
    let algorithms =
        vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::Es384, SigningAlgorithm::EdDsa];
    Tokens::new(&TokenPlan { jwks: place, issuer: ISSUER.to_owned(), audience: "watchbell".to_owned(), algorithms })
}

/// A checker with the issuer's keys in a file.
fn in_file() -> (tempfile::TempDir, PathBuf, Tokens) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    fs::write(&path, issuer().jwks().to_string()).unwrap();
    let tokens = tokens(JwksPlace::File(path.clone())).unwrap();
    (folder, path, tokens)
}

#[tokio::test]
async fn a_right_token_says_who_asks() {
    let (_folder, _, tokens) = in_file();
    for (algorithm, _) in &issuer().pairs {
        let token = issuer().token(*algorithm, &claims(json!({})));
        let caller = tokens.admit(&token, Timestamp::now()).await.unwrap();
        assert_eq!(caller.name, "jwt:ada", "{algorithm:?}");
        assert_eq!(caller.scopes, [Scope::FindingsRead].into_iter().collect());
    }
}

#[tokio::test]
async fn scopes_come_as_text_or_list_and_admin_is_all() {
    let (_folder, _, tokens) = in_file();
    for (changes, expected) in [
        (json!({ "scope": null }), Scopes::default()),
        (json!({ "scope": "admin" }), Scopes::all()),
        (json!({ "scope": null, "scopes": ["logs:write", "profile"] }), [Scope::LogsWrite].into_iter().collect()),
        (json!({ "scope": ["logs:write"] }), [Scope::LogsWrite].into_iter().collect()),
        (json!({ "scopes": ["logs:write"] }), [Scope::FindingsRead, Scope::LogsWrite].into_iter().collect()),
        (json!({ "scope": "administrator" }), Scopes::default()),
    ] {
        let token = issuer().token(Algorithm::ES256, &claims(changes.clone()));
        assert_eq!(tokens.admit(&token, Timestamp::now()).await.unwrap().scopes, expected, "{changes}");
    }
}

#[tokio::test]
async fn claims_that_are_wrong_are_refused() {
    let (_folder, _, tokens) = in_file();
    let now = Timestamp::now().as_second();
    for changes in [
        json!({ "exp": now - 61 }),
        json!({ "exp": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "nbf": now + 70 }),
        json!({ "nbf": "tomorrow" }),
        json!({ "iat": now + 70 }),
        json!({ "iat": "x" }),
        json!({ "aud": "another" }),
        json!({ "aud": ["another", "Watchbell"] }),
        json!({ "aud": null }),
        json!({ "iss": "https://login.example" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": "ada\nanonymous" }),
        json!({ "sub": "x".repeat(257) }),
        json!({ "scope": 7 }),
    ] {
        let token = issuer().token(Algorithm::ES256, &claims(changes.clone()));
        assert_eq!(tokens.admit(&token, Timestamp::now()).await, Err(Refusal::Invalid), "{changes}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let (_folder, _, tokens) = in_file();
    let now = Timestamp::now().as_second();
    for changes in [
        json!({ "exp": now - 50 }),
        json!({ "nbf": now + 50 }),
        json!({ "iat": now + 50 }),
        json!({ "nbf": null, "iat": null }),
    ] {
        let token = issuer().token(Algorithm::ES256, &claims(changes.clone()));
        assert!(tokens.admit(&token, Timestamp::now()).await.is_ok(), "{changes}");
    }
}

#[tokio::test]
async fn a_token_can_not_choose_its_algorithm() {
    let (_folder, path, tokens) = in_file();
    let refused = async |token: &str| {
        assert_eq!(tokens.admit(token, Timestamp::now()).await, Err(Refusal::Invalid), "{token}");
    };
    let right = claims(json!({ "scope": "admin" }));
    // The public key, which everybody has, as a shared secret: as PEM, as JWK, as the raw bytes.
    let pair = issuer().pair(Algorithm::RS256);
    for secret in [
        pair.public_key_pem().into_bytes(),
        issuer().jwk(Algorithm::RS256).to_string().into_bytes(),
        pair.der_bytes().to_vec(),
    ] {
        for kid in [Some("RS256".to_owned()), None] {
            let header = Header { kid, ..Header::new(Algorithm::HS256) };
            refused(&jsonwebtoken::encode(&header, &right, &EncodingKey::from_secret(&secret)).unwrap()).await;
        }
    }
    // Signed with nothing.
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for name in ["none", "None", "NONE", ""] {
        refused(&format!("{}.{}.", part(&json!({ "alg": name, "kid": "RS256" })), part(&right))).await;
    }
    // Sound, but not configured.
    refused(&issuer().token(Algorithm::RS512, &right)).await;
    // The same with a key that fits, because its issuer does not say what it is for.
    let mut jwks = issuer().jwks();
    jwks["keys"].as_array_mut().unwrap().iter_mut().for_each(|key| drop(key.as_object_mut().unwrap().remove("alg")));
    fs::write(path, jwks.to_string()).unwrap();
    let with = |algorithm| {
        let header = Header { kid: Some("RS256".to_owned()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, &right, &issuer().signing(Algorithm::RS256)).unwrap()
    };
    assert!(tokens.admit(&with(Algorithm::RS256), Timestamp::now()).await.is_ok());
    refused(&with(Algorithm::RS512)).await;
    refused(&with(Algorithm::PS256)).await;
    // Signed with one key, naming another.
    let header = Header { kid: Some("RS256".to_owned()), ..Header::new(Algorithm::ES256) };
    refused(&jsonwebtoken::encode(&header, &right, &issuer().signing(Algorithm::ES256)).unwrap()).await;
    // Carrying its own key.
    let stranger = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let own = EncodingKey::from_ec_pem(stranger.serialize_pem().as_bytes()).unwrap();
    let jwk = Some(Jwk::from_encoding_key(&own, Algorithm::ES256).unwrap());
    let header = Header { kid: Some("ES256".to_owned()), jwk, ..Header::new(Algorithm::ES256) };
    refused(&jsonwebtoken::encode(&header, &right, &own).unwrap()).await;
    // Demanding an extension.
    let header =
        Header { kid: Some("ES256".to_owned()), crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::ES256) };
    refused(&jsonwebtoken::encode(&header, &right, &issuer().signing(Algorithm::ES256)).unwrap()).await;
}

#[tokio::test]
async fn a_changed_token_is_refused() {
    let (_folder, _, tokens) = in_file();
    let token = issuer().token(Algorithm::EdDSA, &claims(json!({})));
    let parts: Vec<&str> = token.split('.').collect();
    let admin = URL_SAFE_NO_PAD.encode(claims(json!({ "scope": "admin" })).to_string());
    let shorter = &token[..token.len() - 2];
    let long = format!("{}.{}.{}", parts[0], "A".repeat(LONGEST_TOKEN), parts[2]);
    for wrong in [
        format!("{}.{admin}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}.x"),
        shorter.to_owned(),
        long,
        "..".to_owned(),
        "é".to_owned(),
    ] {
        assert_eq!(tokens.admit(&wrong, Timestamp::now()).await, Err(Refusal::Invalid), "{wrong}");
    }
}

#[tokio::test]
async fn a_token_without_a_name_of_a_key_has_the_only_one_that_fits() {
    let (_folder, path, tokens) = in_file();
    let token = |algorithm| {
        jsonwebtoken::encode(&Header::new(algorithm), &claims(json!({})), &issuer().signing(algorithm)).unwrap()
    };
    assert!(tokens.admit(&token(Algorithm::RS256), Timestamp::now()).await.is_ok());
    let mut two = issuer().jwk(Algorithm::RS256);
    two["kid"] = json!("second");
    fs::write(&path, json!({ "keys": [issuer().jwk(Algorithm::RS256), two] }).to_string()).unwrap();
    assert_eq!(tokens.admit(&token(Algorithm::RS256), Timestamp::now()).await, Err(Refusal::Invalid));
}

#[tokio::test]
async fn keys_in_a_file_are_read_anew_and_survive_damage() {
    let (_folder, path, tokens) = in_file();
    let token = issuer().token(Algorithm::ES256, &claims(json!({})));
    fs::write(&path, "{").unwrap();
    assert!(tokens.admit(&token, Timestamp::now()).await.is_ok());
    fs::write(&path, json!({ "keys": [issuer().jwk(Algorithm::RS256)] }).to_string()).unwrap();
    assert_eq!(tokens.admit(&token, Timestamp::now()).await, Err(Refusal::Invalid));
}

#[test]
fn secrets_and_keys_for_other_uses_are_no_keys_of_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let mut other_use = issuer().jwk(Algorithm::RS256);
    other_use["use"] = json!("enc");
    for wrong in [
        json!({ "keys": [] }),
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0", "kid": "RS256" }] }),
        json!({ "keys": [other_use] }),
        json!({ "keys": [{ "kty": "what" }, 7] }),
        json!([]),
    ] {
        fs::write(&path, wrong.to_string()).unwrap();
        assert!(matches!(tokens(JwksPlace::File(path.clone())), Err(TokenError::Damaged { .. })), "{wrong}");
    }
    assert!(matches!(tokens(JwksPlace::File(folder.path().join("none"))), Err(TokenError::File { .. })));
}

/// An issuer at an address: what it answers can be changed, and its questions are counted.
mod address {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Router, http::StatusCode, routing::get};

    use super::*;

    async fn serving(answer: &Arc<Mutex<Option<String>>>, asked: &Arc<AtomicUsize>) -> JwksPlace {
        let (answer, asked) = (Arc::clone(answer), Arc::clone(asked));
        let handler = move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let answer = answer.lock().unwrap().clone();
            async move { answer.ok_or(StatusCode::INTERNAL_SERVER_ERROR) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", get(handler))).await });
        place
    }

    #[tokio::test]
    async fn is_asked_once_a_minute_whatever_tokens_name() {
        let (answer, asked) = (Arc::new(Mutex::new(Some(issuer().jwks().to_string()))), Arc::default());
        let tokens = tokens(serving(&answer, &asked).await).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked before there is a token");
        let right = issuer().token(Algorithm::ES256, &claims(json!({})));
        assert!(tokens.admit(&right, Timestamp::now()).await.is_ok());
        for number in 0..5 {
            let header = Header { kid: Some(format!("unknown {number}")), ..Header::new(Algorithm::ES256) };
            let token = jsonwebtoken::encode(&header, &claims(json!({})), &issuer().signing(Algorithm::ES256)).unwrap();
            assert_eq!(tokens.admit(&token, Timestamp::now()).await, Err(Refusal::Invalid));
        }
        // A dead issuer takes nothing away.
        *answer.lock().unwrap() = None;
        assert!(tokens.admit(&right, Timestamp::now()).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn that_never_answered_is_no_fault_of_the_token() {
        let (answer, asked) = (Arc::new(Mutex::new(None)), Arc::default());
        let tokens = tokens(serving(&answer, &asked).await).unwrap();
        let right = issuer().token(Algorithm::ES256, &claims(json!({})));
        for _ in 0..3 {
            assert_eq!(tokens.admit(&right, Timestamp::now()).await, Err(Refusal::Unavailable));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        // What can't be a token is refused all the same.
        assert_eq!(tokens.admit("a.b.c", Timestamp::now()).await, Err(Refusal::Invalid));
    }
}
