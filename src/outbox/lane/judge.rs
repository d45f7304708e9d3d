//! From a sink's answer to what becomes of each delivery and of the lane. Pure: the rules of the outbox in one place.

use std::{error::Error, io, time::Duration};

use watchbell_sink::{ErrorKind, NotConnected, Receipt, SinkError, Verdict};

use crate::outbox::{
    clock::Millis,
    settle::{Failure, Outcome, Settlement},
};

/// A delivery that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) seq: i64,
    /// Attempts that counted, without this one.
    pub(super) attempts: u32,
}

/// What an answer means for the lane.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// Go on.
    GoOn,
    /// Nothing before a while has passed.
    Wait(SinkError),
    /// Nothing before the user or a new secret helps.
    Hold(SinkError),
    /// The batch is to be sent again in halves.
    Halve,
    /// The sink decided about nothing: send less at once.
    Narrow,
}

/// An answer, understood.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) settlements: Vec<Settlement>,
    pub(super) effect: Effect,
    /// Whether a delivery left the lane: delivered, awaiting, or dead.
    pub(super) progressed: bool,
}

/// Understands an answer. `later` says when a single delivery is due again.
pub(super) fn judge(
    sent: &[Sent],
    answer: &Result<Receipt, SinkError>,
    later: &mut dyn FnMut(u32, &SinkError) -> Millis,
) -> Judged {
    match answer {
        Err(error) => judge_error(sent, error),
        Ok(receipt) => judge_receipt(sent, receipt.verdicts(), later),
    }
}

fn judge_error(sent: &[Sent], error: &SinkError) -> Judged {
    let (effect, progressed) = match error.kind {
        ErrorKind::Rejected if sent.len() > 1 => {
            return Judged { settlements: Vec::new(), effect: Effect::Halve, progressed: false };
        }
        ErrorKind::Rejected => (Effect::GoOn, true),
        ErrorKind::Throttled | ErrorKind::Unavailable => (Effect::Wait(error.clone()), false),
        ErrorKind::Auth | ErrorKind::Config => (Effect::Hold(error.clone()), false),
    };
    let settlements = sent.iter().map(|sent| failed(sent, error, 0)).collect();
    Judged { settlements, effect, progressed }
}

fn judge_receipt(sent: &[Sent], verdicts: &[Verdict], later: &mut dyn FnMut(u32, &SinkError) -> Millis) -> Judged {
    let leaves = |verdict: &Verdict| match verdict {
        Verdict::Delivered | Verdict::Accepted { .. } => true,
        Verdict::Failed(error) => error.kind == ErrorKind::Rejected,
        Verdict::Undecided => false,
    };
    let progressed = verdicts.iter().any(leaves);
    let effect = effect_of(verdicts, progressed);
    let alone = matches!(effect, Effect::GoOn);
    let mut settlements = Vec::with_capacity(sent.len());
    for (sent, verdict) in sent.iter().zip(verdicts) {
        settlements.push(match verdict {
            Verdict::Delivered => Settlement { seq: sent.seq, outcome: Outcome::Delivered },
            Verdict::Accepted { ack_ref } => {
                Settlement { seq: sent.seq, outcome: Outcome::Awaiting { ack_ref: ack_ref.clone() } }
            }
            // Where the whole lane waits, the delivery need not wait for itself.
            Verdict::Failed(error) => {
                failed(sent, error, if alone { later(sent.attempts.saturating_add(1), error) } else { 0 })
            }
            Verdict::Undecided => continue,
        });
    }
    Judged { settlements, effect, progressed }
}

fn effect_of(verdicts: &[Verdict], progressed: bool) -> Effect {
    let of_kind = |kinds: &[ErrorKind]| {
        let errors = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Failed(error) if kinds.contains(&error.kind) => Some(error),
            _ => None,
        });
        errors.max_by_key(|error| error.retry_after.unwrap_or(Duration::ZERO)).cloned()
    };
    if let Some(error) = of_kind(&[ErrorKind::Auth, ErrorKind::Config]) {
        return Effect::Hold(error);
    }
    if let Some(error) = of_kind(&[ErrorKind::Throttled]) {
        return Effect::Wait(error);
    }
    match of_kind(&[ErrorKind::Unavailable]) {
        Some(error) if !progressed => Effect::Wait(error),
        None if !progressed => Effect::Narrow,
        _ => Effect::GoOn,
    }
}

fn failed(sent: &Sent, error: &SinkError, due: Millis) -> Settlement {
    let failure = Failure::from(error);
    let outcome = match error.kind {
        ErrorKind::Rejected => Outcome::Dead(failure),
        kind => Outcome::Waits {
            due,
            failure,
            counts: kind != ErrorKind::Throttled,
            unsure: kind == ErrorKind::Unavailable && may_have_arrived(error),
        },
    };
    Settlement { seq: sent.seq, outcome }
}

/// Whether the destination may have taken what it did not confirm: no answer, or one of a gateway that had none.
fn may_have_arrived(error: &SinkError) -> bool {
    match error.status {
        Some(status) => matches!(status, 408 | 502 | 504),
        None => !was_refused(error),
    }
}

