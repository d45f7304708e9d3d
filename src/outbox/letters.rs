//! The dead letters and single findings: looked at, sent again, thrown away, written out.

use std::io::{self, Write};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use schemars::JsonSchema;
use serde::Serialize;
use watchbell_sink::{Finding, Severity};

use super::{
    OutboxError,
    clock::Millis,
    intake::{checksum, severity_of},
    schema::{knows_severities, state},
    settle::{changed, drop_unneeded_body},
    status::timestamp,
};

/// Which dead letters are meant; empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letters {
    /// Only those to this sink.
    pub sink: Option<String>,
    /// Only those of this finding.
    pub finding: Option<String>,
    /// Only those of this kind, for example `rejected`.
    pub kind: Option<String>,
    /// At most so many, the oldest first.
    pub limit: Option<usize>,
}

/// A delivery that its destination will never take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetter {
    /// Where it should have gone.
    pub sink: String,
    /// The finding's id.
    pub finding: String,
    /// The finding's title; empty when the finding can't be read any more.
    pub title: String,
    /// Why: `rejected`, or `damaged` when the stored finding can't be read.
    pub kind: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What the destination said.
    pub message: String,
    /// Attempts that counted.
    pub attempts: u64,
    /// When it died.
    pub at: Timestamp,
}

/// One finding and where it stands at each sink.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Shown {
    /// The finding's id.
    pub id: String,
    /// The finding; absent when it is delivered everywhere, or damaged.
    pub finding: Option<Finding>,
    /// Its deliveries, by sink.
    pub deliveries: Vec<DeliveryState>,
}

/// Where one delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeliveryState {
    /// Where it goes.
    pub sink: String,
    /// `ready`, `awaiting_ack`, `dead`, `delivered` or `purged`.
    pub state: &'static str,
    /// Attempts that counted.
    pub attempts: u64,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// What last went wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How severe the finding was when it was given to the sink; not known of what earlier versions accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

impl DeliveryState {
    /// Whether the sink has, or will have, the finding as severe as it is now.
    #[must_use]
    pub fn is_of(&self, finding: &Finding) -> bool {
        self.severity.is_none_or(|given| given >= finding.severity)
    }
}

/// Before the first number of a delivery.
const FIRST: i64 = -1;

const CHOSEN: &str = "state = 2 AND (?1 IS NULL OR sink = (SELECT number FROM sink WHERE name = ?1))
    AND (?2 IS NULL OR finding = (SELECT number FROM finding WHERE id = ?2))
    AND (?3 IS NULL OR error_kind = ?3) AND seq > ?5 ORDER BY seq LIMIT ?4";

impl Letters {
    fn limit(&self) -> i64 {
        self.limit.map_or(-1, changed)
    }

