//! Taking findings in: the finding and one delivery for every sink that takes it, in one transaction. A finding that comes
//! again is known, unless it has become more severe than what a sink was given: then it is given out anew.

use rusqlite::{Connection, OptionalExtension, params};
use schemars::JsonSchema;
use serde::Serialize;
use watchbell_sink::{Finding, Severity, ThreatType};

use super::{OutboxError, clock::Millis, schema::state};

/// Which findings go to which sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name the user gave the sink.
    pub sink: String,
    /// Findings below this don't go there.
    pub min_severity: Severity,
    /// Only these threats go there; empty: all.
    pub threats: Vec<ThreatType>,
}

impl Route {
    /// A route that takes every finding.
    #[must_use]
    pub fn all(sink: impl Into<String>) -> Self {
        Self { sink: sink.into(), min_severity: Severity::Informational, threats: Vec::new() }
    }

    /// Whether a finding goes this way.
    #[must_use]
    pub fn takes(&self, finding: &Finding) -> bool {
        finding.severity >= self.min_severity
            && (self.threats.is_empty() || self.threats.contains(&finding.threat_type))
    }
}

/// What became of findings that were offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accepted {
    /// Findings that go to at least one sink that did not have them yet, or only as less severe ones.
    pub new: u64,
    /// Findings that were accepted before for every sink that takes them, as severe as they are.
    pub known: u64,
    /// Findings that no route takes; they are not kept.
    pub unrouted: u64,
    /// New deliveries: one per finding and sink.
    pub deliveries: u64,
}

/// A finding made ready for the database.
#[derive(Debug)]
pub(super) struct Incoming {
    id: String,
    severity: i64,
    body: Vec<u8>,
    /// Positions of the routes that take it.
    routes: Vec<usize>,
}

impl Incoming {
    pub(super) fn new(finding: &Finding, routes: &[Route]) -> Self {
        let routes: Vec<usize> = (0..routes.len()).filter(|&at| routes[at].takes(finding)).collect();
        let body = if routes.is_empty() { Vec::new() } else { write(finding) };
        Self { id: finding.id.clone(), severity: number_of(finding.severity), body, routes }
    }
}

/// A severity as the database has it.
pub(super) fn number_of(severity: Severity) -> i64 {
    severity as i64
}

/// A severity from the database; one that is not known there is none.
pub(super) fn severity_of(number: Option<i64>) -> Option<Severity> {
    let position = usize::try_from(number?).ok()?;
    Severity::ALL.get(position).copied()
}

fn write(finding: &Finding) -> Vec<u8> {
    serde_json::to_vec(finding).expect("a finding has text keys only and writes to memory")
}

/// What a body is recognized by.
pub(super) fn checksum(body: &[u8]) -> i64 {
    let hash = blake3::hash(body);
    let (first, _) = hash.as_bytes().split_first_chunk::<8>().expect("a hash has 32 bytes");
    i64::from_le_bytes(*first)
}

/// Writes what is new. To be run in a transaction.
pub(super) fn accept(
    connection: &Connection,
    incoming: &[Incoming],
    sinks: &[String],
    now: Millis,
) -> Result<Accepted, OutboxError> {
    let failed = OutboxError::database("write to");
    let numbers = sinks.iter().map(|name| sink_number(connection, name)).collect::<Result<Vec<_>, _>>()?;
    let mut news = vec![0_u64; sinks.len()];
    let mut accepted = Accepted::default();
    for finding in incoming {
        if finding.routes.is_empty() {
            accepted.unrouted += 1;
            continue;
        }
        let added = accept_one(connection, finding, &numbers, now).map_err(&failed)?;
        // What takes the place of a delivery that was still on its way is no further one.
        added.iter().filter(|(_, given)| *given == Given::Further).for_each(|&(route, _)| news[route] += 1);
        accepted.deliveries += added.len() as u64;
        *(if added.is_empty() { &mut accepted.known } else { &mut accepted.new }) += 1;
    }
    for (number, &new) in numbers.iter().zip(&news) {
        let sql = "UPDATE sink SET accepted = accepted + ?2 WHERE number = ?1";
        connection.execute(sql, params![number, new as i64]).map_err(&failed)?;
    }
    Ok(accepted)
}

