//! TLS, and a certificate that is replaced while the server runs.

use std::time::{Duration, Instant};

use reqwest::Certificate;
use watchbell_sink::testkit::identity::Identity;

use super::*;

const CONFIGURATION: &str = "[serve]\ntls_cert = \"server.crt\"\ntls_key = \"server.key\"\n";

fn put(place: &Place, identity: &Identity) {
    place.write("server.crt", &identity.certificate);
    place.write("server.key", &identity.key);
}

fn trusting(identity: &Identity) -> reqwest::ClientBuilder {
    // No connection is kept: each begins with the certificate of the moment.
    let authority = Certificate::from_pem(identity.authority.as_bytes()).unwrap();
    Client::builder().tls_certs_only([authority]).pool_max_idle_per_host(0)
}

#[tokio::test]
async fn a_new_certificate_needs_no_restart_and_a_bad_one_does_no_harm() {
    let (first, second) = (Identity::new(&["127.0.0.1"]).unwrap(), Identity::new(&["127.0.0.1"]).unwrap());
    let place = Place::new(CONFIGURATION);
    put(&place, &first);
    let (_, text) = key(&place, &["findings:read"], &[]);
    let server = Server::with_client(place, trusting(&first));
    assert!(server.served.address.starts_with("https://"), "{}", server.served.address);
    let response = server.get("/v1/findings").bearer_auth(&text).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    // Over TLS the session is the browser's that got it, and no other host's.
    let session = log_in(&server, &text).send().await.unwrap();
    let cookie = session.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-watchbell_session=") && cookie.ends_with("; Secure"), "{cookie}");
    // A key that does not fit, and no certificate at all.
    server.place.write("server.key", &second.key);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(status(server.get("/health/live")).await, 204);
    server.place.write("server.crt", "nothing");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(status(server.get("/health/live")).await, 204);
    put(&server.place, &second);
    let client = trusting(&second).no_proxy().build().unwrap();
    let began = Instant::now();
    while client.get(format!("{}/health/live", server.served.address)).send().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "the new certificate is not used");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.get("/health/live").send().await.is_err(), "the old certificate is still used");
    let told = server.stop();
    assert!(told.contains("the old one stays in force"), "{told}");
}

#[test]
fn without_a_sound_certificate_nothing_is_served() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let other = Identity::new(&["127.0.0.1"]).unwrap();
    for (certificate, key) in [
        ("nothing", identity.key.as_str()),
        (&identity.certificate, "nothing"),
        (&identity.certificate, &other.key),
        (&identity.key, &identity.key),
    ] {
        let place = Place::new(CONFIGURATION);
        place.write("server.crt", certificate);
        place.write("server.key", key);
        let ran = place.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(ran.code, 3, "{ran:?}");
        ran.says("server.");
        assert!(!ran.err.contains("PRIVATE KEY"), "{ran:?}");
    }
    assert_eq!(Place::new(CONFIGURATION).run(&["serve", "--listen", "127.0.0.1:0"]).code, 3);
}
