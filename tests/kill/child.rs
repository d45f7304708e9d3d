//! The process that is killed: it accepts findings, says so, and delivers them.
//!
//! It says `@@accepted N` only after the outbox said that the first N findings are on disk. It ends when its standard
//! input does, so that it never outlives whoever watches it.

use std::{
    env,
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};
use toml::de::ValueDeserializer;
use watchbell::{
    outbox::{Lane, Lanes, Outbox, Place, RetryOptions, Route},
    registry,
    sink::{Context, Finding, Memory, Sink, testkit::findings},
};

/// The variable that holds the orders.
pub(super) const VARIABLE: &str = "WATCHBELL_KILL_ORDERS";

/// What a life is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    /// The outbox's folder.
    pub(super) folder: PathBuf,
    pub(super) sinks: Vec<SinkOrders>,
    /// Accepts the findings from this one on.
    pub(super) from: usize,
    /// Up to this one.
    pub(super) to: usize,
    /// Ends when everything is settled; otherwise it waits for its death.
    pub(super) ends: bool,
}

/// A sink, as the configuration would tell of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SinkOrders {
    pub(super) kind: String,
    /// An inline table of TOML.
    pub(super) options: String,
}

impl SinkOrders {
    pub(super) fn build(&self, memory: Option<Arc<dyn Memory>>) -> Result<Arc<dyn Sink>> {
        let kind = registry::kind(&self.kind).map_err(|error| anyhow!("{error}"))?;
        let mut context = Context { timeout: Duration::from_secs(5), ..Context::new(&self.kind) };
        if let Some(memory) = memory {
            context.memory = memory;
        }
        let options = ValueDeserializer::parse(&self.options)?;
        kind.build(options, &context).map_err(|error| anyhow!("{error}"))
    }
}

/// The finding of this number: each is another, and some hold text that breaks formats.
pub(super) fn finding(number: usize) -> Finding {
    let hostile = if number % 40 == 3 { findings::HOSTILE[number / 40 % findings::HOSTILE.len()] } else { "" };
    Finding {
        id: format!("{:032x}", (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
        title: format!("Brute force against user-{number}{hostile}"),
        event_count: number as u64,
        ..findings::sample()
    }
}

/// The orders that the environment holds.
pub(super) fn orders() -> Option<Orders> {
    serde_json::from_str(&env::var(VARIABLE).ok()?).ok()
}

/// Lives as ordered.
pub(super) fn obey(orders: &Orders) -> Result<()> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::abort();
    });
    let outbox = Outbox::open(&Place { folder: orders.folder.clone(), max_bytes: 1 << 34 })?;
    say("open")?;
    let lanes = orders.sinks.iter().map(|sink| lane(sink, &outbox)).collect::<Result<Vec<_>>>()?;
    let routes: Vec<Route> = orders.sinks.iter().map(|sink| Route::all(&sink.kind)).collect();
    let lanes = Lanes::start(&outbox, lanes)?;
    let mut next = orders.from;
    while next < orders.to {
        let end = orders.to.min(next + 1 + next * 7 % 13);
        let chunk: Vec<Finding> = (next..end).map(finding).collect();
        outbox.accept(&chunk, &routes)?;
        say(&format!("accepted {end}"))?;
        next = end;
    }
    lanes.settled(None, &mut |_| ())?;
    if !orders.ends {
        std::thread::sleep(Duration::from_secs(3600));
    }
    lanes.stop(Duration::from_secs(5));
    say(&format!("status {}", serde_json::to_string(&outbox.status()?)?))
}

fn lane(sink: &SinkOrders, outbox: &Outbox) -> Result<Lane> {
    let built = sink.build(Some(outbox.memory(&sink.kind))).context("building a sink")?;
    // Short, so that a life sees what comes after a wait.
    let retry =
        RetryOptions { initial: Duration::from_millis(20), max: Duration::from_millis(200), ..RetryOptions::default() };
    Ok(Lane { retry, ..Lane::new(&sink.kind, built) })
}

fn say(what: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "@@{what}")?;
    Ok(out.flush()?)
}
