//! Tests of the outbox as a whole, with sinks that do what a test tells them and, where time matters, with a time of
//! their own: hours pass in milliseconds.

mod acknowledge;
mod equation;
mod lanes;
mod scripted;
mod store;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::Instant;
use watchbell_sink::{Finding, testkit::findings};

use super::{Clock, Lane, Millis, Outbox, Place, Route, SinkStatus, lane::Crew};
use scripted::Scripted;

/// A clock that goes with the test's time.
struct TestClock {
    begun: Instant,
}

impl Clock for TestClock {
    fn now(&self) -> Millis {
        1_800_000_000_000 + Millis::try_from(self.begun.elapsed().as_millis()).unwrap()
    }
}

fn place(folder: &Path) -> Place {
    Place { folder: folder.join("outbox"), max_bytes: 1 << 30 }
}

fn open(folder: &Path) -> Outbox {
    Outbox::open_with(&place(folder), Arc::new(TestClock { begun: Instant::now() })).unwrap()
}

/// Findings that differ in their id only.
fn findings(count: usize) -> Vec<Finding> {
    let sample = findings::sample();
    (0..count).map(|at| Finding { id: format!("{at:032x}"), ..sample.clone() }).collect()
}

fn routes(sinks: &[&str]) -> Vec<Route> {
    sinks.iter().map(|&sink| Route::all(sink)).collect()
}

/// How one sink stands, after a look at the equation.
#[track_caller]
fn status_of(outbox: &Outbox, sink: &str) -> SinkStatus {
    let status = outbox.status().unwrap();
    for sink in &status.sinks {
        let total = sink.delivered + sink.dead + sink.purged + sink.pending.total();
        assert_eq!(sink.accepted, total, "{sink:?}");
    }
    status.sinks.into_iter().find(|status| status.name == sink).unwrap()
}

async fn start(outbox: &Outbox, sinks: &[(&str, &Arc<Scripted>)]) -> Crew {
    let lanes = sinks.iter().map(|&(name, sink)| Lane::new(name, Arc::clone(sink) as _)).collect();
    Crew::start(outbox, lanes).await.unwrap()
}

/// Waits until the lanes are settled; says whether everything arrived or is in the dead letters.
async fn settle_within(crew: &Crew, time: Duration) -> bool {
    crew.settled(Some(time), &mut |_| ()).await.unwrap().complete
}

const HOUR: Duration = Duration::from_secs(3600);
