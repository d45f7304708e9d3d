//! What is particular about the collector: codes, the one bad event, several addresses, acknowledgements.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use watchbell_sink::{
    Acknowledgement, Batch, Context, Delivery, ErrorKind, Finding, Memory, Outcome, Sink, SinkConfig, SinkError, Steps,
    Verdict,
    testkit::{
        findings::{sample, samples},
        server::{Answer, Request, Server},
    },
};
use watchbell_splunk_hec::{SplunkHec, SplunkHecConfig};

const TOKEN: &str = "8f1e3c5a-hunter2-4d4e";
const CHANNEL: &str = "0aeeac95-ac74-4aa9-b30d-6c4c0ac581ba";
const SUCCESS: &str = r#"{"text":"Success","code":0}"#;

fn parsed(options: &str) -> Result<SplunkHecConfig, String> {
    toml::from_str(options).map_err(|error| error.to_string())
}

fn build(options: &str) -> Result<SplunkHec, String> {
    parsed(options)?.build(&Context::new("soc")).map_err(|error| error.to_string())
}

fn at(servers: &[&Server], more: &str) -> String {
    let endpoints: Vec<String> = servers.iter().map(|server| format!("\"http://{}\"", server.address())).collect();
    let channel = if more.contains("ack = true") { String::new() } else { format!("channel = \"{CHANNEL}\"") };
    format!("endpoint = [{}]\ntoken = \"{TOKEN}\"\n{channel}\n{more}", endpoints.join(", "))
}

fn local(server: &Server, more: &str) -> SplunkHec {
    build(&at(&[server], more)).unwrap()
}

fn batch(sink: &SplunkHec, count: usize) -> Batch {
    let delivery = |finding: Finding| Delivery {
        key: format!("{}.soc", finding.id),
        payload: sink.encode(&finding).unwrap(),
        attempt: 1,
    };
    Batch::new(samples(count, 5).into_iter().map(delivery).collect()).unwrap()
}

fn reply(status: u16, code: u16) -> Answer {
    let said = json!({ "text": format!("said about {TOKEN}"), "code": code });
    Answer::json(status, said).header("retry-after", 7)
}

/// Gives these answers in turn, and the last one for ever.
async fn scripted(answers: Vec<Answer>) -> Server {
    let answers = Mutex::new(VecDeque::from(answers));
    let next = move |_: &Request| {
        let mut answers = answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    };
    Server::start(next).await.unwrap()
}

fn events(request: &Request) -> Vec<Value> {
    serde_json::Deserializer::from_slice(&request.plain()).into_iter::<Value>().map(Result::unwrap).collect()
}

async fn fails(sink: &SplunkHec, count: usize) -> SinkError {
    sink.deliver(&batch(sink, count)).await.unwrap_err()
}

#[test]
fn wrong_options_are_refused_by_name() {
    let with = |more: &str| build(&format!("token = \"{TOKEN}\"\n{more}")).unwrap_err();
    let well = "endpoint = \"https://a.example:8088\"";
    for (more, expected) in [
        ("", "missing field `endpoint`"),
        ("endpoint = []", "an address like"),
        ("endpoint = \"a.example:8088\"", "expected an address that begins with"),
        ("endpoint = \"https://a.example/services/collector/event\"", "without `/services/collector`"),
        (&format!("{well}\nchannel = \"x\""), "channel: expected a GUID"),
        (&format!("{well}\nack = true\nchannel = \"{CHANNEL}\""), "channel: with `ack = true`"),
        (&format!("{well}\nindex = \" \""), "index: expected a name"),
        (&format!("{well}\nack_poll_secs = 0"), "ack_poll_secs: expected at least 1"),
        (&format!("{well}\nack_timeout_secs = 10"), "ack_timeout_secs: expected more than"),
        (&format!("{well}\nindexes = \"x\""), "unknown field `indexes`"),
    ] {
        let error = with(more);
        assert!(error.contains(expected), "{more}: {error}");
    }
    let error = build(&format!("{well}\ntoken = \"hunter2\\nx\"")).unwrap_err();
    assert!(error.starts_with("token: expected") && !error.contains("hunter2"), "{error}");
    build(&SplunkHecConfig::EXAMPLE.replace("\n# ", "\n").replace("tls =", "# tls =")).unwrap();
}

