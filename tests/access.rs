//! Who may ask for what: the program serves as users run it, with keys and tokens made for the test.

mod browser;
mod limits;
mod matrix;
mod record;
mod tls;
mod ways_in;

use reqwest::{Client, Method, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    place::{Place, Ran},
    server::Served,
};

/// A configuration that believes this machine's `X-Forwarded-For`, so that a test can ask from many addresses.
const CONFIGURATION: &str = "[serve]\ntrusted_proxies = [\"127.0.0.1\"]\nrate_per_minute = 100000\n";

/// The program, serving in a folder of its own.
struct Server {
    place: Place,
    served: Served,
    client: Client,
}

impl Server {
    fn start(place: Place) -> Self {
        Self::with_client(place, Client::builder())
    }

    /// One that asks nobody, though its configuration says that others can get here.
    fn insecure(place: Place) -> Self {
        Self::running(place, &["serve", "--insecure", "--listen", "127.0.0.1:0"], Client::builder())
    }

    fn with_client(place: Place, client: reqwest::ClientBuilder) -> Self {
        Self::running(place, &["serve", "--listen", "127.0.0.1:0"], client)
    }

    fn running(place: Place, arguments: &[&str], client: reqwest::ClientBuilder) -> Self {
        let served = Served::start(place.command(arguments));
        let client = client.no_proxy().redirect(Policy::none()).build().unwrap();
        Self { place, served, client }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.served.address))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    /// Ends it; what it told on standard error.
    fn stop(self) -> String {
        self.served.terminate();
        self.served.ended().err
    }
}

/// A request to log in with this key.
fn log_in(server: &Server, key: &str) -> RequestBuilder {
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("key", key).finish();
    let request = server.ask(Method::POST, "/login").header("content-type", "application/x-www-form-urlencoded");
    request.body(form)
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// A key with these scopes: its id and itself.
fn key(place: &Place, scopes: &[&str], more: &[&str]) -> (String, String) {
    let mut arguments = vec!["keys", "create", "--json", "--name", "test"];
    scopes.iter().for_each(|scope| arguments.extend(["--scope", scope]));
    arguments.extend(more);
    let made = place.run(&arguments).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["card"]["id"]), text(&made["key"]))
}

fn ran(mut command: std::process::Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// A place that makes tokens: their issuer's keys are in a file there.
struct Issuer {
    pair: rcgen::KeyPair,
}

impl Issuer {
    fn new(place: &Place) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let issuer = Self { pair };
        let algorithm = jsonwebtoken::Algorithm::ES256;
        let mut jwk =
            serde_json::to_value(jsonwebtoken::jwk::Jwk::from_encoding_key(&issuer.signing(), algorithm).unwrap())
                .unwrap();
        jwk["kid"] = json!("one");
        place.write("jwks.json", &json!({ "keys": [jwk] }).to_string());
        issuer
    }

    fn signing(&self) -> jsonwebtoken::EncodingKey {
        jsonwebtoken::EncodingKey::from_ec_pem(self.pair.serialize_pem().as_bytes()).unwrap()
    }

    /// A token with these scopes that ends so many seconds from now.
    fn token(&self, scopes: &str, ends: i64) -> String {
        let now = jiff::Timestamp::now().as_second();
        let claims = json!({
            "iss": "https://login.example/", "aud": "watchbell", "sub": "ada", "exp": now + ends, "iat": now - 600,
            "scope": scopes,
        });
        let header = jsonwebtoken::Header {
            kid: Some("one".to_owned()),
            ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, &claims, &self.signing()).unwrap()
    }
}

/// What makes the configuration take the issuer's tokens.
const TOKENS: &str = r#"
jwt_jwks = "jwks.json"
jwt_issuer = "https://login.example/"
jwt_audience = "watchbell"
"#;
