//! Resident memory while findings wait for a sink that never answers, and what a long queue costs whoever asks for the
//! status or starts again.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use watchbell::{
    outbox::{Lane, Lanes, Route},
    sink::Finding,
};

use super::{CHUNK, finding, in_process, open};

pub(crate) fn measure(pending: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let lanes = Lanes::start(&outbox, vec![Lane::new("hole", in_process(true))])?;
    let routes = [Route::all("hole")];
    let begun = Instant::now();
    println!("{:>10.1} MB resident at 0 pending", resident()?);
    for quarter in 1..=4 {
        accept(&outbox, &routes, pending * (quarter - 1) / 4..pending * quarter / 4)?;
        println!("{:>10.1} MB resident at {} pending", resident()?, pending * quarter / 4);
    }
    println!("{:>10.0} s to accept them, in chunks of {CHUNK}", begun.elapsed().as_secs_f64());
    let asked = Instant::now();
    let status = outbox.status()?;
    ensure!(status.sinks[0].pending.total() == pending as u64, "expected every finding to be pending");
    let (took, size) = (milliseconds(asked), status.bytes as f64 / 1e6);
    println!("{took:>10.1} ms for the status of {size:.0} MB");
    lanes.stop(Duration::from_millis(10));
    drop(outbox);
    let opened = Instant::now();
    let outbox = open(folder.path())?;
    println!("{:>10.1} ms to open it again, checked", milliseconds(opened));
    drop(outbox);
    Ok(())
}

fn accept(outbox: &watchbell::outbox::Outbox, routes: &[Route], numbers: std::ops::Range<usize>) -> Result<()> {
    for start in numbers.clone().step_by(CHUNK) {
        let chunk: Vec<Finding> = (start..numbers.end.min(start + CHUNK)).map(finding).collect();
        outbox.accept(&chunk, routes)?;
    }
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Resident memory in MB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system tells no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1000.0)
}
