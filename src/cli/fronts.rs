//! The commands that start the other fronts.

use std::net::SocketAddr;

use super::{
    arguments::fronts::{McpArguments, ServeArguments},
    commands::Setup,
    exit::{CliError, Exit},
    signals,
    terminal::Terminal,
};
use crate::{
    api::{self, ServeRequest},
    app::{Overrides, Plan},
    mcp::{self, McpRequest},
};

/// `watchbell serve`.
pub(super) fn serve(arguments: &ServeArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides { listen: arguments.listen, ..arguments.at.overrides() })?;
    let request = ServeRequest { plan, insecure: arguments.insecure, stop: signals::stop_flag()? };
    let scheme = scheme(&request.plan);
    let mut told = Ok(());
    api::serve(request, &mut |address: SocketAddr| {
        told = terminal.print(&format!("listening on {scheme}://{address}\n"));
    })?;
    told.map(|()| Exit::Ok)
}

/// `watchbell mcp`.
pub(super) fn mcp(arguments: &McpArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let (plan, configuration) = setup.plan_and_text(arguments.at.overrides())?;
    let request = McpRequest {
        plan,
        configuration,
        root: arguments.root.clone(),
        http: arguments.http.map(|listen| listen.0),
        toolset: arguments.toolset(),
        insecure: arguments.insecure,
        stop: signals::stop_flag()?,
    };
    let scheme = scheme(&request.plan);
    let mut told = Ok(());
    mcp::serve(request, &mut |address: SocketAddr| {
        told = terminal.print(&format!("listening on {scheme}://{address}/mcp\n"));
    })?;
    told.map(|()| Exit::Ok)
}

fn scheme(plan: &Plan) -> &'static str {
    if plan.serve.tls.is_some() { "https" } else { "http" }
}
