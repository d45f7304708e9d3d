//! Splunk's collector and the webhook's receiver.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;

use super::*;

const TOKEN: &str = "Splunk 11111111-2222-3333-4444-555555555555";
const CHANNEL: &str = "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba";
const EVENTS: &str = "/services/collector/event";

async fn splunk(acknowledges: bool) -> Standin {
    let token = TOKEN.trim_start_matches("Splunk ").to_owned();
    let token = splunk_hec::Token { token, acknowledges, indexes: vec!["security".to_owned()] };
    splunk_hec::start(token, anywhere(), Record::new(10)).await.unwrap()
}

fn event() -> Vec<u8> {
    json!({ "event": { "id": ID }, "index": "security" }).to_string().into_bytes()
}

#[tokio::test]
async fn splunk_refuses_in_its_codes() {
    let splunk = splunk(true).await;
    let code = async |headers: &[(&'static str, &str)], body: &str| {
        let (status, body) = Client::of(&splunk, headers).post(EVENTS, body).await;
        (status, body["code"].as_u64().unwrap())
    };
    assert_eq!(code(&[], "{}").await, (401, 2));
    assert_eq!(code(&[("authorization", "Bearer x")], "{}").await, (401, 3));
    assert_eq!(code(&[("authorization", "Splunk x")], "{}").await, (403, 4));
    assert_eq!(code(&[("authorization", TOKEN)], "{}").await, (400, 10));
    assert_eq!(code(&[("authorization", TOKEN), ("x-splunk-request-channel", "x")], "{}").await, (400, 11));
    let headers = [("authorization", TOKEN), ("x-splunk-request-channel", CHANNEL)];
    for (body, expected) in [
        ("", 5),
        ("{", 6),
        ("{\"event\":1,\"time\":{}}", 6),
        ("{\"event\":1,\"index\":\"main\"}", 7),
        ("{\"x\":1}", 12),
        ("{\"event\":\"\"}", 13),
        ("{\"event\":1,\"fields\":{\"a\":{\"b\":1}}}", 15),
    ] {
        assert_eq!(code(&headers, body).await, (400, expected), "{body}");
    }
    let (status, body) = Client::of(&splunk, &headers).post(EVENTS, "{\"event\":1}{\"event\":2}{\"event\":null}").await;
    assert_eq!((status, &body["invalid-event-number"]), (400, &json!(2)));
    assert_eq!(Client::of(&splunk, &headers).get("/services/other").await.0, 404);
}

#[tokio::test]
async fn splunk_takes_gzip_and_acknowledges_once() {
    let splunk = splunk(true).await;
    let headers = [("authorization", TOKEN), ("x-splunk-request-channel", CHANNEL), ("content-encoding", "gzip")];
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&event()).unwrap();
    let (status, body) = Client::of(&splunk, &headers).post(EVENTS, packed.finish().unwrap()).await;
    assert_eq!((status, body), (200, json!({ "text": "Success", "code": 0, "ackId": 0 })));
    assert_eq!(splunk.record().times("splunk_hec"), [(ID.to_owned(), 1)].into());
    let client = Client::of(&splunk, &headers[..2]);
    let ask = async || client.post("/services/collector/ack", "{\"acks\":[0,7]}").await;
    assert_eq!(ask().await, (200, json!({ "acks": { "0": true, "7": false } })));
    assert_eq!(ask().await, (200, json!({ "acks": { "0": false, "7": false } })));
    assert_eq!(client.get("/services/collector/health").await.1["code"], 17);
    splunk.feel(Mood::Busy);
    assert_eq!(client.post(EVENTS, event()).await, (503, json!({ "text": "Server is busy", "code": 9 })));
    splunk.feel(Mood::Unauthorized);
    assert_eq!(client.post(EVENTS, event()).await.0, 403);
    splunk.feel(Mood::Throttled);
    let reply = client.ask(Method::POST, EVENTS, event()).await;
    assert_eq!((reply.status, reply.retry_after().map(|wait| wait.as_secs())), (429, Some(1)));
    assert_eq!(splunk.record().total(), 1);
}

#[tokio::test]
async fn without_acknowledgement_there_is_none() {
    let splunk = splunk(false).await;
    let client = Client::of(&splunk, &[("authorization", TOKEN)]);
    assert_eq!(client.post(EVENTS, event()).await.1, json!({ "text": "Success", "code": 0 }));
    assert_eq!(client.post("/services/collector/ack", "{\"acks\":[0]}").await.1["code"], 14);
}

#[tokio::test]
async fn the_webhook_verifies_each_signature() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let receiver = webhook::start(secret, anywhere(), Record::new(10)).await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let key = STANDARD.decode(&secret[6..]).unwrap();
    let sign = |time: u64, body: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{ID}.{time}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    let answer = async |id: &str, time: u64, signature: &str| {
        let time = time.to_string();
        let headers = [("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", signature)];
        Client::of(&receiver, &headers).post("/", "{}").await.0
    };
    assert_eq!(answer(ID, now, &sign(now, "{}")).await, 204);
    assert_eq!(answer(ID, now, &format!("v1,AAAA {}", sign(now, "{}"))).await, 204);
    assert_eq!(answer(ID, now, &sign(now, "{ }")).await, 401);
    assert_eq!(answer("other", now, &sign(now, "{}")).await, 401);
    assert_eq!(answer(ID, now - 400, &sign(now - 400, "{}")).await, 401);
    assert_eq!(Client::of(&receiver, &[]).post("/", "{}").await.0, 401);
    assert_eq!(Client::of(&receiver, &[]).get("/").await.0, 405);
    assert_eq!(receiver.record().times("webhook"), [(ID.to_owned(), 2)].into());
}
