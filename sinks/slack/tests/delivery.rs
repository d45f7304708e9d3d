//! What Slack gets: single messages, digests, threads; and what its refusals are taken for.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use watchbell_sink::{
    Batch, Context, Delivery, ErrorKind, Finding, Memory, Outcome, Severity, Sink, SinkConfig, SinkError, Steps,
    testkit::{
        findings::{sample, samples},
        server::{Answer, Request, Server},
    },
};
use watchbell_slack::{Slack, SlackConfig, limits};

/// A memory that outlives the sinks.
#[derive(Default)]
struct Kept(Mutex<HashMap<String, String>>);

impl Memory for Kept {
    fn recall(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn keep(&self, key: &str, value: &str) {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
}

fn build(options: &str, memory: &Arc<Kept>) -> Slack {
    let config: SlackConfig = toml::from_str(options).unwrap();
    let memory: Arc<dyn Memory> = Arc::<Kept>::clone(memory);
    config.build(&Context { memory, timeout: Duration::from_secs(5), ..Context::new("soc") }).unwrap()
}

fn bot(server: &Server, memory: &Arc<Kept>, more: &str) -> Slack {
    let address = server.address();
    build(&format!("token = 'xoxb-1'\nchannel = 'C1'\napi_url = 'http://{address}/api'\n{more}"), memory)
}

fn webhook(server: &Server) -> Slack {
    build(&format!("webhook_url = 'http://{}/services/T/B/secret'", server.address()), &Arc::default())
}

fn batch(sink: &Slack, findings: &[Finding]) -> Batch {
    let delivery =
        |finding: &Finding| Delivery { key: finding.id.clone(), payload: sink.encode(finding).unwrap(), attempt: 1 };
    Batch::new(findings.iter().map(delivery).collect()).unwrap()
}

async fn deliver(sink: &Slack, findings: &[Finding]) -> Result<(), SinkError> {
    let receipt = sink.deliver(&batch(sink, findings)).await?;
    assert_eq!(receipt.verdicts().len(), findings.len());
    Ok(())
}

/// A workspace in which everything works; messages get the numbers from 1 as `ts`.
async fn workspace() -> Server {
    let posted = AtomicUsize::new(0);
    let answer = move |request: &Request| match request.route() {
        "/api/chat.postMessage" => {
            let ts = format!("{}.0", posted.fetch_add(1, Ordering::SeqCst) + 1);
            Answer::json(200, json!({ "ok": true, "channel": "C1", "ts": ts }))
        }
        "/api/chat.update" => Answer::json(200, json!({ "ok": true, "channel": "C1", "ts": "1.0" })),
        _ => Answer::text(200, "ok"),
    };
    Server::start(answer).await.unwrap()
}

fn routes(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.route().to_owned()).collect()
}

#[tokio::test]
async fn one_finding_goes_out_byte_by_byte() {
    let server = workspace().await;
    let (hook, bot) = (webhook(&server), bot(&server, &Arc::default(), ""));
    for sink in [&hook, &bot] {
        deliver(sink, &[sample()]).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.body, sink.encode(&sample()).unwrap().bytes());
        assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
    }
    assert_eq!(routes(&server), ["/services/T/B/secret", "/api/chat.postMessage"]);
    assert_eq!(server.requests()[1].header("authorization"), Some("Bearer xoxb-1"));
    assert_eq!(server.requests()[0].header("authorization"), None);
    assert_eq!(server.requests()[1].json()["channel"], "C1");
}

#[tokio::test]
async fn several_findings_are_one_digest() {
    let server = workspace().await;
    let sink = webhook(&server);
    assert_eq!((sink.limits().items, sink.limits().together_above), (20, 5));
    assert_eq!(sink.limits().pace, Duration::from_secs(1));
    for seed in 30..50 {
        let findings = samples(20, seed);
        deliver(&sink, &findings).await.unwrap();
        let digest = server.requests().pop().unwrap().json();
        assert_eq!(limits::violations(&digest, 5000), Vec::<String>::new(), "{digest:#}");
        assert_eq!(digest["blocks"][0]["text"]["text"], "20 findings");
        let text = digest.to_string();
        for finding in &findings {
            assert!(text.contains(&finding.id), "{digest:#}");
        }
        assert_eq!(text.matches("•").count() - text.matches("••").count(), 20);
    }
    assert_eq!(server.seen(), 20);
}

