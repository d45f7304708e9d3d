//! Exit codes, and the one place where errors become them.

use std::{io, process::ExitCode};

use crate::{
    api::ServeError,
    app::{AppError, ErrorKind, KeyError},
    mcp::McpError,
};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All well.
    Ok,
    /// Findings at or over `--fail-on`.
    Findings,
    /// Rules are not as they should be.
    Differs,
    /// The command line is wrong.
    Usage,
    /// A plan has changes, and it was asked that the code says so.
    Changes,
    /// The configuration is wrong.
    Config,
    /// Logs, model or output directory: something could not be read or written.
    Input,
    /// Not everything was delivered yet, or a destination can't be reached.
    Undelivered,
    /// A destination does not take the credentials.
    Credentials,
    /// A destination is set up differently than the configuration says.
    Destination,
    /// Findings that a destination will never take are among the dead letters.
    Rejected,
    /// Ended by SIGINT.
    Interrupted,
    /// Ended by SIGTERM before the work was done.
    Terminated,
}

/// Ends the help of commands.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    all well
  1    findings at or over --fail-on
  2    the command line is wrong
  3    the configuration is wrong
  4    a log, the model or the output directory can't be read or written
  130  interrupted (SIGINT)
  143  ended (SIGTERM) before the work was done

When there are findings at or over --fail-on and problems too, the code is 1.";

/// Ends the help of commands that speak to destinations.
pub(super) const SINK_EXIT_CODES: &str = "\
Exit codes:
  0    all well; everything was delivered
  2    the command line is wrong
  3    the configuration is wrong
  4    reports or the outbox can't be read or written
  5    a destination can't be reached, or not everything was delivered in time
  6    a destination does not take the credentials
  7    a destination is set up differently than the configuration says
  8    a destination will never take some findings: see `watchbell outbox dead`
  130  interrupted (SIGINT)
  143  ended (SIGTERM) before the work was done

When several sinks fail, the code is that of the failure that most needs a person: 6, 7, 8, 5.";

/// Ends the help of commands that speak to a tenant about rules.
pub(super) const TENANT_EXIT_CODES: &str = "\
Exit codes:
  0    all well
  1    rules are not as they should be: they differ, were left alone, or could not all be changed
  2    the command line is wrong; with --detailed-exitcode: there is something to change
  3    the configuration is wrong
  4    rules can't be read or written, or are wrong
  5    the tenant can't be reached
  6    the tenant does not take the credentials
  7    the tenant is set up differently than the configuration says
  8    the tenant's compiler refuses a rule; nothing was written
  130  interrupted (SIGINT)
  143  ended (SIGTERM)";

impl Exit {
    /// What is told of a destination that failed.
    pub(super) const fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Undelivered,
            ErrorKind::Rejected => Self::Rejected,
            ErrorKind::Config => Self::Destination,
            ErrorKind::Auth => Self::Credentials,
        }
    }

    /// The number.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Findings | Self::Differs => 1,
            Self::Usage | Self::Changes => 2,
            Self::Config => 3,
            Self::Input => 4,
            Self::Undelivered => 5,
            Self::Credentials => 6,
            Self::Destination => 7,
            Self::Rejected => 8,
            // 128 and the number of the signal, as shells have it.
            Self::Interrupted => 128 + 2,
            Self::Terminated => 128 + 15,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The work failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// The REST API could not be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// AI assistants could not be served.
    #[error(transparent)]
    Mcp(#[from] McpError),
    /// Standard output can't be written.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// A file can't be written.
    #[error("cannot write {file}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// `WATCHBELL_LOG` is no filter.
    #[error("the environment variable WATCHBELL_LOG is no filter of log lines ({0}); expected something like `info`")]
    LogFilter(String),
    /// What was asked for can't be done so.
    #[error("{0}")]
    Refused(String),
    /// The signals can't be caught.
    #[error("cannot catch signals")]
    Signals(#[source] io::Error),
}

impl CliError {
    /// The exit code that tells it.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::App(error) | Self::Serve(ServeError::App(error)) | Self::Mcp(McpError::App(error)) => of(error),
            Self::LogFilter(_) => Exit::Config,
            Self::Serve(ServeError::Door(error)) | Self::Mcp(McpError::Door(error)) if error.is_configuration() => {
                Exit::Config
            }
            Self::Refused(_) => Exit::Usage,
            _ => Exit::Input,
        }
    }
}

/// The exit code that tells an error of the application.
fn of(error: &AppError) -> Exit {
    match error {
        AppError::Config(_) | AppError::NoSuchSink { .. } | AppError::NoSinks { .. } | AppError::Setup(_) => {
            Exit::Config
        }
        AppError::NoRuleSink { .. } | AppError::SeveralRuleSinks { .. } => Exit::Config,
        AppError::Tenant { kind, .. } => Exit::of_kind(*kind),
        AppError::Keys(KeyError::Damaged { .. }) | AppError::Gate(_) => Exit::Config,
        AppError::Request(_)
        | AppError::Argument { .. }
        | AppError::NoSuchSuppression { .. }
        | AppError::Keys(KeyError::Request(_)) => Exit::Usage,
        AppError::Stopped => super::signals::exit(),
        _ => Exit::Input,
    }
}
