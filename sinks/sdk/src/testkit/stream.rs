//! A TCP server on the loopback for sinks that write bytes and expect no answer: it reads, ignores, or resets.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpSocket, TcpStream},
    task::{AbortHandle, JoinSet},
};

use super::{locked, server::free_port};

/// The most that is kept of what came.
const REMEMBERED: usize = 64 << 20;

/// What the server does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Reads and keeps everything.
    Reads,
    /// Never reads, so that the buffers fill.
    Ignores,
    /// Takes the connection and resets it (RST).
    Resets,
}

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct StreamServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl StreamServer {
    /// Listens on a free port of 127.0.0.1, in the current runtime.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(manner: Manner) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if manner == Manner::Ignores {
            socket.set_recv_buffer_size(4096)?;
        }
        socket.bind(free_port())?;
        let listener = socket.listen(128)?;
        let address = listener.local_addr()?;
        let (received, connections) = (Arc::default(), Arc::default());
        let accepting =
            tokio::spawn(accept(listener, manner, Arc::clone(&received), Arc::clone(&connections))).abort_handle();
        Ok(Self { address, received, connections, accepting })
    }

    /// Where it listens: `127.0.0.1:PORT`.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came so far, over all connections.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        locked(&self.received).clone()
    }

    /// What came, as soon as it holds these bytes; after two seconds without them, what came until then.
    pub async fn received_with(&self, bytes: &[u8]) -> Vec<u8> {
        for _ in 0..200 {
            let received = self.received();
            if holds(&received, bytes) {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.received()
    }

    /// How many connections came.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Whether `bytes` occur in `within`.
pub(super) fn holds(within: &[u8], bytes: &[u8]) -> bool {
    bytes.is_empty() || within.windows(bytes.len()).any(|window| window == bytes)
}

async fn accept(listener: TcpListener, manner: Manner, received: Arc<Mutex<Vec<u8>>>, connections: Arc<AtomicUsize>) {
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        connections.fetch_add(1, Ordering::Relaxed);
        open.spawn(connection(stream, manner, Arc::clone(&received)));
    }
}

async fn connection(mut stream: TcpStream, manner: Manner, received: Arc<Mutex<Vec<u8>>>) -> io::Result<()> {
    match manner {
        Manner::Resets => return stream.set_zero_linger(),
        Manner::Ignores => std::future::pending().await,
        Manner::Reads => {}
    }
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let mut received = locked(&received);
        if received.len() < REMEMBERED {
            received.extend_from_slice(&buffer[..count]);
        }
    }
}
