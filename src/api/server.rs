//! The server: it listens, serves, and ends when it is asked to, with what is on its way brought to an end.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum_server::{
    Handle, Server,
    accept::DefaultAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    connections::{self, Bounded},
    guard::Guard,
    router,
    tls::{self, TlsError},
};
use crate::app::{AppError, Delivery, Desk, Gate, Plan};

/// Longest time for requests on their way when the server ends.
const DRAIN: Duration = Duration::from_secs(20);
/// Longest time for the head of a request; whoever sends it a letter at a time is cut off, and so is who sends none.
const HEAD: Duration = Duration::from_secs(15);
/// How often the signal to stop is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// What is to be served.
#[derive(Debug)]
pub struct ServeRequest {
    /// The plan; its `serve` says where to listen.
    pub plan: Plan,
    /// Whether everybody may do everything, from wherever they ask.
    pub insecure: bool,
    /// Becomes true when the server is to end.
    pub stop: Arc<AtomicBool>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The desk can't be opened or closed.
    #[error(transparent)]
    App(#[from] crate::app::AppError),
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server ended.
    #[error("the server ended")]
    Ended(#[source] io::Error),
}

/// Serves until it is told to stop. `ready` is told where, once requests are taken.
///
/// # Errors
/// The desk can't be opened, or nothing can be listened on.
pub fn serve(request: ServeRequest, ready: &mut dyn FnMut(SocketAddr)) -> Result<(), ServeError> {
    let address = request.plan.serve.listen;
    let failed = |source| ServeError::Listen { address, source };
    let files = request.plan.serve.tls.clone().map(|(certificate, key)| tls::Files { certificate, key });
    let first = files.as_ref().map(tls::Files::load).transpose()?;
    let gate = Gate::new(&request.plan.serve, request.insecure).map_err(AppError::Gate)?;
    let guard = Guard::new(&request.plan.serve)?;
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let desk = Desk::open(request.plan, Delivery::Staying)?;
    let shared = Shared {
        desk: Arc::clone(&desk),
        gate: Arc::new(gate),
        guard: Arc::new(guard),
        requests: Arc::default(),
        stopping: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Ended)?;
    let served = runtime.block_on(async {
        let handle = Handle::new();
        tokio::spawn(drain(handle.clone(), request.stop, (shared.stopping.clone(), Arc::clone(&desk))));
        let server = axum_server::from_tcp(listener)?.handle(handle);
        let service = router(shared).into_make_service_with_connect_info::<SocketAddr>();
        ready(bound);
        match files.zip(first) {
            None => bounded(server, DefaultAcceptor::new(), HEAD).serve(service).await,
            Some((files, first)) => {
                let config = RustlsConfig::from_config(first);
                tokio::spawn(tls::renew(files, config.clone()));
                bounded(server, RustlsAcceptor::new(config), HEAD).serve(service).await
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    desk.close()?;
    served.map_err(ServeError::Ended)
}

/// The server with its limits: connections, and the time for the head of a request. HTTP/1.1 alone: the server that takes
/// both waits for the first bytes of a connection without end, to find out which one it is.
fn bounded<A>(server: Server<SocketAddr>, acceptor: A, head: Duration) -> Server<SocketAddr, Bounded<A>> {
    let mut server = server.acceptor(Bounded::new(acceptor, connections::MOST)).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(head);
    server
}

/// Ends the server when it is time.
async fn drain(handle: Handle<SocketAddr>, stop: Arc<AtomicBool>, (stopping, desk): (CancellationToken, Arc<Desk>)) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(GLANCE).await;
    }
    stopping.cancel();
    desk.begin_closing();
    handle.graceful_shutdown(Some(DRAIN));
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::Instant,
    };

    use axum::{Router, routing::get};

    use super::*;

    /// A server with room for two connections that waits a moment for heads.
    fn small() -> (tokio::runtime::Runtime, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        runtime.spawn(async move {
            let server = axum_server::from_tcp(listener)?;
            let mut server = bounded(server, DefaultAcceptor::new(), Duration::from_millis(300));
            *server.get_mut() = Bounded::new(DefaultAcceptor::new(), 2);
            server.serve(router.into_make_service()).await
        });
        (runtime, address)
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    }

    /// What comes until the other side closes, and whether it does.
    fn rest(mut stream: TcpStream) -> String {
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("not closed: {error}"),
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn who_sends_no_head_is_cut_off() {
        let (_runtime, address) = small();
        for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "] {
            let began = Instant::now();
            let mut stream = connect(address);
            stream.write_all(begin.as_bytes()).unwrap();
            rest(stream);
            assert!(began.elapsed() < Duration::from_secs(4), "{begin:?}");
        }
    }

    #[test]
    fn a_crowd_is_turned_away_and_who_goes_makes_room() {
        let (_runtime, address) = small();
        let ask = || {
            let mut stream = connect(address);
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok();
            rest(stream)
        };
        let held = [connect(address), connect(address)];
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(ask(), "");
        drop(held);
        let began = Instant::now();
        while !ask().ends_with("here") {
            assert!(began.elapsed() < Duration::from_secs(5), "no room");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
