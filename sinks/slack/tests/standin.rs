//! Against the testkit's workspace, which checks Block Kit, tokens and rates by rules of its own.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use watchbell_sink::{
    Batch, Context, Delivery, Finding, Memory, Sink, SinkConfig, Steps,
    testkit::{
        findings::samples,
        standin::{Record, Standin, anywhere, slack},
    },
};
use watchbell_slack::{Slack, SlackConfig};

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

async fn workspace() -> Standin {
    let workspace = slack::Workspace {
        token: "xoxb-standin".to_owned(),
        channel: ("C0000000001".to_owned(), "alerts".to_owned()),
        webhook: "/services/T0/B0/key".to_owned(),
    };
    slack::start(workspace, anywhere(), Record::new(1000)).await.unwrap()
}

fn sink(options: &str) -> Slack {
    let memory = std::sync::Arc::<Kept>::default();
    let config: SlackConfig = toml::from_str(options).unwrap();
    config.build(&Context { memory, timeout: Duration::from_secs(5), ..Context::new("soc") }).unwrap()
}

fn both(standin: &Standin) -> [Slack; 2] {
    let address = standin.address();
    [
        sink(&format!("webhook_url = 'http://{address}/services/T0/B0/key'")),
        sink(&format!("token = 'xoxb-standin'\nchannel = 'C0000000001'\napi_url = 'http://{address}/api'")),
    ]
}

async fn deliver(sink: &Slack, findings: &[Finding]) {
    let delivery =
        |finding: &Finding| Delivery { key: finding.id.clone(), payload: sink.encode(finding).unwrap(), attempt: 1 };
    let batch = Batch::new(findings.iter().map(delivery).collect()).unwrap();
    sink.deliver(&batch).await.unwrap();
}

#[tokio::test]
async fn hostile_messages_digests_and_threads_are_taken() {
    for (way, seed) in [(0, 61), (1, 62)] {
        for part in samples(100, seed).chunks(2) {
            // A workspace takes few messages at once; each pair gets one of its own.
            let standin = workspace().await;
            let sink = &both(&standin)[way];
            deliver(sink, &part[..1]).await;
            deliver(sink, &part[..1]).await;
            deliver(sink, part).await;
            assert!(standin.record().total() >= 3);
        }
    }
}

#[tokio::test]
async fn the_check_passes_and_posts_nothing() {
    let standin = workspace().await;
    for sink in both(&standin) {
        let mut steps = Steps::default();
        sink.check(&mut steps).await.unwrap();
        assert!(!steps.has_failed(), "{steps:?}");
    }
    assert_eq!(standin.record().total(), 0);
}
