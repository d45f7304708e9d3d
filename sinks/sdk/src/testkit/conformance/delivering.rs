//! What is taken counts as delivered, once per item, the same on every attempt, also when two deliver at once.

use super::{
    Expected, Proof, Suite,
    sinks::{PATIENT, batch, deliver, expect, expect_same, findings, run},
};
use crate::{
    batch::Verdict,
    sink::SinkConfig,
    testkit::{server::Request, stream::holds},
};

/// The largest batch that is tried, of sinks that take more.
const LARGEST_BATCH: usize = 40;

fn settled(verdicts: &[Verdict]) -> Result<(), String> {
    let lost = verdicts.iter().find(|verdict| !matches!(verdict, Verdict::Delivered | Verdict::Accepted { .. }));
    lost.map_or(Ok(()), |verdict| Err(format!("everything was taken, and one verdict is {verdict:?}")))
}

/// Batches of one, of two and of many are delivered, with one verdict each and their keys on the wire.
///
/// # Errors
/// What was seen otherwise.
pub fn what_is_taken_is_delivered<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        let sink = suite.sink::<C>(server.address(), PATIENT)?;
        let most = sink.limits().items;
        expect(most > 0, || "limits().items is 0".to_owned())?;
        for count in [1, 2, LARGEST_BATCH].map(|count| count.min(most)) {
            server.forget();
            let batch = batch(&*sink, count, 1)?;
            settled(&deliver(&*sink, &batch).await?)?;
            let requests = suite.deliveries(&server);
            expect(!requests.is_empty(), || "no request of a delivery counts as one; see `delivers`".to_owned())?;
            if !suite.keyless {
                let missing = findings(count).into_iter().find(|finding| !mentioned(&requests, &finding.id));
                expect(missing.is_none(), || "a finding's id is nowhere in the requests".to_owned())?;
            }
        }
        Ok(())
    })
}

fn mentioned(requests: &[Request], id: &str) -> bool {
    requests.iter().any(|request| {
        request.path.contains(id)
            || request.headers.iter().any(|(_, value)| value.contains(id))
            || holds(&request.plain(), id.as_bytes())
    })
}

/// One sink delivers several batches at the same time.
///
/// # Errors
/// What was seen otherwise.
pub fn concurrent_deliveries_are_safe<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        let sink = suite.sink::<C>(server.address(), PATIENT)?;
        let batch = batch(&*sink, 1, 1)?;
        let [one, two] = [deliver(&*sink, &batch), deliver(&*sink, &batch)];
        let (one, two) = tokio::join!(one, two);
        settled(&one?)?;
        settled(&two?)
    })
}

/// The second attempt, by a sink that was built anew, asks the same but for the headers that may vary.
///
/// # Errors
/// What was seen otherwise.
pub fn attempts_are_alike<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        let mut attempts = Vec::new();
        for attempt in [1, 2] {
            server.forget();
            let sink = suite.sink::<C>(server.address(), PATIENT)?;
            let batch = batch(&*sink, sink.limits().items.min(3), attempt)?;
            settled(&deliver(&*sink, &batch).await?)?;
            attempts.push(suite.deliveries(&server));
            // A clock in seconds shows itself.
            tokio::time::sleep(std::time::Duration::from_millis(if attempt == 1 { 1100 } else { 0 })).await;
        }
        expect_same(&attempts[1].len(), &attempts[0].len(), "the number of requests of an attempt")?;
        for (first, second) in attempts[0].iter().zip(&attempts[1]) {
            expect_same(&(&second.method, &second.path), &(&first.method, &first.path), "the request line")?;
            expect_same(&suite.constant(second), &suite.constant(first), "the headers of the second attempt")?;
            expect(first.body == second.body, || "the body of the second attempt differs".to_owned())?;
        }
        Ok(())
    })
}

impl Suite {
    fn constant(&self, request: &Request) -> Vec<(String, String)> {
        request.headers.iter().filter(|(name, _)| !self.varies.contains(name)).cloned().collect()
    }
}

/// Where a destination takes some of a batch, each delivery gets its own verdict.
///
/// # Errors
/// What was seen otherwise.
pub fn partial_verdicts_fit<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let most = suite.sink::<C>("127.0.0.1:9", PATIENT)?.limits().items;
        expect(most < 2 || !suite.partials.is_empty(), || {
            format!("the sink takes {most} deliveries at once; say with `partial` what becomes of them when one is bad")
        })?;
        for partial in &suite.partials {
            let server = suite.failing(partial.answer).await?;
            let sink = suite.sink::<C>(server.address(), PATIENT)?;
            let batch = batch(&*sink, partial.expected.len(), 1)?;
            let found: Vec<Expected> = deliver(&*sink, &batch).await?.iter().map(Expected::of).collect();
            expect_same(&found, &partial.expected, partial.name)?;
        }
        Ok(())
    })
}

impl Expected {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Delivered => Self::Delivered,
            Verdict::Accepted { .. } => Self::Accepted,
            Verdict::Failed(error) => Self::Failed(error.kind),
            Verdict::Undecided => Self::Undecided,
        }
    }
}
