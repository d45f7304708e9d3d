//! The collector's reply codes ("Troubleshoot HTTP Event Collector", possible error codes), and what each is about.
//!
//! They say more than the status: 400 can be an event, a token, an index or a channel.

use watchbell_sink::{ErrorKind, SinkError, http::Reply};

use crate::wire::Answer;

/// What a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Taken.
    Taken,
    /// Taken, and there is little room left.
    NearCapacity,
    /// One of the events can't be taken.
    Event,
    /// Nothing was taken.
    Failed(ErrorKind),
}

/// What a code is about; `None` for one that is not known.
pub(crate) const fn meaning(code: u16) -> Option<Meaning> {
    Some(match code {
        0 | 17 => Meaning::Taken,
        24 | 25 => Meaning::NearCapacity,
        5 | 6 | 12 | 13 | 15 => Meaning::Event,
        1..=4 | 21 | 22 => Meaning::Failed(ErrorKind::Auth),
        7 | 10 | 11 | 14 | 16 => Meaning::Failed(ErrorKind::Config),
        8 | 9 | 18..=20 | 23 => Meaning::Failed(ErrorKind::Unavailable),
        26 | 27 => Meaning::Failed(ErrorKind::Throttled),
        _ => return None,
    })
}

/// What the user can do about a code.
pub(crate) const fn fix(code: u16) -> &'static str {
    match code {
        1 | 22 => "enable the token in Splunk: Settings, Data inputs, HTTP Event Collector",
        2 | 3 | 16 => "give the token as `token` or `token_file`; something on the way may have removed the header",
        4 | 21 => "compare the token with the one in Splunk: Settings, Data inputs, HTTP Event Collector",
        7 => "create the index, allow it for the token, or change `index`",
        10 | 11 => "remove `channel`, or give a GUID there; something on the way may have removed the header",
        14 => "switch on \"Enable indexer acknowledgement\" for the token, or set `ack = false`",
        8 | 23 => "look into splunkd.log of the collector",
        9 | 18 | 19 | 20 | 24..=27 => "look at the queues of the indexers; the monitoring console shows them",
        _ => "look into splunkd.log of the collector, component HttpInputDataHandler",
    }
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Everything was taken; with acknowledgement, under this number.
    Taken(Answer),
    /// The event at this position (or the one before) can't be taken; the error belongs to it.
    Event(Option<usize>, SinkError),
}

/// Reads an answer. What does not come from a collector counts as nothing.
pub(crate) fn outcome(reply: &Reply) -> Result<Outcome, SinkError> {
    let answer: Answer = match reply.json() {
        Ok(answer) => answer,
        Err(error) if reply.is_success() => return Err(error),
        Err(_) => Answer::default(),
    };
    match (answer.code, answer.code.and_then(meaning)) {
        (Some(code), Some(Meaning::NearCapacity)) if reply.is_success() => {
            tracing::warn!(code, "the collector is nearly full");
            Ok(Outcome::Taken(answer))
        }
        (_, Some(Meaning::Taken)) if reply.is_success() => Ok(Outcome::Taken(answer)),
        (_, Some(Meaning::Event)) => {
            Ok(Outcome::Event(answer.invalid_event_number, reply.error_of(ErrorKind::Rejected)))
        }
        (Some(code), Some(Meaning::Failed(kind))) => {
            let mut error = reply.error_of(kind);
            error.message.push_str("; ");
            error.message.push_str(fix(code));
            Err(error)
        }
        _ if reply.is_success() => {
            let mut error = reply.error_of(ErrorKind::Config);
            error.message.push_str("; expected the answer of an event collector, with a code");
            Err(error)
        }
        // Without a code it is not the collector that refuses, but something before it: the events are not at fault.
        (None, _) if reply.status == 400 => Err(reply.error_of(ErrorKind::Config)),
        _ => Err(reply.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_has_a_meaning() {
        let failed = |kind| Some(Meaning::Failed(kind));
        for (codes, expected) in [
            (&[0, 17][..], Some(Meaning::Taken)),
            (&[24, 25], Some(Meaning::NearCapacity)),
            (&[5, 6, 12, 13, 15], Some(Meaning::Event)),
            (&[1, 2, 3, 4, 21, 22], failed(ErrorKind::Auth)),
            (&[7, 10, 11, 14, 16], failed(ErrorKind::Config)),
            (&[8, 9, 18, 19, 20, 23], failed(ErrorKind::Unavailable)),
            (&[26, 27], failed(ErrorKind::Throttled)),
            (&[28, 999], None),
        ] {
            for &code in codes {
                assert_eq!(meaning(code), expected, "code {code}");
            }
        }
        assert!((0..=27).all(|code| meaning(code).is_some()));
    }
}
