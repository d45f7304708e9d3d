//! The server, over standard input and output.

use std::sync::Arc;

use rmcp::{ServiceExt, transport::stdio};

use super::tools::Watchbell;
use crate::app::{AppError, Delivery, Desk, Plan};

/// What is to be served.
#[derive(Debug)]
pub struct McpRequest {
    /// The plan.
    pub plan: Plan,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The desk can't be opened or closed.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client went away in mid-sentence, or never spoke the protocol.
    #[error("the client broke off: {0}")]
    Client(String),
}

/// Serves over standard input and output until the client is gone.
///
/// # Errors
/// The desk can't be opened, or the client does not speak the protocol.
pub fn serve(request: McpRequest) -> Result<(), McpError> {
    let desk = Desk::open(request.plan, Delivery::OnDemand)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(AppError::Runtime)?;
    let served = runtime.block_on(async {
        let broke_off = |error: &dyn std::error::Error| McpError::Client(error.to_string());
        let service = Watchbell::new(Arc::clone(&desk)).serve(stdio()).await.map_err(|error| broke_off(&error))?;
        service.waiting().await.map(|_| ()).map_err(|error| broke_off(&error))
    });
    desk.close()?;
    served
}
