//! The server: it listens, serves, and ends when it is asked to, with what is on its way brought to an end.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{Shared, guard::Guard, router};
use crate::{
    app::{AppError, Delivery, Desk, Gate, Plan},
    door::{Door, DoorError},
};

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
    /// Nobody can come in.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The server ended.
    #[error("the server ended")]
    Ended(#[source] io::Error),
}

/// Serves until it is told to stop. `ready` is told where, once requests are taken.
///
/// # Errors
/// The desk can't be opened, or nothing can be listened on.
pub fn serve(request: ServeRequest, ready: &mut dyn FnMut(SocketAddr)) -> Result<(), ServeError> {
    let gate = Gate::new(&request.plan.serve, request.insecure).map_err(AppError::Gate)?;
    let guard = Guard::new(&request.plan.serve)?;
    let door = Door::open(&request.plan.serve)?;
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
        let stopping = shared.stopping.clone();
        tokio::spawn(watch(request.stop, (stopping.clone(), Arc::clone(&desk))));
        ready(door.address());
        door.serve(router(shared), stopping, DRAIN).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    desk.close()?;
    served.map_err(ServeError::Ended)
}

/// Turns the flag that signals set into a token that async code waits for, and ends the desk's waiting.
async fn watch(flag: Arc<AtomicBool>, (stop, desk): (CancellationToken, Arc<Desk>)) {
    while !flag.load(Ordering::Relaxed) {
        tokio::time::sleep(GLANCE).await;
    }
    stop.cancel();
    desk.begin_closing();
}
