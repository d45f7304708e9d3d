//! What sinks want to know again after a restart, in the outbox's database.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use watchbell_sink::Memory;

use super::{Inner, OutboxError, writer::Durability};

/// The most texts that one sink may keep; the oldest go.
const MOST: i64 = 10_000;

pub(super) struct DurableMemory {
    pub(super) inner: Arc<Inner>,
    pub(super) sink: String,
}

impl Memory for DurableMemory {
    fn recall(&self, key: &str) -> Option<String> {
        let found = self.inner.read("read", |connection| {
            let mut query = connection.prepare_cached("SELECT value FROM memory WHERE sink = ?1 AND key = ?2")?;
            query.query_row([&self.sink, key], |row| row.get(0)).optional()
        });
        found.unwrap_or_else(|error| {
            tracing::warn!(sink = %self.sink, %error, "a sink's memory could not be read");
            None
        })
    }

    fn keep(&self, key: &str, value: &str) {
        let (sink, key, value) = (self.sink.clone(), key.to_owned(), value.to_owned());
        let kept = self.inner.write(Durability::Process, move |connection| {
            keep(connection, &sink, &key, &value).map_err(OutboxError::database("write to"))
        });
        if let Err(error) = kept {
            tracing::warn!(sink = %self.sink, %error, "a sink's memory could not be kept");
        }
    }
}

pub(super) fn keep(connection: &Connection, sink: &str, key: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO memory(sink, key, value) VALUES(?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute([sink, key, value])?;
    // Now and then is enough to stay small.
    if connection.last_insert_rowid() % 256 == 0 {
        let forget = "DELETE FROM memory WHERE sink = ?1 AND number <= (
                          SELECT number FROM memory WHERE sink = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)";
        connection.execute(forget, params![sink, MOST])?;
    }
    Ok(())
}
