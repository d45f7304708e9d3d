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

use axum_server::Handle;
use tokio_util::sync::CancellationToken;

use super::{Shared, router};
use crate::app::{AppError, Delivery, Desk, Gate, Plan};

/// Longest time for requests on their way when the server ends.
const DRAIN: Duration = Duration::from_secs(20);
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
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let gate = Gate::new(&request.plan.serve, request.insecure).map_err(AppError::Gate)?;
    let desk = Desk::open(request.plan, Delivery::Staying)?;
    let shared = Shared {
        desk: Arc::clone(&desk),
        gate: Arc::new(gate),
        requests: Arc::default(),
        stopping: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Ended)?;
    let served = runtime.block_on(async {
        let handle = Handle::new();
        tokio::spawn(drain(handle.clone(), request.stop, shared.stopping.clone()));
        let server = axum_server::from_tcp(listener)?.handle(handle);
        ready(bound);
        server.serve(router(shared).into_make_service_with_connect_info::<SocketAddr>()).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    desk.close()?;
    served.map_err(ServeError::Ended)
}

/// Ends the server when it is time.
async fn drain(handle: Handle<SocketAddr>, stop: Arc<AtomicBool>, stopping: CancellationToken) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(GLANCE).await;
    }
    stopping.cancel();
    handle.graceful_shutdown(Some(DRAIN));
}
