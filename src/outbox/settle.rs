//! What becomes of deliveries after an attempt, in one transaction with the sink's counters.

use rusqlite::{Connection, params};
use watchbell_sink::SinkError;

use super::{OutboxError, clock::Millis, schema::state};

/// The most characters of an error that are kept: each delivery keeps its own.
const LONGEST_MESSAGE: usize = 1000;

/// Why a delivery did not arrive, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) status: Option<u16>,
}

impl From<&SinkError> for Failure {
    fn from(error: &SinkError) -> Self {
        let message = error.message.chars().take(LONGEST_MESSAGE).collect();
        Self { kind: error.kind.name(), message, status: error.status }
    }
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered,
    Awaiting {
        ack_ref: String,
    },
    Dead(Failure),
    /// It stays, and may go out again from `due`.
    Waits {
        due: Millis,
        failure: Failure,
        /// Whether the attempt counts.
        counts: bool,
        /// Whether it may have arrived all the same.
        unsure: bool,
    },
}

/// The outcome for one delivery, by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settlement {
    pub(super) seq: i64,
    pub(super) outcome: Outcome,
}

#[derive(Default)]
struct Counts {
    delivered: i64,
    dead: i64,
    attempts: i64,
    duplicates: i64,
}

/// Writes the outcomes of one sink's deliveries. To be run in a transaction.
pub(super) fn settle(
    connection: &Connection,
    sink: i64,
    settlements: &[Settlement],
    now: Millis,
) -> Result<(), OutboxError> {
    settle_all(connection, sink, settlements, now).map_err(OutboxError::database("write to"))
}

fn settle_all(connection: &Connection, sink: i64, settlements: &[Settlement], now: Millis) -> rusqlite::Result<()> {
    let mut counts = Counts::default();
    let mut last_failure = None;
    for Settlement { seq, outcome } in settlements {
        match outcome {
            Outcome::Delivered => {
                counts.attempts += 1;
                counts.delivered += finish(connection, *seq, now)?;
            }
            Outcome::Awaiting { ack_ref } => {
                counts.attempts += 1;
                let sql = "UPDATE delivery SET state = 1, ack_ref = ?2, attempts = attempts + 1, changed_ms = ?3
                           WHERE seq = ?1 AND state = 0";
                connection.prepare_cached(sql)?.execute(params![seq, ack_ref, now])?;
            }
            Outcome::Dead(failure) => {
                counts.attempts += 1;
                let sql = "UPDATE delivery SET state = 2, attempts = attempts + 1, changed_ms = ?2,
                               error_kind = ?3, error_message = ?4, error_status = ?5
                           WHERE seq = ?1 AND state = 0";
                let values = params![seq, now, failure.kind, failure.message, failure.status];
                counts.dead += changed(connection.prepare_cached(sql)?.execute(values)?);
                last_failure = Some(failure);
            }
            Outcome::Waits { due, failure, counts: attempt_counts, unsure } => {
                counts.attempts += i64::from(*attempt_counts);
                counts.duplicates += first_doubt(connection, *seq, *unsure)?;
                let sql = "UPDATE delivery SET due_ms = ?2, attempts = attempts + ?3, changed_ms = ?4,
                               error_kind = ?5, error_message = ?6, error_status = ?7
                           WHERE seq = ?1 AND state = 0";
                let values = params![seq, due, attempt_counts, now, failure.kind, failure.message, failure.status];
                connection.prepare_cached(sql)?.execute(values)?;
                last_failure = Some(failure);
            }
        }
    }
    if let Some(failure) = last_failure {
        remember_failure(connection, sink, failure, now)?;
    }
    add(connection, sink, &counts)
}

/// Acknowledged: everything that awaited under this reference has arrived.
pub(super) fn confirm(connection: &Connection, sink: i64, ack_ref: &str, now: Millis) -> rusqlite::Result<()> {
    let mut delivered = 0;
    for seq in awaiting(connection, sink, ack_ref)? {
        delivered += finish(connection, seq, now)?;
    }
    add(connection, sink, &Counts { delivered, ..Counts::default() })
}

