//! What is accepted for later is never called confirmed by a destination that does not say so.

use super::{
    Proof, Suite,
    sinks::{PATIENT, batch, deliver, expect, expect_same, in_time, run, start},
};
use crate::{
    batch::{Acknowledgement, Verdict},
    sink::SinkConfig,
    testkit::server::Answer,
};

/// A destination that fails, refuses or says something unexpected confirms nothing.
///
/// # Errors
/// What was seen otherwise.
pub fn acknowledgements_are_never_invented<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        let sink = suite.sink::<C>(server.address(), PATIENT)?;
        let count = sink.limits().items.min(3);
        let accepted: Vec<String> = deliver(&*sink, &batch(&*sink, count, 1)?)
            .await?
            .into_iter()
            .filter_map(|verdict| match verdict {
                Verdict::Accepted { ack_ref } => Some(ack_ref),
                _ => None,
            })
            .collect();
        if accepted.is_empty() {
            return Ok(());
        }
        expect(sink.limits().acknowledgement.is_some(), || {
            "deliveries are accepted for later, and `limits().acknowledgement` says nothing of it".to_owned()
        })?;
        let answers = [
            Answer::status(400),
            Answer::status(403),
            Answer::status(500),
            Answer::status(503),
            Answer::text(200, "hello"),
            Answer::json(200, "{}"),
            Answer::reset(),
        ];
        for answer in answers {
            let told = format!("{} {:?}", answer.status, String::from_utf8_lossy(&answer.body));
            let server = start(move |_| answer.clone()).await?;
            let sink = suite.sink::<C>(server.address(), PATIENT)?;
            if let Ok(found) = in_time("acknowledged", sink.acknowledged(&accepted)).await? {
                expect_same(&found.len(), &accepted.len(), "the number of acknowledgements")?;
                let invented = found.contains(&Acknowledgement::Confirmed);
                expect(!invented, || format!("the destination answers {told}, and it counts as confirmed"))?;
            }
        }
        Ok(())
    })
}
