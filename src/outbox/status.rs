//! How the outbox stands, per sink. What is pending and dead is counted row by row, what was accepted and delivered by
//! counters, so that the equation `accepted = delivered + dead + purged + pending` says something.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use schemars::JsonSchema;
use serde::Serialize;

use super::clock::Millis;

/// How the outbox stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Status {
    /// Every sink that ever was given a finding, by name.
    pub sinks: Vec<SinkStatus>,
    /// Bytes in use.
    pub bytes: u64,
    /// The most that may be in use before findings are refused.
    pub max_bytes: u64,
    /// Databases that were damaged and set aside.
    pub quarantined: Vec<PathBuf>,
}

/// How one sink stands. `accepted == delivered + dead + purged + pending` at every moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SinkStatus {
    /// The name the user gave it.
    pub name: String,
    /// Deliveries that were accepted for it.
    pub accepted: u64,
    /// Those that arrived.
    pub delivered: u64,
    /// Those in the dead letters.
    pub dead: u64,
    /// Those that the user took out of the dead letters for good.
    pub purged: u64,
    /// Those on their way.
    pub pending: Pending,
    /// When the oldest pending one was accepted.
    pub oldest: Option<Timestamp>,
    /// Why nothing goes there at the moment.
    pub held: Option<Held>,
    /// What last went wrong.
    pub last_error: Option<LastError>,
    /// Whether deliveries are on their way and none has arrived since that error.
    pub is_failing: bool,
    /// Attempts that counted.
    pub attempts: u64,
    /// Deliveries that went out again although an earlier attempt may have arrived.
    pub duplicates_possible: u64,
}

impl SinkStatus {
    /// A sink that never was given anything.
    #[must_use]
    pub const fn empty(name: String) -> Self {
        Self {
            name,
            accepted: 0,
            delivered: 0,
            dead: 0,
            purged: 0,
            pending: Pending { ready: 0, waiting: 0, awaiting_ack: 0 },
            oldest: None,
            held: None,
            last_error: None,
            is_failing: false,
            attempts: 0,
            duplicates_possible: 0,
        }
    }
}

/// Deliveries on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pending {
    /// They can go out now.
    pub ready: u64,
    /// They go out again later.
    pub waiting: u64,
    /// They went out and are not acknowledged yet.
    pub awaiting_ack: u64,
}

impl Pending {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.ready + self.waiting + self.awaiting_ack
    }
}

/// Why nothing goes to a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Held {
    /// `auth` or `config`.
    pub kind: String,
    /// What the destination said.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// What last went wrong with a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastError {
    /// The kind of error.
    pub kind: String,
    /// What was said.
    pub message: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// When.
    pub at: Timestamp,
}

/// The sinks, by name.
pub(super) fn sinks(connection: &Connection, now: Millis) -> rusqlite::Result<Vec<SinkStatus>> {
    // One transaction, so that the counters and the rows are of one moment.
    connection.execute_batch("BEGIN")?;
    let sinks = read(connection, now);
    connection.execute_batch("COMMIT")?;
    sinks
}

