//! Slack and syslog.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
};

use super::*;

async fn workspace() -> Standin {
    let workspace = slack::Workspace {
        token: "xoxb-1".to_owned(),
        channel: ("C0000000001".to_owned(), "alerts".to_owned()),
        webhook: "/services/T1/B1/secret".to_owned(),
    };
    slack::start(workspace, anywhere(), Record::new(10)).await.unwrap()
}

#[tokio::test]
async fn slack_posts_threads_and_updates() {
    let slack = workspace().await;
    let client = Client::of(&slack, &[("authorization", "Bearer xoxb-1")]);
    let call = async |method: &str, body: Value| client.post(&format!("/api/{method}"), body.to_string()).await.1;
    assert_eq!(Client::of(&slack, &[]).post("/api/auth.test", "").await.1["error"], "not_authed");
    assert_eq!(
        Client::of(&slack, &[("authorization", "Bearer x")]).post("/api/auth.test", "").await.1["error"],
        "invalid_auth"
    );
    assert_eq!(call("auth.test", json!({})).await["ok"], true);
    assert_eq!(client.get("/api/conversations.info?channel=C0000000001").await.1["channel"]["name"], "alerts");
    let posted = call("chat.postMessage", json!({ "channel": "#alerts", "text": ID })).await;
    assert_eq!((&posted["ok"], &posted["channel"]), (&json!(true), &json!("C0000000001")));
    let update = call("chat.update", json!({ "channel": "C0000000001", "ts": posted["ts"], "text": ID })).await;
    assert_eq!(update["ts"], posted["ts"]);
    let errors = [
        ("chat.postMessage", json!({ "channel": "#other", "text": "x" }), "channel_not_found"),
        ("chat.postMessage", json!({ "channel": "#alerts" }), "no_text"),
        ("chat.postMessage", json!({ "channel": "#alerts", "text": "x", "thread_ts": "1.2" }), "thread_not_found"),
        ("chat.update", json!({ "channel": "C0000000001", "text": "x", "ts": "1.2" }), "message_not_found"),
        ("chat.nothing", json!({}), "unknown_method"),
    ];
    for (method, body, expected) in errors {
        assert_eq!(call(method, body).await["error"], expected);
    }
    assert_eq!(slack.record().times("slack"), [(ID.to_owned(), 2)].into());
}

#[tokio::test]
async fn slack_takes_bursts_and_no_more() {
    let slack = workspace().await;
    let client = Client::of(&slack, &[]);
    let webhook = "/services/T1/B1/secret";
    assert_eq!(client.post("/services/T1/B1/other", "{\"text\":\"x\"}").await.0, 403);
    assert_eq!(client.post("/services/T2/B1/other", "{\"text\":\"x\"}").await.0, 404);
    assert_eq!(client.post(webhook, "x").await.0, 400);
    let reply = client.ask(Method::POST, webhook, "{\"text\":\"x\"}").await;
    assert_eq!((reply.status, &reply.body[..]), (200, &b"ok"[..]));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(client.post(webhook, "{\"text\":\"x\"}").await.0);
    }
    assert!(statuses.starts_with(&[200; 4]) && statuses.contains(&429), "{statuses:?}");
}

#[tokio::test]
async fn slack_refuses_blocks_that_are_too_large() {
    let text = |length: usize| json!({ "type": "mrkdwn", "text": "x".repeat(length) });
    let section = |length: usize| json!({ "type": "section", "text": text(length) });
    let header =
        |length: usize| json!({ "type": "header", "text": { "type": "plain_text", "text": "x".repeat(length) } });
    let context = |count: usize| json!({ "type": "context", "elements": vec![text(1); count] });
    let fields = |count: usize, length: usize| json!({ "type": "section", "fields": vec![text(length); count] });
    let taken = [vec![section(3000)], vec![header(150)], vec![context(10)], vec![fields(10, 1)], vec![section(1); 50]];
    for blocks in taken {
        assert_eq!(block_kit::check(&json!({ "blocks": blocks })), Ok(()));
    }
    let refused = [
        vec![section(3001)],
        vec![section(0)],
        vec![header(151)],
        vec![json!({ "type": "header", "text": text(1) })],
        vec![context(11)],
        vec![context(0)],
        vec![fields(11, 1)],
        vec![fields(1, 2001)],
        vec![section(1); 51],
        vec![json!({ "type": "secret" })],
        vec![json!({ "type": "section" })],
    ];
    for blocks in refused {
        assert_eq!(block_kit::check(&json!({ "blocks": blocks })).unwrap_err().0, "invalid_blocks", "{blocks:?}");
    }
    let long = block_kit::check(&json!({ "blocks": vec![section(3000); 5] }));
    assert_eq!(long.unwrap_err().0, "msg_blocks_too_long");
    let attached = json!({ "text": "x", "attachments": [{ "blocks": [section(3001)] }] });
    assert_eq!(block_kit::check(&attached).unwrap_err().0, "invalid_attachments");
}

async fn arrived(syslog: &Standin, count: u64) -> Vec<String> {
    for _ in 0..200 {
        if syslog.record().total() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    syslog.record().since(0).into_iter().map(|arrival| arrival.text).collect()
}

#[tokio::test]
async fn syslog_keeps_messages_apart() {
    let syslog = syslog::start(anywhere(), Record::new(10)).await.unwrap();
    let udp = UdpSocket::bind(anywhere()).await.unwrap();
    udp.send_to(format!("<13>1 datagram {ID}").as_bytes(), syslog.address()).await.unwrap();
    assert_eq!(arrived(&syslog, 1).await, [format!("<13>1 datagram {ID}")]);
    let mut tcp = TcpStream::connect(syslog.address()).await.unwrap();
    tcp.write_all(b"15 <13>1 two\nlines13 <13>1 counted").await.unwrap();
    tcp.write_all(b"<13>1 line\n<13>1 no end").await.unwrap();
    tcp.shutdown().await.unwrap();
    assert_eq!(arrived(&syslog, 4).await[1..], ["<13>1 two\nlines", "<13>1 counted", "<13>1 line"]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(syslog.record().total(), 4);

    syslog.feel(Mood::Broken);
    let mut tcp = TcpStream::connect(syslog.address()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let _ = tcp.write_all(b"5 lost!").await;
    assert!(tcp.write_all(b"5 lost!").await.is_err());
    assert_eq!(syslog.record().total(), 4);
}
