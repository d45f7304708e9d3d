//! Set-up and check against a small cluster that keeps what it is given, in the spelling of each family of servers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use watchbell_sink::{ErrorKind, Sink, Steps};

use crate::server::{Answer, Request, Server, answer, line, sink, told};

const TEMPLATE: &str = "/_index_template/watchbell-findings";
const ILM: &str = "/_ilm/policy/watchbell-findings";
const ISM: &str = "/_plugins/_ism/policies/watchbell-findings";
const STREAM: &str = "/_data_stream/watchbell-findings";

/// What a server is and has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Elasticsearch,
    /// Built without the plugins that age indices.
    Bare,
    Serverless,
    OpenSearch,
}

type Store = Arc<Mutex<BTreeMap<String, Value>>>;

/// A cluster of this family over what is in the store.
async fn cluster(family: Family, store: &Store) -> Server {
    let store = Arc::clone(store);
    Server::start(move |asked| respond(family, &mut store.lock().unwrap(), asked)).await
}

fn respond(family: Family, store: &mut BTreeMap<String, Value>, asked: &Request) -> Answer {
    let path = asked.path.split('?').next().unwrap_or_default();
    let known = match family {
        Family::Elasticsearch => !path.starts_with("/_plugins"),
        Family::OpenSearch => !path.starts_with("/_ilm") && !path.starts_with("/_security"),
        Family::Serverless => !path.starts_with("/_ilm") && !path.starts_with("/_plugins"),
        Family::Bare => !["/_ilm", "/_plugins", "/_security"].iter().any(|start| path.starts_with(start)),
    };
    if !known {
        return answer(400, json!({ "error": format!("no handler found for uri [{path}]"), "status": 400 }));
    }
    match (asked.method.as_str(), path) {
        ("GET", "/") => answer(200, root(family)),
        ("GET", "/_security/_authenticate") => answer(200, json!({ "username": "bell" })),
        ("GET", "/_plugins/_security/authinfo") => answer(200, json!({ "user_name": "bell" })),
        ("POST", "/_security/user/_has_privileges") => answer(200, json!({ "has_all_requested": true })),
        ("GET", _) => match store.get(path) {
            Some(kept) => answer(200, shape(path, kept)),
            None => answer(404, json!({ "error": { "type": "resource_not_found_exception" }, "status": 404 })),
        },
        ("PUT", _) => {
            let body = if asked.body.is_empty() { json!({}) } else { asked.json() };
            store.insert(path.to_owned(), body);
            answer(200, json!({ "acknowledged": true }))
        }
        ("POST", "/watchbell-findings/_rollover") => answer(200, json!({ "rolled_over": true })),
        _ => answer(405, json!({ "error": "not here", "status": 405 })),
    }
}

fn root(family: Family) -> Value {
    let version = match family {
        Family::OpenSearch => json!({ "distribution": "opensearch", "number": "3.4.0" }),
        Family::Serverless => json!({ "number": "8.11.0", "build_flavor": "serverless" }),
        Family::Elasticsearch | Family::Bare => json!({ "number": "9.1.2", "build_flavor": "default" }),
    };
    json!({ "cluster_name": "soc", "version": version })
}

/// What was put, as it is got.
fn shape(path: &str, kept: &Value) -> Value {
    let name = path.rsplit('/').next().unwrap();
    match path {
        _ if path.starts_with("/_ilm") => json!({ name: { "version": 1, "policy": kept["policy"] } }),
        _ if path.starts_with("/_plugins/_ism") => {
            json!({ "_id": name, "_seq_no": 5, "_primary_term": 2, "policy": kept["policy"] })
        }
        _ if path.starts_with("/_index_template") => {
            json!({ "index_templates": [{ "name": name, "index_template": kept }] })
        }
        _ => kept.clone(),
    }
}

async fn set_up(server: &Server, options: &str) -> (Vec<String>, Result<(), ErrorKind>) {
    let mut steps = Steps::default();
    let sink = sink(&format!("nodes = ['{}']\n{options}", server.url()));
    let done = sink.setup(&mut steps).await.map_err(|error| error.kind);
    assert_eq!(done.is_err(), steps.has_failed());
    (told(&steps), done)
}

async fn checked(server: &Server, options: &str) -> (Vec<String>, Result<(), ErrorKind>) {
    let mut steps = Steps::default();
    let sink = sink(&format!("nodes = ['{}']\n{options}", server.url()));
    let done = sink.check(&mut steps).await.map_err(|error| error.kind);
    (told(&steps), done)
}

