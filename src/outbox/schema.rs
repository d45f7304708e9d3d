//! The database of the outbox: its tables, how it is opened, and what happens when it is damaged.
//!
//! Delivered deliveries stay as rows without a body, so that a finding that comes again is known, and with the severity that
//! was given out, so that it is known when it has got worse. Each state has its own
//! partial index; a query uses it only when it names the state as a literal.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{OutboxError, clock::Millis};

/// The database within the outbox's folder.
pub(super) const FILE: &str = "outbox.db";
/// What a damaged database is renamed to, before the time.
const DAMAGED: &str = "outbox.db.damaged-";
/// A check reads the whole file: above so many bytes people wait for it, and should know why.
const LONG_CHECK: u64 = 256 << 20;
/// The format that this version writes.
const VERSION: i64 = 2;
/// The first format that knows severities.
const WITH_SEVERITIES: i64 = 2;

/// States of a delivery. The numbers are in the files and in the SQL below.
pub(super) mod state {
    pub(crate) const READY: i64 = 0;
    pub(crate) const AWAITING: i64 = 1;
    pub(crate) const DEAD: i64 = 2;
    pub(crate) const DELIVERED: i64 = 3;
    pub(crate) const PURGED: i64 = 4;
}

const TABLES: &str = "
CREATE TABLE sink(
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    accepted INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    purged INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    duplicates_possible INTEGER NOT NULL DEFAULT 0,
    held_kind TEXT, held_message TEXT, held_ms INTEGER,
    error_kind TEXT, error_message TEXT, error_status INTEGER, error_ms INTEGER
) STRICT;
CREATE TABLE finding(
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    body BLOB,
    checksum INTEGER NOT NULL
) STRICT;
CREATE TABLE delivery(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sink INTEGER NOT NULL REFERENCES sink(number),
    finding INTEGER NOT NULL REFERENCES finding(number),
    state INTEGER NOT NULL DEFAULT 0,
    accepted_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    unsure INTEGER NOT NULL DEFAULT 0,
    ack_ref TEXT,
    error_kind TEXT, error_message TEXT, error_status INTEGER,
    changed_ms INTEGER NOT NULL,
    UNIQUE(finding, sink)
) STRICT;
CREATE INDEX delivery_ready ON delivery(sink, seq) WHERE state = 0;
CREATE INDEX delivery_awaiting ON delivery(sink, ack_ref) WHERE state = 1;
CREATE INDEX delivery_dead ON delivery(sink, seq) WHERE state = 2;
CREATE INDEX delivery_over ON delivery(changed_ms) WHERE state > 2;
CREATE TABLE memory(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sink TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE(sink, key)
) STRICT;
";

/// From the first format to the second. What was accepted before has no severity, and is not given out again.
const SEVERITIES: &str = "
ALTER TABLE finding ADD COLUMN severity INTEGER;
ALTER TABLE delivery ADD COLUMN severity INTEGER;
ALTER TABLE delivery ADD COLUMN risen INTEGER NOT NULL DEFAULT 0;
";

/// Opens the database for writing, a fresh one where there is none or where the old one is damaged.
pub(super) fn open_or_quarantine(folder: &Path, now: Millis) -> Result<Connection, OutboxError> {
    let path = folder.join(FILE);
    match open_checked(&path) {
        Ok(connection) => Ok(connection),
        Err(Opening::Failed(error)) => Err(error),
        Err(Opening::Damaged(why)) => {
            let kept = quarantine(folder, now)?;
            tracing::error!(
                reason = %why, kept = %kept.display(),
                "the outbox's database is damaged: it was set aside and an empty one started"
            );
            match open_checked(&path) {
                Ok(connection) => Ok(connection),
                Err(Opening::Failed(error)) => Err(error),
                Err(Opening::Damaged(why)) => {
                    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, why);
                    Err(OutboxError::file("start a new database", path)(source))
                }
            }
        }
    }
}

/// Opens it for reading beside a process that writes.
pub(super) fn open_reader(folder: &Path) -> Result<Connection, OutboxError> {
    let path = folder.join(FILE);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(OutboxError::database("open"))?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(OutboxError::database("open"))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Refuses a database of a newer version.
pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<i64, OutboxError> {
    let found = connection
        .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
        .map_err(OutboxError::database("read the format of"))?;
    if found > VERSION {
        return Err(OutboxError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    Ok(found)
}

/// Whether its rows say how severe findings are: one that is only looked at may be of an earlier version.
pub(super) fn knows_severities(connection: &Connection) -> rusqlite::Result<bool> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(found >= WITH_SEVERITIES)
}

/// Names of the databases that were set aside.
pub(super) fn quarantined(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_database = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(DAMAGED).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_database).collect();
    found.sort();
    found
}

enum Opening {
    Damaged(String),
    Failed(OutboxError),
}

fn open_checked(path: &Path) -> Result<Connection, Opening> {
    let failed = |action| {
        move |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Opening::Damaged(error.to_string()),
            _ => Opening::Failed(OutboxError::database(action)(error)),
        }
    };
    let connection = Connection::open(path).map_err(failed("open"))?;
    connection.busy_timeout(Duration::from_secs(10)).map_err(failed("open"))?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed("open"))?;
    // More than one batch of findings, so that the journal is not made and cut all the time.
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(failed("open"))?;
    // Folding the journal into the database stops everybody who writes. With SQLite's own 1,000 pages that comes several
    // times a second under load and makes the longest delays; 32 MiB come rarely, and are read in milliseconds on start.
    connection.pragma_update(None, "wal_autocheckpoint", 8192).map_err(failed("open"))?;
    let found = refuse_newer(&connection, path).map_err(Opening::Failed)?;
    if found < VERSION {
        let tables = if found == 0 { TABLES } else { "" };
        let change = format!("BEGIN IMMEDIATE; {tables} {SEVERITIES} PRAGMA user_version = {VERSION}; COMMIT;");
        connection.execute_batch(&change).map_err(failed("make the tables of"))?;
    }
    let bytes = fs::metadata(path).map_or(0, |found| found.len());
    if bytes > LONG_CHECK {
        tracing::info!(bytes, "checking the outbox's database, which is large: this may take a minute");
    }
    let verdict: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed("check"))?;
    if verdict == "ok" { Ok(connection) } else { Err(Opening::Damaged(verdict)) }
}

fn quarantine(folder: &Path, now: Millis) -> Result<PathBuf, OutboxError> {
    // Never over one that was set aside before.
    let free = (now..).find(|time| !folder.join(format!("{DAMAGED}{time}")).exists()).unwrap_or(now);
    let kept = folder.join(format!("{DAMAGED}{free}"));
    for suffix in ["", "-wal", "-shm"] {
        let from = folder.join(format!("{FILE}{suffix}"));
        let to = folder.join(format!("{DAMAGED}{free}{suffix}"));
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(OutboxError::file("set aside", from)(error)),
        }
    }
    Ok(kept)
}
