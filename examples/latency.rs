//! How long one event takes in a warm process: `cargo run --release --example latency -- LOG`.
//!
//! Each line is parsed and judged by itself, as a stream brings it. The first half warms up; lessons (the voices learning
//! anew as the log doubles) are told apart, because a service takes them on its own time.

use std::time::Instant;

use anyhow::{Context, Result};
use watchbell::{
    detect::{DetectSettings, Stream},
    parse::{Block, ParseOptions, open_log},
    source::SourceFile,
};

fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("expected a log of JSON lines")?;
    let text = std::fs::read(&path)?;
    let mut log = open_log(&SourceFile::at(0, path.as_ref())?, 0, &ParseOptions::default())?;
    let mut stream = Stream::new(&DetectSettings::default(), None);
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut nanos = Vec::with_capacity(lines.len());
    for line in &lines {
        let block = Block { bytes: line.to_vec(), first_line: 1, ..Block::default() };
        let began = Instant::now();
        let batch = log.parser.parse(block);
        for event in &batch.events {
            stream.observe(&batch, event)?;
        }
        nanos.push(began.elapsed().as_nanos() as u64);
    }
    let mut warm = nanos.split_off(nanos.len() / 2);
    warm.sort_unstable();
    let at = |share: f64| warm[((warm.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    println!(
        "{} events, second half: p50 {:.1} us, p99 {:.1} us, p99.9 {:.1} us, longest {:.1} us",
        lines.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
    Ok(())
}