#[tokio::test]
async fn elasticsearch_gets_policy_template_and_data_stream_once() {
    let store = Store::default();
    let server = cluster(Family::Elasticsearch, &store).await;
    let (steps, done) = set_up(&server, "retention_days = 90").await;
    assert_eq!(done, Ok(()));
    assert_eq!(
        steps,
        [
            "ok server: Elasticsearch 9.1.2, cluster soc",
            "created lifecycle policy: watchbell-findings, deletes after 90 days",
            "created index template: watchbell-findings, version 1, ECS 9.4.0",
            "created data stream: watchbell-findings",
        ]
    );
    {
        let store = store.lock().unwrap();
        assert_eq!(store[ILM]["policy"]["phases"]["delete"]["min_age"], "90d");
        let template = &store[TEMPLATE];
        assert_eq!(template["index_patterns"], json!(["watchbell-findings"]));
        assert_eq!(template["data_stream"], json!({}));
        assert_eq!(template["_meta"]["managed_by"], "watchbell");
        assert_eq!(template["template"]["settings"]["index.lifecycle.name"], "watchbell-findings");
        assert_eq!(template["template"]["mappings"]["properties"]["@timestamp"]["type"], "date");
        assert!(store.contains_key(STREAM));
    }
    let (steps, _) = set_up(&server, "retention_days = 90").await;
    assert!(steps[1..].iter().all(|step| step.starts_with("present ")), "{steps:?}");
    let puts = server.lines().iter().filter(|line| line.starts_with("PUT ")).count();
    assert_eq!(puts, 3);
}

#[tokio::test]
async fn another_retention_changes_what_is_ours() {
    for (family, policy) in [(Family::Elasticsearch, ILM), (Family::OpenSearch, ISM)] {
        let store = Store::default();
        let server = cluster(family, &store).await;
        set_up(&server, "").await.1.unwrap();
        assert!(!store.lock().unwrap()[policy].to_string().contains("delete"));
        let (steps, done) = set_up(&server, "retention_days = 30").await;
        assert_eq!(done, Ok(()));
        assert_eq!(steps[1], "changed lifecycle policy: watchbell-findings, deletes after 30 days");
        assert!(steps[2].starts_with("changed index template"), "{steps:?}");
        assert_eq!(
            steps[3..],
            ["present data stream: watchbell-findings", "changed rollover: the template applies from now on"]
        );
        assert!(store.lock().unwrap()[policy].to_string().contains("30d"));
    }
}