#[tokio::test]
async fn a_batch_is_one_request_with_everything_splunk_asks_for() {
    let server = scripted(vec![Answer::json(200, SUCCESS)]).await;
    let sink = local(&server, "index = \"security\"\nhost = \"watch-01\"");
    let receipt = sink.deliver(&batch(&sink, 3)).await.unwrap();
    assert!(receipt.verdicts().iter().all(|verdict| matches!(verdict, Verdict::Delivered)));
    let plain = local(&server, "gzip = false");
    plain.deliver(&batch(&plain, 1)).await.unwrap();
    let seen = server.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/services/collector/event"));
    assert_eq!(seen[0].header("authorization"), Some(format!("Splunk {TOKEN}").as_str()));
    assert_eq!(seen[0].header("x-splunk-request-channel"), Some(CHANNEL));
    assert_eq!((seen[0].header("content-encoding"), seen[1].header("content-encoding")), (Some("gzip"), None));
    for (event, finding) in events(&seen[0]).iter().zip(samples(3, 5)) {
        assert_eq!(event["fields"]["finding_id"], finding.id);
        assert_eq!(
            (&event["index"], &event["host"], &event["sourcetype"], &event["source"]),
            (&json!("security"), &json!("watch-01"), &json!("watchbell:finding"), &json!("watchbell"))
        );
    }
    assert_eq!(events(&seen[0]).len(), 3);
    assert!(events(&seen[1])[0].get("index").is_none() && events(&seen[1])[0].get("host").is_none());
}

