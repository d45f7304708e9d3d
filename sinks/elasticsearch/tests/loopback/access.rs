//! Ways to the cluster: nodes, credentials, certificates, and options that contradict each other.

use std::time::Instant;

use serde_json::json;
use tokio::net::TcpListener;
use watchbell_sink::{ErrorKind, Sink, testkit::identity::Identity};

use crate::server::{Answer, Request, Server, answer, batch, refused, sink};

fn takes_all(asked: &Request) -> Answer {
    let items: Vec<_> = asked.text().lines().step_by(2).map(|_| json!({ "create": { "status": 201 } })).collect();
    answer(200, json!({ "errors": false, "items": items }))
}

#[tokio::test]
async fn a_dead_node_costs_one_attempt() {
    let server = Server::start(takes_all).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let sink = sink(&format!("nodes = ['http://{closed}', '{}']", server.url()));
    let batch = batch(&sink, 1);
    let error = sink.deliver(&batch).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.starts_with(&format!("cannot connect to {closed}: ")), "{}", error.message);
    for _ in 0..5 {
        sink.deliver(&batch).await.unwrap();
    }
}

#[tokio::test]
async fn silence_and_a_broken_connection_are_unavailable() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sink_to = |address| sink(&format!("nodes = ['http://{address}']"));
    let sink = sink_to(silent.local_addr().unwrap());
    let begun = Instant::now();
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.ends_with("gave no answer within 1 s"), "{}", error.message);
    assert!(begun.elapsed().as_secs() < 5);
    let server = Server::start(|_| Answer::reset()).await;
    let sink = sink_to(server.address());
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.starts_with("the connection to 127.0.0.1"), "{}", error.message);
}

#[tokio::test]
async fn what_a_redirect_leads_to_is_no_delivery() {
    let elsewhere = Server::start(takes_all).await;
    let there = elsewhere.url();
    let server = Server::start(move |asked| answer(307, "").header("Location", format!("{there}{}", asked.path))).await;
    let sink = sink(&format!("nodes = ['{}']\nusername = 'u'\npassword = 'hunter22'", server.url()));
    let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.message.contains("redirects to 127.0.0.1"), "{}", error.message);
    assert!(elsewhere.requests().iter().all(|asked| asked.header("authorization").is_none()));
}

#[tokio::test]
async fn credentials_go_into_the_header_and_nowhere_else() {
    for (options, header, secrets) in [
        ("api_key = 'aWRlbnQ6aHVudGVyMjI='", "ApiKey aWRlbnQ6aHVudGVyMjI=", vec!["hunter22", "aWRlbnQ6aHVudGVyMjI="]),
        ("api_key = 'ident:hunter22'", "ApiKey aWRlbnQ6aHVudGVyMjI=", vec!["hunter22", "aWRlbnQ6aHVudGVyMjI="]),
        (
            "username = 'bell'\npassword = 'hunter22'",
            "Basic YmVsbDpodW50ZXIyMg==",
            vec!["hunter22", "YmVsbDpodW50ZXIyMg=="],
        ),
    ] {
        // The server repeats what it was told.
        let server = Server::start(|asked| {
            let reason = format!("{} hunter22", asked.header("authorization").unwrap_or_default());
            answer(403, json!({ "error": { "type": "security_exception", "reason": reason }, "status": 403 }))
        })
        .await;
        let sink = sink(&format!("nodes = ['{}']\n{options}", server.url()));
        let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert_eq!(server.bulk().header("authorization"), Some(header));
        let shown = format!("{error:?} {error} {sink:?}");
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
    }
}

#[tokio::test]
async fn a_private_authority_and_a_client_certificate_are_taken() {
    let Identity { authority, certificate: cert, key } = &Identity::new(&["127.0.0.1"]).unwrap();
    let ours = Identity { authority: authority.clone(), certificate: cert.clone(), key: key.clone() };
    let server = Server::start_tls(takes_all, ours.server_config(Some(authority)).unwrap()).await;
    let node = format!("nodes = ['https://{}']", server.address());
    let tls = format!("{node}\n[tls]\nca = '''{authority}'''\ncert = '''{cert}'''\nkey = '''{key}'''");
    let sink_with = sink(&tls);
    sink_with.deliver(&batch(&sink_with, 2)).await.unwrap();
    // The server says so only after the handshake; it is a broken connection then.
    let without = sink(&format!("{node}\n[tls]\nca = '''{authority}'''"));
    assert_eq!(without.deliver(&batch(&without, 1)).await.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_on_both_ways() {
    let identity = || Identity::new(&["127.0.0.1"]).unwrap();
    let server = Server::start_tls(takes_all, identity().server_config(None).unwrap()).await;
    let other = identity().authority;
    let node = format!("nodes = ['https://{}']", server.address());
    for options in [node.clone(), format!("{node}\n[tls]\nca = '''{other}'''")] {
        let sink = sink(&options);
        let error = sink.deliver(&batch(&sink, 1)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{}", error.message);
        assert!(error.message.starts_with("the certificate of 127.0.0.1"), "{}", error.message);
    }
    let careless = sink(&format!("{node}\ntls.verify = false"));
    careless.deliver(&batch(&careless, 1)).await.unwrap();
}

#[tokio::test]
async fn options_that_contradict_each_other_are_refused_by_name() {
    let node = "nodes = ['http://h:9200']";
    for (options, expected) in [
        ("", "nodes: expected at least one address"),
        ("nodes = ['http://h'], cloud_id = 'a:b'", "cloud_id: expected either"),
        ("cloud_id = 'nonsense'", "cloud_id: expected the Cloud ID"),
        ("nodes = ['http://h/?a=b']", "nodes: expected addresses without"),
        ("nodes = ['http://u:hunter22@h']", "credentials do not belong"),
        (&format!("{node}, api_key = 'k', username = 'u'"), "username: expected either"),
        (&format!("{node}, username = 'u'"), "password: expected the password"),
        (&format!("{node}, password = 'p'"), "username: expected the user"),
        (&format!("{node}, api_key = \"a\\nb\""), "api_key: expected one line"),
        (&format!("{node}, index = 'a', data_stream = 'b'"), "index: expected either"),
        (&format!("{node}, data_stream = 'Upper'"), "data_stream: expected a name in lower case"),
        (&format!("{node}, data_stream = 'a/../b'"), "data_stream: expected a name"),
        (&format!("{node}, index = '.security'"), "index: expected a name"),
        (&format!("{node}, pipeline = 'a&refresh'"), "pipeline: expected a name"),
        (&format!("{node}, index = 'a', retention_days = 3"), "retention_days: expected together"),
        (&format!("{node}, retention_days = 0"), "nonzero"),
        (&format!("{node}, datastream = 'a'"), "unknown field `datastream`"),
        (&format!("{node}, tls = {{ cert = 'x' }}"), "tls.key: expected the key"),
    ] {
        let error = refused(options);
        assert!(error.contains(expected) && !error.contains("hunter22"), "{options}: {error}");
    }
}

#[test]
fn a_cloud_id_names_its_node() {
    // `cloud.example` and `cluster`, as Elastic encodes them.
    let sink = sink("cloud_id = 'prod:Y2xvdWQuZXhhbXBsZSRjbHVzdGVy'\napi_key = 'k'");
    assert!(format!("{sink:?}").contains("cluster.cloud.example"), "{sink:?}");
}
