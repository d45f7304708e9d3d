//! What a lane sends next: due deliveries in the order in which they were accepted, encoded anew from the kept finding.
//!
//! Reads and encodes beside the writer, one finding at a time, so that neither a long queue nor a slow encoder holds
//! anything up or takes memory.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, params};
use watchbell_sink::{Delivery, ErrorKind, Payload, Sink, SinkError};

use super::judge::Sent;
use crate::outbox::{
    clock::Millis,
    intake::severity_of,
    letters::read_body,
    settle::{Failure, Outcome, Settlement},
};

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) sink: i64,
    pub(super) name: String,
    pub(super) items: usize,
    pub(super) bytes: usize,
    /// Fewer than `items` wait this long for more.
    pub(super) wait: Duration,
    /// Up to so many go alone.
    pub(super) together_above: usize,
    pub(super) now: Millis,
}

/// What there is.
#[derive(Debug)]
pub(super) enum Gathered {
    /// Nothing before this time, or before something is accepted.
    Nothing { until: Option<Millis> },
    /// A batch, and what can't be encoded. One of them is not empty.
    Batch { outgoing: Vec<Outgoing>, dead: Vec<Settlement> },
}

/// A delivery, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) sent: Sent,
    pub(super) delivery: Delivery,
}

pub(super) fn gather(connection: &Connection, sink: &dyn Sink, wanted: &Wanted) -> rusqlite::Result<Gathered> {
    let due = count_due(connection, wanted)?;
    if due.count == 0 {
        let sql = "SELECT min(due_ms) FROM delivery WHERE sink = ?1 AND state = 0";
        let until = connection.prepare_cached(sql)?.query_row([wanted.sink], |row| row.get(0)).optional()?;
        return Ok(Gathered::Nothing { until: until.flatten() });
    }
    let complete_at = due.oldest.saturating_add(Millis::try_from(wanted.wait.as_millis()).unwrap_or(Millis::MAX));
    if due.count < wanted.items && due.is_fresh && complete_at > wanted.now {
        return Ok(Gathered::Nothing { until: Some(complete_at) });
    }
    let items = if due.count <= wanted.together_above { 1 } else { wanted.items };
    encode_due(connection, sink, wanted, items)
}

struct Due {
    /// At most one more than matters.
    count: usize,
    oldest: Millis,
    /// Whether none of them was sent before.
    is_fresh: bool,
}

fn count_due(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Due> {
    let enough = wanted.items.max(wanted.together_above.saturating_add(1));
    let mut query = connection.prepare_cached(
        "SELECT count(*), coalesce(min(accepted_ms), 0), coalesce(max(attempts), 0) FROM
             (SELECT accepted_ms, attempts FROM delivery
              WHERE sink = ?1 AND state = 0 AND due_ms <= ?2 ORDER BY seq LIMIT ?3)",
    )?;
    let limit = i64::try_from(enough).unwrap_or(i64::MAX);
    query.query_row(params![wanted.sink, wanted.now, limit], |row| {
        let count = usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
        Ok(Due { count, oldest: row.get(1)?, is_fresh: row.get::<_, i64>(2)? == 0 })
    })
}

fn encode_due(connection: &Connection, sink: &dyn Sink, wanted: &Wanted, items: usize) -> rusqlite::Result<Gathered> {
    let mut query = connection.prepare_cached(
        "SELECT seq, attempts, finding.id, finding.body, finding.checksum, risen, delivery.severity
         FROM delivery JOIN finding ON finding.number = delivery.finding
         WHERE sink = ?1 AND state = 0 AND due_ms <= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(items).unwrap_or(i64::MAX);
    let mut rows = query.query(params![wanted.sink, wanted.now, limit])?;
    let (mut outgoing, mut dead, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
    while let Some(row) = rows.next()? {
        let sent = Sent { seq: row.get(0)?, attempts: row.get(1)? };
        let (id, body): (String, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        let payload = match encode(sink, &body.unwrap_or_default(), row.get(4)?) {
            Ok(payload) => payload,
            Err(failure) => {
                dead.push(Settlement { seq: sent.seq, outcome: Outcome::Dead(failure) });
                continue;
            }
        };
        bytes = bytes.saturating_add(payload.bytes().len());
        if bytes > wanted.bytes && !outgoing.is_empty() {
            break;
        }
        // A destination that knows keys would take the severe version for a repetition of the milder one.
        let risen = severity_of(row.get(6)?).filter(|_| row.get(5) == Ok(true));
        let version = risen.map(|severity| format!("~{severity}")).unwrap_or_default();
        let key = format!("{id}{version}-{}", wanted.name);
        let delivery = Delivery { key, payload, attempt: sent.attempts.saturating_add(1) };
        outgoing.push(Outgoing { sent, delivery });
    }
    Ok(Gathered::Batch { outgoing, dead })
}

fn encode(sink: &dyn Sink, body: &[u8], sum: i64) -> Result<Payload, Failure> {
    let finding =
        read_body(body, sum).map_err(|why| Failure { kind: "damaged", message: why.to_owned(), status: None })?;
    let encoded = catch_unwind(AssertUnwindSafe(|| sink.encode(&finding)));
    let encoded = encoded
        .unwrap_or_else(|_| Err(SinkError::new(ErrorKind::Rejected, "the sink panicked while it encoded the finding")));
    // Whatever an encoder calls it: the same finding would give the same error for ever.
    encoded.map_err(|error| Failure { kind: ErrorKind::Rejected.name(), ..Failure::from(&error) })
}
