//! Whatever goes wrong lands on the kind that tells the outbox what to do.

use std::time::{Duration, SystemTime};

use super::{
    Proof, Suite,
    sinks::{IMPATIENT, PATIENT, expect, expect_kind, failure, run},
};
use crate::{
    error::ErrorKind,
    sink::SinkConfig,
    testkit::server::{Answer, closed_port},
};

macro_rules! statuses {
    ($($property:ident: $status:literal, $what:literal;)*) => {$(
        #[doc = $what]
        ///
        /// # Errors
        /// What was seen otherwise.
        pub fn $property<C: SinkConfig>(suite: &Suite) -> Proof {
            status::<C>(suite, $status)
        }
    )*};
}

statuses! {
    bad_request_400_is_of_its_kind: 400, "400 is about the item.";
    unauthorized_401_is_of_its_kind: 401, "401 is about our credentials.";
    forbidden_403_is_of_its_kind: 403, "403 is about our credentials.";
    not_found_404_is_of_its_kind: 404, "404 is about how the destination is set up.";
    too_large_413_is_of_its_kind: 413, "413 for one delivery alone is about the item.";
    too_many_429_is_of_its_kind: 429, "429 is about the moment.";
    internal_error_500_is_of_its_kind: 500, "500 is about the moment.";
    unavailable_503_is_of_its_kind: 503, "503 is about the moment.";
}

fn status<C: SinkConfig>(suite: &Suite, status: u16) -> Proof {
    run(async {
        let refuses = suite.refuses;
        let server = suite.failing(move |request| refuses(status, request)).await?;
        let error = failure(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        expect_kind(&error, suite.kind_of(status))
    })
}

impl Suite {
    fn kind_of(&self, status: u16) -> ErrorKind {
        let special = self.kinds.iter().find(|(special, _)| *special == status).map(|(_, kind)| *kind);
        special.or_else(|| ErrorKind::from_status(status)).unwrap_or(ErrorKind::Config)
    }
}

/// `Retry-After: 7` with 429.
///
/// # Errors
/// What was seen otherwise.
pub fn retry_after_in_seconds_is_carried<C: SinkConfig>(suite: &Suite) -> Proof {
    retry_after::<C>(suite, 429, "7", 7..=7)
}

/// `Retry-After` with 429 as a date.
///
/// # Errors
/// What was seen otherwise.
pub fn retry_after_as_a_date_is_carried<C: SinkConfig>(suite: &Suite) -> Proof {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
    retry_after::<C>(suite, 429, &date, 60..=90)
}

/// `Retry-After: 11` with 503.
///
/// # Errors
/// What was seen otherwise.
pub fn retry_after_of_503_is_carried<C: SinkConfig>(suite: &Suite) -> Proof {
    retry_after::<C>(suite, 503, "11", 11..=11)
}

fn retry_after<C: SinkConfig>(
    suite: &Suite,
    status: u16,
    value: &str,
    seconds: std::ops::RangeInclusive<u64>,
) -> Proof {
    run(async {
        let (refuses, header) = (suite.refuses, value.to_owned());
        let server = suite.failing(move |request| refuses(status, request).header("Retry-After", &header)).await?;
        let error = failure(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        expect_kind(&error, suite.kind_of(status))?;
        let found = error.retry_after.map(|wait| wait.as_secs());
        expect(found.is_some_and(|found| seconds.contains(&found)), || {
            format!("`Retry-After: {value}` became {:?}", error.retry_after)
        })
    })
}

/// A destination that takes a delivery and never answers.
///
/// # Errors
/// What was seen otherwise.
pub fn silence_is_unavailable<C: SinkConfig>(suite: &Suite) -> Proof {
    unavailable::<C>(suite, IMPATIENT, |_| Answer::hang())
}

/// A destination that resets the connection.
///
/// # Errors
/// What was seen otherwise.
pub fn a_reset_is_unavailable<C: SinkConfig>(suite: &Suite) -> Proof {
    unavailable::<C>(suite, PATIENT, |_| Answer::reset())
}

/// A good answer of which only the beginning comes: whether it was one can't be known.
///
/// # Errors
/// What was seen otherwise.
pub fn half_an_answer_is_unavailable<C: SinkConfig>(suite: &Suite) -> Proof {
    let accepts = suite.accepts;
    unavailable::<C>(suite, PATIENT, move |request| match accepts(request) {
        answer if answer.body.is_empty() => Answer::text(200, "this is cut").cut(),
        answer => answer.cut(),
    })
}

fn unavailable<C: SinkConfig>(
    suite: &Suite,
    timeout: Duration,
    answer: impl Fn(&crate::testkit::server::Request) -> Answer + Send + Sync + 'static,
) -> Proof {
    run(async {
        let server = suite.failing(answer).await?;
        let error = failure(&*suite.sink::<C>(server.address(), timeout)?).await?;
        expect_kind(&error, ErrorKind::Unavailable)
    })
}

/// Nobody listens.
///
/// # Errors
/// What was seen otherwise.
pub fn a_closed_port_is_unavailable<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let address = closed_port().map_err(super::sinks::told("no port"))?;
        let error = failure(&*suite.sink::<C>(address, PATIENT)?).await?;
        expect_kind(&error, ErrorKind::Unavailable)
    })
}

/// A redirect would carry findings and credentials elsewhere.
///
/// # Errors
/// What was seen otherwise.
pub fn a_redirect_is_not_followed<C: SinkConfig>(suite: &Suite) -> Proof {
    run(async {
        let server = suite.failing(|_| Answer::status(307).header("location", "/watchbell-elsewhere")).await?;
        let error = failure(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
        let followed = server.requests().iter().any(|request| request.path == "/watchbell-elsewhere");
        expect(!followed || suite.follows_redirects, || "the redirect was followed".to_owned())?;
        expect_kind(&error, suite.kind_of(307))
    })
}
