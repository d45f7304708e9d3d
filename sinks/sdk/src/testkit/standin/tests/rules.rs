//! Rules of the API of Google SecOps: what it adds, coerces and refuses, and faults at chosen requests.

use std::time::Duration;

use chronicle::{
    Rules, Tenant,
    rules::{Fault, Quota, plausible},
};
use serde_json::{Value, json};

use super::{apis::assertion, *};

const RULE: &str = "rule one { meta: author = \"a\" events: $e.metadata.event_type = \"USER_LOGIN\" condition: $e }";

/// A stand-in, its rules, and somebody with a token.
struct Tested {
    standin: Standin,
    rules: Rules,
    client: Client,
    parent: String,
}

impl Tested {
    async fn start() -> Self {
        let tenant = Tenant::new("my-project", "us", "00000000-0000-0000-0000-000000000000").unwrap();
        let rules = Rules::default();
        let standin = chronicle::start_with(&tenant, anywhere(), Record::new(10), rules.clone()).await.unwrap();
        let credentials = serde_json::from_str(&tenant.credentials(standin.address())).unwrap();
        let assertion = assertion(&credentials, &format!("http://{}/token", standin.address()));
        let grant = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={assertion}");
        let (_, answer) = Client::of(&standin, &[]).post("/token", grant).await;
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
        let client = Client::of(&standin, &[("authorization", &bearer)]);
        let parent = "/v1/projects/my-project/locations/us/instances/00000000-0000-0000-0000-000000000000".to_owned();
        Self { standin, rules, client, parent }
    }