#[tokio::test]
async fn codes_land_on_their_kinds() {
    use ErrorKind::{Auth, Config, Rejected, Throttled, Unavailable};
    for (status, code, kind) in [
        (403, 1, Auth),
        (401, 2, Auth),
        (401, 3, Auth),
        (403, 4, Auth),
        (400, 5, Rejected),
        (400, 6, Rejected),
        (400, 7, Config),
        (500, 8, Unavailable),
        (503, 9, Unavailable),
        (400, 10, Config),
        (400, 11, Config),
        (400, 12, Rejected),
        (400, 13, Rejected),
        (400, 14, Config),
        (400, 15, Rejected),
        (400, 16, Config),
        (503, 18, Unavailable),
        (503, 19, Unavailable),
        (503, 20, Unavailable),
        (400, 21, Auth),
        (400, 22, Auth),
        (503, 23, Unavailable),
        (429, 26, Throttled),
        (429, 27, Throttled),
        (400, 99, Rejected),
        (413, 99, Rejected),
        (200, 4, Auth),
        (200, 99, Config),
    ] {
        let server = scripted(vec![reply(status, code)]).await;
        let error = fails(&local(&server, ""), 2).await;
        assert_eq!((error.kind, error.status), (kind, Some(status)), "code {code}: {error}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "code {code}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    for code in [0, 17, 24, 25] {
        let server = scripted(vec![reply(200, code)]).await;
        let sink = local(&server, "");
        let receipt = sink.deliver(&batch(&sink, 2)).await.unwrap();
        assert!(matches!(receipt.verdicts(), [Verdict::Delivered, Verdict::Delivered]), "code {code}");
    }
}

#[tokio::test]
async fn what_no_collector_said_delivers_and_rejects_nothing() {
    for (told, kind) in [
        (Answer::json(200, "<html>sign in</html>"), ErrorKind::Unavailable),
        (Answer::json(200, "{}"), ErrorKind::Config),
        (Answer::json(204, ""), ErrorKind::Unavailable),
        (Answer::json(400, "plain HTTP sent to an HTTPS port"), ErrorKind::Config),
        (Answer::json(404, "not here"), ErrorKind::Config),
        (Answer::json(413, "too large"), ErrorKind::Rejected),
        (Answer::json(502, "bad gateway"), ErrorKind::Unavailable),
        (Answer::status(302).header("location", "/login"), ErrorKind::Config),
        (Answer::reset(), ErrorKind::Unavailable),
    ] {
        let server = scripted(vec![told.clone()]).await;
        let error = fails(&local(&server, ""), 2).await;
        assert_eq!(error.kind, kind, "{told:?}: {error}");
        let uncoded = told == Answer::json(200, "{}");
        assert_eq!(error.message.contains("expected the answer of an event collector"), uncoded, "{error}");
    }
}

/// A collector that takes everything but one event, and names it counting from `base`; what was settled, in order.
async fn with_a_bad_event(base: usize) -> Vec<Verdict> {
    let bad = json!({ "text": "Event field is required", "code": 12, "invalid-event-number": 1 + base }).to_string();
    let alone = json!({ "text": "Event field is required", "code": 12, "invalid-event-number": base }).to_string();
    let alone = Answer::json(400, &alone);
    let good = Answer::json(200, SUCCESS);
    let mut answers = vec![Answer::json(400, &bad)];
    answers.extend(if base == 0 { vec![alone] } else { vec![good, alone] });
    let server = scripted(answers).await;
    let sink = local(&server, "");
    let receipt = sink.deliver(&batch(&sink, 3)).await.unwrap();
    let first = &samples(3, 5)[1 + base].id;
    assert_eq!(events(&server.requests()[1])[0]["fields"]["finding_id"], *first, "suspects go alone");
    receipt.verdicts().to_vec()
}

#[tokio::test]
async fn one_bad_event_is_rejected_however_it_is_counted() {
    let [one, two, three] = <[Verdict; 3]>::try_from(with_a_bad_event(0).await).unwrap();
    assert!(matches!((&one, &three), (Verdict::Undecided, Verdict::Undecided)));
    let Verdict::Failed(error) = two else { panic!("{two:?}") };
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("Event field is required"), "{error}");
    let verdicts = with_a_bad_event(1).await;
    assert!(
        matches!(&verdicts[..], [Verdict::Undecided, Verdict::Failed(error), Verdict::Delivered]
            if error.kind == ErrorKind::Rejected),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn a_number_out_of_range_leaves_the_search_to_the_outbox() {
    let wrong = Answer::json(400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":30}"#);
    let server = scripted(vec![wrong]).await;
    assert_eq!(fails(&local(&server, ""), 3).await.kind, ErrorKind::Rejected);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_next_address_takes_over_when_one_fails() {
    let down = scripted(vec![reply(503, 9)]).await;
    let well = scripted(vec![Answer::json(200, SUCCESS)]).await;
    let sink = build(&at(&[&down, &well], "")).unwrap();
    assert_eq!(fails(&sink, 1).await.kind, ErrorKind::Unavailable);
    for _ in 0..3 {
        sink.deliver(&batch(&sink, 1)).await.unwrap();
    }
    assert_eq!((down.seen(), well.seen()), (1, 3), "it stays where it is well");
}

#[derive(Default)]
struct Notes(Mutex<BTreeMap<String, String>>);

impl Memory for Notes {
    fn recall(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn keep(&self, key: &str, value: &str) {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
}

#[tokio::test]
async fn an_acknowledgement_is_asked_for_at_the_same_indexer_after_a_restart() {
    let taken =
        Answer::json(200, r#"{"text":"Success","code":0,"ackId":41}"#).header("set-cookie", "AWSALB=indexer2; Path=/");
    let indexed = Answer::json(200, r#"{"acks":{"41":true,"7":false}}"#);
    let first = scripted(vec![taken, indexed]).await;
    let other = scripted(vec![Answer::json(200, SUCCESS)]).await;
    let options = at(&[&first, &other], "ack = true\nack_timeout_secs = 120");
    let context = Context { memory: Arc::new(Notes::default()), ..Context::new("soc") };
    let sink = parsed(&options).unwrap().build(&context).unwrap();
    let limits = sink.limits().acknowledgement.unwrap();
    assert_eq!((limits.poll, limits.timeout), (Duration::from_secs(10), Duration::from_secs(120)));
    let receipt = sink.deliver(&batch(&sink, 2)).await.unwrap();
    let [Verdict::Accepted { ack_ref }, Verdict::Accepted { ack_ref: same }] = receipt.verdicts() else {
        panic!("{receipt:?}")
    };
    assert_eq!(ack_ref, same);
    let channel = first.requests()[0].header("x-splunk-request-channel").unwrap().to_owned();
    assert_eq!(*ack_ref, format!("http://{}/|{channel}|41", first.address()));
    let again = parsed(&options).unwrap().build(&context).unwrap();
    let pending = ack_ref.replace("|41", "|7");
    let gone = "http://127.0.0.1:1/|c|41".to_owned();
    let asked = [pending, ack_ref.clone(), same.clone(), gone, "nonsense".to_owned()];
    let found = again.acknowledged(&asked).await.unwrap();
    use Acknowledgement::{Confirmed, Pending, Unknown};
    assert_eq!(found, [Pending, Confirmed, Confirmed, Unknown, Unknown]);
    let question = first.requests().pop().unwrap();
    assert_eq!((question.method.as_str(), question.path.as_str()), ("POST", "/services/collector/ack"));
    assert_eq!(question.header("x-splunk-request-channel"), Some(channel.as_str()));
    assert_eq!(question.header("cookie"), Some("AWSALB=indexer2"));
    assert_eq!(question.json(), json!({ "acks": [7, 41] }));
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn only_a_clear_yes_confirms() {
    let reference = |server: &Server| [format!("http://{}/|{CHANNEL}|41", server.address())];
    for (told, kind) in [
        (Answer::json(200, "<html>true</html>"), ErrorKind::Unavailable),
        (Answer::json(200, r#"{"acks":{"41":"true"}}"#), ErrorKind::Unavailable),
        (Answer::json(200, SUCCESS), ErrorKind::Unavailable),
        (Answer::json(404, ""), ErrorKind::Config),
        (Answer::json(400, ""), ErrorKind::Config),
        (reply(400, 14), ErrorKind::Config),
        (reply(400, 6), ErrorKind::Config),
        (reply(403, 4), ErrorKind::Auth),
        (reply(503, 23), ErrorKind::Unavailable),
    ] {
        let server = scripted(vec![told.clone()]).await;
        let error = local(&server, "ack = true").acknowledged(&reference(&server)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{told:?}: {error}");
    }
    for body in [r#"{"acks":{}}"#, r#"{"acks":{"41":false}}"#, r#"{"acks":{"4":true}}"#] {
        let server = scripted(vec![Answer::json(200, body)]).await;
        let found = local(&server, "ack = true").acknowledged(&reference(&server)).await.unwrap();
        assert_eq!(found, [Acknowledgement::Pending], "{body}");
    }
}

#[tokio::test]
async fn nothing_is_confirmed_once_another_indexer_counts() {
    let taken = |number: u64| Answer::json(200, json!({ "text": "Success", "code": 0, "ackId": number }));
    let all = Answer::json(200, json!({ "acks": { "0": true, "1": true } }));
    let server = scripted(vec![taken(0), taken(1), taken(0), taken(0), all]).await;
    let context = Context { memory: Arc::new(Notes::default()), ..Context::new("soc") };
    let build = || parsed(&at(&[&server], "ack = true")).unwrap().build(&context).unwrap();
    let sink = build();
    let mut references = Vec::new();
    for number in 0..4 {
        match sink.deliver(&batch(&sink, 1)).await {
            Ok(receipt) => match receipt.verdicts() {
                [Verdict::Accepted { ack_ref }] => references.push(ack_ref.clone()),
                other => panic!("{other:?}"),
            },
            Err(error) => assert_eq!((number, error.kind), (2, ErrorKind::Unavailable), "{error}"),
        }
    }
    use Acknowledgement::{Confirmed, Unknown};
    assert_eq!(sink.acknowledged(&references).await.unwrap(), [Unknown, Unknown, Confirmed]);
    assert_eq!(build().acknowledged(&references).await.unwrap(), [Unknown, Unknown, Confirmed], "after a restart too");
}

#[tokio::test]
async fn taken_without_a_number_is_no_acknowledgement() {
    let server = scripted(vec![Answer::json(200, SUCCESS)]).await;
    let error = fails(&local(&server, "ack = true"), 1).await;
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("ack = false"), "{error}");
}

async fn checked(answers: Vec<Answer>, more: &str) -> (Result<(), SinkError>, Vec<(String, Outcome)>) {
    let server = scripted(answers).await;
    let mut steps = Steps::default();
    let result = local(&server, more).check(&mut steps).await;
    assert!(server.requests().iter().all(|request| !request.path.contains("event") || request.body.is_empty()));
    (result, steps.all().iter().map(|step| (step.name.clone(), step.outcome.clone())).collect())
}

#[tokio::test]
async fn a_check_tells_the_token_from_the_health() {
    let healthy = reply(200, 17);
    let acks = Answer::json(200, r#"{"acks":{"0":false}}"#);
    let (result, steps) = checked(vec![healthy.clone(), reply(400, 5), acks], "ack = true").await;
    result.unwrap();
    let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["DNS", "TCP", "TLS", "health", "token", "indexer acknowledgement", "index"]);
    for (answers, more, step, kind) in [
        (vec![healthy.clone(), reply(403, 4)], "", "token", ErrorKind::Auth),
        (vec![healthy.clone(), reply(403, 1)], "", "token", ErrorKind::Auth),
        (vec![healthy.clone(), Answer::json(200, "hello")], "", "token", ErrorKind::Config),
        (vec![reply(503, 18)], "", "health", ErrorKind::Unavailable),
        (vec![Answer::json(401, "")], "", "health", ErrorKind::Auth),
        (vec![healthy, reply(400, 5), reply(400, 14)], "ack = true", "indexer acknowledgement", ErrorKind::Config),
    ] {
        let (result, steps) = checked(answers, more).await;
        assert_eq!(result.unwrap_err().kind, kind);
        let (name, outcome) = steps.last().unwrap();
        assert_eq!(name, step);
        assert!(matches!(outcome, Outcome::Failed { fix } if !fix.is_empty()), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_given() {
    let server = Server::start_tls(|_| reply(200, 0)).await.unwrap();
    let options = format!("endpoint = \"https://localhost:{}\"\ntoken = \"{TOKEN}\"", server.address().port());
    let error = fails(&build(&options).unwrap(), 1).await;
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.message.contains("certificate"), "{error}");
    let trusting = build(&format!("{options}\ntls.ca = '''{}'''", server.authority().unwrap())).unwrap();
    trusting.deliver(&batch(&trusting, 2)).await.unwrap();
    trusting.check(&mut Steps::default()).await.unwrap();
}

#[tokio::test]
async fn one_address_that_is_well_is_enough() {
    let down = scripted(vec![reply(503, 9)]).await;
    let well = scripted(vec![reply(200, 17), reply(400, 5)]).await;
    let mut steps = Steps::default();
    build(&at(&[&down, &well], "")).unwrap().check(&mut steps).await.unwrap();
    assert!(steps.has_failed(), "the other one is reported");
}

#[test]
fn the_payload_is_as_recorded() {
    let sink =
        build(&format!("endpoint = \"https://a.example:8088\"\ntoken = \"{TOKEN}\"\nindex = \"security\"")).unwrap();
    let payload = sink.encode(&sample()).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/event.json");
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        std::fs::write(path, payload.bytes()).unwrap();
    }
    assert_eq!(String::from_utf8_lossy(payload.bytes()), std::fs::read_to_string(path).unwrap());
}

#[test]
fn hostile_findings_stay_json() {
    let sink = build(&format!("endpoint = \"https://a.example:8088\"\ntoken = \"{TOKEN}\"")).unwrap();
    for finding in samples(1000, 11) {
        let payload = sink.encode(&finding).unwrap();
        assert_eq!(payload, sink.encode(&finding).unwrap());
        assert!(payload.bytes().len() < sink.limits().bytes, "{}", payload.bytes().len());
        let event: Value = serde_json::from_slice(payload.bytes()).unwrap();
        assert_eq!(event["event"]["id"], finding.id);
    }
}

#[test]
fn the_page_tells_every_option_and_shows_what_arrives() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sinks/splunk_hec.md")).unwrap();
    let schema = watchbell_splunk_hec::KIND.schema().to_value();
    for option in schema["properties"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("\n| `{option}`")), "{option}");
    }
    let event: Value = serde_json::from_str(include_str!("golden/event.json")).unwrap();
    assert!(page.contains(&serde_json::to_string_pretty(&event).unwrap()), "the sample is not the one of today");
}
