//! What a neighbor costs a live sink: the delay of each finding from when it is handed to the outbox to when the live sink's
//! destination has confirmed it. Alone, beside a sink that takes everything, and beside one whose destination takes
//! connections and never answers.
//!
//! The kinds of runs take turns, so that all see the same machine. A finding's time begins when it was due to be handed over,
//! also when the one before held it up: otherwise the worst waits would not be seen.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use watchbell::{
    outbox::{Lane, Lanes, Route},
    sink::{
        Acknowledgement, Batch, Context, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, Verdict,
        async_trait,
    },
};

use super::{destination::Destination, finding, open};

const REPETITIONS: usize = 7;
/// 500 findings a second.
const BETWEEN: Duration = Duration::from_millis(2);
/// Connections are made and caches filled; not counted.
const WARM_UP: usize = 500;
const TIMED: usize = 3000;
/// A short timeout makes it harder: the black hole's lane fails and writes that down several times in a run.
const TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Neighbor {
    None,
    TakesEverything,
    BlackHole,
}

impl Neighbor {
    const ALL: [(Self, &'static str); 3] = [
        (Self::None, "alone"),
        (Self::TakesEverything, "beside a sink that takes everything"),
        (Self::BlackHole, "beside a black hole"),
    ];

    fn start(self) -> Result<Option<Destination>> {
        let standin = match self {
            Self::None => return Ok(None),
            Self::TakesEverything => "splunk_hec",
            Self::BlackHole => "splunk_hec_silent",
        };
        Destination::start(standin, "splunk_hec").map(Some)
    }
}

/// Milliseconds within which a half and 99 of 100 arrived.
#[derive(Clone, Copy)]
struct Delays {
    p50: f64,
    p99: f64,
}

pub(crate) fn measure() -> Result<()> {
    let rate = 1.0 / BETWEEN.as_secs_f64();
    println!(
        "splunk_hec, {rate:.0} findings/s, {REPETITIONS} runs each in turn, {TIMED} timed in a run; median (least to most)"
    );
    println!("of the runs, in ms from handed over to confirmed");
    let mut runs = [const { Vec::new() }; 3];
    for repetition in 0..REPETITIONS {
        // Nobody is always the first.
        for turn in 0..3 {
            let at = (repetition + turn) % 3;
            runs[at].push(run(Neighbor::ALL[at].0)?);
        }
    }
    let alone = middle(&runs[0], |delays| delays.p99).median;
    for ((_, title), runs) in Neighbor::ALL.iter().zip(&runs) {
        let (p50, p99) = (middle(runs, |delays| delays.p50), middle(runs, |delays| delays.p99));
        println!(
            "{title:<40} p99 {:.2} ({:.2} to {:.2}), p50 {:.2} ({:.2} to {:.2}); p99 to that alone {:.3}",
            p99.median,
            p99.least,
            p99.most,
            p50.median,
            p50.least,
            p50.most,
            p99.median / alone
        );
    }
    Ok(())
}

struct Middle {
    least: f64,
    median: f64,
    most: f64,
}

fn middle(runs: &[Delays], of: fn(&Delays) -> f64) -> Middle {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    Middle { least: values[0], median: values[values.len() / 2], most: values[values.len() - 1] }
}

fn run(neighbor: Neighbor) -> Result<Delays> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let context = |name| Context { timeout: TIMEOUT, ..Context::new(name) };
    let destination = Destination::start("splunk_hec", "splunk_hec")?;
    let live = Arc::new(Timed { sink: destination.sink(&context("live"))?, confirmed: Mutex::default() });
    let (mut lanes, mut routes) = (vec![Lane::new("live", Arc::clone(&live) as _)], vec![Route::all("live")]);
    let beside = neighbor.start()?;
    if let Some(beside) = &beside {
        lanes.push(Lane::new("beside", beside.sink(&context("beside"))?));
        routes.push(Route::all("beside"));
    }
    let lanes = Lanes::start(&outbox, lanes)?;
    let begun = Instant::now();
    let mut handed_over = Vec::with_capacity(WARM_UP + TIMED);
    for number in 0..WARM_UP + TIMED {
        let finding = finding(number);
        let due = begun + BETWEEN * u32::try_from(number)?;
        sleep(due.saturating_duration_since(Instant::now()));
        outbox.accept(&[finding], &routes)?;
        handed_over.push(due);
    }
    lanes.settled(Some(Duration::from_secs(1)), &mut |_| ())?;
    let delays = live.delays(&handed_over)?;
    lanes.stop(Duration::from_millis(10));
    Ok(delays)
}

/// A sink, and when its destination confirmed what.
struct Timed {
    sink: Arc<dyn Sink>,
    confirmed: Mutex<HashMap<String, Instant>>,
}

impl Timed {
    fn delays(&self, handed_over: &[Instant]) -> Result<Delays> {
        let confirmed = self.confirmed.lock().expect("no holder panics");
        let delay = |number: usize| {
            let then = confirmed.get(&format!("{}-live", finding(number).id));
            let then = then.with_context(|| format!("finding {number} did not arrive"))?;
            anyhow::Ok(then.saturating_duration_since(handed_over[number]).as_secs_f64() * 1000.0)
        };
        let mut delays = (WARM_UP..WARM_UP + TIMED).map(delay).collect::<Result<Vec<f64>>>()?;
        delays.sort_by(f64::total_cmp);
        let at = |share: usize| delays[delays.len() * share / 100];
        Ok(Delays { p50: at(50), p99: at(99) })
    }
}

#[async_trait]
impl Sink for Timed {
    fn limits(&self) -> Limits {
        self.sink.limits()
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        self.sink.encode(finding)
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.sink.setup(steps).await
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.sink.check(steps).await
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let receipt = self.sink.deliver(batch).await?;
        let now = Instant::now();
        let mut confirmed = self.confirmed.lock().expect("no holder panics");
        for (delivery, verdict) in batch.deliveries().iter().zip(receipt.verdicts()) {
            if matches!(verdict, Verdict::Delivered) {
                confirmed.entry(delivery.key.clone()).or_insert(now);
            }
        }
        Ok(receipt)
    }

    async fn acknowledged(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        self.sink.acknowledged(references).await
    }
}
