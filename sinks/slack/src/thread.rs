//! Which message a repetition belongs below. It is remembered over restarts, and losing it costs a second message, no
//! more.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use watchbell_sink::Memory;

use crate::api::Place;

/// The thread of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thread {
    channel: String,
    ts: String,
    /// Findings in it, the first one included.
    pub(crate) findings: u64,
    /// Second of its first message.
    started: i64,
}

impl Thread {
    pub(crate) fn started(place: Place, now: Timestamp) -> Self {
        Self { channel: place.channel, ts: place.ts, findings: 1, started: now.as_second() }
    }

    /// The group's thread, when it is younger than the window.
    pub(crate) fn recall(memory: &dyn Memory, group: &str, window: Duration, now: Timestamp) -> Option<Self> {
        let thread: Self = serde_json::from_str(&memory.recall(&key(group))?).ok()?;
        let age = u64::try_from(now.as_second().saturating_sub(thread.started)).ok()?;
        (age < window.as_secs()).then_some(thread)
    }

    pub(crate) fn keep(&self, memory: &dyn Memory, group: &str) {
        let text = serde_json::to_string(self).expect("a thread has text keys only");
        memory.keep(&key(group), &text);
    }

    /// The message it hangs below.
    pub(crate) fn place(&self) -> Place {
        Place { channel: self.channel.clone(), ts: self.ts.clone() }
    }
}

fn key(group: &str) -> String {
    format!("thread.{group}")
}