#[tokio::test]
async fn a_changed_ism_policy_names_the_one_it_replaces() {
    let store = Store::default();
    let server = cluster(Family::OpenSearch, &store).await;
    set_up(&server, "").await.1.unwrap();
    set_up(&server, "retention_days = 30").await.1.unwrap();
    let puts: Vec<String> = server
        .requests()
        .into_iter()
        .filter(|asked| line(asked) == format!("PUT {ISM}"))
        .map(|asked| asked.path)
        .collect();
    assert_eq!(puts, [ISM.to_owned(), format!("{ISM}?if_seq_no=5&if_primary_term=2")]);
    let store = store.lock().unwrap();
    let policy = &store[ISM]["policy"];
    assert_eq!(policy["ism_template"][0]["index_patterns"], json!(["watchbell-findings"]));
    assert_eq!(policy["states"][1]["name"], "delete");
    assert!(store[TEMPLATE]["template"]["settings"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn what_a_user_made_is_never_written_over() {
    for (family, path, theirs) in [
        (Family::Elasticsearch, ILM, json!({ "policy": { "phases": {}, "_meta": { "managed_by": "me" } } })),
        (Family::Elasticsearch, ILM, json!({ "policy": { "phases": {} } })),
        (Family::OpenSearch, ISM, json!({ "policy": { "description": "mine", "states": [] } })),
        (Family::Elasticsearch, TEMPLATE, json!({ "index_patterns": ["watchbell-*"] })),
        (Family::OpenSearch, TEMPLATE, json!({ "index_patterns": ["watchbell-*"], "_meta": { "version": 0 } })),
    ] {
        let store: Store = Arc::new(Mutex::new([(path.to_owned(), theirs.clone())].into()));
        let server = cluster(family, &store).await;
        let (steps, done) = set_up(&server, "").await;
        assert_eq!(done, Err(ErrorKind::Config), "{steps:?}");
        assert!(steps.last().unwrap().contains("is not of Watchbell's making"), "{steps:?}");
        assert_eq!(store.lock().unwrap()[path], theirs);
        // With `manage = false` the rest goes on without it.
        let (steps, done) = set_up(&server, "template.manage = false").await;
        assert_eq!((done, steps[1].as_str()), (Ok(()), "skipped index template: `template.manage` is false"));
        assert_eq!(store.lock().unwrap()[path], theirs);
    }
}

#[tokio::test]
async fn what_a_later_version_made_stays() {
    let store = Store::default();
    let server = cluster(Family::Elasticsearch, &store).await;
    set_up(&server, "").await.1.unwrap();
    let later = {
        let mut store = store.lock().unwrap();
        let template = store.get_mut(TEMPLATE).unwrap();
        template["_meta"]["version"] = json!(99);
        template.clone()
    };
    let (steps, _) = set_up(&server, "").await;
    assert!(steps[2].starts_with("present index template"), "{steps:?}");
    assert_eq!(store.lock().unwrap()[TEMPLATE], later);
    store.lock().unwrap().get_mut(TEMPLATE).unwrap()["_meta"]["version"] = json!(0);
    let (steps, _) = set_up(&server, "").await;
    assert!(steps[2].starts_with("changed index template"), "{steps:?}");
}

#[tokio::test]
async fn without_lifecycle_management_the_rest_is_made() {
    let server = cluster(Family::Bare, &Store::default()).await;
    let (steps, done) = set_up(&server, "").await;
    assert_eq!(done, Ok(()));
    assert_eq!(steps[1], "skipped lifecycle policy: this server has no index lifecycle management");
    assert!(steps[3].starts_with("created data stream"), "{steps:?}");
    let (steps, _) = set_up(&server, "retention_days = 30").await;
    assert!(steps[1].starts_with("warning lifecycle policy"), "{steps:?}");
    let store = Store::default();
    let server = cluster(Family::Serverless, &store).await;
    set_up(&server, "retention_days = 30").await.1.unwrap();
    assert_eq!(store.lock().unwrap()[TEMPLATE]["template"]["lifecycle"]["data_retention"], "30d");
}

#[tokio::test]
async fn a_plain_index_has_a_template_and_no_policy() {
    let store = Store::default();
    let server = cluster(Family::Elasticsearch, &store).await;
    // A look at an index asks for its aliases; this cluster keeps only what is put.
    let (steps, done) = set_up(&server, "index = 'findings'").await;
    assert_eq!(done, Ok(()));
    assert!(steps[1].starts_with("skipped lifecycle policy"), "{steps:?}");
    assert_eq!(steps[3], "created index: findings");
    let store = store.lock().unwrap();
    assert!(store["/_index_template/findings"].get("data_stream").is_none());
    assert!(store.contains_key("/findings"));
}

#[tokio::test]
async fn a_refused_write_is_a_failed_step_with_its_reason() {
    let server = Server::start(|asked| {
        let refusal = json!({ "error": { "type": "security_exception", "reason": "no manage_ilm" }, "status": 403 });
        match asked.method.as_str() {
            "PUT" => answer(403, refusal),
            _ => respond(Family::Elasticsearch, &mut BTreeMap::new(), asked),
        }
    })
    .await;
    let (steps, done) = set_up(&server, "").await;
    assert_eq!(done, Err(ErrorKind::Auth));
    assert_eq!(
        steps.last().unwrap(),
        "failed lifecycle policy: the server answers 403: security_exception: no manage_ilm"
    );
}

#[tokio::test]
async fn a_check_says_what_is_missing_and_then_that_all_is_there() {
    for family in [Family::Elasticsearch, Family::OpenSearch] {
        let server = cluster(family, &Store::default()).await;
        let credentials = "username = 'bell'\npassword = 'hunter22'";
        let (steps, done) = checked(&server, credentials).await;
        assert_eq!(done, Err(ErrorKind::Config));
        assert!(steps.last().unwrap().starts_with("failed data stream: there is no data stream"), "{steps:?}");
        set_up(&server, credentials).await.1.unwrap();
        let before = server.lines().len();
        let (steps, done) = checked(&server, credentials).await;
        assert_eq!(done, Ok(()), "{steps:?}");
        let names: Vec<&str> = steps.iter().map(|step| step.split(':').next().unwrap()).collect();
        let privileges = if family == Family::OpenSearch { "skipped privileges" } else { "ok privileges" };
        let expected = [
            "ok DNS",
            "ok TCP",
            "skipped TLS",
            "ok server",
            "ok credentials",
            "warning encryption",
            privileges,
            "ok data stream",
            "ok index template",
        ];
        assert_eq!(names, expected);
        assert!(server.lines()[before..].iter().all(|line| !line.starts_with("PUT ")));
    }
}

#[tokio::test]
async fn a_check_names_wrong_credentials_and_missing_privileges() {
    let wrong = Server::start(|_| {
        answer(401, json!({ "error": { "type": "security_exception", "reason": "no such key" }, "status": 401 }))
    })
    .await;
    let (steps, done) = checked(&wrong, "api_key = 'c2VjcmV0'").await;
    assert_eq!(done, Err(ErrorKind::Auth));
    assert_eq!(steps.last().unwrap(), "failed server: the server answers 401: security_exception: no such key");
    let poor = Server::start(|asked| match asked.path.as_str() {
        "/_security/user/_has_privileges" => answer(200, json!({ "has_all_requested": false })),
        _ => respond(Family::Elasticsearch, &mut BTreeMap::new(), asked),
    })
    .await;
    let (steps, done) = checked(&poor, "api_key = 'c2VjcmV0'").await;
    assert_eq!(done, Err(ErrorKind::Auth));
    assert_eq!(steps.last().unwrap(), "failed privileges: the credentials lack `create_doc` on watchbell-findings");
}

#[tokio::test]
async fn a_key_for_writing_alone_passes_the_check() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/_security/_authenticate" => {
            answer(200, json!({ "username": "u", "api_key": { "name": "bell-\u{202e}key" } }))
        }
        "/_security/user/_has_privileges" => answer(200, json!({ "has_all_requested": true })),
        _ => answer(403, json!({ "error": { "type": "security_exception" }, "status": 403 })),
    })
    .await;
    let (steps, done) = checked(&server, "api_key = 'c2VjcmV0'").await;
    assert_eq!(done, Ok(()), "{steps:?}");
    assert!(steps.contains(&"ok credentials: taken as bell-\\u{202e}key".to_owned()), "{steps:?}");
    assert_eq!(steps.iter().filter(|step| step.contains("the credentials may not")).count(), 3, "{steps:?}");
}

