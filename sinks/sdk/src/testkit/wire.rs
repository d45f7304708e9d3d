//! HTTP/1.1 as the loopback server reads and writes it: RFC 9112, of it what clients send to one origin.
//!
//! Own code and not a server library, because a test wants what a library prevents: half an answer, none, a reset.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::server::{Answer, Request};

/// More than any test sends.
const LARGEST_BODY: usize = 256 << 20;
const LARGEST_HEAD: u64 = 1 << 20;

/// The next request; `None` when the peer closed between two.
pub(super) async fn read_request(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Request>> {
    let mut head = from.take(LARGEST_HEAD);
    let start = line(&mut head).await?;
    if start.is_empty() {
        return Ok(None);
    }
    let mut words = start.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(bad("expected a request line"));
    };
    let mut request =
        Request { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() };
    loop {
        let line = line(&mut head).await?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("expected a header"))?;
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    request.body = match request.header("content-length") {
        _ if request.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) => {
            chunked(from).await?
        }
        Some(length) => exactly(from, length.parse().map_err(|_| bad("expected a length"))?).await?,
        None => Vec::new(),
    };
    Ok(Some(request))
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes).await?;
    while matches!(bytes.last(), Some(b'\n' | b'\r')) {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| bad("expected text in the head"))
}

async fn exactly(from: &mut (impl AsyncBufRead + Unpin), length: usize) -> io::Result<Vec<u8>> {
    if length > LARGEST_BODY {
        return Err(bad("the body is too large"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn chunked(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("expected the size of a chunk"))?;
        if body.len() + size > LARGEST_BODY {
            return Err(bad("the body is too large"));
        }
        body.extend(exactly(from, size).await?);
        // After the last chunk come trailers, which nobody here sends, and an empty line, as after every other.
        line(from).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Head and body of an answer, as bytes.
pub(super) fn answer_bytes(answer: &Answer, head_only: bool) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if answer.status != 204 && answer.status != 304 {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if !head_only && answer.status != 204 && answer.status != 304 {
        bytes.extend_from_slice(&answer.body);
    }
    bytes
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}
