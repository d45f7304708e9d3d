//! Rules against the stand-in: each call, each kind of error, long listings, versions, and what holds after half a change.

mod support;

use std::time::Duration;

use serde_json::json;
use support::{INSTANCE, accepts, build, options, refusal};
use watchbell_chronicle::Chronicle;
use watchbell_sink::{
    ErrorKind, Outcome, Sink, SinkError, Steps,
    rules::{
        DeploymentChange, ExecutionError, ExecutionState, HostedRule, RuleError, RuleHost, RuleVersion, RunFrequency,
    },
    testkit::{
        server::{Answer, Request, Server},
        standin::{
            Mood, Record, Standin, anywhere,
            chronicle::{
                self, Rules, Tenant,
                rules::{Compiled, Fault, Quota, StoredRule, plausible},
            },
        },
    },
};

const ENABLE: DeploymentChange = DeploymentChange { enabled: Some(true), ..NOTHING };
const NOTHING: DeploymentChange = DeploymentChange { enabled: None, alerting: None, archived: None, frequency: None };

/// A stand-in with its rules, and the sink that speaks to it.
struct Instance {
    standin: Standin,
    rules: Rules,
    sink: Chronicle,
}

impl Instance {
    async fn with(rules: Rules) -> Self {
        let tenant = Tenant::new("my-project", "europe-west3", INSTANCE).expect("a key can be made");
        let standin = chronicle::start_with(&tenant, anywhere(), Record::new(10), rules.clone()).await;
        let standin = standin.expect("a port is free");
        let address = standin.address();
        let options = format!(
            "project = \"my-project\"\nlocation = \"europe_west3\"\ninstance = \"{INSTANCE}\"\n\
             endpoint = \"http://{address}\"\ncredentials = '''{}'''\n",
            tenant.credentials(address)
        );
        let sink = build(&options).expect("the options are right");
        Self { standin, rules, sink }
    }

    async fn start() -> Self {
        Self::with(Rules::default()).await
    }

    fn host(&self) -> &dyn RuleHost {
        self.sink.rule_host().expect("the Chronicle API takes rules")
    }

    /// The only rule of this name.
    fn stored(&self, name: &str) -> StoredRule {
        let [rule] = self.rules.named(name).try_into().expect("there is one");
        rule
    }
}

fn single(name: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"a\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n  condition:\n    $e\n}}"
    )
}

fn multi(name: &str, window: &str) -> String {
    single(name).replace("  condition", &format!("  match:\n    $user over {window}\n  condition"))
}

fn version(rule: &HostedRule) -> RuleVersion {
    rule.version.clone()
}