#[tokio::test]
async fn a_dead_node_beside_a_live_one_is_a_warning() {
    let server = cluster(Family::Elasticsearch, &Store::default()).await;
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nodes = format!("nodes = ['http://{dead}', '{}']", server.url());
    let mut steps = Steps::default();
    sink(&nodes).setup(&mut steps).await.unwrap();
    assert!(!steps.has_failed());
    let mut steps = Steps::default();
    sink(&nodes).check(&mut steps).await.unwrap();
    assert!(!steps.has_failed());
    let steps = told(&steps);
    assert!(steps[1].starts_with(&format!("warning TCP: cannot connect to {dead}")), "{steps:?}");
    assert!(steps[3].starts_with("ok TCP"), "{steps:?}");
}

/// As the smallest builds of Elasticsearch answer.
#[tokio::test]
async fn a_server_without_data_streams_is_told_apart() {
    let server = Server::start(|asked| match asked.path.starts_with("/_data_stream") {
        true => answer(400, json!({ "error": "no handler found for uri [/_data_stream/x] and method [GET]" })),
        false => respond(Family::Bare, &mut BTreeMap::new(), asked),
    })
    .await;
    for (steps, done) in [set_up(&server, "").await, checked(&server, "").await] {
        assert_eq!(done, Err(ErrorKind::Config));
        let expected = "failed data stream: this server has no data streams; `index` names an index";
        assert_eq!(steps.last().unwrap(), expected);
    }
    let sink = sink(&format!("nodes = ['{}']", server.url()));
    let error = sink.deliver(&crate::server::batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(!server.lines().iter().any(|line| line.ends_with("/_bulk")));
}

#[tokio::test]
async fn something_else_at_the_address_is_told_apart() {
    let server = Server::start(|_| answer(200, "<html>Welcome to nginx</html>")).await;
    let (steps, done) = checked(&server, "").await;
    assert_eq!(done, Err(ErrorKind::Unavailable));
    assert!(steps.last().unwrap().contains("answers with something unexpected"), "{steps:?}");
}
