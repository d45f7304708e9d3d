//! A sink of your own, whole: findings as lines of JSON in a file. `cargo run --example adding_a_sink FILE` delivers one.
//!
//! In a build of Watchbell it is `sinks/file/src/lib.rs`, without `main`, and one line in the root `Cargo.toml`.

use std::{fs, io, io::Write, path::PathBuf};

use serde::Deserialize;
use watchbell_sink::{
    Batch, ConfigError, Context, Delivery, ErrorKind, Finding, JsonSchema, Limits, Payload, Receipt, Sink, SinkConfig,
    SinkError, Steps, async_trait, testkit::findings::sample,
};

/// Findings as lines of JSON in a file. (These comments become the reference, and the schema for editors.)
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    /// The file to append to.
    path: PathBuf,
}

impl SinkConfig for FileConfig {
    const TYPE: &'static str = "file";
    const EXAMPLE: &'static str = "path = \"/var/log/watchbell/findings.jsonl\"\n";
    type Sink = FileSink;

    /// Looks at the options and at nothing else, so that checking a configuration touches no file.
    fn build(self, _: &Context) -> Result<FileSink, ConfigError> {
        self.path.file_name().ok_or_else(|| ConfigError::new("path", "expected the name of a file"))?;
        Ok(FileSink { path: self.path })
    }
}

/// The destination. It delivers once and reports; waiting, retrying and keeping are the outbox's.
struct FileSink {
    path: PathBuf,
}

impl FileSink {
    /// The kind is what the outbox decides by: a wrong path needs somebody (`Config`), a full disk needs time.
    fn failure(&self, error: &io::Error) -> SinkError {
        let kind = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => ErrorKind::Config,
            _ => ErrorKind::Unavailable,
        };
        SinkError::new(kind, format!("{}: {error}", self.path.display()))
    }

    fn open(&self, create: bool, steps: &mut Steps) -> Result<fs::File, SinkError> {
        let opened = fs::OpenOptions::new().append(true).create(create).open(&self.path);
        let opened = opened.map_err(|error| self.failure(&error));
        match &opened {
            Ok(_) => steps.done("file can be written"),
            Err(error) => steps.failed("file can be written", "run `--setup`, or correct `path`").with(&error.message),
        };
        opened
    }
}

#[async_trait]
impl Sink for FileSink {
    fn limits(&self) -> Limits {
        Limits::new(1000, 8 << 20)
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        let encoded = serde_json::to_vec(finding);
        let mut line = encoded.map_err(|error| SinkError::new(ErrorKind::Rejected, error.to_string()))?;
        line.push(b'\n');
        Ok(Payload::json(line))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.open(true, steps).map(drop)
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.open(false, steps).map(drop)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let lines: Vec<u8> = batch.deliveries().iter().flat_map(|delivery| delivery.payload.bytes()).copied().collect();
        let mut file = self.open(true, &mut Steps::default())?;
        file.write_all(&lines).and_then(|()| file.sync_data()).map_err(|error| self.failure(&error))?;
        Ok(batch.accepted())
    }
}

#[cfg(test)]
watchbell_sink::conformance!(local FileConfig,
    watchbell_sink::testkit::conformance::Suite::local(|path| format!("path = {path:?}")));

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected the name of a file")?.into();
    let sink = FileConfig { path }.build(&Context::new("archive"))?;
    let delivery = Delivery { key: format!("{}.archive", sample().id), payload: sink.encode(&sample())?, attempt: 1 };
    sink.deliver(&Batch::new(vec![delivery]).ok_or("nothing to deliver")?).await?;
    Ok(())
}
