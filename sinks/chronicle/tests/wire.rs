//! The sink against a stand-in for Google: requests byte by byte, versions, tokens, refusals, and the check.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;
use support::{INSTANCE, TOKEN, accepts, build, delivers, options, refusal};
use watchbell_chronicle::Chronicle;
use watchbell_sink::{
    Batch, Delivery, ErrorKind, Outcome, Sink, SinkError, Steps,
    testkit::{
        findings::{sample, samples},
        server::{Answer, Request, Server},
    },
};

fn batch(sink: &Chronicle, count: usize) -> Batch {
    let findings = std::iter::once(sample()).chain(samples(count - 1, 3));
    let delivery = |finding: watchbell_sink::Finding| Delivery {
        key: format!("{}.secops", finding.id),
        payload: sink.encode(&finding).expect("a sample can be encoded"),
        attempt: 1,
    };
    Batch::new(findings.map(delivery).collect()).expect("there is at least one")
}

async fn server(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Server, Chronicle) {
    let server = Server::start(answer).await.expect("a port is free");
    let sink = build(&options(&server.address().to_string())).expect("the options are right");
    (server, sink)
}

async fn failing(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> SinkError {
    let (_server, sink) =
        server(move |request| if delivers(request) { answer(request) } else { accepts(request) }).await;
    sink.deliver(&batch(&sink, 2)).await.expect_err("the destination refuses")
}

fn imports(server: &Server) -> Vec<Request> {
    server.requests().into_iter().filter(delivers).collect()
}

#[tokio::test]
async fn a_request_is_what_the_reference_shows_and_a_resend_is_the_same_bytes() {
    let (server, sink) = server(accepts).await;
    sink.deliver(&batch(&sink, 3)).await.unwrap();
    sink.deliver(&batch(&sink, 3)).await.unwrap();
    let [first, again] = imports(&server).try_into().unwrap();
    let parent = format!("/v1/projects/my-project/locations/europe-west3/instances/{INSTANCE}");
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", format!("{parent}/events:import").as_str()));
    assert_eq!(first.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.body, again.body);
    let events = &first.json()["inline_source"]["events"];
    assert_eq!(events.as_array().unwrap().len(), 3);
    assert_eq!(events[0]["udm"]["metadata"]["product_log_id"], sample().id);
    let tokens = server.requests().iter().filter(|request| request.route() == "/token").count();
    assert_eq!(tokens, 1, "a token is kept while it holds");
}

#[tokio::test]
async fn where_v1_is_not_served_v1beta_is_and_that_is_remembered() {
    let (server, sink) = server(|request| match request.route().starts_with("/v1/") {
        true => refusal(404, "NOT_FOUND", "Method not found"),
        false => accepts(request),
    })
    .await;
    for _ in 0..3 {
        sink.deliver(&batch(&sink, 1)).await.unwrap();
    }
    let versions: Vec<_> = imports(&server).iter().map(|request| request.path[..5].to_owned()).collect();
    assert_eq!(versions, ["/v1/p", "/v1be", "/v1be", "/v1be"]);
}

#[tokio::test]
async fn an_instance_that_is_nowhere_is_a_matter_of_configuration() {
    let error = failing(|_| refusal(404, "NOT_FOUND", "no")).await;
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("check the location") && error.message.contains(INSTANCE), "{error}");
}

#[tokio::test]
async fn a_refused_batch_is_refused_as_a_whole_with_the_words_of_the_server() {
    let error = failing(|_| refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")).await;
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("INVALID_ARGUMENT Request contains an invalid argument."), "{error}");
    // A number may count anything, so it is shown and not trusted.
    let error = failing(|_| refusal(400, "INVALID_ARGUMENT", "generic::unknown: invalid event 1: no")).await;
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("invalid event 1"), "{error}");
}