fn read(connection: &Connection, now: Millis) -> rusqlite::Result<Vec<SinkStatus>> {
    let mut query = connection.prepare_cached(
        "SELECT number, name, accepted, delivered, purged, attempts, duplicates_possible,
                held_kind, held_message, held_ms, error_kind, error_message, error_status, error_ms
         FROM sink ORDER BY name",
    )?;
    let mut sinks =
        query.query_map([], |row| Ok((row.get::<_, i64>(0)?, from_row(row)?)))?.collect::<Result<Vec<_>, _>>()?;
    for (number, sink) in &mut sinks {
        count(connection, *number, now, sink)?;
    }
    Ok(sinks.into_iter().map(|(_, sink)| sink).collect())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SinkStatus> {
    let held = match (row.get::<_, Option<String>>(7)?, row.get::<_, Option<String>>(8)?, row.get(9)?) {
        (Some(kind), Some(message), Some(since)) => Some(Held { kind, message, since: timestamp(since) }),
        _ => None,
    };
    let last_error = match (row.get::<_, Option<String>>(10)?, row.get::<_, Option<String>>(11)?, row.get(13)?) {
        (Some(kind), Some(message), Some(at)) => {
            Some(LastError { kind, message, status: row.get(12)?, at: timestamp(at) })
        }
        _ => None,
    };
    Ok(SinkStatus {
        name: row.get(1)?,
        accepted: number(row, 2)?,
        delivered: number(row, 3)?,
        dead: 0,
        purged: number(row, 4)?,
        pending: Pending::default(),
        oldest: None,
        held,
        last_error,
        is_failing: false,
        attempts: number(row, 5)?,
        duplicates_possible: number(row, 6)?,
    })
}

fn count(connection: &Connection, sink: i64, now: Millis, status: &mut SinkStatus) -> rusqlite::Result<()> {
    let one = |sql: &str| connection.prepare_cached(sql)?.query_row([sink], |row| number(row, 0));
    status.dead = one("SELECT count(*) FROM delivery WHERE sink = ?1 AND state = 2")?;
    status.pending.awaiting_ack = one("SELECT count(*) FROM delivery WHERE sink = ?1 AND state = 1")?;
    let mut waiting =
        connection.prepare_cached("SELECT count(*) FROM delivery WHERE sink = ?1 AND state = 0 AND due_ms > ?2")?;
    status.pending.waiting = waiting.query_row(params![sink, now], |row| number(row, 0))?;
    let ready = one("SELECT count(*) FROM delivery WHERE sink = ?1 AND state = 0")?;
    status.pending.ready = ready - status.pending.waiting;
    let oldest = |sql: &str| connection.prepare_cached(sql)?.query_row([sink], |row| row.get::<_, Option<Millis>>(0));
    let ready = oldest(
        "SELECT min(accepted_ms) FROM
             (SELECT accepted_ms FROM delivery WHERE sink = ?1 AND state = 0 ORDER BY seq LIMIT 1)",
    )?;
    let awaiting = oldest("SELECT min(accepted_ms) FROM delivery WHERE sink = ?1 AND state = 1")?;
    status.oldest = ready.into_iter().chain(awaiting).min().map(timestamp);
    if let Some(error) = status.last_error.as_ref().filter(|_| status.pending.total() > 0) {
        // `state > 2` is what lets the index over times be used, which makes this cheap: errors of a lane that fails are new.
        let mut arrived = connection.prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM delivery WHERE state > 2 AND state = 3 AND sink = ?1 AND changed_ms >= ?2)",
        )?;
        status.is_failing =
            !arrived.query_row(params![sink, error.at.as_millisecond()], |row| row.get::<_, bool>(0))?;
    }
    Ok(())
}

/// How far one sink is, by its counters only: cheap enough to be asked all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) delivered: u64,
    pub(super) dead: u64,
    pub(super) purged: u64,
}

pub(super) fn tally(connection: &Connection, name: &str) -> rusqlite::Result<Tally> {
    let mut query = connection.prepare_cached("SELECT accepted, delivered, dead, purged FROM sink WHERE name = ?1")?;
    query.query_row([name], |row| {
        Ok(Tally {
            accepted: number(row, 0)?,
            delivered: number(row, 1)?,
            dead: number(row, 2)?,
            purged: number(row, 3)?,
        })
    })
}

/// What changes whenever a delivery goes on: counters only, so that it may be asked all the time.
pub(super) fn revision(connection: &Connection) -> rusqlite::Result<u64> {
    let mut query = connection.prepare_cached(
        "SELECT accepted, delivered, dead, purged, attempts, ifnull(held_ms, 0), ifnull(error_ms, 0) FROM sink",
    )?;
    let mut hash = blake3::Hasher::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..7 {
            hash.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
    }
    let hash = hash.finalize();
    let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
    Ok(u64::from_le_bytes(*first))
}

/// A count from the database.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or_default())
}

/// A time from the database; one that can't be is the end of time.
pub(super) fn timestamp(time: Millis) -> Timestamp {
    Timestamp::from_millisecond(time).unwrap_or(Timestamp::MAX)
}
