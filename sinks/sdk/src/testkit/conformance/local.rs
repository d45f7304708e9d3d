//! Sinks without a network: what is written is delivered, and what can't be written is noticed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    Proof, Suite, checking,
    sinks::{PATIENT, batch, deliver, expect, run, told},
};
use crate::{batch::Verdict, sink::SinkConfig, testkit::stream::holds};

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A folder of this run alone, which goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("watchbell-conformance-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(told("no folder"))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is no violation of the sink.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A batch is delivered, and its payloads stand in the file; set-up and check pass and write none.
///
/// # Errors
/// What was seen otherwise.
pub fn what_is_written_is_delivered<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let folder = Folder::new()?;
        let file = folder.0.join("findings");
        let sink = suite.sink::<C>(file.display(), PATIENT)?;
        checking::set_up(&*sink).await?;
        checking::passing(&*sink).await?;
        let before = fs::metadata(&file).map_or(0, |file| file.len());
        expect(before == 0, || format!("set-up and check write {before} bytes"))?;
        written::<C>(suite, &file).await
    })
}

/// A folder that does not exist is a failed step with a fix, and no delivery counts.
///
/// # Errors
/// What was seen otherwise.
pub fn a_missing_folder_is_noticed<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let folder = Folder::new()?;
        let sink = suite.sink::<C>(folder.0.join("missing").join("findings").display(), PATIENT)?;
        let verdicts = deliver(&*sink, &batch(&*sink, 1, 1)?).await?;
        let failed = verdicts.iter().all(|verdict| matches!(verdict, Verdict::Failed(_)));
        expect(failed, || format!("nothing can be written, and the verdicts are {verdicts:?}"))?;
        checking::failing(&*sink).await
    })
}

async fn written<C: SinkConfig>(suite: &Suite, file: &Path) -> Proof {
    let sink = suite.sink::<C>(file.display(), PATIENT)?;
    let batch = batch(&*sink, sink.limits().items.min(3), 1)?;
    for verdict in deliver(&*sink, &batch).await? {
        expect(matches!(verdict, Verdict::Delivered), || format!("one verdict is {verdict:?}"))?;
    }
    let content = fs::read(file).map_err(told("nothing was written"))?;
    let missing = batch.deliveries().iter().find(|delivery| !holds(&content, delivery.payload.bytes()));
    expect(missing.is_none(), || "a payload that was delivered is not in the file".to_owned())
}