#[tokio::test]
async fn a_missing_permission_is_named_with_the_role_that_has_it() {
    let error = failing(|_| refusal(403, "PERMISSION_DENIED", "Permission denied on resource")).await;
    assert_eq!((error.kind, error.status), (ErrorKind::Auth, Some(403)));
    for expected in ["chronicle.events.import", "roles/chronicle.editor", "watchbell@my-project", "Permission denied"] {
        assert!(error.message.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_on_the_next_attempt() {
    let minted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&minted);
    let (_server, sink) = server(move |request| match request.route() {
        "/token" => {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            Answer::json(200, json!({"access_token": format!("token-{number}"), "expires_in": 3600}))
        }
        _ if request.header("authorization") == Some("Bearer token-0") => refusal(401, "UNAUTHENTICATED", "expired"),
        _ => accepts(request),
    })
    .await;
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    sink.deliver(&batch(&sink, 1)).await.unwrap();
    assert_eq!(minted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_ends_is_fetched_anew() {
    let (server, sink) = server(|request| match request.route() {
        "/token" => Answer::json(200, json!({"access_token": TOKEN, "expires_in": 30})),
        _ => accepts(request),
    })
    .await;
    sink.deliver(&batch(&sink, 1)).await.unwrap();
    sink.deliver(&batch(&sink, 1)).await.unwrap();
    assert_eq!(server.requests().iter().filter(|request| request.route() == "/token").count(), 2);
}

#[tokio::test]
async fn a_token_service_that_refuses_is_about_credentials_and_one_that_fails_about_the_moment() {
    let refusing = |status, body: &'static str| async move {
        let (server, sink) = server(move |_| Answer::json(status, body)).await;
        let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
        assert!(imports(&server).is_empty(), "without a token nothing is sent");
        error
    };
    let error = refusing(400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#).await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("invalid_grant") && error.message.contains("clock"), "{error}");
    assert_eq!(refusing(502, "<html>bad gateway</html>").await.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn tokens_take_the_proxy_too() {
    let proxy = Server::start(|_| Answer::status(403)).await.unwrap();
    let address = proxy.address().to_string();
    let text = options(&address).replace(&format!("http://{address}/token"), "https://oauth2.example/token");
    let sink = build(&format!("{text}proxy = \"http://user:hunter2@{address}\"\n")).unwrap();
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let [request] = proxy.requests().try_into().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("CONNECT", "oauth2.example:443"));
    assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpodW50ZXIy"));
}

#[tokio::test]
async fn workload_identity_exchanges_a_token_from_a_file() {
    let server = Server::start(|request| match request.route() {
        "/sts" => {
            assert!(request.text().contains("subject_token=of-another-cloud"), "{}", request.text());
            Answer::json(200, json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}))
        }
        _ => accepts(request),
    })
    .await
    .unwrap();
    let address = server.address().to_string();
    let file = std::env::temp_dir().join(format!("watchbell-subject-{}", std::process::id()));
    std::fs::write(&file, "of-another-cloud").unwrap();
    let account = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/pool",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("http://{address}/sts"),
        "credential_source": {"file": file},
    });
    let text = options(&address).replace(&support::key_file(&address), &account.to_string());
    let sink = build(&text).unwrap();
    let sent = sink.deliver(&batch(&sink, 1)).await;
    std::fs::remove_file(&file).unwrap();
    sent.unwrap();
    assert_eq!(imports(&server)[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}

/// Runs in a process of its own, because only there the environment can be another.
#[tokio::test]
#[ignore = "started by the test below"]
async fn with_default_credentials() {
    let address = std::env::var("WATCHBELL_TEST_ADDRESS").unwrap();
    let text = format!(
        "project = \"p\"\nlocation = \"us\"\ninstance = \"{INSTANCE}\"\nendpoint = \"http://{address}\"\n\
         auth = \"application_default\"\n"
    );
    let sink = build(&text).unwrap();
    sink.deliver(&batch(&sink, 1)).await.unwrap();
}

#[tokio::test]
async fn default_credentials_come_from_the_environment_or_the_metadata_server() {
    let server = Server::start(|request| match request.route() {
        "/computeMetadata/v1/instance/service-accounts/default/token" => {
            assert_eq!(request.header("metadata-flavor"), Some("Google"));
            Answer::json(200, json!({"access_token": "of-the-machine", "expires_in": 3600, "token_type": "Bearer"}))
        }
        _ => accepts(request),
    })
    .await
    .unwrap();
    let address = server.address().to_string();
    let file = std::env::temp_dir().join(format!("watchbell-key-{}.json", std::process::id()));
    std::fs::write(&file, support::key_file(&address)).unwrap();
    for (variable, value, token) in [
        ("GCE_METADATA_HOST", address.clone(), "of-the-machine"),
        ("GOOGLE_APPLICATION_CREDENTIALS", file.display().to_string(), TOKEN),
    ] {
        server.forget();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "with_default_credentials", "--ignored"]);
        child.env_remove("GOOGLE_APPLICATION_CREDENTIALS").env("HOME", "/nonexistent");
        child.env("WATCHBELL_TEST_ADDRESS", &address).env(variable, &value);
        let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{variable}: {}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(imports(&server)[0].header("authorization"), Some(format!("Bearer {token}").as_str()), "{variable}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn the_legacy_api_gets_bare_events_and_a_warning() {
    let server = Server::start(accepts).await.unwrap();
    let sink = build(&format!("{}api = \"legacy\"\n", options(&server.address().to_string()))).unwrap();
    sink.deliver(&batch(&sink, 2)).await.unwrap();
    let [request] = imports(&server).try_into().unwrap();
    assert_eq!(request.path, "/v2/udmevents:batchCreate");
    let body = request.json();
    assert_eq!(body["customerId"], INSTANCE);
    assert_eq!(body["events"][0]["metadata"]["product_log_id"], sample().id);
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    let warned = |outcome: &Outcome| matches!(outcome, Outcome::Warning { fix } if fix.contains("2027-07-20"));
    assert!(steps.all().iter().any(|step| warned(&step.outcome)), "{steps:?}");
}

#[tokio::test]
async fn a_check_goes_step_by_step_and_stops_with_a_fix() {
    let (_server, sink) = server(accepts).await;
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    let names: Vec<_> = steps.all().iter().map(|step| step.name.as_str()).collect();
    let expected = [
        "configuration",
        "credentials",
        "DNS",
        "TCP",
        "TLS",
        "clock",
        "token",
        "instance",
        "permission to write",
        "permission to manage rules",
    ];
    assert_eq!(names, expected);

    for (status, expected) in [(403, "chronicle.instances.get"), (404, "`location`"), (401, "new key")] {
        let (_server, sink) = server(move |request| match request.route() {
            "/token" => accepts(request),
            _ => refusal(status, "NO", "no"),
        })
        .await;
        let mut steps = Steps::default();
        sink.check(&mut steps).await.unwrap_err();
        let last = steps.all().last().unwrap();
        let fix = match &last.outcome {
            Outcome::Failed { fix } => fix,
            other => panic!("{other:?}"),
        };
        assert!(last.name == "instance" && fix.contains(expected), "{last:?}");
    }
}

#[tokio::test]
async fn a_check_finds_an_instance_that_only_v1beta_serves() {
    let (_server, sink) = server(|request| match request.route().starts_with("/v1/") {
        true => refusal(404, "NOT_FOUND", "Method not found"),
        false => accepts(request),
    })
    .await;
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    assert!(!steps.has_failed(), "{steps:?}");
}

#[tokio::test]
async fn a_wrong_clock_is_told_before_the_token() {
    let (_server, sink) = server(|request| accepts(request).header("date", "Thu, 01 Jan 2026 00:00:00 GMT")).await;
    let mut steps = Steps::default();
    let error = sink.check(&mut steps).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.message.contains("clock is off by"), "{error}");
    assert_eq!(steps.all().last().unwrap().name, "clock");
}

#[test]
fn options_that_cannot_be_are_refused_by_name() {
    let refused = |from: &str, to: &str| {
        let options = options("127.0.0.1:9");
        assert!(options.contains(from), "{from}");
        build(&options.replace(from, to)).unwrap_err()
    };
    assert!(refused("my-project\"", "my project\"").starts_with("project: "));
    assert!(refused(INSTANCE, "customer").starts_with("instance: "));
    assert!(refused("service_account", "robot").starts_with("credentials: "));
    assert!(build(&format!("{}max_events = 1001\n", options("h:1"))).unwrap_err().starts_with("max_events: 1001"));
    assert!(build(&format!("{}max_bytes = 10\n", options("h:1"))).unwrap_err().starts_with("max_bytes: 10"));
    assert!(build(&format!("{}collector = \"a b\"\n", options("h:1"))).unwrap_err().starts_with("collector: "));
    let both = build(&format!("{}auth = \"application_default\"\n", options("h:1"))).unwrap_err();
    assert!(both.starts_with("auth: "), "{both}");
    let neither = build(&format!("project = \"p\"\nlocation = \"us\"\ninstance = \"{INSTANCE}\"\n")).unwrap_err();
    assert!(neither.contains("credentials_file"), "{neither}");
    let unknown = build(&format!("project = \"p\"\nlocation = \"ue\"\ninstance = \"{INSTANCE}\"\n")).unwrap_err();
    assert!(unknown.contains("location: `ue` is no known location, did you mean `us`?"), "{unknown}");
}
