//! The equation `accepted = delivered + dead + purged + pending` after whatever may happen in whatever order, with a
//! model that knows what must have become of every delivery.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::tempdir;
use watchbell_sink::{Finding, Severity};

use super::{
    super::{
        Letters, Outbox, OutboxError, SinkStatus,
        settle::{self, Failure, Outcome, Settlement},
        writer::Durability,
    },
    findings, open, routes,
};

const SINKS: [&str; 2] = ["chat", "soc"];
const FINDINGS: usize = 12;

#[derive(Debug, Clone)]
enum Step {
    Accept {
        findings: Vec<usize>,
        sinks: usize,
        severity: Severity,
    },
    /// What becomes of the ready delivery of this rank.
    Settle {
        sink: usize,
        rank: usize,
        outcome: Ending,
    },
    Confirm {
        sink: usize,
    },
    SendAgain {
        sink: usize,
    },
    Replay {
        sink: usize,
        limit: usize,
    },
    Purge {
        sink: usize,
        limit: usize,
    },
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Delivered,
    Awaiting,
    Dead,
    Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Ready,
    Awaiting,
    Dead,
    Delivered,
    Purged,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sink = 0..SINKS.len();
    let ending = prop_oneof![Just(Ending::Delivered), Just(Ending::Awaiting), Just(Ending::Dead), Just(Ending::Waits)];
    let step = prop_oneof![
        3 => (prop::collection::vec(0..FINDINGS, 0..6), 1_usize..=3, prop::sample::select(&Severity::ALL[..3]))
            .prop_map(|(findings, sinks, severity)| Step::Accept { findings, sinks, severity }),
        6 => (sink.clone(), 0_usize..8, ending).prop_map(|(sink, rank, outcome)| Step::Settle { sink, rank, outcome }),
        1 => sink.clone().prop_map(|sink| Step::Confirm { sink }),
        1 => sink.clone().prop_map(|sink| Step::SendAgain { sink }),
        1 => (sink.clone(), 1_usize..3).prop_map(|(sink, limit)| Step::Replay { sink, limit }),
        1 => (sink, 1_usize..3).prop_map(|(sink, limit)| Step::Purge { sink, limit }),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

/// A delivery of the model: the finding, what became of it, and how severe it was.
type Entry = (usize, Expected, Severity);

/// What must have become of each delivery, by sink and finding, in the order of acceptance per sink.
#[derive(Default)]
struct Model(BTreeMap<usize, Vec<Entry>>);

impl Model {
    fn of(&mut self, sink: usize) -> &mut Vec<Entry> {
        self.0.entry(sink).or_default()
    }

    fn accept(&mut self, sink: usize, (finding, severity): (usize, Severity)) {
        let known = self.of(sink);
        if let Some(at) = known.iter().rposition(|(there, ..)| *there == finding) {
            let (_, state, given) = known[at];
            if given >= severity {
                return;
            }
            // What is over stays counted; what is still on its way is replaced.
            if !matches!(state, Expected::Delivered | Expected::Purged) {
                known.remove(at);
            }
        }
        known.push((finding, Expected::Ready, severity));
    }

    /// Turns up to `limit` from one state to another; says how many.
    fn turn(&mut self, sink: usize, (from, to): (Expected, Expected), limit: usize) -> u64 {
        let matching = self.of(sink).iter_mut().filter(|(_, state, _)| *state == from).take(limit);
        matching.map(|(_, state, _)| *state = to).count() as u64
    }

    fn count(&self, sink: usize, wanted: Expected) -> u64 {
        self.0.get(&sink).map_or(0, |all| all.iter().filter(|(_, state, _)| *state == wanted).count() as u64)
    }
}

fn number(outbox: &Outbox, sink: usize) -> Option<i64> {
    let find = |connection: &rusqlite::Connection| {
        connection.query_row("SELECT number FROM sink WHERE name = ?1", [SINKS[sink]], |row| row.get(0))
    };
    outbox.inner.read("find", find).ok()
}

fn ready(outbox: &Outbox, sink: i64) -> Vec<i64> {
    let find = |connection: &rusqlite::Connection| {
        let mut query = connection.prepare("SELECT seq FROM delivery WHERE sink = ?1 AND state = 0 ORDER BY seq")?;
        query.query_map([sink], |row| row.get(0))?.collect()
    };
    outbox.inner.read("find", find).unwrap()
}

fn write(outbox: &Outbox, work: impl FnOnce(&rusqlite::Connection) -> Result<(), OutboxError> + Send + 'static) {
    outbox.inner.write(Durability::Process, work).unwrap();
}

fn settle_one(outbox: &Outbox, model: &mut Model, (sink, rank): (usize, usize), ending: Ending) {
    let Some(number) = number(outbox, sink) else { return };
    let ready = ready(outbox, number);
    let Some(&seq) = ready.get(rank) else { return };
    let failure = Failure { kind: "unavailable", message: "no".to_owned(), status: None };
    let (outcome, expected) = match ending {
        Ending::Delivered => (Outcome::Delivered, Expected::Delivered),
        Ending::Awaiting => (Outcome::Awaiting { ack_ref: "1".to_owned() }, Expected::Awaiting),
        Ending::Dead => (Outcome::Dead(failure), Expected::Dead),
        Ending::Waits => (Outcome::Waits { due: i64::MAX, failure, counts: true, unsure: true }, Expected::Ready),
    };
    write(outbox, move |connection| settle::settle(connection, number, &[Settlement { seq, outcome }], 1));
    let entry = model.of(sink).iter_mut().filter(|(_, state, _)| *state == Expected::Ready).nth(rank);
    entry.expect("the model has as many ready as the store").1 = expected;
}

fn take(outbox: &mut Option<Outbox>, folder: &std::path::Path, model: &mut Model, step: &Step) {
    let failed = || OutboxError::database("write to");
    let store = outbox.as_ref().unwrap();
    let letters =
        |sink: usize, limit| Letters { sink: Some(SINKS[sink].to_owned()), limit: Some(limit), ..Letters::default() };
    match *step {
        Step::Accept { ref findings, sinks, severity } => {
            let all = self::findings(FINDINGS);
            let offered: Vec<_> = findings.iter().map(|&at| Finding { severity, ..all[at].clone() }).collect();
            let chosen: Vec<usize> = (0..SINKS.len()).filter(|sink| sinks & (1 << sink) != 0).collect();
            let names: Vec<&str> = chosen.iter().map(|&sink| SINKS[sink]).collect();
            store.accept(&offered, &routes(&names)).unwrap();
            for (&finding, sink) in findings.iter().flat_map(|finding| chosen.iter().map(move |&sink| (finding, sink)))
            {
                model.accept(sink, (finding, severity));
            }
        }
        Step::Settle { sink, rank, outcome } => settle_one(store, model, (sink, rank), outcome),
        Step::Confirm { sink } => {
            let Some(number) = number(store, sink) else { return };
            write(store, move |connection| settle::confirm(connection, number, "1", 2).map_err(failed()));
            model.turn(sink, (Expected::Awaiting, Expected::Delivered), usize::MAX);
        }
        Step::SendAgain { sink } => {
            let Some(number) = number(store, sink) else { return };
            write(store, move |connection| {
                settle::send_again(connection, number, "1", i64::MAX).map(drop).map_err(failed())
            });
            model.turn(sink, (Expected::Awaiting, Expected::Ready), usize::MAX);
        }
        Step::Replay { sink, limit } => {
            let count = store.replay(&letters(sink, limit)).unwrap();
            assert_eq!(count, model.turn(sink, (Expected::Dead, Expected::Ready), limit));
        }
        Step::Purge { sink, limit } => {
            let count = store.purge(&letters(sink, limit)).unwrap();
            assert_eq!(count, model.turn(sink, (Expected::Dead, Expected::Purged), limit));
        }
        Step::Restart => {
            drop(outbox.take());
            *outbox = Some(open(folder));
        }
    }
}

fn assert_agree(outbox: &Outbox, model: &Model) {
    for status in outbox.status().unwrap().sinks {
        let SinkStatus { name, accepted, delivered, dead, purged, pending, .. } = status;
        assert_eq!(accepted, delivered + dead + purged + pending.total(), "{name}");
        let sink = SINKS.iter().position(|sink| *sink == name).unwrap();
        let expected = |state| model.count(sink, state);
        let counted = (delivered, dead, purged, pending.awaiting_ack, pending.ready + pending.waiting);
        let wanted = (
            expected(Expected::Delivered),
            expected(Expected::Dead),
            expected(Expected::Purged),
            expected(Expected::Awaiting),
            expected(Expected::Ready),
        );
        assert_eq!(counted, wanted, "{name}");
        let tally = outbox.inner.read("count", |connection| super::super::status::tally(connection, &name)).unwrap();
        assert_eq!((tally.accepted, tally.dead), (accepted, dead), "the counters and the rows of {name}");
    }
    let kept =
        model.0.values().flatten().filter(|(_, state, _)| !matches!(state, Expected::Delivered | Expected::Purged));
    let kept: std::collections::BTreeSet<usize> = kept.map(|(finding, ..)| *finding).collect();
    assert_eq!(outbox.export(&mut Vec::new()).unwrap(), kept.len() as u64, "bodies that somebody needs are kept");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_ever_lost_from_the_books(steps in steps()) {
        let folder = tempdir().unwrap();
        let mut outbox = Some(open(folder.path()));
        let mut model = Model::default();
        for step in &steps {
            take(&mut outbox, folder.path(), &mut model, step);
            assert_agree(outbox.as_ref().unwrap(), &model);
        }
    }
}
