//! Datagrams: UDP and local sockets. One message each; a receiver that is not there is noticed when the machine says so.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    net::{UdpSocket, UnixDatagram, lookup_host},
    time::timeout,
};
use watchbell_sink::{Batch, ErrorKind, Receipt, SinkError, Verdict, http::shown};

/// Where systems have their syslog's socket.
const USUAL_PATHS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];
/// How long the refusal of the last datagram is waited for; it comes from a machine that is near.
const REFUSAL: Duration = Duration::from_millis(20);
/// The system's `EMSGSIZE`.
const TOO_LONG: i32 = if cfg!(target_os = "linux") { 90 } else { 40 };

/// Sends each message as one datagram. A refused port makes all of them fail: the refusal names none of them.
pub(super) async fn send_udp(to: (&str, u16), batch: &Batch, patience: Duration) -> Result<Receipt, SinkError> {
    let name = format!("{}:{}", to.0, to.1);
    let unavailable = |error: io::Error| {
        SinkError::new(ErrorKind::Unavailable, format!("{name} cannot be sent to: {}", shown(&error.to_string())))
    };
    let socket = match timeout(patience, connect_udp(to)).await {
        Ok(socket) => socket.map_err(unavailable)?,
        Err(_) => return Err(unavailable(io::ErrorKind::TimedOut.into())),
    };
    let mut verdicts = batch.verdicts();
    while let Some(delivery) = verdicts.next() {
        match socket.send(delivery.payload.bytes()).await {
            Ok(_) => verdicts.settle(Verdict::Delivered),
            Err(error) if error.raw_os_error() == Some(TOO_LONG) => verdicts.settle(Verdict::Failed(too_long(&name))),
            Err(error) => return Err(unavailable(error)),
        }
    }
    match timeout(REFUSAL, socket.recv(&mut [0; 1])).await {
        Ok(Err(error)) => Err(unavailable(error)),
        _ => Ok(verdicts.finish(&too_long(&name))),
    }
}

/// The first address of the name that there is a way to.
pub(super) async fn connect_udp(to: (&str, u16)) -> io::Result<UdpSocket> {
    let mut failure = io::Error::other("the name has no address");
    for address in lookup_host(to).await? {
        let any = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        let connected = async {
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            Ok(socket)
        };
        match connected.await {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn too_long(name: &str) -> SinkError {
    let message = format!("{name} takes no datagram of this length; expected a smaller max_message_bytes");
    SinkError::new(ErrorKind::Rejected, message)
}

/// The path of the local socket: the given one, or the first usual one that exists.
pub(super) fn local_path(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_path_buf).or_else(|| USUAL_PATHS.iter().map(PathBuf::from).find(|path| path.exists()))
}

/// `None`: it is a stream socket.
pub(super) fn connect_local(given: Option<&Path>) -> Result<Option<UnixDatagram>, SinkError> {
    let path = local_path(given).ok_or_else(|| {
        let message = format!("no local syslog: expected one of {}, or its path as `socket`", USUAL_PATHS.join(", "));
        SinkError::new(ErrorKind::Unavailable, message)
    })?;
    let failed = |error: io::Error| {
        let message = format!("{} cannot be opened: {}", path.display(), shown(&error.to_string()));
        SinkError::new(ErrorKind::Unavailable, message)
    };
    let socket = UnixDatagram::unbound().map_err(failed)?;
    match socket.connect(&path) {
        Ok(()) => Ok(Some(socket)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Err(failed(error))
        }
        // The wrong type of socket; whether it is the other one, connecting to that will tell.
        Err(_) => Ok(None),
    }
}

/// Writes each message as one datagram; what the socket took is with the local syslog.
pub(super) async fn send_local(socket: &UnixDatagram, batch: &Batch, patience: Duration) -> Result<Receipt, SinkError> {
    let unavailable = |error: io::Error| {
        let message = format!("the local socket cannot be written to: {}", shown(&error.to_string()));
        SinkError::new(ErrorKind::Unavailable, message)
    };
    let mut verdicts = batch.verdicts();
    while let Some(delivery) = verdicts.next() {
        match timeout(patience, socket.send(delivery.payload.bytes())).await {
            Ok(Ok(_)) => verdicts.settle(Verdict::Delivered),
            Ok(Err(error)) if error.raw_os_error() == Some(TOO_LONG) => {
                verdicts.settle(Verdict::Failed(too_long("the local socket")));
            }
            Ok(Err(error)) => return Ok(verdicts.finish(&unavailable(error))),
            Err(_) => return Ok(verdicts.finish(&unavailable(io::ErrorKind::TimedOut.into()))),
        }
    }
    Ok(verdicts.finish(&too_long("the local socket")))
}