fn failed<T: std::fmt::Debug>(result: Result<T, RuleError>) -> SinkError {
    match result {
        Err(RuleError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_rule_is_made_revised_deployed_and_listed() {
    let instance = Instance::start().await;
    let host = instance.host();
    assert_eq!(host.verify(&single("first")).await.unwrap(), []);
    let made = host.create(&single("first")).await.unwrap();
    assert_eq!((made.name.as_str(), made.compiled, made.multi_event), ("first", true, Some(false)));
    assert!(made.version.id.starts_with("ru_") && made.version.revision.starts_with("v_1"), "{made:?}");
    assert_eq!(made.text, format!("{}\n", single("first")), "the service ends the text with a line end of its own");
    assert_eq!((made.deployment.enabled, made.deployment.alerting, made.deployment.archived), (false, false, false));

    let change = DeploymentChange { enabled: Some(true), alerting: Some(true), ..NOTHING };
    let deployed = host.deploy(&made.version.id, &change).await.unwrap();
    assert!(deployed.enabled && deployed.alerting && deployed.state == ExecutionState::Default);

    let text = single("first").replace("USER_LOGIN", "USER_LOGOUT");
    let revised = host.revise(&version(&made), &text).await.unwrap();
    assert!(revised.version.id == made.version.id && revised.text.contains("USER_LOGOUT"));
    assert!(revised.version.revision != made.version.revision && revised.version.etag != made.version.etag);
    assert_eq!(revised.deployment, deployed, "a new text does not stop the rule");
    assert!(revised.revised > made.revised);

    assert_eq!(host.rules().await.unwrap(), [revised]);
    let empty = host.deploy(&made.version.id, &NOTHING).await.unwrap();
    assert_eq!(empty, deployed);
    let writes: Vec<_> = instance.rules.log().into_iter().filter(|asked| asked.writes()).collect();
    let methods: Vec<_> = writes.iter().map(|asked| asked.method.as_str()).collect();
    assert_eq!(methods, ["POST", "PATCH", "PATCH"], "no change is no write");
    assert!(writes[1].path.ends_with("/deployment?update_mask=enabled%2Calerting"), "{}", writes[1].path);
    assert!(writes[2].path.ends_with("?update_mask=text") && writes[2].body.contains("\"etag\":\"etag-"));
}

#[tokio::test]
async fn thousands_of_rules_are_read_page_by_page_each_with_its_deployment() {
    let instance = Instance::start().await;
    for number in 0..2500 {
        let id = instance.rules.add(&single(&format!("rule_{number}")));
        instance.rules.change(&id, |rule| (rule.enabled, rule.archived) = (number % 2 == 0, number % 5 == 1));
    }
    let rules = instance.host().rules().await.unwrap();
    assert_eq!(rules.len(), 2500);
    for (number, rule) in rules.iter().enumerate() {
        assert_eq!(rule.name, format!("rule_{number}"));
        let deployed = (rule.deployment.enabled, rule.deployment.archived);
        assert_eq!(deployed, (number % 2 == 0, number % 5 == 1), "{number}");
        assert_eq!(rule.deployment.frequency, Some(RunFrequency::Live));
    }
    let log = instance.rules.log();
    assert_eq!(log.len(), 6, "three pages of each listing");
    assert!(log[0].path.ends_with("/rules?view=FULL&pageSize=1000"), "{}", log[0].path);
    assert!(log[1].path.contains("&pageToken="));
    assert!(log[3].path.ends_with("/rules/-/deployments?pageSize=1000"), "{}", log[3].path);

    // The service may give less than was asked for.
    instance.rules.page(7);
    instance.rules.forget();
    assert_eq!(instance.host().rules().await.unwrap().len(), 2500);
    assert_eq!(instance.rules.log().len(), 2 * 358);
}

#[tokio::test]
async fn names_may_be_double_and_a_rule_without_a_deployment_is_not_deployed() {
    let instance = Instance::start().await;
    let ids = [instance.rules.add(&single("twin")), instance.rules.add(&single("twin"))];
    instance.host().deploy(&ids[1], &ENABLE).await.unwrap();
    let gone = ids[1].clone();
    // Between the two listings somebody deletes a rule.
    instance.rules.forget();
    instance.rules.fault(1, Fault::Meanwhile(Box::new(move |rules| assert!(rules.remove(&gone)))));
    let rules = instance.host().rules().await.unwrap();
    let found: Vec<_> = rules.iter().map(|rule| (&rule.version.id, rule.deployment.enabled)).collect();
    assert_eq!(found, [(&ids[0], false), (&ids[1], false)]);
}

#[tokio::test]
async fn what_the_compiler_says_comes_with_its_place() {
    let instance = Instance::start().await;
    let host = instance.host();
    let broken = format!("// a comment\n{}", single("broken").replace("  meta:\n", ""));
    let [diagnostic] = host.verify(&broken).await.unwrap().try_into().unwrap();
    assert_eq!((diagnostic.start, diagnostic.error), (Some((2, 1)), true));
    assert!(diagnostic.message.contains("missing section \"meta\""), "{diagnostic:?}");

    let made = host.create(&single("whole")).await.unwrap();
    let refused = [host.create(&broken).await.unwrap_err(), host.revise(&version(&made), &broken).await.unwrap_err()];
    for error in refused {
        let RuleError::NotCompiled(diagnostics) = &error else { panic!("{error:?}") };
        assert_eq!(diagnostics[0].start, Some((2, 1)));
        let told = error.to_string();
        assert!(told.starts_with("the rule does not compile: ") && told.contains("missing section"), "{told}");
    }
    assert_eq!(instance.rules.all().len(), 1);
    assert_eq!(instance.stored("whole").revision, made.version.revision, "nothing was written");
}

#[tokio::test]
async fn warnings_refuse_nothing_and_a_stored_rule_may_have_stopped_compiling() {
    let rules = Rules::compiled_by(|text| Compiled {
        diagnostics: vec![watchbell_sink::rules::CompileDiagnostic {
            message: "\u{1b}[2Jslow regular expression\nreally".to_owned(),
            error: text.contains("refused"),
            start: None,
        }],
        ..plausible(text)
    });
    let instance = Instance::with(rules).await;
    let [warning] = instance.host().verify(&single("slow")).await.unwrap().try_into().unwrap();
    assert!(!warning.error && warning.message == "\\u{1b}[2Jslow regular expression really", "{warning:?}");
    assert!(instance.host().create(&single("slow")).await.unwrap().compiled);
    instance.rules.add(&single("refused"));
    let rules = instance.host().rules().await.unwrap();
    let compiled: Vec<_> = rules.iter().map(|rule| (rule.compiled, rule.diagnostics[0].error)).collect();
    assert_eq!(compiled, [(true, false), (false, true)]);
}

#[tokio::test]
async fn an_edit_in_between_is_noticed() {
    let instance = Instance::start().await;
    let made = instance.host().create(&single("ours")).await.unwrap();
    assert!(instance.rules.edit(&made.version.id, &single("theirs")));
    let error = instance.host().revise(&version(&made), &single("ours")).await.unwrap_err();
    let RuleError::Changed { id } = error else { panic!("{error:?}") };
    assert_eq!((id, instance.stored("theirs").text), (made.version.id.clone(), format!("{}\n", single("theirs"))));

    // Without an etag nobody asks.
    let blind = RuleVersion { etag: None, ..version(&made) };
    instance.host().revise(&blind, &single("ours")).await.unwrap();

    // Other ways to say the same.
    for status in [409, 412] {
        instance.rules.forget();
        instance.rules.fault(0, Fault::Refuse(status));
        let error = instance.host().revise(&blind, &single("ours")).await.unwrap_err();
        assert!(matches!(error, RuleError::Changed { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn who_is_throttled_has_written_nothing() {
    let instance = Instance::start().await;
    let made = instance.host().create(&single("r")).await.unwrap();
    instance.rules.forget();
    instance.rules.fault(0, Fault::Refuse(429));
    assert_eq!(failed(instance.host().revise(&version(&made), &single("r")).await).kind, ErrorKind::Throttled);
    assert_eq!(instance.stored("r").revision, made.version.revision);
    // The text is written, and then how the rule is run can't be read.
    instance.rules.fault(2, Fault::Refuse(429));
    let error = failed(instance.host().revise(&version(&made), &single("r")).await);
    assert_eq!((error.kind, error.retry_after), (ErrorKind::Unavailable, Some(Duration::from_secs(1))));
    assert_ne!(instance.stored("r").revision, made.version.revision);
}

#[tokio::test]
async fn frequencies_are_coerced_by_the_service_and_read_back_as_what_they_are() {
    use RunFrequency::{Daily, Hourly, Live};
    let instance = Instance::start().await;
    let host = instance.host();
    let cases = [
        (single("s"), vec![Live], [Some(Live), Some(Live), Some(Live)]),
        (multi("m10", "10m"), vec![Live, Hourly, Daily], [Some(Live), Some(Hourly), Some(Hourly)]),
        (multi("m24", "24h"), vec![Hourly, Daily], [None, Some(Hourly), Some(Hourly)]),
        (multi("m72", "72h"), vec![Daily], [None, None, Some(Daily)]),
    ];
    for (text, allowed, expected) in cases {
        let made = host.create(&text).await.unwrap();
        assert_eq!(made.frequencies, allowed, "{text}");
        for (asked, expected) in [Live, Hourly, Daily].into_iter().zip(expected) {
            let change = DeploymentChange { frequency: Some(asked), ..NOTHING };
            let deployed = host.deploy(&made.version.id, &change).await;
            match expected {
                Some(expected) => assert_eq!(deployed.unwrap().frequency, Some(expected), "{text} {asked}"),
                None => {
                    let error = failed(deployed);
                    assert_eq!(error.kind, ErrorKind::Rejected);
                    assert!(error.message.contains("is not allowed for this multi-event rule"), "{error}");
                }
            }
        }
    }
    assert_eq!(instance.stored("m10").frequency, "HOURLY_CUSTOMIZABLE");
}

#[tokio::test]
async fn half_a_change_may_hold() {
    let instance = Instance::start().await;
    let id = instance.rules.add(&multi("m", "10m"));
    instance.rules.limit(Quota { enabled: 10, multi_event: 0 });
    let change = DeploymentChange { enabled: Some(true), frequency: Some(RunFrequency::Live), ..NOTHING };
    let error = failed(instance.host().deploy(&id, &change).await);
    assert_eq!((error.kind, error.status), (ErrorKind::Throttled, Some(429)));
    assert!(error.message.contains("at most 0 multi-event rules can be enabled"), "{error}");
    let stored = instance.stored("m");
    assert_eq!((stored.enabled, stored.frequency.as_str()), (false, "LIVE_CUSTOMIZABLE"), "the first field holds");

    // The other way round nothing holds.
    instance.rules.order(["enabled", "run_frequency", "alerting"]);
    let change = DeploymentChange { frequency: Some(RunFrequency::Hourly), ..change };
    failed(instance.host().deploy(&id, &change).await);
    assert_eq!(instance.stored("m").frequency, "LIVE_CUSTOMIZABLE");
}

#[tokio::test]
async fn archives_are_closed_and_take_nothing_that_is_enabled() {
    let instance = Instance::start().await;
    let host = instance.host();
    let archive = DeploymentChange { archived: Some(true), ..NOTHING };
    let made = host.create(&single("old")).await.unwrap();
    let id = made.version.id.as_str();
    host.deploy(id, &DeploymentChange { alerting: Some(true), ..ENABLE }).await.unwrap();
    assert!(failed(host.deploy(id, &archive).await).message.contains("while it is enabled"));
    let together = DeploymentChange { enabled: Some(false), ..archive };
    assert!(failed(host.deploy(id, &together).await).message.contains("together with other fields"));
    host.deploy(id, &DeploymentChange { enabled: Some(false), ..NOTHING }).await.unwrap();
    let archived = host.deploy(id, &archive).await.unwrap();
    assert_eq!((archived.archived, archived.alerting), (true, false));
    assert_eq!(failed(host.deploy(id, &ENABLE).await).kind, ErrorKind::Rejected);
    // A refusal that is not about the text is no matter of the compiler.
    let error = failed(host.revise(&version(&made), &single("old")).await);
    assert!(error.message.contains("FAILED_PRECONDITION an archived rule cannot be updated"), "{error}");
    let fetched = host.deploy(id, &DeploymentChange { archived: Some(false), ..NOTHING }).await.unwrap();
    assert!(!fetched.archived);
}

#[tokio::test]
async fn a_text_that_the_frequency_does_not_fit_is_refused_until_that_is_changed() {
    let instance = Instance::start().await;
    let host = instance.host();
    let made = host.create(&multi("m", "10m")).await.unwrap();
    let id = made.version.id.as_str();
    host.deploy(id, &DeploymentChange { frequency: Some(RunFrequency::Live), ..NOTHING }).await.unwrap();
    let error = failed(host.revise(&version(&made), &multi("m", "2h")).await);
    assert!(error.message.contains("run frequency LIVE is not allowed"), "{error}");
    host.deploy(id, &DeploymentChange { frequency: Some(RunFrequency::Hourly), ..NOTHING }).await.unwrap();
    let revised = host.revise(&version(&made), &multi("m", "2h")).await.unwrap();
    assert_eq!(revised.deployment.frequency, Some(RunFrequency::Hourly));
}

#[tokio::test]
async fn errors_of_execution_come_newest_first() {
    let instance = Instance::start().await;
    let error = |id: &str, message: &str, time: &str| ExecutionError {
        rule_id: id.to_owned(),
        message: message.to_owned(),
        time: time.parse().ok(),
    };
    let old = error("ru_1", "too many matches", "2026-11-01T00:00:00Z");
    let new = error("ru_2", "out of memory", "2026-11-02T00:00:00Z");
    let timeless = error("ru_3", "no time", "never");
    for error in [&old, &timeless, &new] {
        instance.rules.went_wrong(error.clone());
    }
    instance.rules.page(2);
    assert_eq!(instance.host().execution_errors().await.unwrap(), [new, old, timeless]);
}

#[tokio::test]
async fn a_missing_permission_is_named_with_the_role_that_has_it() {
    let instance = Instance::start().await;
    let host = instance.host();
    let made = host.create(&single("r")).await.unwrap();
    let id = made.version.id.as_str();
    let permissions = [
        "chronicle.rules.list",
        "chronicle.ruleDeployments.list",
        "chronicle.rules.verifyRuleText",
        "chronicle.rules.create",
        "chronicle.rules.update",
        "chronicle.ruleDeployments.update",
        "chronicle.ruleExecutionErrors.list",
    ];
    for permission in permissions {
        instance.rules.allow_all();
        instance.rules.forbid(permission);
        let error = match permission {
            "chronicle.rules.list" | "chronicle.ruleDeployments.list" => failed(host.rules().await),
            "chronicle.rules.verifyRuleText" => failed(host.verify(&single("r")).await),
            "chronicle.rules.create" => failed(host.create(&single("r")).await),
            "chronicle.rules.update" => failed(host.revise(&version(&made), &single("r")).await),
            "chronicle.ruleDeployments.update" => failed(host.deploy(id, &ENABLE).await),
            _ => failed(host.execution_errors().await),
        };
        assert_eq!((error.kind, error.status), (ErrorKind::Auth, Some(403)), "{permission}");
        let expected = format!("it needs {permission} (role roles/chronicle.editor)");
        assert!(error.message.contains(&expected) && error.message.contains("watchbell@my-project"), "{error}");
    }
}

#[tokio::test]
async fn moments_come_with_their_kind_and_how_long_to_wait() {
    let instance = Instance::start().await;
    for (mood, kind, wait) in [
        (Mood::Throttled, ErrorKind::Throttled, Some(Duration::from_secs(1))),
        (Mood::Busy, ErrorKind::Unavailable, None),
    ] {
        // The token is fetched while all is well.
        instance.standin.feel(Mood::Well);
        instance.host().rules().await.unwrap();
        instance.standin.feel(mood);
        let error = failed(instance.host().rules().await);
        assert_eq!((error.kind, error.retry_after), (kind, wait), "{error}");
    }
    instance.standin.feel(Mood::Well);
    let id = instance.rules.add(&single("r"));
    instance.rules.forget();
    instance.rules.fault(0, Fault::Refuse(401));
    assert_eq!(failed(instance.host().rules().await).kind, ErrorKind::Auth);
    instance.rules.fault(1, Fault::Drop);
    assert_eq!(failed(instance.host().deploy(&id, &ENABLE).await).kind, ErrorKind::Unavailable);
    assert!(!instance.stored("r").enabled);
    instance.rules.fault(2, Fault::DropAfterwards);
    assert_eq!(failed(instance.host().deploy(&id, &ENABLE).await).kind, ErrorKind::Unavailable);
    assert!(instance.stored("r").enabled, "no answer does not mean that nothing was done");
    assert_eq!(instance.rules.log().iter().map(|asked| asked.status).collect::<Vec<_>>(), [Some(401), None, None]);
}

#[tokio::test]
async fn a_rule_that_is_gone_is_named_and_a_name_that_is_none_is_not_asked_for() {
    let instance = Instance::start().await;
    let error = failed(instance.host().deploy("ru_gone", &ENABLE).await);
    assert_eq!((error.kind, error.status), (ErrorKind::Config, Some(404)));
    assert!(error.message.contains("rule \"ru_gone\" not found"), "{error}");
    instance.rules.forget();
    for id in ["", "-/x", "../../x", "ru?x", "ru\u{1b}"] {
        let error = failed(instance.host().deploy(id, &ENABLE).await);
        assert!(error.kind == ErrorKind::Rejected && !error.message.contains('\u{1b}'), "{error}");
    }
    assert_eq!(instance.rules.asked(), 0);
}

#[tokio::test]
async fn where_v1_serves_no_rules_the_next_version_does_and_that_is_remembered() {
    let instance = Instance::start().await;
    instance.rules.serve(&["v1alpha"]);
    let made = instance.host().create(&single("r")).await.unwrap();
    instance.host().create(&single("s")).await.unwrap();
    instance.host().deploy(&made.version.id, &ENABLE).await.unwrap();
    let versions: Vec<_> = instance.rules.log().iter().map(|asked| asked.path[1..7].to_owned()).collect();
    assert_eq!(versions, ["v1/pro", "v1beta", "v1alph", "v1alph", "v1/pro", "v1beta", "v1alph"]);
    instance.rules.serve(&[]);
    let error = failed(instance.host().rules().await);
    assert_eq!((error.kind, error.status), (ErrorKind::Config, Some(404)));
    assert!(error.message.contains("check the location"), "{error}");
}

async fn answering(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Server, Chronicle) {
    let server = Server::start(move |request| match request.route() {
        "/token" => accepts(request),
        _ => answer(request),
    });
    let server = server.await.expect("a port is free");
    let sink = build(&options(&server.address().to_string())).expect("the options are right");
    (server, sink)
}

#[tokio::test]
async fn listings_without_an_end_are_given_up() {
    let (server, sink) = answering(|request| {
        let number = server_page(request);
        let name = format!("p/rules/ru_{number}");
        Answer::json(200, json!({ "rules": [{ "name": name }], "nextPageToken": format!("{}", number + 1) }))
    })
    .await;
    let error = failed(sink.rules().await);
    assert!(error.message.contains("no end of rules"), "{error}");
    assert_eq!(server.seen(), 1001, "a token, and as many pages as are read");

    let (server, sink) = answering(|_| Answer::json(200, json!({ "rules": [], "nextPageToken": "again" }))).await;
    assert!(failed(sink.rules().await).message.contains("no end of rules"));
    assert_eq!(server.seen(), 3, "a page that leads to itself is read once");

    let many: Vec<_> = (0..10_001).map(|number| json!({ "name": format!("p/rules/ru_{number}") })).collect();
    let many = json!({ "rules": many });
    let (_server, sink) = answering(move |_| Answer::json(200, &many)).await;
    assert!(failed(sink.rules().await).message.contains("no end of rules"));
}

fn server_page(request: &Request) -> u64 {
    request.path.split_once("pageToken=").map_or(0, |(_, token)| token.parse().expect("tokens are numbers"))
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let text = "x".repeat(20_000);
    let (_server, sink) = answering(move |request| {
        let size: usize = request.path.split_once("pageSize=").unwrap().1.split('&').next().unwrap().parse().unwrap();
        let first = usize::try_from(server_page(request)).unwrap();
        let last = (first + size).min(1000);
        let rules: Vec<_> =
            (first..last).map(|number| json!({ "name": format!("p/rules/ru_{number}"), "text": text })).collect();
        let next = if last < 1000 { last.to_string() } else { String::new() };
        match request.route().ends_with("/deployments") {
            true => Answer::json(200, json!({})),
            false => Answer::json(200, json!({ "rules": rules, "nextPageToken": next })),
        }
    })
    .await;
    assert_eq!(sink.rules().await.unwrap().len(), 1000);
}

#[tokio::test]
async fn nonsense_is_an_error_and_shows_no_secret() {
    let echo = |request: &Request| {
        let token = request.header("authorization").unwrap_or_default().replace("Bearer ", "");
        format!("<html>{token}")
    };
    type Body = Box<dyn Fn(&Request) -> String + Send + Sync>;
    let bodies: [(u16, Body); 5] = [
        (200, Box::new(echo)),
        (503, Box::new(echo)),
        (
            400,
            Box::new(move |request| {
                json!({"error": {"status": "INVALID_ARGUMENT", "message": echo(request)}}).to_string()
            }),
        ),
        (
            403,
            Box::new(move |request| {
                json!({"error": {"status": "PERMISSION_DENIED", "message": echo(request)}}).to_string()
            }),
        ),
        (200, Box::new(move |request| json!({"compilationDiagnostics": [{"message": echo(request)}]}).to_string())),
    ];
    for (status, body) in bodies {
        let (_server, sink) = answering(move |request| Answer::json(status, body(request))).await;
        let version = RuleVersion { id: "ru_1".to_owned(), revision: "v".to_owned(), etag: None };
        let told = [
            format!("{:?}", sink.rules().await.map_err(|error| error.to_string())),
            format!("{:?}", sink.verify("x").await.map_err(|error| error.to_string())),
            format!("{:?}", sink.create("x").await.map_err(|error| error.to_string())),
            format!("{:?}", sink.revise(&version, "x").await.map_err(|error| error.to_string())),
            format!("{:?}", sink.deploy("ru_1", &ENABLE).await.map_err(|error| error.to_string())),
            format!("{:?}", sink.execution_errors().await.map_err(|error| error.to_string())),
        ];
        for told in told {
            assert!(!told.contains("hunter2"), "{status}: {told}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_verdict_is_no_success() {
    let (_server, sink) = answering(|_| Answer::json(200, "{}")).await;
    let [diagnostic] = sink.verify("x").await.unwrap().try_into().unwrap();
    assert!(diagnostic.error && diagnostic.message.contains("does not say why"));
    let error = failed(sink.create("x").await);
    assert!(error.message.contains("whose name is none"), "{error}");
    // Where a verdict is given, it counts more than how bad something is called.
    let grim = json!({ "success": true, "compilationDiagnostics": [{ "message": "odd", "severity": "ERROR" }] });
    let (_server, sink) = answering(move |_| Answer::json(200, &grim)).await;
    assert!(!sink.verify("x").await.unwrap()[0].error);
}

#[tokio::test]
async fn the_legacy_api_has_no_rules() {
    let sink = build(&format!("{}api = \"legacy\"\n", options("127.0.0.1:9"))).unwrap();
    assert!(sink.rule_host().is_none());
}

#[tokio::test]
async fn the_check_shows_whether_rules_may_be_managed_and_fails_nothing() {
    let instance = Instance::start().await;
    let mut steps = Steps::default();
    instance.sink.check(&mut steps).await.unwrap();
    let last = steps.all().last().unwrap();
    assert_eq!((last.name.as_str(), &last.outcome), ("permission to manage rules", &Outcome::Ok));
    assert!(instance.rules.all().is_empty(), "nothing is written");

    instance.rules.forbid("chronicle.rules.verifyRuleText");
    let mut steps = Steps::default();
    instance.sink.check(&mut steps).await.unwrap();
    let last = steps.all().last().unwrap();
    assert_eq!(last.outcome, Outcome::Skipped);
    let detail = last.detail.as_deref().unwrap();
    assert!(detail.contains("chronicle.rules.verifyRuleText (role roles/chronicle.editor)"), "{detail}");

    // An instance that serves no rules is no failure either.
    let (_server, sink) = answering(|request| match request.route().ends_with(":verifyRuleText") {
        true => refusal(500, "INTERNAL", "no"),
        false => accepts(request),
    })
    .await;
    let mut steps = Steps::default();
    sink.check(&mut steps).await.unwrap();
    assert!(!steps.has_failed() && steps.all().last().unwrap().outcome == Outcome::Skipped);
}
