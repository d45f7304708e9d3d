//! Faults at chosen requests, and the log of what was asked.
//!
//! Requests are counted from 0, those for tokens not among them, so that a test can let one after the other fail.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use super::Rules;

/// How many requests the log holds; older ones are forgotten first.
const KEPT: usize = 20_000;

/// What goes wrong at one request.
pub enum Fault {
    /// It is refused with this status, and nothing is done.
    Refuse(u16),
    /// The connection is reset, and nothing is done.
    Drop,
    /// It is done, and then the connection is reset instead of an answer.
    DropAfterwards,
    /// It is done, and the answer lets wait.
    Delay(Duration),
    /// Somebody else does this just before.
    Meanwhile(Box<dyn FnOnce(&Rules) + Send>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse(status) => f.debug_tuple("Refuse").field(status).finish(),
            Self::Drop => f.write_str("Drop"),
            Self::DropAfterwards => f.write_str("DropAfterwards"),
            Self::Delay(delay) => f.debug_tuple("Delay").field(delay).finish(),
            Self::Meanwhile(_) => f.write_str("Meanwhile"),
        }
    }
}

/// One request, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its number, from 0.
    pub number: u64,
    /// For example `PATCH`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body as text.
    pub body: String,
    /// The status of the answer; `None` when the connection was reset instead.
    pub status: Option<u16>,
}

impl Asked {
    /// Whether it changed something, if it was taken.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.method != "GET" && !self.path.contains(":verifyRuleText")
    }
}

/// The requests so far, and what is to go wrong.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) count: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    pub(super) kept: VecDeque<Asked>,
}

impl Log {
    pub(super) fn note(&mut self, asked: Asked) {
        self.kept.push_back(asked);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }
}