/// Whether no connection came to be.
fn was_refused(error: &SinkError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        let is_refusal = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if error.is::<NotConnected>() || error.downcast_ref().is_some_and(is_refusal) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{SocketAddr, TcpListener},
    };

    use watchbell_sink::{
        Batch, Context, Delivery, Payload,
        http::{HttpClient, HttpOptions, Method},
    };

    use super::*;

    fn sent(count: usize) -> Vec<Sent> {
        (0..count).map(|at| Sent { seq: at as i64, attempts: 2 }).collect()
    }

    fn receipt(verdicts: &[Verdict]) -> Result<Receipt, SinkError> {
        let delivery = |_| Delivery { key: "key".to_owned(), payload: Payload::text(Vec::new()), attempt: 1 };
        let batch = Batch::new((0..verdicts.len()).map(delivery).collect()).unwrap();
        Ok(batch.each(|at, _| verdicts[at].clone()))
    }

    fn error(kind: ErrorKind) -> SinkError {
        SinkError::new(kind, "said")
    }

    fn verdict_of(answer: &Result<Receipt, SinkError>, count: usize) -> Judged {
        judge(&sent(count), answer, &mut |attempts, _| Millis::from(attempts) * 1000)
    }

    #[test]
    fn a_rejected_batch_is_halved_and_a_rejected_delivery_dies() {
        let answer = Err(error(ErrorKind::Rejected));
        let judged = verdict_of(&answer, 2);
        assert!(matches!(judged.effect, Effect::Halve) && judged.settlements.is_empty());
        let judged = verdict_of(&answer, 1);
        assert!(matches!(judged.effect, Effect::GoOn) && judged.progressed);
        assert!(matches!(judged.settlements[0].outcome, Outcome::Dead(_)));
    }

    #[test]
    fn attempts_count_unless_throttled() {
        for (kind, expected) in [(ErrorKind::Throttled, false), (ErrorKind::Unavailable, true), (ErrorKind::Auth, true)]
        {
            let judged = verdict_of(&Err(error(kind)), 2);
            assert_eq!(judged.settlements.len(), 2);
            for Settlement { outcome, .. } in &judged.settlements {
                assert!(matches!(outcome, Outcome::Waits { counts, due: 0, .. } if *counts == expected), "{outcome:?}");
            }
        }
    }

    #[test]
    fn each_delivery_gets_its_own_verdict() {
        let judged = verdict_of(
            &receipt(&[
                Verdict::Delivered,
                Verdict::Failed(error(ErrorKind::Rejected)),
                Verdict::Accepted { ack_ref: "7".to_owned() },
                Verdict::Failed(error(ErrorKind::Unavailable)),
                Verdict::Undecided,
            ]),
            5,
        );
        assert!(matches!(judged.effect, Effect::GoOn) && judged.progressed);
        let outcomes: Vec<&Outcome> = judged.settlements.iter().map(|settlement| &settlement.outcome).collect();
        assert!(
            matches!(
                outcomes[..],
                [
                    Outcome::Delivered,
                    Outcome::Dead(_),
                    Outcome::Awaiting { .. },
                    Outcome::Waits { due: 3000, counts: true, .. }
                ]
            ),
            "{outcomes:?}"
        );
    }

    #[test]
    fn the_gravest_verdict_decides_for_the_lane() {
        let of = |verdicts: &[Verdict]| verdict_of(&receipt(verdicts), verdicts.len()).effect;
        let failed = |kind| Verdict::Failed(error(kind));
        assert!(matches!(of(&[failed(ErrorKind::Throttled), failed(ErrorKind::Auth)]), Effect::Hold(_)));
        assert!(matches!(of(&[Verdict::Delivered, failed(ErrorKind::Throttled)]), Effect::Wait(_)));
        assert!(matches!(of(&[failed(ErrorKind::Unavailable), Verdict::Undecided]), Effect::Wait(_)));
        assert!(matches!(of(&[Verdict::Undecided, Verdict::Undecided]), Effect::Narrow));
        assert!(matches!(of(&[Verdict::Undecided, failed(ErrorKind::Rejected)]), Effect::GoOn));
        let soon = error(ErrorKind::Throttled);
        let late = soon.clone().with_retry_after(Duration::from_secs(9));
        let effect = of(&[Verdict::Failed(late), Verdict::Failed(soon)]);
        assert!(matches!(effect, Effect::Wait(error) if error.retry_after == Some(Duration::from_secs(9))));
    }

    #[test]
    fn only_what_may_have_arrived_is_in_doubt() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = || error(ErrorKind::Unavailable);
        assert!(!may_have_arrived(&error().with_source(refused)));
        assert!(!may_have_arrived(&error().with_status(503)));
        assert!(may_have_arrived(&error().with_source(reset)));
        assert!(may_have_arrived(&error().with_status(504)));
        assert!(may_have_arrived(&error()));
    }

    /// Asks for what listens nowhere, or answers nothing, through the client that sinks share.
    fn failure_at(address: SocketAddr) -> SinkError {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = HttpClient::new(&Context::new("soc"), HttpOptions::default()).unwrap();
        let url = format!("http://{address}/token-in-the-path").parse().unwrap();
        runtime.block_on(client.send(client.request(Method::POST, url))).unwrap_err()
    }

    #[test]
    fn a_closed_port_leaves_no_doubt_and_a_connection_that_breaks_does() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let closing = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1000]);
        });
        let broken = failure_at(address);
        closing.join().unwrap();
        assert!(broken.kind == ErrorKind::Unavailable && may_have_arrived(&broken), "{broken:?}");
        // The listener went with its thread.
        let refused = failure_at(address);
        assert!(refused.kind == ErrorKind::Unavailable && !may_have_arrived(&refused), "{refused:?}");
        assert!(!refused.source().unwrap().to_string().contains("token"), "{refused:?}");
    }
}
