//! What is particular about webhooks: signatures, headers, templates, private addresses.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use watchbell_sink::{
    Batch, Context, Delivery, ErrorKind, Outcome, Sink, SinkConfig, SinkError, Steps, Verdict,
    testkit::{
        findings::{sample, samples},
        server::{Answer, Server},
    },
};
use watchbell_webhook::{Webhook, WebhookConfig};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn build(options: &str) -> Result<Webhook, String> {
    let config: WebhookConfig = toml::from_str(options).map_err(|error| error.to_string())?;
    config.build(&Context::new("hook")).map_err(|error| error.to_string())
}

fn local(server: &Server, more: &str) -> Webhook {
    build(&format!("url = \"http://{}/hooks/T0hunter2secret\"\nallow_private = true\n{more}", server.address()))
        .unwrap()
}

async fn always(answer: Answer) -> Server {
    Server::start(move |_| answer.clone()).await.unwrap()
}

fn batch(webhook: &Webhook, attempt: u32) -> Batch {
    let payload = webhook.encode(&sample()).unwrap();
    Batch::new(vec![Delivery { key: format!("{}.hook", sample().id), payload, attempt }]).unwrap()
}

async fn deliver(webhook: &Webhook) -> Result<(), SinkError> {
    let receipt = webhook.deliver(&batch(webhook, 1)).await?;
    match receipt.verdicts() {
        [Verdict::Delivered] => Ok(()),
        [Verdict::Failed(error)] => Err(error.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_example_comments_out_is_understood() {
    let commented = WebhookConfig::EXAMPLE.lines().filter_map(|line| line.strip_prefix("# "));
    let mut tried = 0;
    for line in commented.filter(|line| line.contains(" = ")) {
        let line = line.replace("template_file", "template").replace("ca_file", "ca");
        let options = format!("url = \"https://a.example/x\"\n{line}");
        assert!(toml::from_str::<WebhookConfig>(&options).is_ok(), "{line}");
        tried += 1;
    }
    assert_eq!(tried, 9);
}

#[test]
fn contradictions_are_refused_by_name() {
    let refused = |more: &str| build(&format!("url = \"https://a.example/x\"\n{more}")).unwrap_err();
    for (more, expected) in [
        ("secret = \"hunter2\"", "secret: expected `whsec_`"),
        ("secrets = [\"hunter2\"]", "secrets: expected `whsec_`"),
        ("headers = { Content-Length = \"1\" }", "headers.Content-Length: is set by the connection"),
        ("headers = { Transfer-Encoding = \"chunked\" }", "headers.Transfer-Encoding: is set by"),
        ("headers = { Webhook-Id = \"1\" }", "headers.Webhook-Id: is set by"),
        ("headers = { Content-Type = \"a/b\" }", "headers.Content-Type: is set by the option `content_type`"),
        ("headers = { \"a b\" = \"1\" }", "headers.a b: expected the name of a header"),
        ("headers = { a = \"x\\r\\ny: z\" }", "headers.a: expected a value without line ends"),
        ("headers = { a = \"1\", A = \"2\" }", "headers.a: is there twice"),
        ("body = \"ecs\"\ntemplate = \"x\"", "template: makes the body itself"),
        ("template = \"{{ nothing }}\"", "template: for a finding does not render: line 1: undefined value"),
        ("content_type = \"a\\nb\"", "content_type: expected a media type"),
        ("proxy = \"http://proxy.example:3128\"", "proxy: a proxy looks addresses up itself"),
        ("method = \"GET\"", "unknown variant `GET`"),
    ] {
        let error = refused(more);
        assert!(error.contains(expected), "{more}: {error}");
        assert!(!error.contains("hunter2") || more.contains("hunter2") && error.contains("line"), "{error}");
    }
}

#[tokio::test]
async fn a_request_is_signed_and_keeps_its_id_over_attempts() {
    let server = always(Answer::status(204)).await;
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let options =
        format!("secret = \"{SECRET}\"\nsecrets = [\"{other}\"]\nmethod = \"PUT\"\nheaders = {{ X-Key = \"k\" }}");
    let seconds = Arc::new(AtomicI64::new(1_614_265_330));
    let clock = Arc::clone(&seconds);
    let webhook = local(&server, &options)
        .with_clock(Arc::new(move || Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap()));
    for attempt in 1..=2 {
        webhook.deliver(&batch(&webhook, attempt)).await.unwrap();
        seconds.fetch_add(5, Ordering::Relaxed);
    }
    let seen = server.requests();
    let [first, second] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", "/hooks/T0hunter2secret"));
    assert_eq!(first.header("x-key"), Some("k"));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("webhook-id"), Some("6f1ed002ab5595859014ebf0951522d9_hook"));
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.header("webhook-timestamp"), Some("1614265330"));
    assert_eq!(second.header("webhook-timestamp"), Some("1614265335"));
    assert_eq!(first.body, webhook.encode(&sample()).unwrap().bytes());
    assert_eq!(first.body, second.body);
    let [one, two] = [first, second].map(|request| request.header("webhook-signature").unwrap());
    assert_eq!(one.split(' ').filter(|part| part.starts_with("v1,")).count(), 2);
    assert_ne!(one, two);
}

#[tokio::test]
async fn answers_land_on_their_kinds() {
    for (status, kind) in [
        (301, ErrorKind::Config),
        (307, ErrorKind::Config),
        (400, ErrorKind::Rejected),
        (401, ErrorKind::Auth),
        (403, ErrorKind::Auth),
        (404, ErrorKind::Config),
        (410, ErrorKind::Config),
        (413, ErrorKind::Rejected),
        (429, ErrorKind::Throttled),
        (500, ErrorKind::Unavailable),
        (502, ErrorKind::Unavailable),
        (504, ErrorKind::Unavailable),
    ] {
        let said = "no such hook /hooks/T0hunter2secret (T0hunter2secret)";
        let answer = Answer::text(status, said).header("retry-after", 7).header("location", "/elsewhere");
        let server = always(answer).await;
        let error = deliver(&local(&server, "")).await.unwrap_err();
        assert_eq!((error.kind, error.status), (kind, Some(status)), "{error}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        assert_eq!(server.requests().len(), 1, "a redirect is not followed");
    }
}

#[tokio::test]
async fn private_addresses_are_refused_as_literals_and_behind_names() {
    let server = always(Answer::status(200)).await;
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "localhost", "LOCALHOST"] {
        let options = format!("url = \"http://{host}:{}/\"", server.address().port());
        let webhook = build(&options).unwrap();
        let error = deliver(&webhook).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{host}: {error}");
        assert!(error.message.contains("allow_private"), "{host}: {error}");
        let mut steps = Steps::default();
        let error = webhook.check(&mut steps).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{host}: {error}");
        assert!(!steps.all().iter().any(|step| step.name == "TCP"), "{host} was connected to");
    }
    assert!(server.requests().is_empty());
    let allowed = format!("url = \"http://localhost:{}/\"\nallow_private = true", server.address().port());
    deliver(&build(&allowed).unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_check_reaches_the_receiver_and_delivers_nothing() {
    let server = always(Answer::status(200)).await;
    let mut steps = Steps::default();
    local(&server, "").check(&mut steps).await.unwrap();
    let named: Vec<&str> = steps.all().iter().map(|step| step.name.as_str()).collect();
    assert_eq!(named, ["signature", "DNS", "TCP", "TLS", "delivery"]);
    assert!(matches!(steps.all()[0].outcome, Outcome::Warning { .. }), "unsigned is worth a warning");
    assert_eq!(steps.all()[4].outcome, Outcome::Skipped);
    let mut steps = Steps::default();
    local(&server, &format!("secret = \"{SECRET}\"")).check(&mut steps).await.unwrap();
    assert_eq!(steps.all()[0].outcome, Outcome::Ok);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_given() {
    let server = Server::start_tls(|_| Answer::status(204)).await.unwrap();
    let options = format!("url = \"https://localhost:{}/x\"\nallow_private = true", server.address().port());
    let error = deliver(&build(&options).unwrap()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.message.contains("certificate"), "{error}");
    let trusting = build(&format!("{options}\ntls.ca = '''{}'''", server.authority().unwrap())).unwrap();
    deliver(&trusting).await.unwrap();
    trusting.check(&mut Steps::default()).await.unwrap();
}

#[test]
fn bodies_are_as_recorded() {
    for (name, more) in [
        ("watchbell.json", ""),
        ("ecs.json", "body = \"ecs\""),
        ("ocsf.json", "body = \"ocsf\""),
        (
            "template.json",
            "template = '{\"text\": {{ finding.title ~ \": \" ~ finding.summary }}, \"id\": {{ finding.id }}}'",
        ),
        (
            "template.txt",
            "template = 'ring {{ finding.title }} {{ finding.observables | json }}'\ncontent_type = \"text/plain\"",
        ),
    ] {
        let webhook = build(&format!("url = \"https://a.example/x\"\n{more}")).unwrap();
        let body = webhook.encode(&sample()).unwrap().bytes().to_vec();
        assert_eq!(webhook.encode(&sample()).unwrap().bytes(), body, "encoding is pure");
        let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &body).unwrap();
        }
        let expected = std::fs::read(&path).unwrap();
        assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(&expected), "{name}");
    }
}

#[test]
fn hostile_findings_stay_json() {
    let template = r#"template = '{"text": {{ finding.title }}, "all": {{ finding }}}'"#;
    for more in ["", "body = \"ecs\"", "body = \"ocsf\"", template] {
        let webhook = build(&format!("url = \"https://a.example/x\"\n{more}")).unwrap();
        for finding in samples(1000, 7) {
            let payload = webhook.encode(&finding).unwrap();
            let body: serde_json::Value = serde_json::from_slice(payload.bytes()).unwrap();
            assert!(body.is_object(), "{more}");
            if more == template {
                assert_eq!(body["text"], finding.title);
            }
        }
    }
}

#[test]
fn the_page_tells_every_option_and_shows_what_arrives() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sinks/webhook.md")).unwrap();
    let schema = watchbell_webhook::KIND.schema().to_value();
    for option in schema["properties"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("\n| `{option}`")), "{option}");
    }
    let webhook = build("url = \"https://a.example/x\"").unwrap();
    let body: serde_json::Value = serde_json::from_slice(webhook.encode(&sample()).unwrap().bytes()).unwrap();
    assert!(page.contains(&serde_json::to_string_pretty(&body).unwrap()), "the sample is not the one of today");
}
