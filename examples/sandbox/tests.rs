//! Every sink of this build passes its set-up and its check at the stand-ins and delivers there.

use std::sync::Arc;

use toml::de::{DeTable, DeValue, ValueDeserializer};
use watchbell::registry;
use watchbell_sink::{
    Acknowledgement, Batch, Context, Delivery, Sink, SinkKind, Steps, Verdict,
    testkit::{findings::sample, standin::Arrival},
};

use super::*;

/// The sink that the configuration describes. The engine reads `NAME_file`; here it is one option.
fn sink(kind: &SinkKind, configuration: &str) -> Arc<dyn Sink> {
    let table: toml::Table = configuration.parse().unwrap();
    let mut options = table["sinks"][kind.name].as_table().unwrap().clone();
    options.remove("type");
    if let Some(path) = options.remove("credentials_file") {
        let content = fs::read_to_string(path.as_str().unwrap()).unwrap();
        options.insert("credentials".to_owned(), content.into());
    }
    let text = toml::to_string(&options).unwrap();
    let table = DeTable::parse(&text).unwrap();
    let span = table.span();
    let options = ValueDeserializer::from(toml::Spanned::new(span, DeValue::Table(table.into_inner())));
    kind.build(options, &Context::new(kind.name)).unwrap()
}

async fn settle(sink: &dyn Sink, verdict: &Verdict) {
    match verdict {
        Verdict::Delivered => {}
        Verdict::Accepted { ack_ref } => {
            let acknowledged = sink.acknowledged(std::slice::from_ref(ack_ref)).await.unwrap();
            assert_eq!(acknowledged, [Acknowledgement::Confirmed]);
        }
        verdict => panic!("{verdict:?}"),
    }
}

#[tokio::test]
async fn every_sink_of_this_build_delivers_to_its_standin() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path()).await.unwrap();
    let configuration = fs::read_to_string(&sandbox.configuration).unwrap();
    let kinds = registry::kinds();
    assert!(!kinds.is_empty());
    for kind in kinds {
        let sink = sink(kind, &configuration);
        let mut steps = Steps::default();
        sink.setup(&mut steps).await.unwrap();
        sink.check(&mut steps).await.unwrap();
        assert!(!steps.has_failed(), "{}: {:?}", kind.name, steps.all());
        let key = format!("{}.{}", sample().id, kind.name);
        let payload = sink.encode(&sample()).unwrap();
        let batch = Batch::new(vec![Delivery { key, payload, attempt: 1 }]).unwrap();
        let receipt = sink.deliver(&batch).await.unwrap();
        settle(&*sink, &receipt.verdicts()[0]).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for kind in kinds {
        assert_eq!(sandbox.record.times(kind.name).values().sum::<u64>(), 1, "{}", kind.name);
    }
}

#[test]
fn what_arrives_is_shown_on_one_harmless_line() {
    let text = format!("{{\"a\":\"\u{1b}[2J\n\u{202e}{}", "x".repeat(500));
    let shown = line(&Arrival { number: 0, at: "webhook", id: "6f1ed002ab5595859014ebf0951522d9".to_owned(), text });
    assert!(shown.starts_with("webhook        6f1ed002  {\"a\":\"\\u{1b}[2J\\n\\u{202e}xxx"), "{shown}");
    assert!(shown.ends_with('…') && shown.chars().count() < 200 && !shown.chars().any(char::is_control));
}

#[cfg(unix)]
#[tokio::test]
async fn credentials_are_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(dir.path()).await.unwrap();
    for entry in fs::read_dir(dir.path()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(sandbox.standins.len(), 6);
}
