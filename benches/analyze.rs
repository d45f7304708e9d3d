//! Requests of a hundred events, as a server gets them: `cargo bench --bench analyze [-- SECONDS]`. Each phase prints requests
//! a second and resident memory by quarters; every request has another content, so memory that grows would be seen.

use std::{
    fmt::Write as _,
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use watchbell::app::{
    AnalyzeRequest, Delivery, Desk, JobState, LogInput, NoProgress, Plan, Settings, TrainRequest, Watch,
};

/// Events in a request.
const EVENTS: u64 = 100;
/// Events that the model learns from, and the accounts in them.
const LEARNED: (u64, u64) = (400_000, 50_000);

fn main() -> Result<()> {
    let seconds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(4.0_f64);
    let folder = tempfile::tempdir()?;
    let desk = open(folder.path())?;
    phase("quiet, no model", seconds, |number| analyze(&desk, "request", quiet(number), false))?;
    phase("attacks, no model", seconds, |number| analyze(&desk, "request", attack(number), false))?;
    phase("attacks, kept", seconds, |number| analyze(&desk, "request", attack(number), true))?;
    phase("the same attack, kept", seconds, |_| analyze(&desk, "request", attack(0), true))?;
    train(&desk, folder.path())?;
    phase("quiet, with a model", seconds, |number| analyze(&desk, "learned", quiet(number), false))?;
    phase("attacks, with a model", seconds, |number| analyze(&desk, "learned", attack(number), false))?;
    desk.close()?;
    Ok(())
}

fn open(folder: &Path) -> Result<Arc<Desk>> {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut plan = Plan::new(Settings::default(), threads)?;
    plan.input.log_dir = folder.join("logs");
    plan.batch.output_dir = folder.join("out");
    plan.batch.model_dir = Some(folder.join("models"));
    plan.outbox.folder = folder.join("outbox");
    Ok(Desk::open(plan, Delivery::OnDemand)?)
}

/// Asks from twice as many threads as there are cores.
fn phase(name: &str, seconds: f64, ask: impl Fn(u64) -> Result<()> + Sync) -> Result<()> {
    let (next, failed) = (AtomicU64::new(1), AtomicBool::new(false));
    let (begun, lasts) = (Instant::now(), Duration::from_secs_f64(seconds));
    let mut memory = vec![resident()?];
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) * 2 {
            scope.spawn(|| {
                while begun.elapsed() < lasts && !failed.load(Ordering::Relaxed) {
                    if let Err(error) = ask(next.fetch_add(1, Ordering::Relaxed)) {
                        println!("{error:#}");
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        for _ in 0..4 {
            thread::sleep(lasts / 4);
            memory.push(resident()?);
        }
        anyhow::Ok(())
    })?;
    ensure!(!failed.load(Ordering::Relaxed), "a request failed");
    let rate = (next.into_inner() - 1) as f64 / begun.elapsed().as_secs_f64();
    let memory: Vec<String> = memory.iter().map(|size| format!("{size:.0}")).collect();
    println!("{rate:>10.0} requests/s  {name:<24} {} MB resident", memory.join(" "));
    Ok(())
}

fn analyze(desk: &Desk, name: &str, text: String, hand_over: bool) -> Result<()> {
    let input = LogInput::Text { name: name.to_owned(), text: text.into_bytes() };
    let watch = Watch { progress: &NoProgress, stop: &AtomicBool::new(false) };
    let analysis = desk.analyze(AnalyzeRequest { input, hand_over }, watch)?;
    ensure!(analysis.total_events == EVENTS, "{} events", analysis.total_events);
    Ok(())
}

fn train(desk: &Arc<Desk>, folder: &Path) -> Result<()> {
    let mut text = String::new();
    for at in 0..LEARNED.0 {
        line(&mut text, at * 3, (&format!("user{}", at % LEARNED.1), &address(at % LEARNED.1)), "success");
    }
    fs::create_dir_all(folder.join("logs"))?;
    fs::write(folder.join("logs/learned"), text)?;
    let job = desk.start_training(TrainRequest { paths: Vec::new(), name: Some("learned".to_owned()) }, "bench")?;
    let mut state = job.state;
    while !state.is_over() {
        thread::sleep(Duration::from_millis(50));
        state = desk.job(&job.id)?.state;
    }
    ensure!(state == JobState::Succeeded, "expected a model");
    let size = fs::metadata(folder.join("models/learned.wbmodel"))?.len() as f64 / 1e6;
    println!("            a model of {size:.0} MB");
    Ok(())
}

/// People at work.
fn quiet(number: u64) -> String {
    let mut text = String::new();
    for at in 0..EVENTS {
        let user = number.wrapping_mul(31) + at * 7;
        line(&mut text, at * 30, (&format!("user{}", user % LEARNED.1), &address(user % LEARNED.1)), "success");
    }
    text
}

/// The same, and somebody who guesses a password.
fn attack(number: u64) -> String {
    let mut text = String::new();
    for at in 0..EVENTS {
        if at < 40 {
            line(&mut text, at * 60, (&format!("user{}", at % 4), &address(at % 4)), "success");
        } else {
            let status = if at + 1 < EVENTS { "failure" } else { "success" };
            line(&mut text, 3_000 + at * 2, (&format!("admin{number}"), "203.0.113.66"), status);
        }
    }
    text
}

fn address(number: u64) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

fn line(text: &mut String, second: u64, (user, address): (&str, &str), status: &str) {
    let (day, hour, minute) = (1 + second / 86_400 % 27, second / 3_600 % 24, second / 60 % 60);
    let _ = writeln!(
        text,
        "{{\"timestamp\":\"2026-03-{day:02}T{hour:02}:{minute:02}:{:02}Z\",\"user\":\"{user}\",\"source_ip\":\"{address}\",\
         \"action\":\"login\",\"status\":\"{status}\",\"resource\":\"/sso\",\"bytes\":{}}}",
        second % 60,
        500 + second % 7
    );
}

/// Resident memory in MB.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system tells no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1000.0)
}