    fn chosen(&self, connection: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
        let mut query = connection.prepare(&format!("SELECT seq, sink FROM delivery WHERE {CHOSEN}"))?;
        let values: [&dyn ToSql; 5] = [&self.sink, &self.finding, &self.kind, &self.limit(), &FIRST];
        query.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

pub(super) fn dead(connection: &Connection, letters: &Letters) -> rusqlite::Result<Vec<DeadLetter>> {
    Ok(dead_after(connection, letters, None)?.into_iter().map(|(_, letter)| letter).collect())
}

pub(super) fn dead_after(
    connection: &Connection,
    letters: &Letters,
    after: Option<u64>,
) -> rusqlite::Result<Vec<(u64, DeadLetter)>> {
    let mut query = connection.prepare(&format!(
        "SELECT sink.name, finding.id, finding.body, chosen.error_kind, chosen.error_status, chosen.error_message,
                chosen.attempts, chosen.changed_ms, chosen.seq
         FROM (SELECT * FROM delivery WHERE {CHOSEN}) AS chosen
         JOIN sink ON sink.number = chosen.sink JOIN finding ON finding.number = chosen.finding ORDER BY chosen.seq"
    ))?;
    let after = after.map_or(FIRST, |after| i64::try_from(after).unwrap_or(i64::MAX));
    let values: [&dyn ToSql; 5] = [&letters.sink, &letters.finding, &letters.kind, &letters.limit(), &after];
    query.query_map(values, |row| Ok((super::status::number(row, 8)?, letter(row)?)))?.collect()
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let body: Option<Vec<u8>> = row.get(2)?;
    let finding = body.and_then(|body| serde_json::from_slice::<Finding>(&body).ok());
    Ok(DeadLetter {
        sink: row.get(0)?,
        finding: row.get(1)?,
        title: finding.map(|finding| finding.title).unwrap_or_default(),
        kind: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        status: row.get(4)?,
        message: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
        attempts: super::status::number(row, 6)?,
        at: timestamp(row.get(7)?),
    })
}

/// Sends dead letters again; says how many.
pub(super) fn replay(connection: &Connection, letters: &Letters, now: Millis) -> rusqlite::Result<u64> {
    let chosen = letters.chosen(connection)?;
    for (seq, sink) in &chosen {
        let sql = "UPDATE delivery SET state = 0, due_ms = 0, changed_ms = ?2 WHERE seq = ?1";
        connection.prepare_cached(sql)?.execute(params![seq, now])?;
        connection.prepare_cached("UPDATE sink SET dead = dead - 1 WHERE number = ?1")?.execute([sink])?;
    }
    Ok(chosen.len() as u64)
}

/// Throws dead letters away; says how many.
pub(super) fn purge(connection: &Connection, letters: &Letters, now: Millis) -> rusqlite::Result<u64> {
    let chosen = letters.chosen(connection)?;
    for (seq, sink) in &chosen {
        let sql = "UPDATE delivery SET state = ?3, changed_ms = ?2 WHERE seq = ?1";
        connection.prepare_cached(sql)?.execute(params![seq, now, state::PURGED])?;
        drop_unneeded_body(connection, *seq)?;
        let count = "UPDATE sink SET dead = dead - 1, purged = purged + 1 WHERE number = ?1";
        connection.prepare_cached(count)?.execute([sink])?;
    }
    Ok(chosen.len() as u64)
}

/// Forgets what was delivered or purged before a time; says how many deliveries.
pub(super) fn forget(connection: &Connection, before: Millis) -> rusqlite::Result<u64> {
    let sql = "DELETE FROM delivery WHERE state > 2 AND changed_ms < ?1";
    let forgotten = connection.execute(sql, [before])?;
    let orphans = "DELETE FROM finding WHERE body IS NULL
                   AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.finding = finding.number)";
    if forgotten > 0 {
        connection.execute(orphans, [])?;
    }
    Ok(forgotten as u64)
}

pub(super) fn show(connection: &Connection, id: &str) -> rusqlite::Result<Option<Shown>> {
    let mut query = connection.prepare_cached("SELECT number, id, body, checksum FROM finding WHERE id = ?1")?;
    let found = query.query_row([id], |row| Ok((row.get(0)?, shown(row)?))).optional()?;
    let Some((number, mut shown)) = found else { return Ok(None) };
    shown.deliveries = deliveries(connection, number)?;
    Ok(Some(shown))
}

/// Writes every finding that is still here, one JSON document a line.
pub(super) fn export(connection: &Connection, out: &mut dyn Write) -> Result<u64, OutboxError> {
    let failed = OutboxError::database("read");
    let mut query = connection
        .prepare("SELECT number, id, body, checksum FROM finding WHERE body IS NOT NULL ORDER BY number")
        .map_err(&failed)?;
    let mut rows = query.query([]).map_err(&failed)?;
    let mut written = 0;
    while let Some(row) = rows.next().map_err(&failed)? {
        let read = || {
            let mut shown = shown(row)?;
            shown.deliveries = deliveries(connection, row.get(0)?)?;
            Ok(shown)
        };
        let shown = read().map_err(&failed)?;
        let write = |out: &mut dyn Write| {
            serde_json::to_writer(&mut *out, &shown).map_err(io::Error::from)?;
            out.write_all(b"\n")
        };
        write(out).map_err(OutboxError::file("write", "the export"))?;
        written += 1;
    }
    Ok(written)
}

fn shown(row: &Row<'_>) -> rusqlite::Result<Shown> {
    let (body, sum): (Option<Vec<u8>>, i64) = (row.get(2)?, row.get(3)?);
    let finding = body.and_then(|body| read_body(&body, sum).ok());
    Ok(Shown { id: row.get(1)?, finding, deliveries: Vec::new() })
}

/// The finding that a body holds.
pub(super) fn read_body(body: &[u8], sum: i64) -> Result<Finding, &'static str> {
    if checksum(body) != sum {
        return Err("the stored finding does not match its checksum");
    }
    serde_json::from_slice(body).map_err(|_| "the stored finding is not one that this version reads")
}

fn deliveries(connection: &Connection, finding: i64) -> rusqlite::Result<Vec<DeliveryState>> {
    let severity = if knows_severities(connection)? { "delivery.severity" } else { "NULL" };
    let mut query = connection.prepare_cached(&format!(
        "SELECT sink.name, state, delivery.attempts, accepted_ms, changed_ms, delivery.error_message, {severity}
         FROM delivery JOIN sink ON sink.number = delivery.sink WHERE finding = ?1 ORDER BY sink.name",
    ))?;
    let states = query.query_map([finding], |row| {
        Ok(DeliveryState {
            sink: row.get(0)?,
            state: match row.get(1)? {
                state::READY => "ready",
                state::AWAITING => "awaiting_ack",
                state::DEAD => "dead",
                state::DELIVERED => "delivered",
                _ => "purged",
            },
            attempts: super::status::number(row, 2)?,
            accepted: timestamp(row.get(3)?),
            changed: timestamp(row.get(4)?),
            error: row.get(5)?,
            severity: severity_of(row.get(6)?),
        })
    })?;
    states.collect()
}