#[tokio::test]
async fn a_digest_shows_the_worst_first() {
    let server = workspace().await;
    let sink = webhook(&server);
    let finding = |severity, title: &str| Finding { severity, title: title.to_owned(), ..sample() };
    let findings =
        [finding(Severity::Low, "small"), finding(Severity::Critical, "big"), finding(Severity::Low, "tiny")];
    deliver(&sink, &findings).await.unwrap();
    let digest = server.requests().pop().unwrap().json();
    assert_eq!(digest["text"], "3 findings: 1 critical, 2 low");
    let shown = &digest["attachments"][0];
    assert_eq!(shown["color"], "#8b0000");
    assert_eq!(shown["blocks"][0]["text"]["text"], "Critical (1)\n• big (48 events, 6f1ed002ab5595859014ebf0951522d9)");
    assert_eq!(
        shown["blocks"][1]["text"]["text"],
        "Low (2)\n• small (48 events, 6f1ed002ab5595859014ebf0951522d9)\n• tiny (48 events, 6f1ed002ab5595859014ebf0951522d9)"
    );
}

#[tokio::test]
async fn repetitions_go_into_the_thread_of_the_first_also_after_a_restart() {
    let (server, memory) = (workspace().await, Arc::<Kept>::default());
    let again = Finding { id: "again".to_owned(), title: "Brute force against alice, again".to_owned(), ..sample() };
    let mut other = sample();
    other.entity.value = "bob".to_owned();
    deliver(&bot(&server, &memory, ""), &[sample()]).await.unwrap();
    let restarted = bot(&server, &memory, "");
    deliver(&restarted, std::slice::from_ref(&again)).await.unwrap();
    deliver(&restarted, &[other]).await.unwrap();
    deliver(&restarted, &[again]).await.unwrap();
    let post = "/api/chat.postMessage";
    let update = "/api/chat.update";
    assert_eq!(routes(&server), [post, post, update, post, post, update]);
    let sent: Vec<Value> = server.requests().iter().map(Request::json).collect();
    assert!(sent[0].get("thread_ts").is_none() && sent[3].get("thread_ts").is_none());
    assert_eq!((&sent[1]["thread_ts"], &sent[4]["thread_ts"]), (&json!("1.0"), &json!("1.0")));
    assert_eq!((&sent[2]["ts"], &sent[2]["channel"]), (&json!("1.0"), &json!("C1")));
    assert!(sent[2].get("attachments").is_none(), "what is left out stays");
    let count = |update: &Value| update["blocks"][1]["elements"][0]["text"].as_str().unwrap().to_owned();
    assert!(count(&sent[2]).starts_with("2 findings of this kind") && count(&sent[5]).starts_with("3 findings"));
    let shown = &sent[2]["blocks"][0]["text"]["text"];
    assert!(shown.as_str().unwrap().starts_with("Brute force against alice"));
}

