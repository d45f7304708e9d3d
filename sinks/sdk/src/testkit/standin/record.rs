//! What arrived at stand-ins: the newest arrivals in full, and of all of them how often each id came.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use crate::testkit::locked;

/// One thing that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its number among all arrivals of the record, from 0.
    pub number: u64,
    /// The stand-in's name.
    pub at: &'static str,
    /// The finding's id; empty when the stand-in saw none.
    pub id: String,
    /// The content as text. It may hold what an attacker wrote into a log.
    pub text: String,
}

/// What arrived. Clones share one record.
#[derive(Debug, Clone)]
pub struct Record(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    capacity: usize,
    total: u64,
    newest: VecDeque<Arrival>,
    times: BTreeMap<(&'static str, String), u64>,
}

impl Record {
    /// Keeps so many arrivals in full; older ones are forgotten first, but for their ids.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept { capacity, total: 0, newest: VecDeque::new(), times: BTreeMap::new() })))
    }

    /// Notes an arrival.
    pub fn note(&self, at: &'static str, id: impl Into<String>, text: impl Into<String>) {
        let mut kept = locked(&self.0);
        let arrival = Arrival { number: kept.total, at, id: id.into(), text: text.into() };
        kept.total += 1;
        *kept.times.entry((at, arrival.id.clone())).or_default() += 1;
        kept.newest.push_back(arrival);
        if kept.newest.len() > kept.capacity {
            kept.newest.pop_front();
        }
    }

    /// How many arrived.
    #[must_use]
    pub fn total(&self) -> u64 {
        locked(&self.0).total
    }

    /// The kept arrivals with this number or a later one, oldest first.
    #[must_use]
    pub fn since(&self, number: u64) -> Vec<Arrival> {
        locked(&self.0).newest.iter().filter(|arrival| arrival.number >= number).cloned().collect()
    }

    /// How often each id came to the stand-in of this name.
    #[must_use]
    pub fn times(&self, at: &str) -> BTreeMap<String, u64> {
        let kept = locked(&self.0);
        kept.times.iter().filter(|((name, _), _)| *name == at).map(|((_, id), times)| (id.clone(), *times)).collect()
    }
}
