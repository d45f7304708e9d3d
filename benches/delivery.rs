//! The durable outbox: `cargo bench --bench delivery [-- --pending 1000000]`. Throughput to a sink in this process, what a
//! black hole beside it costs a live sink, and the memory that a long queue takes.
//!
//! Every accepted finding is synced to the disk; the figures are about the disk as much as about the code.

use std::{
    collections::HashMap,
    fs,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use watchbell::{
    outbox::{Lane, Lanes, Outbox, Place, Route},
    sink::{Batch, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, async_trait, testkit::findings},
};

const THROUGHPUT: usize = 20_000;
/// Accepted at once, as a detector that reads a file does.
const CHUNK: usize = 256;
/// Single findings whose way is timed.
const TIMED: usize = 400;
const BETWEEN: Duration = Duration::from_millis(10);

/// A sink that takes everything, or nothing ever.
struct InProcess {
    is_black_hole: bool,
    arrived: Mutex<HashMap<String, Instant>>,
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
        let (now, mut arrived) = (Instant::now(), self.arrived.lock().expect("no holder panics"));
        arrived.extend(batch.deliveries().iter().map(|delivery| (delivery.key.clone(), now)));
        Ok(batch.accepted())
    }
}

fn sink(is_black_hole: bool) -> Arc<InProcess> {
    Arc::new(InProcess { is_black_hole, arrived: Mutex::default() })
}

fn finding(number: usize) -> Finding {
    Finding { id: format!("{number:032x}"), event_count: number as u64, ..findings::sample() }
}

fn open(folder: &std::path::Path) -> Result<Outbox> {
    Ok(Outbox::open(&Place { folder: folder.join("outbox"), max_bytes: 1 << 40 })?)
}

fn main() -> Result<()> {
    let pending = match std::env::args().skip_while(|argument| argument != "--pending").nth(1) {
        Some(count) => count.parse()?,
        None => 1_000_000,
    };
    throughput()?;
    neighbors()?;
    memory(pending)
}

fn throughput() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let (sink, routes) = (sink(false), [Route::all("live")]);
    let lanes = Lanes::start(&outbox, vec![Lane::new("live", Arc::clone(&sink) as _)])?;
    let findings: Vec<Finding> = (0..THROUGHPUT).map(finding).collect();
    let begun = Instant::now();
    for chunk in findings.chunks(CHUNK) {
        outbox.accept(chunk, &routes)?;
    }
    let accepted = begun.elapsed();
    ensure!(lanes.settled(Some(Duration::from_secs(600)), &mut |_| ())?.complete, "not everything arrived");
    let last = sink.arrived.lock().expect("no holder panics").values().max().copied().context("something arrived")?;
    let per_second = |time: Duration| THROUGHPUT as f64 / time.as_secs_f64();
    println!("{:>10.0} findings/s accepted, in chunks of {CHUNK}, each synced", per_second(accepted));
    println!("{:>10.0} findings/s accepted and delivered", per_second(last - begun));
    lanes.stop(Duration::from_secs(1));
    Ok(())
}

/// Runs with and without the black hole take turns, so that both see the same machine.
fn neighbors() -> Result<()> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        alone.extend(delays(false)?);
        beside.extend(delays(true)?);
    }
    for (name, delays) in [("alone", &mut alone), ("beside a black hole", &mut beside)] {
        delays.sort();
        let at = |share: usize| delays[delays.len() * share / 100].as_secs_f64() * 1000.0;
        println!("{:>10.1} ms p99, {:.1} ms p50 from accepted to arrived, {name}", at(99), at(50));
    }
    Ok(())
}

fn delays(with_black_hole: bool) -> Result<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let live = sink(false);
    let mut lanes = vec![Lane::new("live", Arc::clone(&live) as _)];
    // The same work is accepted in both cases; only that nobody takes it differs.
    lanes.push(Lane::new("other", sink(with_black_hole) as _));
    let lanes = Lanes::start(&outbox, lanes)?;
    let routes = [Route::all("live"), Route::all("other")];
    let mut accepted = Vec::with_capacity(TIMED);
    for number in 0..TIMED {
        accepted.push(Instant::now());
        outbox.accept(&[finding(number)], &routes)?;
        sleep(BETWEEN);
    }
    sleep(Duration::from_secs(1));
    let arrived = live.arrived.lock().expect("no holder panics");
    let delay = |(number, begun): (usize, &Instant)| {
        let key = format!("{}-live", finding(number).id);
        arrived.get(&key).map(|then| *then - *begun).context("a finding did not arrive")
    };
    let delays = accepted.iter().enumerate().map(delay).collect();
    lanes.stop(Duration::from_millis(10));
    delays
}

fn memory(pending: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let lanes = Lanes::start(&outbox, vec![Lane::new("hole", sink(true) as _)])?;
    let routes = [Route::all("hole")];
    let begun = Instant::now();
    for start in (0..pending).step_by(CHUNK) {
        let chunk: Vec<Finding> = (start..pending.min(start + CHUNK)).map(finding).collect();
        outbox.accept(&chunk, &routes)?;
        if start == 0 || (start / CHUNK).is_multiple_of((pending / CHUNK / 4).max(1)) {
            println!("{:>10.1} MB resident at {start} pending", resident()?);
        }
    }
    println!("{:>10.1} MB resident at {pending} pending, after {:.0} s", resident()?, begun.elapsed().as_secs_f64());
    let asked = Instant::now();
    let status = outbox.status()?;
    ensure!(status.sinks[0].pending.total() == pending as u64, "every finding is pending");
    println!(
        "{:>10.1} ms for the status of {:.0} MB",
        asked.elapsed().as_secs_f64() * 1000.0,
        status.bytes as f64 / 1e6
    );
    lanes.stop(Duration::from_millis(10));
    drop(outbox);
    let opened = Instant::now();
    let outbox = open(folder.path())?;
    println!("{:>10.1} ms to open it again, checked", opened.elapsed().as_secs_f64() * 1000.0);
    drop(outbox);
    Ok(())
}

/// Resident memory in MB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system tells no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1000.0)
}
