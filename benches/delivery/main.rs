//! The durable outbox and the sinks behind it: `cargo bench --bench delivery [-- throughput neighbors memory --pending N]`.
//! How many findings a second reach each destination, what a black hole beside a live sink costs it, and the memory that a
//! long queue takes.
//!
//! Every accepted finding is synced to the disk that holds the temporary folder (`TMPDIR`); the figures are about that disk
//! as much as about the code.

mod destination;
mod memory;
mod neighbors;
mod throughput;

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use watchbell::{
    outbox::{Outbox, Place},
    sink::{Batch, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, async_trait, testkit::findings},
};

/// Accepted at once, as a detector that reads a file does.
const CHUNK: usize = 256;

/// A sink in this process that takes everything, or never answers.
struct InProcess {
    is_black_hole: bool,
}

#[async_trait]
impl Sink for InProcess {
    fn limits(&self) -> Limits {
        Limits::new(500, 5 << 20)
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        Ok(Payload::json(serde_json::to_vec(finding).expect("a finding has text keys only and writes to memory")))
    }

    async fn setup(&self, _: &mut Steps) -> Result<(), SinkError> {
        Ok(())
    }

    async fn check(&self, _: &mut Steps) -> Result<(), SinkError> {
        Ok(())
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        if self.is_black_hole {
            std::future::pending::<()>().await;
        }
        Ok(batch.accepted())
    }
}

fn in_process(is_black_hole: bool) -> Arc<dyn Sink> {
    Arc::new(InProcess { is_black_hole })
}

/// Each number is another finding, alike but for its id.
fn finding(number: usize) -> Finding {
    Finding { id: format!("{number:032x}"), event_count: number as u64, ..findings::sample() }
}

fn open(folder: &Path) -> Result<Outbox> {
    Ok(Outbox::open(&Place { folder: folder.join("outbox"), max_bytes: 1 << 40 })?)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    if let Some(name) = value_of("--standin") {
        return destination::serve(name);
    }
    let pending = value_of("--pending").map_or("1000000", String::as_str);
    let pending = pending.parse().context("--pending: expected a number")?;
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    let all = !["throughput", "neighbors", "memory"].into_iter().any(named);
    if all || named("throughput") {
        throughput::measure()?;
    }
    if all || named("neighbors") {
        neighbors::measure()?;
    }
    if all || named("memory") {
        memory::measure(pending)?;
    }
    Ok(())
}
