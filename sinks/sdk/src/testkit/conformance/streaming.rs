//! Sinks that write bytes and read nothing: what they write arrives, and a broken link is noticed as far as TCP tells.

use std::time::{Duration, Instant};

use super::{
    Proof, Suite, checking,
    sinks::{IMPATIENT, PATIENT, batch, deliver, expect, expect_kind, run, told},
};
use crate::{
    batch::Verdict,
    error::{ErrorKind, SinkError},
    sink::{Sink, SinkConfig},
    testkit::stream::{Manner, StreamServer, holds},
};

/// As long as it takes a sink to notice that its link is broken.
const NOTICED: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });

async fn start(manner: Manner) -> Result<StreamServer, String> {
    StreamServer::start(manner).await.map_err(told("no server"))
}

/// The payloads of a batch arrive.
///
/// # Errors
/// What was seen otherwise.
pub fn what_is_taken_arrives<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = start(Manner::Reads).await?;
        arrives(&*suite.sink::<C>(server.address(), PATIENT)?, &server, 1).await.map(drop)
    })
}

/// Delivers a batch and gives all that came.
async fn arrives(sink: &dyn Sink, server: &StreamServer, attempt: u32) -> Result<Vec<u8>, String> {
    let batch = batch(sink, sink.limits().items.min(3), attempt)?;
    for verdict in deliver(sink, &batch).await? {
        expect(matches!(verdict, Verdict::Delivered), || format!("the peer reads, and one verdict is {verdict:?}"))?;
    }
    let mut received = Vec::new();
    for delivery in batch.deliveries() {
        received = server.received_with(delivery.payload.bytes()).await;
        expect(holds(&received, delivery.payload.bytes()), || "a delivered payload did not arrive".to_owned())?;
    }
    Ok(received)
}

/// The second attempt, by a sink that was built anew, writes the same bytes.
///
/// # Errors
/// What was seen otherwise.
pub fn attempts_write_the_same<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let mut attempts = Vec::new();
        for attempt in [1, 2] {
            let server = start(Manner::Reads).await?;
            attempts.push(arrives(&*suite.sink::<C>(server.address(), PATIENT)?, &server, attempt).await?);
            // A clock in seconds shows itself.
            tokio::time::sleep(Duration::from_millis(if attempt == 1 { 1100 } else { 0 })).await;
        }
        expect(attempts[0] == attempts[1], || "the second attempt writes other bytes".to_owned())
    })
}

/// A peer that resets the connection is noticed soon: the first write may still seem to pass.
///
/// # Errors
/// What was seen otherwise.
pub fn a_peer_that_resets_is_noticed<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = start(Manner::Resets).await?;
        let sink = suite.sink::<C>(server.address(), PATIENT)?;
        expect_kind(&noticed(&*sink, Duration::from_millis(20)).await?, ErrorKind::Unavailable)
    })
}

/// A peer that never reads is noticed when the buffers are full.
///
/// # Errors
/// What was seen otherwise.
pub fn a_peer_that_never_reads_is_noticed<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = start(Manner::Ignores).await?;
        let sink = suite.sink::<C>(server.address(), IMPATIENT)?;
        expect_kind(&noticed(&*sink, Duration::ZERO).await?, ErrorKind::Unavailable)
    })
}

/// Delivers until a delivery fails.
async fn noticed(sink: &dyn Sink, pause: Duration) -> Result<SinkError, String> {
    let start = Instant::now();
    let batch = batch(sink, sink.limits().items.min(100), 1)?;
    while start.elapsed() < NOTICED {
        for verdict in deliver(sink, &batch).await? {
            if let Verdict::Failed(error) = verdict {
                return Ok(error);
            }
        }
        tokio::time::sleep(pause).await;
    }
    Err(format!("the link is broken, and after {} s nothing has failed", NOTICED.as_secs()))
}

/// `check` passes where somebody reads, and writes nothing.
///
/// # Errors
/// What was seen otherwise.
pub fn check_passes_and_writes_nothing<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = start(Manner::Reads).await?;
        checking::passing(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        expect(server.connections() > 0, || "the check does not even connect".to_owned())?;
        let count = server.received().len();
        expect(count == 0, || format!("the check writes {count} bytes"))
    })
}
