//! How many connections there are at once, and how long one lasts whose other side takes nothing. Further ones are closed
//! at once, so that a crowd of slow ones uses up neither files nor memory.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum_server::accept::Accept;
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

use super::client::{counted, is_among};

/// How often it is told that connections are turned away.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most of them at once.
    pub(super) most: usize,
    /// Most of them at once from one address, or one /64 of IPv6.
    pub(super) each: usize,
    /// Longest time for the head of a request; whoever sends it a letter at a time is cut off, and so is who sends none.
    pub(super) head: Duration,
    /// Longest time in which the other side takes nothing of what is sent to it.
    pub(super) unread: Duration,
}

impl Limits {
    /// Those of every server. Half of the files that a process may have open where nobody raised that; an eighth of these
    /// for one address, more than a browser or a pool of a client opens.
    pub(super) const USUAL: Self =
        Self { most: 512, each: 64, head: Duration::from_secs(15), unread: Duration::from_secs(30) };
}

/// The room for connections.
#[derive(Debug, Clone)]
pub(super) struct Room {
    limits: Limits,
    /// Networks whose connections are many callers': they share the whole room.
    proxies: Arc<[IpNet]>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    warned: Option<Instant>,
}

impl Room {
    pub(super) fn new(limits: Limits, proxies: &[IpNet]) -> Self {
        Self { limits, proxies: proxies.into(), taken: Arc::default() }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// A share of the room, if there is one left for this address.
    fn seat(&self, address: IpAddr) -> Option<Seat> {
        let address = address.to_canonical();
        let counted = (!is_among(&self.proxies, address)).then(|| counted(address));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = counted.and_then(|address| taken.by_address.get(&address)).copied().unwrap_or(0);
        let is_own = own >= self.limits.each;
        if is_own || taken.all >= self.limits.most {
            if taken.warned.is_none_or(|warned| warned.elapsed() >= BETWEEN_WARNINGS) {
                taken.warned = Some(Instant::now());
                let of = if is_own { "one address" } else { "all" };
                tracing::warn!(%address, of, "there are too many connections; further ones are closed until others end");
            }
            return None;
        }
        taken.all += 1;
        if let Some(address) = counted {
            taken.by_address.insert(address, own + 1);
        }
        drop(taken);
        Some(Seat { taken: Arc::clone(&self.taken), counted })
    }
}

/// A share of the room, given back at the end.
#[derive(Debug)]
struct Seat {
    taken: Arc<Mutex<Taken>>,
    counted: Option<IpAddr>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let Some(address) = self.counted else { return };
        match taken.by_address.get_mut(&address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// Takes connections while there is room.
#[derive(Debug, Clone)]
pub(super) struct Bounded<A> {
    inner: A,
    room: Room,
}

impl<A> Bounded<A> {
    pub(super) fn new(inner: A, room: Room) -> Self {
        Self { inner, room }
    }
}

type Accepting<I, S> = Pin<Box<dyn Future<Output = io::Result<(I, S)>> + Send>>;

impl<A, S> Accept<TcpStream, S> for Bounded<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
    A::Stream: 'static,
    A::Service: 'static,
{
    type Stream = Held<A::Stream>;
    type Service = A::Service;
    type Future = Accepting<Self::Stream, Self::Service>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let seat = stream
            .peer_addr()
            .and_then(|peer| self.room.seat(peer.ip()).ok_or_else(|| io::Error::other("too many connections")));
        let seat = match seat {
            Ok(seat) => seat,
            Err(error) => return Box::pin(async { Err(error) }),
        };
        let patience = self.room.limits.unread;
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepting.await?;
            Ok((Held { stream, patience, stalled: None, _seat: seat }, service))
        })
    }
}

/// A connection, with its share of the room. It ends with an error when the other side takes nothing for too long: no
/// timeout of a request sees that, because its answer was given long ago.
#[derive(Debug)]
pub(super) struct Held<I> {
    stream: I,
    patience: Duration,
    /// Runs while the other side takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    _seat: Seat,
}

impl<I> Held<I> {
    /// What came of sending, or the end of patience.
    fn timed<T>(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stalled.as_mut().poll(cx).map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Held<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Held<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.timed(cx, sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(cx);
        self.timed(cx, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.timed(cx, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.timed(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(most: usize, each: usize) -> Room {
        Room::new(Limits { most, each, ..Limits::USUAL }, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn one_address_can_not_take_the_whole_room() {
        let room = room(4, 2);
        let seat = |address: &str| room.seat(address.parse().unwrap());
        let held = [seat("192.0.2.1"), seat("::ffff:192.0.2.1")];
        assert!(held.iter().all(Option::is_some));
        assert!(seat("192.0.2.1").is_none());
        let network = [seat("2001:db8::1"), seat("2001:db8::2")];
        assert!(network.iter().all(Option::is_some));
        assert!(seat("192.0.2.2").is_none(), "the room is full");
        drop(held);
        assert!(seat("2001:db8::3").is_none(), "a network of IPv6 counts as one");
        assert!(seat("192.0.2.1").is_some());
    }

    #[test]
    fn a_trusted_proxy_brings_many_and_nothing_is_kept_of_who_left() {
        let room = room(4, 1);
        let held: Vec<_> = (0..5).map(|_| room.seat("10.1.2.3".parse().unwrap())).collect();
        assert_eq!(held.iter().flatten().count(), 4);
        drop(held);
        for last in 0..=255_u8 {
            assert!(room.seat([192, 0, 2, last].into()).is_some());
        }
        let taken = room.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by_address.len()), (0, 0));
    }
}
