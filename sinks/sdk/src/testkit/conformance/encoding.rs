//! `encode` is pure and keeps the limits, for the sample and for findings full of what breaks formats.

use super::{
    Proof, Suite,
    sinks::{PATIENT, expect, expect_same},
};
use crate::{
    error::{ErrorKind, SinkError},
    finding::Finding,
    sink::{Payload, SinkConfig},
    testkit::findings::{sample, samples},
};

/// How many hostile findings are tried.
const HOSTILE: usize = 200;

fn findings() -> impl Iterator<Item = Finding> {
    std::iter::once(sample()).chain(samples(HOSTILE, 7))
}

/// The same finding gives the same bytes, from a second instance too.
///
/// # Errors
/// What was seen otherwise.
pub fn encoding_is_pure<C: SinkConfig>(suite: &Suite) -> Proof {
    let one = suite.sink::<C>("127.0.0.1:9", PATIENT)?;
    let two = suite.sink::<C>("127.0.0.1:9", PATIENT)?;
    let bytes = |encoded: Result<Payload, SinkError>| encoded.map_err(|error| (error.kind, error.message));
    for finding in findings() {
        let first = bytes(one.encode(&finding));
        for again in [bytes(one.encode(&finding)), bytes(two.encode(&finding))] {
            let what = format!("the second encoding of {:?}", finding.id);
            expect(first == again, || format!("{what} differs from the first"))?;
        }
    }
    Ok(())
}

/// Every finding is encoded into what one delivery may carry, or refused as an item.
///
/// # Errors
/// What was seen otherwise.
pub fn encoding_keeps_the_limits<C: SinkConfig>(suite: &Suite) -> Proof {
    let sink = suite.sink::<C>("127.0.0.1:9", PATIENT)?;
    let limit = sink.limits().bytes;
    for finding in findings() {
        match sink.encode(&finding) {
            Ok(payload) => {
                let size = payload.bytes().len();
                expect((1..=limit).contains(&size), || {
                    format!("the payload of {:?} has {size} bytes, 1 to {limit} are allowed", finding.id)
                })?;
            }
            Err(error) => {
                expect(finding != sample(), || format!("the sample can't be encoded: {error}"))?;
                expect_same(&error.kind, &ErrorKind::Rejected, "a finding that can't be encoded")?;
            }
        }
    }
    Ok(())
}
