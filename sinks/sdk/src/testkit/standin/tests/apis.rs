//! Elasticsearch's node and the API of Google SecOps.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rcgen::{KeyPair, SigningKey};
use serde_json::json;

use super::*;

#[tokio::test]
async fn elasticsearch_answers_per_item_and_knows_repetitions() {
    let credentials = elasticsearch::Credentials::ApiKey("a2V5".to_owned());
    let node = elasticsearch::start(credentials, anywhere(), Record::new(10)).await.unwrap();
    let client = Client::of(&node, &[("authorization", "ApiKey a2V5"), ("content-type", "application/x-ndjson")]);
    let reply = client.ask(Method::GET, "/", "").await;
    assert_eq!(reply.headers["x-elastic-product"], "Elasticsearch");
    assert_eq!(Client::of(&node, &[]).get("/").await.0, 401);

    assert_eq!(client.get("/_index_template/findings").await.0, 404);
    assert_eq!(client.ask(Method::PUT, "/_data_stream/findings", "").await.status, 400);
    let template = json!({ "index_patterns": ["findings"], "data_stream": {}, "_meta": { "version": 3 } }).to_string();
    assert_eq!(client.ask(Method::PUT, "/_index_template/findings", template).await.status, 200);
    let (_, kept) = client.get("/_index_template/findings").await;
    assert_eq!(kept["index_templates"][0]["index_template"]["_meta"]["version"], 3);
    assert_eq!(client.ask(Method::PUT, "/_data_stream/findings", "").await.status, 200);
    assert_eq!(client.get("/_data_stream/findings").await.0, 200);
    assert_eq!(client.ask(Method::PUT, "/_ilm/policy/findings", "{\"policy\":{\"phases\":{}}}").await.status, 200);
    assert_eq!(client.get("/_ilm/policy/findings").await.1["findings"]["policy"], json!({ "phases": {} }));

    let document = "{\"@timestamp\":\"2026-01-15T03:12:07Z\"}";
    let create = |id: &str, document: &str| format!("{{\"create\":{{\"_id\":\"{id}\"}}}}\n{document}\n");
    let body =
        [create(ID, document), create(ID, document), create("x", "{}"), "{\"index\":{\"_id\":\"y\"}}\n{}\n".to_owned()];
    let (status, answer) = client.post("/findings/_bulk", body.concat()).await;
    assert_eq!((status, &answer["errors"]), (200, &json!(true)));
    let statuses: Vec<_> = answer["items"].as_array().unwrap().iter().map(|item| item.as_object().unwrap()).collect();
    let statuses: Vec<_> = statuses.iter().flat_map(|item| item.values()).map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, [201, 409, 400, 400]);
    assert_eq!(answer["items"][1]["create"]["error"]["type"], "version_conflict_engine_exception");
    assert_eq!(client.post("/findings/_bulk", "{\"create\":{}}").await.0, 400);
    assert_eq!(client.get("/_plugins/_ism/policies/x").await.0, 400);
    assert_eq!(node.record().times("elasticsearch"), [(ID.to_owned(), 1)].into());
}

pub(super) fn assertion(credentials: &serde_json::Value, audience: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims =
        json!({ "iss": credentials["client_email"], "aud": audience, "exp": now + 60, "iat": now, "scope": "x" });
    let encoded = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(json!({ "alg": "RS256", "typ": "JWT" })), encoded(claims));
    let key = KeyPair::from_pem(credentials["private_key"].as_str().unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).unwrap());
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn chronicle_wants_a_signed_assertion_and_takes_all_or_none() {
    let tenant = chronicle::Tenant::new("my-project", "us", "00000000-0000-0000-0000-000000000000").unwrap();
    let api = chronicle::start(&tenant, anywhere(), Record::new(10)).await.unwrap();
    let credentials = serde_json::from_str(&tenant.credentials(api.address())).unwrap();
    let audience = format!("http://{}/token", api.address());
    let grant = |assertion: &str| {
        format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
    };
    let open = Client::of(&api, &[]);
    let assertion_of = |audience: &str| assertion(&credentials, audience);
    let (status, answer) = open.post("/token", grant(&assertion_of(&audience))).await;
    assert_eq!((status, &answer["token_type"]), (200, &json!("Bearer")), "{answer}");
    let forged = assertion_of(&audience).replacen(".ey", ".ez", 1);
    for wrong in [assertion_of("http://elsewhere/token"), forged, "x".to_owned()] {
        assert_eq!(open.post("/token", grant(&wrong)).await.0, 400);
    }

    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let client = Client::of(&api, &[("authorization", &bearer)]);
    let instance = "projects/my-project/locations/us/instances/00000000-0000-0000-0000-000000000000";
    assert_eq!(client.get(&format!("/v1/{instance}")).await, (200, json!({ "name": instance })));
    assert_eq!(open.get(&format!("/v1/{instance}")).await.0, 401);
    assert_eq!(client.get("/v1/projects/other/locations/us/instances/1").await.0, 403);
    let import = format!("/v1beta/{instance}/events:import");
    let event = |kind: &str| {
        let metadata = json!({ "event_timestamp": "2026-01-15T03:12:07Z", "event_type": kind, "product_log_id": ID });
        json!({ "udm": { "metadata": metadata, "principal": { "ip": ["192.0.2.1"] } } })
    };
    let body = |events: &[serde_json::Value]| json!({ "inline_source": { "events": events } }).to_string();
    let (status, answer) = client.post(&import, body(&[event("GENERIC_EVENT"), event("")])).await;
    assert_eq!((status, &answer["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert!(answer["error"]["message"].as_str().unwrap().contains("invalid event 1"), "{answer}");
    assert_eq!(api.record().total(), 0);
    assert_eq!(client.post(&import, body(&[event("GENERIC_EVENT")])).await, (200, json!({})));
    assert_eq!(api.record().times("chronicle"), [(ID.to_owned(), 1)].into());
    let scalar = json!({ "udm": { "metadata": event("X")["udm"]["metadata"], "principal": { "ip": "192.0.2.1" } } });
    assert_eq!(client.post(&import, body(&[scalar])).await.0, 400);
}
