//! A syslog receiver: UDP (RFC 5426) and TCP (RFC 6587, octet counting and line feeds) on one port number.
//!
//! Like rsyslog it stores nothing of what is not framed: bytes without a length in front or an end behind are lost.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinSet,
};

use super::{Mood, Record, Standin, id_in};
use crate::testkit::locked;

const NAME: &str = "syslog";
/// The largest message that is taken; RFC 5425 asks for 8 KiB at least.
const LARGEST_MESSAGE: u64 = 1 << 20;

/// Starts a receiver.
///
/// # Errors
/// The address is taken.
pub async fn start(at: SocketAddr, record: Record) -> io::Result<Standin> {
    let (tcp, udp) = sockets(at).await?;
    let address = tcp.local_addr()?;
    let receiver = Receiver { record: record.clone(), mood: Arc::default() };
    let mood = Arc::clone(&receiver.mood);
    let mut running = JoinSet::new();
    running.spawn(datagrams(udp, receiver.clone()));
    running.spawn(connections(tcp, receiver));
    Ok(Standin { name: NAME, address, record, mood, _running: Box::new(running) })
}

/// One port number for both; what is free for TCP may be taken for UDP.
async fn sockets(at: SocketAddr) -> io::Result<(TcpListener, UdpSocket)> {
    let mut attempts = 0;
    loop {
        let tcp = TcpListener::bind(at).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((tcp, udp)),
            Err(_) if at.port() == 0 && attempts < 20 => attempts += 1,
            Err(error) => return Err(error),
        }
    }
}

#[derive(Clone)]
struct Receiver {
    record: Record,
    mood: Arc<Mutex<Mood>>,
}

impl Receiver {
    fn mood(&self) -> Mood {
        *locked(&self.mood)
    }

    fn store(&self, message: &[u8]) {
        let text = String::from_utf8_lossy(message).into_owned();
        self.record.note(NAME, id_in(&text), text);
    }
}

async fn datagrams(socket: UdpSocket, receiver: Receiver) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        if let Ok((length, _)) = socket.recv_from(&mut buffer).await
            && receiver.mood() == Mood::Well
        {
            receiver.store(&buffer[..length]);
        }
    }
}

async fn connections(listener: TcpListener, receiver: Receiver) {
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while open.try_join_next().is_some() {}
        open.spawn(connection(stream, receiver.clone()));
    }
}

async fn connection(stream: TcpStream, receiver: Receiver) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        match receiver.mood() {
            Mood::Well => {}
            Mood::Silent => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            // There are no words for anything else.
            Mood::Busy | Mood::Throttled | Mood::Unauthorized | Mood::Broken => {
                return stream.get_ref().set_zero_linger();
            }
        }
        // Wakes now and then, to feel another mood.
        let Ok(message) = tokio::time::timeout(Duration::from_millis(100), stream.fill_buf()).await else { continue };
        if message?.is_empty() {
            return Ok(());
        }
        match message_of(&mut stream).await? {
            Some(message) => receiver.store(&message),
            None => return Ok(()),
        }
    }
}

/// The next message of a stream: `LEN SP MSG` when it begins with a digit, else up to a line feed. `None`: the rest has no
/// frame.
async fn message_of(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let counted = stream.fill_buf().await?.first().is_some_and(u8::is_ascii_digit);
    let mut message = Vec::new();
    let mut limited = (&mut *stream).take(LARGEST_MESSAGE);
    if !counted {
        limited.read_until(b'\n', &mut message).await?;
        return Ok(message.pop_if(|last| *last == b'\n').map(|_| message));
    }
    limited.read_until(b' ', &mut message).await?;
    let length = message.pop_if(|last| *last == b' ').and_then(|_| String::from_utf8(message).ok());
    let Some(length) = length.and_then(|length| length.parse::<u64>().ok()).filter(|&length| length <= LARGEST_MESSAGE)
    else {
        return Ok(None);
    };
    let mut message = vec![0; usize::try_from(length).unwrap_or_default()];
    match stream.read_exact(&mut message).await {
        Ok(_) => Ok(Some(message)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