/// The number of a sink, which is known from now on.
pub(super) fn sink_number(connection: &Connection, name: &str) -> Result<i64, OutboxError> {
    let number = || {
        connection.prepare_cached("INSERT INTO sink(name) VALUES(?1) ON CONFLICT DO NOTHING")?.execute([name])?;
        connection.prepare_cached("SELECT number FROM sink WHERE name = ?1")?.query_row([name], |row| row.get(0))
    };
    number().map_err(OutboxError::database("write to"))
}

/// How a finding is given to a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// Not at all: the sink has it, or will.
    Known,
    /// By one delivery more than before.
    Further,
    /// In place of a less severe version that did not arrive yet.
    Instead,
}

/// The routes by which it is given out, and how.
fn accept_one(
    connection: &Connection,
    finding: &Incoming,
    sinks: &[i64],
    now: Millis,
) -> rusqlite::Result<Vec<(usize, Given)>> {
    let mut known =
        connection.prepare_cached("SELECT number, body IS NOT NULL, severity FROM finding WHERE id = ?1")?;
    let known = known.query_row([&finding.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let (number, has_body, severity): (i64, bool, Option<i64>) = match known {
        Some(known) => known,
        None => {
            let sql = "INSERT INTO finding(id, body, checksum, severity) VALUES(?1, ?2, ?3, ?4)";
            let values = params![finding.id, finding.body, checksum(&finding.body), finding.severity];
            connection.prepare_cached(sql)?.execute(values)?;
            (connection.last_insert_rowid(), true, Some(finding.severity))
        }
    };
    let mut added = Vec::new();
    for &route in &finding.routes {
        let given = give(connection, (sinks[route], number), finding.severity, now)?;
        if given != Given::Known {
            added.push((route, given));
        }
    }
    let is_milder = severity.is_some_and(|kept| kept < finding.severity);
    if !added.is_empty() && (!has_body || is_milder) {
        let sql = "UPDATE finding SET body = ?2, checksum = ?3, severity = ?4 WHERE number = ?1";
        let values = params![number, finding.body, checksum(&finding.body), finding.severity];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(added)
}

fn give(connection: &Connection, (sink, finding): (i64, i64), severity: i64, now: Millis) -> rusqlite::Result<Given> {
    let mut before =
        connection.prepare_cached("SELECT seq, state, severity FROM delivery WHERE finding = ?1 AND sink = ?2")?;
    let before = before.query_row([finding, sink], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let before: Option<(i64, i64, Option<i64>)> = before.optional()?;
    let given = match before {
        None => Given::Further,
        Some((_, _, earlier)) if earlier.is_none_or(|earlier| earlier >= severity) => return Ok(Given::Known),
        Some((seq, state, _)) => {
            // The severe version gets a number of its own, so that the answer to a milder one that is on its way at this
            // moment settles nothing of it.
            connection.prepare_cached("DELETE FROM delivery WHERE seq = ?1")?.execute([seq])?;
            match state {
                state::DELIVERED | state::PURGED => Given::Further,
                state::DEAD => {
                    let sql = "UPDATE sink SET dead = dead - 1 WHERE number = ?1";
                    connection.prepare_cached(sql)?.execute([sink])?;
                    Given::Instead
                }
                _ => Given::Instead,
            }
        }
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO delivery(sink, finding, accepted_ms, due_ms, changed_ms, severity, risen)
         VALUES(?1, ?2, ?3, 0, ?3, ?4, ?5)",
    )?;
    insert.execute(params![sink, finding, now, severity, before.is_some()])?;
    Ok(given)
}

/// The bytes that the database holds, without those that were freed.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or_default())
}
