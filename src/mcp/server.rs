//! The server: over standard input and output for the process that started it, or over HTTP. Standard output carries
//! nothing but the protocol; it ends when the client is gone or a signal comes, with answers on their way sent first.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rmcp::{
    service::{QuitReason, ServerInitializeError, serve_server_with_ct},
    transport::stdio,
};
use tokio_util::sync::CancellationToken;

use super::{call::Office, catalog::Toolset, handler::Watchbell, http};
use crate::{
    app::{AppError, AuditLog, Delivery, Desk, Gate, Plan, ServePlan},
    door::{Door, DoorError},
};

/// How often the signal to stop is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Longest time for threads that wait for disk or for standard input when everything is over.
const LAST: Duration = Duration::from_millis(500);

/// What is to be served.
#[derive(Debug)]
pub struct McpRequest {
    /// The plan.
    pub plan: Plan,
    /// The configuration as text, without secrets.
    pub configuration: String,
    /// The only folder from which logs are read; without it the plan's.
    pub root: Option<PathBuf>,
    /// Where to listen; without it the client is at standard input and output.
    pub http: Option<SocketAddr>,
    /// Which tools are offered.
    pub toolset: Toolset,
    /// Whether everybody may do everything, from wherever they ask.
    pub insecure: bool,
    /// Becomes true when the server is to end.
    pub stop: Arc<AtomicBool>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The desk can't be opened or closed.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client never spoke the protocol.
    #[error("the client broke off: {0}")]
    Client(String),
    /// Nobody can come in.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The server ended.
    #[error("the server ended")]
    Ended(#[source] io::Error),
}

/// Serves until the client is gone or it is time to stop. `ready` is told where, once requests are taken over HTTP.
///
/// # Errors
/// The desk can't be opened, the client does not speak the protocol, or nothing can be listened on.
pub fn serve(request: McpRequest, ready: &mut dyn FnMut(SocketAddr)) -> Result<(), McpError> {
    let listening = request.http.map(|address| listen(&request, address)).transpose()?;
    let root = request.root.unwrap_or_else(|| request.plan.input.log_dir.clone());
    let audit = request.plan.serve.audit_log.as_deref().map(AuditLog::open).transpose().map_err(AppError::Audit)?;
    let desk = Desk::open(request.plan, Delivery::OnDemand)?;
    let office = Office {
        desk: Arc::clone(&desk),
        root,
        toolset: request.toolset,
        configuration: request.configuration.into(),
        audit: audit.map(Arc::new),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(AppError::Runtime)?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(watch(request.stop, stop.clone(), Arc::clone(&desk)));
        match listening {
            None => converse(office, stop).await,
            Some((door, gate)) => {
                ready(door.address());
                http::serve(door, (office, gate), stop).await.map_err(McpError::Ended)
            }
        }
    });
    // A thread that waits for standard input waits forever.
    runtime.shutdown_timeout(LAST);
    desk.close()?;
    served
}

fn listen(request: &McpRequest, address: SocketAddr) -> Result<(Door, Gate), McpError> {
    let plan = ServePlan { listen: address, ..request.plan.serve.clone() };
    let gate = Gate::new(&plan, request.insecure).map_err(AppError::Gate)?;
    Ok((Door::open(&plan)?, gate))
}

/// Speaks with the client at standard input and output.
async fn converse(office: Office, stop: CancellationToken) -> Result<(), McpError> {
    let service = match serve_server_with_ct(Watchbell::local(office), stdio(), stop).await {
        Ok(service) => service,
        // Nobody ever said anything, or it was time to stop before.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        Err(error) => return Err(McpError::Client(crate::app::plain(&error.to_string(), 300))),
    };
    match service.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(McpError::Client(error.to_string())),
        Ok(_) => Ok(()),
    }
}

/// Turns the flag that signals set into a token that async code waits for, and ends the calls that wait for deliveries:
/// answers get some seconds after that.
async fn watch(flag: Arc<AtomicBool>, stop: CancellationToken, desk: Arc<Desk>) {
    while !flag.load(Ordering::Relaxed) {
        tokio::time::sleep(GLANCE).await;
    }
    desk.begin_closing();
    stop.cancel();
}
