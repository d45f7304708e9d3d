//! Findings a second, from the first that is accepted to the last that has arrived and is written down as delivered.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use watchbell::{
    outbox::{Lane, Lanes, Route},
    registry,
    sink::{Context, Finding},
};

use super::{CHUNK, destination::Destination, finding, in_process, open};

const RUNS: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(300);

/// What is measured: a sink at a stand-in.
struct Course {
    title: &'static str,
    standin: &'static str,
    kind: &'static str,
    findings: usize,
    runs: usize,
    /// Whether every message holds one finding, so that arrivals can be counted one by one.
    is_one_by_one: bool,
}

impl Course {
    const fn new(title: &'static str, standin: &'static str, kind: &'static str) -> Self {
        Self { title, standin, kind, findings: 20_000, runs: RUNS, is_one_by_one: true }
    }
}

fn courses() -> [Course; 7] {
    [
        Course::new("chronicle", "chronicle", "chronicle"),
        Course::new("elasticsearch", "elasticsearch", "elasticsearch"),
        Course::new("splunk_hec, no acknowledgement", "splunk_hec", "splunk_hec"),
        // Answers come once a second, so that a longer run is needed for the same precision.
        Course {
            findings: 60_000,
            ..Course::new("splunk_hec, acknowledged, asked each s", "splunk_hec_ack", "splunk_hec")
        },
        Course::new("syslog, TCP, octet counting", "syslog", "syslog"),
        Course::new("webhook, one finding a request", "webhook", "webhook"),
        // One message a second is what Slack allows; a digest holds up to 20 findings.
        Course {
            findings: 200,
            runs: 1,
            is_one_by_one: false,
            ..Course::new("slack, a digest each second", "slack", "slack")
        },
    ]
}

/// How a run went.
#[derive(Clone, Copy)]
struct Pace {
    accepted: f64,
    delivered: f64,
}

pub(crate) fn measure() -> Result<()> {
    println!("delivered, findings/s: median (least to most); accepted, findings/s, in chunks of {CHUNK}");
    let alone: Vec<Pace> =
        (0..RUNS).map(|_| run(Lane::new("live", in_process(false)), 20_000, None)).collect::<Result<_>>()?;
    show("a sink in this process", alone);
    for course in courses() {
        if registry::kind(course.kind).is_err() {
            println!("{:<40} not in this build", course.title);
            continue;
        }
        let paces = (0..course.runs).map(|_| course.run()).collect::<Result<_>>()?;
        show(course.title, paces);
    }
    Ok(())
}

fn show(title: &str, mut paces: Vec<Pace>) {
    paces.sort_by(|one, other| one.delivered.total_cmp(&other.delivered));
    let [least, median, most] = [0, paces.len() / 2, paces.len() - 1].map(|at| paces[at].delivered);
    let accepted = paces[paces.len() / 2].accepted;
    println!("{title:<40} {median:>8.0} ({least:.0} to {most:.0}); {accepted:>8.0}");
}

impl Course {
    fn run(&self) -> Result<Pace> {
        let mut destination = Destination::start(self.standin, self.kind)?;
        destination.set_up()?;
        let lane = Lane::new("live", destination.sink(&Context::new("live"))?);
        let pace = run(lane, self.findings, self.is_one_by_one.then_some(&mut destination))?;
        let arrived = destination.arrived()?;
        if self.is_one_by_one {
            ensure!(arrived.total == self.findings, "{}: {arrived:?}", self.title);
        } else {
            println!("{:<40} {} findings in {} messages", self.title, self.findings, arrived.total);
        }
        Ok(pace)
    }
}

/// Accepts while the lane delivers; with a destination, until it has seen everything.
fn run(lane: Lane, count: usize, mut destination: Option<&mut Destination>) -> Result<Pace> {
    let folder = tempfile::tempdir()?;
    let outbox = open(folder.path())?;
    let routes = [Route::all(lane.name.clone())];
    let lanes = Lanes::start(&outbox, vec![lane])?;
    let findings: Vec<Finding> = (0..count).map(finding).collect();
    let begun = Instant::now();
    for chunk in findings.chunks(CHUNK) {
        outbox.accept(chunk, &routes)?;
    }
    let accepted = begun.elapsed();
    while lanes.progress()?.sinks.iter().any(|sink| sink.pending > 0) {
        ensure!(begun.elapsed() < LONGEST, "not everything was delivered: {:?}", lanes.progress()?);
        sleep(LOOK_EVERY);
    }
    // What syslog has written need not have been read yet.
    while let Some(destination) = &mut destination
        && destination.arrived()?.findings < count
    {
        ensure!(begun.elapsed() < LONGEST, "not everything arrived: {:?}", destination.arrived()?);
        sleep(LOOK_EVERY);
    }
    let delivered = begun.elapsed();
    ensure!(lanes.progress()?.sinks.iter().all(|sink| sink.delivered == count as u64), "{:?}", lanes.progress()?);
    lanes.stop(Duration::from_secs(1));
    let per_second = |time: Duration| count as f64 / time.as_secs_f64();
    Ok(Pace { accepted: per_second(accepted), delivered: per_second(delivered) })
}
