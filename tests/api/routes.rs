//! Every route at work, in the order in which somebody would use them.

use reqwest::Method;
use serde_json::json;

use super::Server;

#[tokio::test]
async fn findings_are_listed_shown_explained_summed_up_and_forwarded() {
    let server = Server::with_findings();
    let all = server.get("/v1/findings?limit=100").await;
    let total = all.is(200).json["total"].as_u64().unwrap();
    assert!(total > 2, "{all:?}");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/v1/findings?limit=2{cursor}")).await;
        let findings = page.is(200).json["findings"].as_array().unwrap().clone();
        seen.extend(findings.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.json["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let listed: Vec<&str> =
        all.json["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(seen, listed);

    let threat = all.json["findings"][0]["threat_type"].as_str().unwrap();
    let of_threat = server.get(&format!("/v1/findings?threat_type={threat}&threat_type=beaconing&order=newest")).await;
    for finding in of_threat.is(200).json["findings"].as_array().unwrap() {
        assert!([threat, "beaconing"].contains(&finding["threat_type"].as_str().unwrap()));
    }
    let id = &seen[0];
    let shown = server.get(&format!("/v1/findings/{}", &id[..12])).await;
    assert_eq!(shown.is(200).json["id"], **id);
    let explained = server.get(&format!("/v1/findings/{id}/explain")).await;
    assert!(!explained.is(200).json["checks"].as_array().unwrap().is_empty());
    assert_eq!(server.get("/v1/summary").await.is(200).json["total"], total);

    let order = json!({ "ids": [id], "sinks": ["hook"], "dry_run": true });
    let planned = server.post("/v1/findings:forward", &order).await;
    assert_eq!(planned.is(200).json["findings"], 1, "{planned:?}");
    let order = json!({ "filter": { "min_severity": "informational" } });
    assert_eq!(server.post("/v1/findings:forward", &order).await.is(200).json["findings"], total);
    let sinks = server.get("/v1/sinks").await;
    assert_eq!(sinks.is(200).json["sinks"][0]["name"], "hook");
    assert_eq!(server.get("/v1/outbox").await.is(200).json["sinks"][0]["accepted"], total);
    assert_eq!(server.get("/v1/outbox/dead").await.is(200).json["letters"], json!([]));
    assert_eq!(server.post("/v1/outbox/dead:replay", &json!({})).await.is(200).json["replayed"], 0);
    let checked = server.send(server.ask(Method::POST, "/v1/sinks/hook/check")).await;
    assert_eq!(checked.is(200).json["failure"]["kind"], "unavailable");
}

#[tokio::test]
async fn people_decide_about_findings() {
    let server = Server::with_findings();
    let first = server.get("/v1/findings?limit=1").await.json["findings"][0].clone();
    let id = first["id"].as_str().unwrap();
    let body = json!({ "from_finding": id, "reason": "our own scanner", "expires": "30d", "dry_run": true });
    let planned = server.post("/v1/suppressions", &body).await;
    assert_eq!(planned.is(200).json["made"], false);
    assert!(planned.json["suppression"]["id"].is_null(), "{planned:?}");
    assert_eq!(server.get("/v1/suppressions").await.is(200).json["suppressions"], json!([]));

    let body = json!({ "from_finding": id, "reason": "our own scanner", "expires": "30d" });
    let made = server.post("/v1/suppressions", &body).await;
    let suppression = made.is(201).json["suppression"]["id"].as_str().unwrap().to_owned();
    let hidden = server.get("/v1/findings?limit=100&suppressed=only").await;
    assert!(hidden.json["findings"].as_array().unwrap().iter().any(|finding| finding["id"] == id), "{hidden:?}");
    let lifted = server.ask(Method::DELETE, &format!("/v1/suppressions/{suppression}?reason=moved"));
    server.send(lifted).await.is(204);
    assert_eq!(server.get("/v1/suppressions?all=true").await.json["suppressions"][0]["id"], *suppression);

    let body = json!({ "truth": "true_positive", "note": "it was" });
    server.post(&format!("/v1/findings/{id}/feedback"), &body).await.is(201);
    let said = server.get("/v1/feedback").await;
    assert_eq!(said.is(200).json["threats"][0]["true_positives"], 1);
    assert_eq!(said.json["entries"][0]["by"], "anonymous");
    assert_eq!(server.get(&format!("/v1/findings/{id}")).await.json["feedback"], "true_positive");
}

#[tokio::test]
async fn a_suppression_of_a_threat_lets_what_is_grave_ring_and_ends_at_midnight() {
    let server = Server::with_findings();
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(jiff::Span::new().days(60));
    let day = day.unwrap().to_string();
    let body = json!({ "threat_type": "brute_force", "reason": "a drill", "expires": day, "dry_run": true });
    let planned = server.post("/v1/suppressions", &body).await;
    assert_eq!(planned.is(200).json["suppression"]["scope"]["max_severity"], "medium", "{planned:?}");
    assert_eq!(planned.json["suppression"]["expires"], format!("{day}T00:00:00Z"));
}

#[tokio::test]
async fn a_cursor_goes_on_after_a_finding_that_was_suppressed_meanwhile() {
    let server = Server::with_findings();
    let all = server.get("/v1/findings?limit=100").await.json["findings"].as_array().unwrap().clone();
    let page = server.get("/v1/findings?limit=1").await;
    let next = page.is(200).json["next"].as_str().unwrap().to_owned();
    let body = json!({ "from_finding": next, "reason": "our own scanner", "expires": "30d" });
    let made = server.post("/v1/suppressions", &body).await;
    let hidden = made.is(201).json["hides"].as_array().unwrap().clone();
    let rest = server.get(&format!("/v1/findings?limit=100&cursor={next}")).await;
    let listed: Vec<_> = rest.is(200).json["findings"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    let silent = |id: &serde_json::Value| hidden.iter().any(|one| one["id"] == *id);
    let expected: Vec<_> = all[1..].iter().map(|one| &one["id"]).filter(|id| !silent(id)).collect();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn times_in_the_past_are_said_in_one_way() {
    let server = Server::with_findings();
    let all = server.get("/v1/findings?since=2000-01-01").await.is(200).json["total"].clone();
    assert_eq!(server.get("/v1/findings?until=today").await.is(200).json["total"], all);
    assert_eq!(server.get("/v1/summary?until=24h").await.is(200).json["total"], all);
    let order = json!({ "filter": { "until": "yesterday" }, "dry_run": true });
    assert_eq!(server.post("/v1/findings:forward", &order).await.is(200).json["findings"], all);
}

#[tokio::test]
async fn rounds_and_trainings_are_begun_watched_and_ended() {
    let server = Server::with_findings();
    let begun = server.send(server.ask(Method::POST, "/v1/batches")).await;
    let place = begun.is(202).header("location").to_owned();
    assert_eq!(place, format!("/v1/batches/{}", begun.json["id"].as_str().unwrap()));
    let over = server.until(&place, |job| job["state"] == "succeeded").await;
    assert_eq!(over["kind"], "batch");
    let result = server.get(&format!("{place}/result")).await;
    assert_eq!(result.is(200).json["files_failed"], 0);
    server.send(server.ask(Method::POST, &format!("{place}/cancel"))).await.is_problem(409);
    let known = server.get("/v1/batches").await;
    assert_eq!(known.is(200).json["jobs"].as_array().unwrap().len(), 1);

    let begun = server.post("/v1/models", &json!({})).await;
    let place = begun.is(202).header("location").to_owned();
    assert_eq!(place, format!("/v1/trainings/{}", begun.json["id"].as_str().unwrap()));
    // A training is no batch.
    server.get(&place.replace("trainings", "batches")).await.is_problem(404);
    server.until(&place, |job| job["state"] == "succeeded").await;
    assert_eq!(server.get("/v1/trainings").await.is(200).json["jobs"].as_array().unwrap().len(), 1);
    server.send(server.ask(Method::POST, &format!("{place}/cancel"))).await.is_problem(409);
    let models = server.get("/v1/models").await;
    let name = models.is(200).json["models"][0]["name"].as_str().unwrap().to_owned();
    server.send(server.ask(Method::POST, &format!("/v1/models/{name}/load"))).await.is(200);
    let models = server.get("/v1/models").await;
    assert_eq!(models.json["models"][0]["is_default"], true);
}

#[tokio::test]
async fn findings_of_a_request_are_kept_and_handed_over() {
    let server = Server::start();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs/sshd_auth.log");
    let log = std::fs::read(sample).unwrap();
    let ask =
        || server.ask(Method::POST, "/v1/analyze?name=sshd.log").header("content-type", "text/plain").body(log.clone());
    let first = server.send(ask()).await;
    let found = first.is(200).json["findings"].as_array().unwrap().len();
    assert!(found > 0);
    assert_eq!(first.json["handed_over"]["new"], found);
    let again = server.send(ask()).await;
    assert_eq!(again.is(200).json["handed_over"]["known"], found, "{:?}", again.json["handed_over"]);
    assert_eq!(again.json["findings"][0]["id"], first.json["findings"][0]["id"]);
    let kept = server.until("/v1/findings", |page| page["total"] == found).await;
    assert_eq!(kept["findings"][0]["id"], first.json["findings"][0]["id"]);
    assert_eq!(server.get("/v1/outbox").await.json["sinks"][0]["accepted"], found);
}
