//! Log lines, to standard error.

use std::{env, io};

use tracing_subscriber::{EnvFilter, fmt};

use super::{
    arguments::{Global, LogFormat},
    exit::CliError,
};

/// Starts logging. `WATCHBELL_LOG` beats `-v` and `-q`, because it says more.
pub(super) fn start(global: &Global) -> Result<(), CliError> {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let directives = env::var("WATCHBELL_LOG").ok().filter(|text| !text.is_empty());
    // The protocol's library logs what it is sent word by word, and that may be a log.
    let usual = format!("{level},rmcp=warn");
    let filter = EnvFilter::builder()
        .parse(directives.as_deref().unwrap_or(&usual))
        .map_err(|error| CliError::LogFilter(error.to_string()))?;
    let has_color = matches!(
        anstream::AutoStream::choice(&io::stderr()),
        anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi
    );
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(has_color).with_target(false);
    // An error means that the program that embeds this one logs already.
    let _ = match global.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
