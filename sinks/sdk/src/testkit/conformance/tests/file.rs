//! A small sink that writes into a file and can be told to do one thing wrong.

use std::{fs, io::Write, path::PathBuf};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    batch::{Batch, Receipt},
    error::{ConfigError, ErrorKind, SinkError},
    finding::Finding,
    sink::{Context, Limits, Payload, Sink, SinkConfig},
    steps::Steps,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotesConfig {
    /// The file.
    path: PathBuf,
    /// What is done wrong.
    #[serde(default)]
    fault: String,
}

impl SinkConfig for NotesConfig {
    const TYPE: &'static str = "notes";
    const EXAMPLE: &'static str = "path = \"notes.txt\"";
    type Sink = Notes;

    fn build(self, _: &Context) -> Result<Notes, ConfigError> {
        Ok(Notes(self))
    }
}

pub(super) struct Notes(NotesConfig);

impl Notes {
    fn write(&self, bytes: &[u8]) -> Result<(), SinkError> {
        let file = fs::OpenOptions::new().append(true).create(true).open(&self.0.path);
        file.and_then(|mut file| file.write_all(bytes))
            .map_err(|error| SinkError::new(ErrorKind::Config, error.to_string()))
    }
}

#[async_trait]
impl Sink for Notes {
    fn limits(&self) -> Limits {
        Limits::new(10, 16 << 20)
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        Ok(Payload::text(format!("{}\n", finding.id).into_bytes()))
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.check(steps).await
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let checked = match self.0.fault.as_str() {
            "check looks away" => Ok(()),
            "check writes" => {
                let _ = fs::remove_file(&self.0.path);
                self.write(b"check\n")
            }
            _ => self.write(b""),
        };
        match &checked {
            Ok(()) => steps.done("file"),
            Err(error) => steps.failed("file", "check the path").with(&error.message),
        };
        checked
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let bytes: Vec<u8> = batch.deliveries().iter().flat_map(|delivery| delivery.payload.bytes().to_vec()).collect();
        match self.0.fault.as_str() {
            "writes nothing" => {}
            "looks away" => drop(self.write(&bytes)),
            _ => self.write(&bytes)?,
        }
        Ok(batch.accepted())
    }
}
