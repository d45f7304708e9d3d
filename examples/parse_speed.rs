//! How long parsing takes per event: `cargo run --release --example parse_speed -- FILE.jsonl [ROUNDS]`.
//!
//! The file is read into memory first; what is timed is the way from bytes to events on one thread, block by block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use watchbell::parse::json::parse_json_lines;
use watchbell::parse::{EventBuilder, FieldTable, ParseOptions};

const BLOCK_BYTES: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or_else(|| anyhow::anyhow!("expected a file of JSON lines"))?;
    let rounds: usize = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let bytes = std::fs::read(path)?;
    let blocks = blocks(&bytes);
    for _ in 0..rounds {
        let mut builder = EventBuilder::new(Arc::new(FieldTable::default()), &ParseOptions::default());
        let (mut events, mut complaints, mut check) = (0, 0, 0_u64);
        let (mut spent, mut spare) = (Duration::ZERO, Vec::with_capacity(BLOCK_BYTES));
        for block in &blocks {
            spare.clear();
            spare.extend_from_slice(block);
            let start = Instant::now();
            parse_json_lines(&spare, 0..spare.len(), 0, &mut builder);
            let mut batch = builder.take(0, 1, spare);
            spent += start.elapsed();
            events += batch.events.len();
            complaints += batch.complaints.len();
            check = batch.events.iter().fold(check, |check, event| check ^ event.user.hash ^ event.action.hash);
            spare = std::mem::take(&mut batch.block);
            builder.reuse(batch);
        }
        let each = spent.as_nanos() / events.max(1) as u128;
        println!("{events} events, {complaints} complaints, {each} ns per event, check {check:016x}");
    }
    Ok(())
}

fn blocks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let reach = rest.len().min(BLOCK_BYTES);
        let end = match memchr::memrchr(b'\n', &rest[..reach]) {
            Some(at) if reach < rest.len() => at + 1,
            _ => reach,
        };
        blocks.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    blocks
}
