//! Why a tool gives nothing: a bad argument is the protocol's error, everything else an answer with a fix.
//!
//! An error's words may quote a file's name or a record, so they stand in the envelope; code and fix are fixed texts.

use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock},
};
use serde::Serialize;

use super::untrusted::{LINE, LogText};
use crate::app::{AccessScope, AppError, UnreadCause, plain, with_causes};

/// Why a tool gives nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The arguments are not as the tool's schema says.
    Arguments(String),
    /// The tool ran and failed.
    Failed {
        /// What kind of failure, for programs.
        code: &'static str,
        /// What to do about it.
        fix: String,
        /// What was said.
        detail: String,
    },
}

#[derive(Serialize)]
struct Shown<'a> {
    error: &'static str,
    fix: &'a str,
    untrusted: Detail,
}

#[derive(Serialize)]
struct Detail {
    detail: LogText,
}

impl Failure {
    pub(super) fn arguments(message: impl Into<String>) -> Self {
        Self::Arguments(message.into())
    }

    fn failed(code: &'static str, fix: &str, error: &dyn std::error::Error) -> Self {
        Self::Failed { code, fix: fix.to_owned(), detail: with_causes(error) }
    }

    pub(super) fn forbidden(scope: AccessScope) -> Self {
        let fix = format!("ask the operator for an API key with the scope `{scope}`");
        Self::Failed { code: "forbidden", fix, detail: String::new() }
    }

    pub(super) fn broke_off() -> Self {
        let fix = "call again; the server's log says more".to_owned();
        Self::Failed { code: "broke_off", fix, detail: "the work ended in the middle".to_owned() }
    }

    /// The word for the audit log.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Arguments(_) => "arguments",
            Self::Failed { code, .. } => code,
        }
    }

    /// What the client gets.
    pub(super) fn answer(self) -> Result<CallToolResult, ErrorData> {
        match self {
            // They repeat the caller's own words and nobody else's.
            Self::Arguments(message) => Err(ErrorData::invalid_params(plain(&message, 2 * LINE), None)),
            Self::Failed { code, fix, detail } => {
                let detail = Detail { detail: LogText::paragraph(&detail) };
                let shown = Shown { error: code, fix: &fix, untrusted: detail };
                let text = serde_json::to_string(&shown).expect("an error has only text keys");
                Ok(CallToolResult::error(vec![ContentBlock::text(text)]))
            }
        }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let (code, fix) = match &error {
            AppError::NoSuchFinding(_) => {
                ("no_such_finding", "call list_findings for the ids; analyze_logs or `watchbell batch` makes findings")
            }
            AppError::TooMany { .. } => ("too_many", "narrow the filter, or let the operator run `watchbell forward`"),
            AppError::Request(_) | AppError::Argument { .. } => ("refused", "change the arguments as the detail says"),
            AppError::Source(_) => {
                ("no_log", "name a file or folder within the log folder; call analyze_logs with path `.` for all of it")
            }
            AppError::Unread { cause: UnreadCause::Model, .. } => {
                ("model", "train the model again with train_model, or give a log of another name")
            }
            AppError::Unread { .. } => ("unread", "give logs as text, plain or packed with gzip or zstd"),
            AppError::TooLarge(_) => ("too_large", "give fewer records at a time, or a file and its path"),
            AppError::NoSinks { .. } => ("no_sinks", "the operator adds a sink with `watchbell setup`"),
            AppError::NoSuchSink { .. } => ("no_such_sink", "call list_sinks for the names"),
            AppError::NoSuchModel(_) => ("no_such_model", "call list_models for the names, or train_model to make one"),
            AppError::NoSuchJob(_) => ("no_such_job", "begin it again"),
            AppError::Busy(_) => ("busy", "call again in a while"),
            AppError::Conflict(_) => ("conflict", "look at how things stand now, then call again"),
            AppError::Stopped => ("stopped", "call again to begin anew"),
            AppError::Outbox(_) => {
                ("outbox", "another process may have the outbox, such as `watchbell serve`; ask there, or end it first")
            }
            AppError::Model(_) => ("model", "train the model again with train_model"),
            AppError::Sink { .. } | AppError::Config(_) => {
                ("configuration", "the operator mends the configuration; `watchbell config check` says where")
            }
            _ => ("failed", "the operator looks at the detail and at the server's log"),
        };
        Self::failed(code, fix, &error)
    }
}