/// Not acknowledged: what awaits under this reference since before `sent_before` goes out again.
pub(super) fn send_again(
    connection: &Connection,
    sink: i64,
    ack_ref: &str,
    sent_before: Millis,
) -> rusqlite::Result<usize> {
    let doubts = "UPDATE delivery SET unsure = 1
                  WHERE sink = ?1 AND ack_ref = ?2 AND state = 1 AND changed_ms <= ?3 AND unsure = 0";
    let duplicates = changed(connection.prepare_cached(doubts)?.execute(params![sink, ack_ref, sent_before])?);
    let sql = "UPDATE delivery SET state = 0, ack_ref = NULL, due_ms = 0
               WHERE sink = ?1 AND ack_ref = ?2 AND state = 1 AND changed_ms <= ?3";
    let sent_again = connection.prepare_cached(sql)?.execute(params![sink, ack_ref, sent_before])?;
    add(connection, sink, &Counts { duplicates, ..Counts::default() })?;
    Ok(sent_again)
}

/// Keeps what last went wrong with a sink.
pub(super) fn remember_failure(
    connection: &Connection,
    sink: i64,
    failure: &Failure,
    now: Millis,
) -> rusqlite::Result<()> {
    let sql = "UPDATE sink SET error_kind = ?2, error_message = ?3, error_status = ?4, error_ms = ?5 WHERE number = ?1";
    connection.execute(sql, params![sink, failure.kind, failure.message, failure.status, now]).map(drop)
}

/// Marks a sink as held, or as no longer held.
pub(super) fn hold(connection: &Connection, sink: i64, held: Option<(&Failure, Millis)>) -> rusqlite::Result<()> {
    let sql = "UPDATE sink SET held_kind = ?2, held_message = ?3, held_ms = ?4 WHERE number = ?1";
    let (kind, message, since) =
        held.map_or((None, None, None), |(failure, since)| (Some(failure.kind), Some(&failure.message), Some(since)));
    connection.execute(sql, params![sink, kind, message, since]).map(drop)
}

/// The body of a finding goes when nobody needs it any more.
pub(super) fn drop_unneeded_body(connection: &Connection, seq: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE finding SET body = NULL
               WHERE number = (SELECT finding FROM delivery WHERE seq = ?1)
                 AND NOT EXISTS (SELECT 1 FROM delivery AS other WHERE other.finding = finding.number AND other.state <= 2)";
    connection.prepare_cached(sql)?.execute([seq]).map(drop)
}

fn finish(connection: &Connection, seq: i64, now: Millis) -> rusqlite::Result<i64> {
    let sql = "UPDATE delivery SET state = ?3, attempts = attempts + (state = 0), ack_ref = NULL, changed_ms = ?2,
                   error_kind = NULL, error_message = NULL, error_status = NULL
               WHERE seq = ?1 AND state <= 1";
    let finished = connection.prepare_cached(sql)?.execute(params![seq, now, state::DELIVERED])?;
    drop_unneeded_body(connection, seq)?;
    Ok(changed(finished))
}

/// 1 when this is the first time that a delivery may have arrived unseen.
fn first_doubt(connection: &Connection, seq: i64, unsure: bool) -> rusqlite::Result<i64> {
    if !unsure {
        return Ok(0);
    }
    let sql = "UPDATE delivery SET unsure = 1 WHERE seq = ?1 AND unsure = 0";
    Ok(changed(connection.prepare_cached(sql)?.execute([seq])?))
}

fn awaiting(connection: &Connection, sink: i64, ack_ref: &str) -> rusqlite::Result<Vec<i64>> {
    let mut query =
        connection.prepare_cached("SELECT seq FROM delivery WHERE sink = ?1 AND ack_ref = ?2 AND state = 1")?;
    query.query_map(params![sink, ack_ref], |row| row.get(0))?.collect()
}

fn add(connection: &Connection, sink: i64, counts: &Counts) -> rusqlite::Result<()> {
    let sql = "UPDATE sink SET delivered = delivered + ?2, dead = dead + ?3, attempts = attempts + ?4,
                   duplicates_possible = duplicates_possible + ?5
               WHERE number = ?1";
    let values = params![sink, counts.delivered, counts.dead, counts.attempts, counts.duplicates];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// A count of rows, as the database counts.
pub(super) fn changed(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