#[tokio::test]
async fn outside_of_the_window_there_is_no_thread() {
    let (server, memory) = (workspace().await, Arc::<Kept>::default());
    let never = bot(&server, &memory, "repeat_window_secs = 0");
    deliver(&never, &[sample()]).await.unwrap();
    deliver(&never, &[sample()]).await.unwrap();
    let short = bot(&server, &memory, "repeat_window_secs = 1");
    deliver(&short, &[sample()]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    deliver(&short, &[sample()]).await.unwrap();
    assert!(server.requests().iter().all(|request| request.json().get("thread_ts").is_none()));
    assert_eq!(server.seen(), 4);
}

#[tokio::test]
async fn a_thread_whose_start_was_deleted_begins_anew() {
    let gone = |request: &Request| match request.json().get("thread_ts") {
        Some(_) => Answer::json(200, json!({ "ok": false, "error": "thread_not_found" })),
        None => Answer::json(200, json!({ "ok": true, "channel": "C1", "ts": "9.0" })),
    };
    let (server, memory) = (Server::start(gone).await.unwrap(), Arc::<Kept>::default());
    let sink = bot(&server, &memory, "");
    for _ in 0..2 {
        deliver(&sink, &[sample()]).await.unwrap();
    }
    let threads: Vec<bool> =
        server.requests().iter().map(|request| request.json().get("thread_ts").is_some()).collect();
    assert_eq!(threads, [false, true, false]);
}

#[tokio::test]
async fn a_count_that_is_not_shown_is_no_failure() {
    let answer = |request: &Request| match request.route() {
        "/api/chat.update" => Answer::json(200, json!({ "ok": false, "error": "edit_window_closed" })),
        _ => Answer::json(200, json!({ "ok": true, "channel": "C1", "ts": "1.0" })),
    };
    let (server, memory) = (Server::start(answer).await.unwrap(), Arc::<Kept>::default());
    let sink = bot(&server, &memory, "");
    for _ in 0..2 {
        deliver(&sink, &[sample()]).await.unwrap();
    }
    assert_eq!(routes(&server).last().unwrap(), "/api/chat.update");
}

async fn kind_of(answer: Answer, by_bot: bool) -> SinkError {
    let server = Server::start(move |_| answer.clone()).await.unwrap();
    let sink = if by_bot { bot(&server, &Arc::default(), "") } else { webhook(&server) };
    deliver(&sink, &[sample()]).await.unwrap_err()
}

#[tokio::test]
async fn refusals_of_the_web_api_have_their_kinds() {
    for (word, kind) in [
        ("invalid_auth", ErrorKind::Auth),
        ("not_authed", ErrorKind::Auth),
        ("account_inactive", ErrorKind::Auth),
        ("token_revoked", ErrorKind::Auth),
        ("token_expired", ErrorKind::Auth),
        ("channel_not_found", ErrorKind::Config),
        ("not_in_channel", ErrorKind::Config),
        ("is_archived", ErrorKind::Config),
        ("missing_scope", ErrorKind::Config),
        ("no_permission", ErrorKind::Config),
        ("restricted_action", ErrorKind::Config),
        ("invalid_blocks", ErrorKind::Rejected),
        ("msg_too_long", ErrorKind::Rejected),
        ("msg_blocks_too_long", ErrorKind::Rejected),
        ("no_text", ErrorKind::Rejected),
        ("invalid_attachments", ErrorKind::Rejected),
        ("ratelimited", ErrorKind::Throttled),
        ("rate_limited", ErrorKind::Throttled),
        ("internal_error", ErrorKind::Unavailable),
        ("fatal_error", ErrorKind::Unavailable),
        ("service_unavailable", ErrorKind::Unavailable),
        ("request_timeout", ErrorKind::Unavailable),
        ("a_word_nobody_knows", ErrorKind::Rejected),
    ] {
        let error = kind_of(Answer::json(200, json!({ "ok": false, "error": word })), true).await;
        assert_eq!(error.kind, kind, "{word}");
        assert!(error.message.contains(word), "{error}");
    }
    let detail =
        json!({ "ok": false, "error": "invalid_blocks", "response_metadata": { "messages": ["[ERROR] too long"] } });
    assert!(kind_of(Answer::json(200, detail), true).await.message.contains("too long"));
    let error =
        kind_of(Answer::json(200, json!({ "ok": false, "error": "ratelimited" })).header("Retry-After", 7), true);
    assert_eq!(error.await.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn refusals_of_a_webhook_have_their_kinds() {
    for (status, word, kind) in [
        (400, "invalid_payload", ErrorKind::Rejected),
        (400, "no_text", ErrorKind::Rejected),
        (400, "invalid_blocks", ErrorKind::Rejected),
        (400, "user_not_found", ErrorKind::Config),
        (403, "invalid_token", ErrorKind::Auth),
        (403, "action_prohibited", ErrorKind::Config),
        (403, "posting_to_general_channel_denied", ErrorKind::Config),
        (404, "no_service", ErrorKind::Auth),
        (404, "no_active_hooks", ErrorKind::Auth),
        (404, "no_team", ErrorKind::Auth),
        (404, "channel_not_found", ErrorKind::Config),
        (410, "channel_is_archived", ErrorKind::Config),
        (429, "rate_limited", ErrorKind::Throttled),
        (500, "rollup_error", ErrorKind::Unavailable),
        (503, "", ErrorKind::Unavailable),
        (200, "<html>sign in to this network</html>", ErrorKind::Unavailable),
    ] {
        let error = kind_of(Answer::text(status, word), false).await;
        assert_eq!(error.kind, kind, "{status} {word}");
        assert!(!error.message.contains("secret"), "{error}");
    }
}

async fn check(sink: &Slack) -> (Result<(), SinkError>, Steps) {
    let mut steps = Steps::default();
    let result = sink.check(&mut steps).await;
    assert_eq!(result.is_err(), steps.has_failed(), "{steps:?}");
    (result, steps)
}

#[tokio::test]
async fn a_webhook_is_checked_without_posting() {
    for (answer, kind) in [
        (Answer::text(400, "no_text"), None),
        (Answer::text(404, "no_service"), Some(ErrorKind::Auth)),
        (Answer::text(403, "invalid_token"), Some(ErrorKind::Auth)),
        (Answer::text(410, "channel_is_archived"), Some(ErrorKind::Config)),
    ] {
        let server = Server::start(move |_| answer.clone()).await.unwrap();
        let (result, steps) = check(&webhook(&server)).await;
        assert_eq!(result.err().map(|error| error.kind), kind, "{steps:?}");
        let requests = server.requests();
        assert!(requests.len() == 1 && requests[0].body == b"{}", "nothing in it can be shown");
    }
}

#[tokio::test]
async fn a_bot_is_checked_step_by_step() {
    let scopes = "chat:write,channels:read";
    let workspace = |scopes: &'static str, channel: Value| async move {
        let answer = move |request: &Request| match request.route() {
            "/api/auth.test" => Answer::json(200, json!({ "ok": true, "team": "SOC", "user": "watchbell" }))
                .header("x-oauth-scopes", scopes),
            "/api/conversations.info" => Answer::json(200, &channel),
            route => panic!("{route} is not asked by a check"),
        };
        let server = Server::start(answer).await.unwrap();
        check(&bot(&server, &Arc::default(), "")).await
    };
    let last = |steps: &Steps| steps.all().last().unwrap().clone();
    let member = json!({ "ok": true, "channel": { "id": "C1", "is_member": true } });
    let (result, steps) = workspace(scopes, member.clone()).await;
    assert!(result.is_ok() && last(&steps).outcome == Outcome::Ok, "{steps:?}");
    let (result, steps) = workspace(scopes, json!({ "ok": true, "channel": { "is_member": false } })).await;
    assert!(result.is_ok() && matches!(last(&steps).outcome, Outcome::Warning { .. }), "{steps:?}");
    let (result, _) = workspace(scopes, json!({ "ok": true, "channel": { "is_archived": true } })).await;
    assert_eq!(result.unwrap_err().kind, ErrorKind::Config);
    let (result, steps) = workspace(scopes, json!({ "ok": false, "error": "missing_scope" })).await;
    assert!(result.is_ok() && last(&steps).outcome == Outcome::Skipped, "{steps:?}");
    let (result, _) = workspace(scopes, json!({ "ok": false, "error": "channel_not_found" })).await;
    assert_eq!(result.unwrap_err().kind, ErrorKind::Config);
    let (result, steps) = workspace("channels:read", member).await;
    assert!(result.is_err() && last(&steps).name == "permission", "{steps:?}");
}
