//! One stream: plain, TLS or local. It is listened to as well as written to: a receiver has nothing to say but that it
//! refuses or is gone, and whoever only writes learns it too late.

use std::{
    fmt, io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, Instant},
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::datagram::local_path;

/// When the connection ended in peace so long after the last write, a reset for what was not read would have come before.
const LONG_ENOUGH: Duration = Duration::from_secs(1);
/// The most that a receiver may say before it counts as something else than a receiver.
const MOST_SAID: usize = 1 << 16;

/// What listening brought.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is quiet, as it should be.
    Nothing,
    /// The other side ended it.
    Closed {
        /// It had read all that was written: a system that closes over unread bytes resets the connection instead.
        all_read: bool,
    },
    /// It broke, or the other side refused.
    Broke(io::Error),
}

/// A stream of bytes both ways, and the error that waits on its socket.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {
    fn waiting_error(&self) -> Option<io::Error>;
}

impl Duplex for TcpStream {
    fn waiting_error(&self) -> Option<io::Error> {
        self.take_error().unwrap_or_else(Some)
    }
}

impl Duplex for TlsStream<TcpStream> {
    fn waiting_error(&self) -> Option<io::Error> {
        self.get_ref().0.waiting_error()
    }
}

impl Duplex for UnixStream {
    fn waiting_error(&self) -> Option<io::Error> {
        self.take_error().unwrap_or_else(Some)
    }
}

/// An open stream.
pub(super) struct Wire {
    duplex: Box<dyn Duplex>,
    encrypted: bool,
    /// How long it took to connect: with TLS, two round trips at least.
    took: Duration,
    last_write: Instant,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("encrypted", &self.encrypted).finish_non_exhaustive()
    }
}

impl Wire {
    fn new(duplex: impl Duplex + 'static, encrypted: bool, began: Instant) -> Self {
        Self { duplex: Box::new(duplex), encrypted, took: began.elapsed(), last_write: Instant::now() }
    }

    pub(super) async fn connect(host: &str, port: u16, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let began = Instant::now();
        let stream = TcpStream::connect((host, port)).await?;
        // Batches are written in one piece; waiting for more would only delay them.
        stream.set_nodelay(true)?;
        let Some(tls) = tls else { return Ok(Self::new(stream, false, began)) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
        Ok(Self::new(stream, true, began))
    }

    pub(super) async fn connect_local(path: Option<&Path>) -> io::Result<Self> {
        let path = local_path(path).ok_or(io::ErrorKind::NotFound)?;
        let began = Instant::now();
        Ok(Self::new(UnixStream::connect(path).await?, false, began))
    }

    /// How long a refusal may be on its way: at least `least` with TLS, longer over a slow link, nothing without TLS.
    pub(super) fn refusal_takes(&self, least: Duration) -> Option<Duration> {
        self.encrypted.then(|| least.max(self.took))
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last_write = Instant::now();
        let written = async {
            self.duplex.write_all(bytes).await?;
            self.duplex.flush().await
        };
        match written.await {
            Ok(()) => Ok(()),
            // Why it broke often stands in what can still be read: an alert before the reset.
            Err(error) => match self.listen(Duration::from_millis(50)).await {
                Heard::Broke(reason) => Err(reason),
                _ => Err(error),
            },
        }
    }

    /// Waits at most so long for the other side to say something; what it says in words is of no interest.
    pub(super) async fn listen(&mut self, wait: Duration) -> Heard {
        let mut said = 0;
        let mut buffer = [0; 1024];
        while said < MOST_SAID {
            match timeout(wait, self.duplex.read(&mut buffer)).await {
                Err(_) => return Heard::Nothing,
                Ok(Ok(0)) => return self.ended(),
                Ok(Ok(length)) => said += length,
                // TLS that ends without a goodbye, as most receivers do.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return self.ended(),
                Ok(Err(error)) => return Heard::Broke(error),
            }
        }
        Heard::Broke(io::Error::other("it answers at length, which no syslog receiver does"))
    }

    fn ended(&self) -> Heard {
        let reset = self.duplex.waiting_error().is_some();
        Heard::Closed { all_read: !reset && self.last_write.elapsed() > LONG_ENOUGH }
    }
}

impl Drop for Wire {
    /// Says goodbye (RFC 5425 section 4.4) as far as that goes without waiting.
    fn drop(&mut self) {
        let _ = Pin::new(&mut self.duplex).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}
