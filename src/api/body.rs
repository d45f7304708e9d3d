//! Bodies of requests: read up to a limit, within a time; small ones into memory, large ones into a file.
//!
//! The limit counts what is unpacked, so a small body that swells up ends at it too.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH},
};
use futures_util::StreamExt;
use tempfile::{NamedTempFile, TempPath};
use tokio::{io::AsyncWriteExt, time::Instant};

use super::problem::Problem;
use crate::app::ServePlan;

/// The largest body of a command: lists of ids and a reason are short.
const LARGEST_COMMAND: usize = 1024 * 1024;
/// A body longer than this goes into a file.
const LARGEST_IN_MEMORY: usize = 1024 * 1024;

/// So long a client that sends too much may go on.
const LINGERING: Duration = Duration::from_secs(3);

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most bytes of logs.
    pub(super) logs: usize,
    /// Most bytes of a command.
    pub(super) command: usize,
    /// Longest time until it is here.
    pub(super) time: Duration,
}

impl Limits {
    pub(super) fn of(plan: &ServePlan) -> Self {
        let logs = plan.max_body_bytes;
        Self { logs, command: logs.min(LARGEST_COMMAND), time: plan.timeout }
    }
}

/// Logs that are here.
#[derive(Debug)]
pub(super) enum Taken {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file, which is gone when this is.
    Spooled(TempPath),
}

/// Reads a command.
pub(super) async fn command(body: Body, limits: Limits) -> Result<Bytes, Problem> {
    let mut reader = Reader::new(body, limits.command, limits.time);
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// Takes logs in.
pub(super) async fn logs(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Taken, Problem> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let mut reader = Reader::new(body, limits.logs, limits.time);
    let taken = match declared {
        Some(length) if length > limits.logs => Err(too_large(limits.logs)),
        _ => taken(&mut reader).await,
    };
    if taken.as_ref().is_err_and(|problem| problem.status == StatusCode::PAYLOAD_TOO_LARGE.as_u16()) {
        reader.discard().await;
    }
    taken
}

async fn taken(reader: &mut Reader) -> Result<Taken, Problem> {
    let mut memory = Vec::new();
    while let Some(chunk) = reader.next().await? {
        memory.extend_from_slice(&chunk);
        if memory.len() > LARGEST_IN_MEMORY {
            return spooled(memory, reader).await;
        }
    }
    Ok(Taken::Memory(memory))
}

async fn spooled(begin: Vec<u8>, reader: &mut Reader) -> Result<Taken, Problem> {
    let failed = |error: std::io::Error| Problem::unexpected(&error);
    let (file, path) = NamedTempFile::new().map_err(failed)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    file.write_all(&begin).await.map_err(failed)?;
    drop(begin);
    while let Some(chunk) = reader.next().await? {
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(Taken::Spooled(path))
}

/// Reads a body chunk by chunk and counts.
struct Reader {
    chunks: axum::body::BodyDataStream,
    left: usize,
    limit: usize,
    deadline: Instant,
}

impl Reader {
    fn new(body: Body, limit: usize, time: Duration) -> Self {
        Self { chunks: body.into_data_stream(), left: limit, limit, deadline: Instant::now() + time }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive");
        let next = tokio::time::timeout_at(self.deadline, self.chunks.next()).await.map_err(|_| late())?;
        let Some(chunk) = next else { return Ok(None) };
        let chunk = chunk.map_err(|error| {
            tracing::debug!(error = &error as &dyn std::error::Error, "a body broke off");
            Problem::new(StatusCode::BAD_REQUEST, "the body breaks off, or is not what its Content-Encoding says")
        })?;
        self.left = self.left.checked_sub(chunk.len()).ok_or_else(|| too_large(self.limit))?;
        Ok(Some(chunk))
    }

    /// Reads on for a moment: a client that is cut off while it sends often does not see the answer.
    async fn discard(&mut self) {
        let until = Instant::now() + LINGERING;
        while let Ok(Some(Ok(_))) = tokio::time::timeout_at(until, self.chunks.next()).await {}
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("expected a body of at most {limit} bytes, unpacked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { logs: 3_000_000, command: 10, time: Duration::from_millis(50) };

    fn chunks(count: usize, bytes: usize) -> Body {
        let chunk = move |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes]));
        Body::from_stream(futures_util::stream::iter((0..count).map(chunk)))
    }

    #[tokio::test]
    async fn a_small_body_stays_in_memory_and_a_large_one_does_not() {
        let taken = logs(&HeaderMap::new(), chunks(10, 100), LIMITS).await.unwrap();
        assert!(matches!(taken, Taken::Memory(bytes) if bytes.len() == 1000));
        let taken = logs(&HeaderMap::new(), chunks(20, 100_000), LIMITS).await.unwrap();
        let Taken::Spooled(path) = taken else { panic!("in memory") };
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 2_000_000);
        let kept = path.to_path_buf();
        drop(path);
        assert!(!kept.exists());
    }

    #[tokio::test]
    async fn too_much_too_slow_and_broken_each_has_its_status() {
        let status = async |body, limits| logs(&HeaderMap::new(), body, limits).await.unwrap_err().status;
        assert_eq!(status(chunks(31, 100_000), LIMITS).await, 413);
        assert_eq!(command(chunks(2, 6), LIMITS).await.unwrap_err().status, 413);
        let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(status(never, LIMITS).await, 408);
        let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
        assert_eq!(status(Body::from_stream(broken), LIMITS).await, 400);
        let declared = HeaderMap::from_iter([(CONTENT_LENGTH, "3000001".parse().unwrap())]);
        assert_eq!(logs(&declared, Body::empty(), LIMITS).await.unwrap_err().status, 413);
    }
}
