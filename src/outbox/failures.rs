//! How often deliveries failed since the outbox was opened. Kept in memory only: whoever counts over time expects that
//! such numbers begin anew with the process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use watchbell_sink::ErrorKind;

const KINDS: [ErrorKind; 5] =
    [ErrorKind::Rejected, ErrorKind::Throttled, ErrorKind::Unavailable, ErrorKind::Auth, ErrorKind::Config];

/// Failed deliveries by sink and kind of error.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<BTreeMap<String, BTreeMap<&'static str, u64>>>);

impl Failures {
    pub(super) fn add(&self, sink: &str, kind: &'static str) {
        let mut sinks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sinks.entry(sink.to_owned()).or_default().entry(kind).or_default() += 1;
    }

    /// Those of one sink, every kind named.
    pub(super) fn of(&self, sink: &str) -> Vec<(&'static str, u64)> {
        let sinks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = sinks.get(sink);
        let count = |kind| counted.and_then(|counted| counted.get(kind)).copied().unwrap_or(0);
        KINDS.map(|kind| (kind.name(), count(kind.name()))).into()
    }
}
