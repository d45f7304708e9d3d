//! A service account with a fresh key, and a stand-in for Google: its token service and its API on one address.

#![allow(dead_code, unreachable_pub)] // Every test binary takes what it needs.

use std::sync::LazyLock;

use serde_json::json;
use watchbell_chronicle::{Chronicle, ChronicleConfig};
use watchbell_sink::{
    Context, SinkConfig,
    testkit::server::{Answer, Request},
};

/// A customer ID.
pub const INSTANCE: &str = "01234567-89ab-cdef-0123-456789abcdef";
/// The access token of the stand-in.
pub const TOKEN: &str = "ya29.hunter2-access-token";

/// Made anew in each run, so that no key lies around; RSA, because Google signs with nothing else.
static KEY: LazyLock<String> = LazyLock::new(|| {
    rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .expect("a key can be made")
        .serialize_pem()
});

/// The key file of a service account whose tokens come from this address.
pub fn key_file(address: &str) -> String {
    json!({
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "hunter2-key-id",
        "private_key": *KEY,
        "client_email": "watchbell@my-project.iam.gserviceaccount.com",
        "token_uri": format!("http://{address}/token"),
    })
    .to_string()
}

/// One line of the private key, which must never be seen.
pub fn key_line() -> String {
    KEY.lines().nth(3).expect("a key has many lines").to_owned()
}

/// Options for a destination at this address.
pub fn options(address: &str) -> String {
    format!(
        "project = \"my-project\"\nlocation = \"europe_west3\"\ninstance = \"{INSTANCE}\"\n\
         endpoint = \"http://{address}\"\ncredentials = '''{}'''\n",
        key_file(address)
    )
}

/// The sink that these options make.
pub fn build(options: &str) -> Result<Chronicle, String> {
    let config: ChronicleConfig = toml::from_str(options).map_err(|error| error.to_string())?;
    config.build(&Context::new("secops")).map_err(|error| error.to_string())
}

/// What Google answers when all is well.
pub fn accepts(request: &Request) -> Answer {
    match request.route() {
        "/token" => Answer::json(200, json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})),
        route if route.ends_with("/events:import") || route.ends_with(":batchCreate") => Answer::json(200, "{}"),
        route if route.ends_with(INSTANCE) => Answer::json(200, json!({"name": &route[4..]})),
        _ => Answer::json(404, json!({"error": {"code": 404, "status": "NOT_FOUND", "message": "nothing here"}})),
    }
}

/// Whether a request brings events.
pub fn delivers(request: &Request) -> bool {
    request.route().ends_with("/events:import") || request.route().ends_with(":batchCreate")
}

/// A refusal as Google words it.
pub fn refusal(status: u16, name: &str, message: &str) -> Answer {
    Answer::json(status, json!({"error": {"code": status, "status": name, "message": message}}))
}
