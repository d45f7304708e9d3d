//! Bodies of requests: read up to a limit, within a time; small ones into memory, large ones into a file.
//!
//! What comes packed is unpacked here, before anybody reads it. The limit counts what comes in and what comes out of it, so a
//! small body that swells up ends at it too, and one that never swells up at all.

use std::{error::Error, io, time::Duration};

use async_compression::tokio::bufread::GzipDecoder;
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::BytesMut;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tempfile::{NamedTempFile, TempPath};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};
use tokio_util::io::StreamReader;

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

/// Bytes that are unpacked at a time.
const PIECE: usize = 64 << 10;

/// Unpacks the body of a request, so that whoever reads it need not ask how it came.
pub(super) async fn unpack(State(limits): State<Limits>, mut request: Request, next: Next) -> Response {
    match is_packed(request.headers()) {
        Some(false) => {}
        Some(true) => {
            let headers = request.headers_mut();
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
            request = request.map(|body| Unpacking::of(body, limits.logs).body());
        }
        None => {
            let problem =
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected no Content-Encoding but gzip, applied once");
            let mut response = problem.into_response();
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            return response;
        }
    }
    next.run(request).await
}

/// Whether the body is packed as gzip has it; `None` when it is packed in another way, or more than once.
fn is_packed(headers: &HeaderMap) -> Option<bool> {
    let mut is_packed = false;
    for header in headers.get_all(CONTENT_ENCODING) {
        for coding in header.to_str().ok()?.split(',').map(|coding| coding.trim().to_ascii_lowercase()) {
            match coding.as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if !is_packed => is_packed = true,
                _ => return None,
            }
        }
    }
    Some(is_packed)
}

/// A body is larger than it may be; inside an [`io::Error`] on the way to who reads it.
#[derive(Debug, thiserror::Error)]
#[error("too much")]
struct TooMuch;

impl TooMuch {
    fn is_cause_of(error: &(dyn Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if inner.is_some_and(|inner| inner.is::<Self>()) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

/// A packed body that is being unpacked, member by member.
struct Unpacking {
    decoder: GzipDecoder<StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>>,
    left: usize,
    /// Something was wrong: what is still to come is taken in as it is and thrown away.
    is_over: bool,
}

impl Unpacking {
    fn of(body: Body, limit: usize) -> Self {
        let mut left = limit;
        let count = move |chunk: Result<Bytes, axum::Error>| -> io::Result<Bytes> {
            let chunk = chunk.map_err(io::Error::other)?;
            left = left.checked_sub(chunk.len()).ok_or_else(|| io::Error::other(TooMuch))?;
            Ok(chunk)
        };
        let mut decoder = GzipDecoder::new(StreamReader::new(body.into_data_stream().map(count).boxed()));
        // What the standard calls a file may have many, and a reader that stops at the first loses the others.
        decoder.multiple_members(true);
        Self { decoder, left: limit, is_over: false }
    }

    fn body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut unpacking: Self| async move {
            let piece = unpacking.piece().await?;
            unpacking.is_over |= piece.is_err();
            Some((piece, unpacking))
        }))
    }

    async fn piece(&mut self) -> Option<io::Result<Bytes>> {
        if self.is_over {
            // Whatever it is, it is not wanted any more.
            let _ = self.decoder.get_mut().get_mut().next().await?;
            return Some(Ok(Bytes::new()));
        }
        let mut piece = BytesMut::with_capacity(PIECE);
        match self.decoder.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                let left = self.left.checked_sub(read).ok_or_else(|| io::Error::other(TooMuch));
                Some(left.map(|left| {
                    self.left = left;
                    piece.freeze()
                }))
            }
            Err(error) => Some(Err(error)),
        }
    }
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
            if TooMuch::is_cause_of(&error) {
                return too_large(self.limit);
            }
            tracing::debug!(error = &error as &dyn std::error::Error, "a body broke off");
            Problem::new(StatusCode::BAD_REQUEST, "the body breaks off, or is not what its Content-Encoding says")
        })?;
        self.left = self.left.checked_sub(chunk.len()).ok_or_else(|| too_large(self.limit))?;
        Ok(Some(chunk))
    }

    /// Reads on for a moment: a client that is cut off while it sends often does not see the answer.
    async fn discard(&mut self) {
        let until = Instant::now() + LINGERING;
        while Instant::now() < until
            && let Ok(Some(Ok(_))) = tokio::time::timeout_at(until, self.chunks.next()).await
        {}
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

    #[test]
    fn packed_once_or_not_at_all() {
        let of = |codings: &[&'static str]| {
            is_packed(&codings.iter().map(|coding| (CONTENT_ENCODING, HeaderValue::from_static(coding))).collect())
        };
        for codings in [&["gzip"][..], &["GZip"], &["x-gzip"], &["identity, gzip"], &["", "gzip"]] {
            assert_eq!(of(codings), Some(true), "{codings:?}");
        }
        for codings in [&[""][..], &["identity"], &["identity, identity"]] {
            assert_eq!(of(codings), Some(false), "{codings:?}");
        }
        for codings in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["gzip, deflate"], &["\t gz"]] {
            assert_eq!(of(codings), None, "{codings:?}");
        }
    }

    #[tokio::test]
    async fn members_are_unpacked_wherever_their_chunks_end() {
        let member = |text: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packer, text).unwrap();
            packer.finish().unwrap()
        };
        let packed: Vec<u8> = ["one ", "", "two ", "three"].iter().flat_map(|text| member(text.as_bytes())).collect();
        let read = async |packed: &[u8], size: usize, limit: usize| {
            let chunks: Vec<_> = packed.chunks(size).map(|chunk| Ok::<_, io::Error>(chunk.to_vec())).collect();
            let body = Unpacking::of(Body::from_stream(stream::iter(chunks)), limit).body();
            let patient = Limits { time: Duration::from_secs(60), ..LIMITS };
            match logs(&HeaderMap::new(), body, patient).await {
                Ok(Taken::Memory(bytes)) => Ok(bytes),
                Ok(Taken::Spooled(_)) => panic!("in a file"),
                Err(problem) => Err(problem.status),
            }
        };
        for size in 1..=packed.len() {
            assert_eq!(read(&packed, size, 1000).await.unwrap(), b"one two three", "chunks of {size}");
            let trailing = [&packed[..], b"x"].concat();
            assert_eq!(read(&trailing, size, 1000).await, Err(400), "chunks of {size}");
            assert_eq!(read(&packed[..packed.len() - 1], size, 1000).await, Err(400), "chunks of {size}");
        }
        assert_eq!(read(&packed, 7, packed.len() - 1).await, Err(413), "what comes in counts");
        assert_eq!(read(&member(&[b'x'; 2_000]), 7, 1_999).await, Err(413), "what comes out counts");
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
