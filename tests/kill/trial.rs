//! Lives and deaths: starts the child, kills it at a random moment or has it die at a failpoint, again and again, then
//! lets it finish and compares what was accepted with what arrived.

use std::{
    collections::BTreeMap,
    fmt,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use watchbell::{
    outbox::{FAILPOINT_VARIABLE, FAILPOINTS},
    sink::testkit::findings::Dice,
};

use super::{
    child::{Orders, VARIABLE, finding},
    servers::{self, Audit, Destination},
};

/// A life that was to die at a failpoint and does not is killed after this.
const FAILPOINT_WAIT: Duration = Duration::from_secs(5);
/// The last life must be done by then.
const LAST_LIFE: Duration = Duration::from_secs(900);

/// How hard the trial is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    /// Deaths.
    pub(super) points: usize,
    pub(super) findings: usize,
    pub(super) seed: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Deaths, by what killed.
    pub(super) deaths: BTreeMap<&'static str, u64>,
    pub(super) accepted: u64,
    pub(super) audits: Vec<Audit>,
    pub(super) took: Duration,
}

impl Figures {
    /// Whether every accepted finding arrived as it was, everywhere.
    pub(super) fn is_clean(&self) -> bool {
        self.audits.iter().all(|audit| audit.lost == 0 && audit.altered == 0 && audit.arrived == self.accepted)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.deaths.values().sum();
        writeln!(f, "{} findings accepted over {total} deaths in {:.0} s", self.accepted, self.took.as_secs_f64())?;
        for (cause, count) in &self.deaths {
            writeln!(f, "  {count:>5} x {cause}")?;
        }
        writeln!(
            f,
            "{:<14} {:>8} {:>6} {:>8} {:>11} {:>11} {:>8}",
            "destination", "arrived", "lost", "altered", "duplicates", "recognized", "refused"
        )?;
        for audit in &self.audits {
            let Audit { kind, arrived, lost, altered, duplicates, recognized, refused } = audit;
            writeln!(
                f,
                "{kind:<14} {arrived:>8} {lost:>6} {altered:>8} {duplicates:>11} {recognized:>11} {refused:>8}"
            )?;
        }
        Ok(())
    }
}

/// How a life is to end.
#[derive(Debug, Clone, Copy)]
enum End {
    /// Killed after this time from its start, or from when its outbox is open.
    Kill { after: Duration, from_start: bool },
    /// At the n-th pass of a failpoint.
    Failpoint(&'static str, u64),
}

/// Runs the trial. `command` starts a process that [obeys](super::child::obey) its orders.
pub(super) fn run(trial: Trial, command: &dyn Fn() -> Result<Command>) -> Result<Figures> {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let destinations = runtime.block_on(servers::start())?;
    let folder = tempfile::tempdir()?;
    let mut dice = Dice(trial.seed);
    let (mut figures, mut accepted) = (Figures::default(), 0);
    for point in 0..trial.points {
        let share = 2 * trial.findings.div_ceil(trial.points.max(1));
        let to = trial.findings.min(accepted + 1 + dice.below(share));
        let mut life =
            Life::begin(command()?, &orders(&destinations, folder.path(), (accepted, to)), end(&mut dice, point))?;
        let cause = life.end(&mut accepted)?;
        *figures.deaths.entry(cause).or_default() += 1;
    }
    let last = Orders { ends: true, ..orders(&destinations, folder.path(), (accepted, trial.findings)) };
    Life::begin(command()?, &last, End::Kill { after: LAST_LIFE, from_start: true })?.finish(&mut accepted)?;
    ensure!(accepted == trial.findings, "{accepted} of {} were accepted", trial.findings);
    figures.accepted = accepted as u64;
    for destination in &destinations {
        figures.audits.push(destination.audit((0..accepted).map(finding))?);
    }
    figures.took = begun.elapsed();
    Ok(figures)
}

fn end(dice: &mut Dice, point: usize) -> End {
    if point.is_multiple_of(3) {
        return End::Failpoint(FAILPOINTS[point / 3 % FAILPOINTS.len()], 1 + dice.below(4) as u64);
    }
    End::Kill { after: Duration::from_micros(dice.below(250_000) as u64), from_start: point % 8 == 1 }
}

fn orders(destinations: &[Destination], folder: &Path, (from, to): (usize, usize)) -> Orders {
    let sinks = destinations.iter().map(|destination| destination.orders.clone()).collect();
    Orders { folder: folder.join("outbox"), sinks, from, to, ends: false }
}

struct Life {
    child: Child,
    lines: Receiver<String>,
    end: End,
}

impl Life {
    fn begin(mut command: Command, orders: &Orders, end: End) -> Result<Self> {
        command.env(VARIABLE, serde_json::to_string(orders)?).env_remove(FAILPOINT_VARIABLE);
        if let End::Failpoint(name, pass) = end {
            command.env(FAILPOINT_VARIABLE, format!("{name}:{pass}"));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().context("starting the child")?;
        let out = child.stdout.take().context("the child's output is a pipe")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some((_, said)) = line.split_once("@@") {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Ok(Self { child, lines, end })
    }

    /// Sees the life to its end; says what it died of.
    fn end(&mut self, accepted: &mut usize) -> Result<&'static str> {
        let (mut deadline, name) = match self.end {
            End::Kill { after, from_start: true } => (Some(Instant::now() + after), None),
            End::Kill { .. } => (None, None),
            End::Failpoint(name, _) => (Some(Instant::now() + FAILPOINT_WAIT), Some(name)),
        };
        loop {
            let left = deadline.map_or(FAILPOINT_WAIT * 12, |then| then.saturating_duration_since(Instant::now()));
            match self.lines.recv_timeout(left) {
                Ok(said) if said == "open" => {
                    if let (End::Kill { after, .. }, None) = (self.end, deadline) {
                        deadline = Some(Instant::now() + after);
                    }
                }
                Ok(said) => note(&said, accepted),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait()?;
                    let Some(name) = name else { bail!("the child ended by itself: {status}") };
                    return Ok(name);
                }
            }
        }
        ensure!(deadline.is_some(), "the child did not open its outbox");
        self.child.kill()?;
        self.child.wait()?;
        // What it said before it died is true.
        self.lines.iter().for_each(|said| note(&said, accepted));
        Ok("SIGKILL at a random moment")
    }

    /// Waits for the end of the last life, and looks at what it says of its books.
    fn finish(&mut self, accepted: &mut usize) -> Result<()> {
        let deadline = Instant::now() + LAST_LIFE;
        let mut balanced = false;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(said) => match said.strip_prefix("status ") {
                    Some(status) => balanced = is_balanced(&serde_json::from_str(status)?, *accepted as u64),
                    None => note(&said, accepted),
                },
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill()?;
                    bail!("the last life is not done after {} s", LAST_LIFE.as_secs());
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "the last life ended badly: {status}");
        ensure!(balanced, "the books of the outbox do not say that everything was delivered");
        Ok(())
    }
}

fn note(said: &str, accepted: &mut usize) {
    if let Some(count) = said.strip_prefix("accepted ").and_then(|count| count.parse().ok()) {
        *accepted = count;
    }
}

fn is_balanced(status: &serde_json::Value, accepted: u64) -> bool {
    let sinks = status["sinks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_done = |sink: &serde_json::Value| sink["accepted"] == accepted && sink["delivered"] == accepted;
    !sinks.is_empty() && sinks.iter().all(is_done)
}