    async fn ask(&self, method: Method, below: &str, body: &Value) -> (u16, Value) {
        let reply = self.client.ask(method, &format!("{}{below}", self.parent), body.to_string()).await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    async fn get(&self, below: &str) -> (u16, Value) {
        self.ask(Method::GET, below, &Value::Null).await
    }

    /// The status and Google's word for it.
    async fn patched(&self, below: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.ask(Method::PATCH, below, &body).await;
        (status, answer["error"]["status"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn a_text_gets_a_line_end_a_revision_and_an_etag_that_guards_it() {
    let tested = Tested::start().await;
    let (status, made) = tested.ask(Method::POST, "/rules", &json!({ "text": RULE })).await;
    assert_eq!((status, &made["displayName"]), (200, &json!("one")));
    assert_eq!(made["text"], format!("{RULE}\n"));
    let revision = made["revisionId"].as_str().unwrap();
    let digits: Vec<_> = revision.split('_').map(str::len).collect();
    assert_eq!((revision.starts_with("v_"), digits), (true, vec![1, 10, 9]), "{revision}");
    assert!(made["name"].as_str().unwrap().starts_with(&tested.parent[4..]), "{made}");

    let id = tested.rules.all()[0].id.clone();
    let path = format!("/rules/{id}?update_mask=text");
    let etag = made["etag"].clone();
    assert_eq!(tested.patched(&path, json!({ "text": RULE, "etag": etag })).await.0, 200);
    let again = tested.patched(&path, json!({ "text": RULE, "etag": etag })).await;
    assert_eq!(again, (409, "ABORTED".to_owned()), "every edit is a new revision, even of the same text");
    assert_eq!(tested.patched(&path, json!({ "text": "rule" })).await, (400, "INVALID_ARGUMENT".to_owned()));
    assert_eq!(tested.patched(&format!("/rules/{id}"), json!({ "text": RULE })).await.0, 400, "without a mask");
    assert_eq!(tested.patched("/rules/ru_x?update_mask=text", json!({ "text": RULE })).await.0, 404);
    let (_, twin) = tested.ask(Method::POST, "/rules", &json!({ "text": RULE })).await;
    assert_eq!((tested.rules.named("one").len(), &twin["displayName"]), (2, &json!("one")));
}

#[tokio::test]
async fn listings_come_in_pages_that_hold_together() {
    let tested = Tested::start().await;
    let ids: Vec<_> = (0..250).map(|_| tested.rules.add(RULE)).collect();
    let (_, first) = tested.get("/rules").await;
    assert_eq!(first["rules"].as_array().unwrap().len(), 100, "as many as nobody asked for");
    assert_eq!(first["rules"][0].get("text"), None, "the short view");
    let token = first["nextPageToken"].as_str().unwrap();
    // Somebody deletes a rule of the first page; nothing is skipped.
    assert!(tested.rules.remove(&ids[3]));
    let (_, second) = tested.get(&format!("/rules?pageSize=5000&pageToken={token}&view=FULL")).await;
    assert_eq!(second["rules"].as_array().unwrap().len(), 150);
    assert!(second["rules"][0]["text"].is_string() && second.get("nextPageToken").is_none());
    assert_eq!(tested.get("/rules?pageToken=x").await.0, 400);
    assert_eq!(tested.get(&format!("/rules/-/deployments?pageToken={token}")).await.0, 400, "of another listing");
    assert_eq!(tested.get("/rules?view=WHOLE").await.0, 400);
    let (_, deployments) = tested.get("/rules/-/deployments?page_size=2").await;
    let deployment = &deployments["ruleDeployments"][1];
    assert!(deployment["name"].as_str().unwrap().ends_with(&format!("{}/deployment", ids[1])), "{deployment}");
    assert_eq!((&deployment["runFrequency"], deployment.get("enabled")), (&json!("LIVE"), None));
}

#[tokio::test]
async fn quotas_hold_for_what_is_enabled() {
    let tested = Tested::start().await;
    let multi = RULE.replace("condition", "match: $u over 5m condition");
    let ids = [tested.rules.add(RULE), tested.rules.add(&multi), tested.rules.add(RULE)];
    tested.rules.limit(Quota { enabled: 1, multi_event: 0 });
    let enable = |id: &str| format!("/rules/{id}/deployment?update_mask=enabled");
    let exhausted = (429, "RESOURCE_EXHAUSTED".to_owned());
    assert_eq!(tested.patched(&enable(&ids[1]), json!({ "enabled": true })).await, exhausted);
    assert_eq!(tested.patched(&enable(&ids[0]), json!({ "enabled": true })).await.0, 200);
    assert_eq!(tested.patched(&enable(&ids[0]), json!({ "enabled": true })).await.0, 200, "it is enabled already");
    assert_eq!(tested.patched(&enable(&ids[2]), json!({ "enabled": true })).await, exhausted);
    let text = format!("/rules/{}?update_mask=text", ids[0]);
    assert_eq!(tested.patched(&text, json!({ "text": multi })).await, exhausted, "it would become scarce");
}

#[tokio::test]
async fn masks_name_fields_that_there_are() {
    let tested = Tested::start().await;
    let id = tested.rules.add(RULE);
    for (mask, body) in [
        ("", json!({})),
        ("enabled,colour", json!({ "enabled": true })),
        ("run_frequency", json!({})),
        ("run_frequency", json!({ "runFrequency": "SOMETIMES" })),
        ("archived,enabled", json!({ "archived": true })),
    ] {
        let path = format!("/rules/{id}/deployment?update_mask={mask}");
        assert_eq!(tested.patched(&path, body).await, (400, "INVALID_ARGUMENT".to_owned()), "{mask}");
    }
    let path = format!("/rules/{id}/deployment?updateMask=runFrequency");
    assert_eq!(tested.patched(&path, json!({ "run_frequency": "DAILY" })).await.0, 200);
    assert_eq!(tested.rules.all()[0].frequency, "LIVE", "a rule over one event knows nothing else");
}

#[tokio::test]
async fn faults_come_at_their_request_and_everything_is_noted() {
    let tested = Tested::start().await;
    let id = tested.rules.add(RULE);
    tested.rules.fault(0, Fault::Refuse(503));
    tested.rules.fault(1, Fault::Delay(Duration::from_millis(50)));
    let theirs = id.clone();
    tested.rules.fault(2, Fault::Meanwhile(Box::new(move |rules| assert!(rules.edit(&theirs, "rule theirs {}")))));
    assert_eq!(tested.get("/rules").await.0, 503);
    let start = std::time::Instant::now();
    assert_eq!(tested.get("/rules").await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
    let (_, rule) = tested.get(&format!("/rules/{id}")).await;
    assert_eq!((&rule["displayName"], &rule["compilationState"]), (&json!("theirs"), &json!("FAILED")));
    assert_eq!(tested.client.get("/v2/elsewhere").await.0, 404);
    let noted: Vec<_> = tested.rules.log().iter().map(|asked| (asked.number, asked.status)).collect();
    assert_eq!(noted, [(0, Some(503)), (1, Some(200)), (2, Some(200)), (3, Some(404))]);
    assert_eq!(Client::of(&tested.standin, &[]).get(&format!("{}/rules", tested.parent)).await.0, 401);
    tested.rules.forget();
    assert_eq!((tested.rules.asked(), tested.rules.log().len()), (0, 0));
}

#[tokio::test]
async fn permissions_and_versions_can_be_taken_away() {
    let tested = Tested::start().await;
    tested.rules.forbid("chronicle.rules.list");
    let (status, answer) = tested.get("/rules").await;
    assert_eq!((status, &answer["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("Permission 'chronicle.rules.list' denied"));
    tested.rules.allow_all();
    assert_eq!(tested.get("/rules").await, (200, json!({})));
    tested.rules.serve(&["v1beta"]);
    assert_eq!(tested.get("/rules").await.0, 404);
    assert_eq!(tested.client.get(&format!("{}/rules", tested.parent.replace("/v1/", "/v1beta/"))).await.0, 200);
    assert_eq!(tested.get("").await.0, 200, "the instance itself is still served");
}

#[test]
fn the_outline_of_a_rule_is_seen_through_texts_and_comments() {
    let fine =
        plausible("// rule x\nrule a_1\n{ meta: a = \"}\\\"{\" events: $e.x = `{` /* match: { */ condition: $e }\n");
    assert_eq!((fine.name.as_str(), fine.succeeded(), fine.multi_event), ("a_1", true, false), "{fine:?}");
    let multi = plausible("rule m { meta: events: $match.x = 1 match: $u over 2h condition: $e }");
    assert_eq!((multi.succeeded(), multi.multi_event, multi.window_seconds), (true, true, Some(7200)));
    for (text, message, place) in [
        ("", "expected `rule NAME {`", (1, 1)),
        ("\n  rules x {", "expected `rule NAME {`", (2, 3)),
        ("rule x { events: condition: }", "missing section \"meta\"", (1, 1)),
        ("rule x { meta: events: condition:", "unbalanced braces", (1, 34)),
        ("rule x { meta: events: condition: }\n}", "expected the end after the rule", (1, 36)),
        ("rule x { meta: events: condition: \"}", "unbalanced braces", (1, 37)),
    ] {
        let compiled = plausible(text);
        let found = compiled.diagnostics.iter().find(|diagnostic| diagnostic.message.contains(message));
        assert_eq!(found.and_then(|diagnostic| diagnostic.start), Some(place), "{text}: {compiled:?}");
    }
    for hostile in ["rule é {\u{202e}", "\"", "`", "/*", "/", "rule \u{0} {{{", "over 99999999999999999999d match:"] {
        assert!(!plausible(hostile).succeeded(), "{hostile}");
    }
}
