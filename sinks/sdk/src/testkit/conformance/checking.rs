//! `check` and `setup` say what is wrong and what to do about it, and deliver nothing.

use super::{
    Proof, Suite,
    sinks::{PATIENT, expect, in_time, run, start, told},
};
use crate::{
    error::SinkError,
    sink::{Sink, SinkConfig},
    steps::{Outcome, Steps},
    testkit::server::closed_port,
};

async fn check(sink: &dyn Sink) -> Result<(Result<(), SinkError>, Steps), String> {
    let mut steps = Steps::default();
    let result = in_time("check", sink.check(&mut steps)).await?;
    Ok((result, steps))
}

async fn setup(sink: &dyn Sink) -> Result<(Result<(), SinkError>, Steps), String> {
    let mut steps = Steps::default();
    let result = in_time("setup", sink.setup(&mut steps)).await?;
    Ok((result, steps))
}

/// A check that passes and reports steps.
pub(super) async fn passing(sink: &dyn Sink) -> Proof {
    let (result, steps) = check(sink).await?;
    expect(!steps.all().is_empty(), || "the check reports no step".to_owned())?;
    passes((result, steps))
}

/// A check that fails with a fix.
pub(super) async fn failing(sink: &dyn Sink) -> Proof {
    fails(check(sink).await?)
}

/// A set-up that passes.
pub(super) async fn set_up(sink: &dyn Sink) -> Proof {
    passes(setup(sink).await?)
}

fn passes((result, steps): (Result<(), SinkError>, Steps)) -> Proof {
    result.map_err(told("the destination is well, and the step fails"))?;
    expect(!steps.has_failed(), || format!("it says `Ok` after a failed step: {:?}", steps.all()))
}

/// It failed, a step says so, and the fix is there.
fn fails((result, steps): (Result<(), SinkError>, Steps)) -> Proof {
    expect(result.is_err(), || format!("it says `Ok` of a destination that is not well: {:?}", steps.all()))?;
    let fix = steps.all().iter().find_map(|step| match &step.outcome {
        Outcome::Failed { fix } => Some(fix.trim()),
        _ => None,
    });
    expect(fix.is_some_and(|fix| !fix.is_empty()), || format!("no failed step with a fix: {:?}", steps.all()))
}

/// `check` passes at a destination that is well, says what it saw, and delivers nothing.
///
/// # Errors
/// What was seen otherwise.
pub fn check_passes_and_delivers_nothing<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        passing(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        let delivered = suite.deliveries(&server);
        expect(delivered.is_empty(), || format!("the check delivers: {} {}", delivered[0].method, delivered[0].path))?;
        let asked = !server.requests().is_empty();
        expect(asked != suite.reaches_only, || match asked {
            true => "the check asks, so it is not `reaches_only`".to_owned(),
            false => "the check asks nothing; say `reaches_only` if nothing can be asked".to_owned(),
        })
    })
}

/// `check` fails with a fix where everything is answered with 401.
///
/// # Errors
/// What was seen otherwise.
pub fn check_that_is_refused_names_a_fix<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let refuses = suite.refuses;
        let server = start(move |request| refuses(401, request)).await?;
        let checked = check(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        if suite.reaches_only { Ok(()) } else { fails(checked) }
    })
}

/// `check` fails with a fix where nobody listens.
///
/// # Errors
/// What was seen otherwise.
pub fn check_without_a_destination_names_a_fix<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let address = closed_port().map_err(told("no port"))?;
        failing(&*suite.sink::<C>(address, PATIENT)?).await
    })
}

/// `setup` passes at a destination that is well.
///
/// # Errors
/// What was seen otherwise.
pub fn setup_passes<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.accepting().await?;
        set_up(&*suite.sink::<C>(server.address(), PATIENT)?).await
    })
}

/// `setup` fails with a fix where everything is answered with 401, if it asks at all.
///
/// # Errors
/// What was seen otherwise.
pub fn setup_that_is_refused_names_a_fix<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let refuses = suite.refuses;
        let server = start(move |request| refuses(401, request)).await?;
        let done = setup(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        if server.requests().is_empty() { passes(done) } else { fails(done) }
    })
}
