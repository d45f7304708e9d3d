//! Sinks without a network: what is written is delivered.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Proof, Suite,
    sinks::{PATIENT, batch, deliver, expect, run, told},
};
use crate::{batch::Verdict, sink::SinkConfig, testkit::stream::holds};

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A batch is delivered, and its payloads stand in the file.
///
/// # Errors
/// What was seen otherwise.
pub fn what_is_written_is_delivered<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("watchbell-conformance-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(told("no folder"))?;
        let file = folder.join("findings");
        let written = written::<C>(suite, &file).await;
        std::fs::remove_dir_all(&folder).map_err(told("the folder stays"))?;
        written
    })
}

async fn written<C: SinkConfig>(suite: &Suite, file: &std::path::Path) -> Proof {
    let sink = suite.sink::<C>(file.display(), PATIENT)?;
    let batch = batch(&*sink, sink.limits().items.min(3), 1)?;
    for verdict in deliver(&*sink, &batch).await? {
        expect(matches!(verdict, Verdict::Delivered), || format!("one verdict is {verdict:?}"))?;
    }
    let content = std::fs::read(file).map_err(told("nothing was written"))?;
    let missing = batch.deliveries().iter().find(|delivery| !holds(&content, delivery.payload.bytes()));
    expect(missing.is_none(), || "a payload that was delivered is not in the file".to_owned())
}
