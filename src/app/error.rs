//! Why a front does not get what it asked for. One table in each front makes exit codes or statuses of it.

use std::{io, path::PathBuf};

use crate::{
    access::{AuditError, GateError, KeyError},
    batch::BatchError,
    config::ConfigError,
    detect::DetectError,
    judgment::JournalError,
    model::ModelError,
    outbox::OutboxError,
    report::ReportError,
    rules::folder::FolderError,
    sink::ErrorKind,
    source::SourceError,
};

/// Why a front does not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A batch did not take place.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A log can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The detector can't go on.
    #[error(transparent)]
    Detect(DetectError),
    /// A model can't be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Reports can't be read or made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The outbox can't be used.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Decisions about findings can't be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No finding has this id.
    #[error("there is no finding `{}` among those that were read", .0.escape_debug())]
    NoSuchFinding(String),
    /// What was asked for can't be.
    #[error("{0}")]
    Request(String),
    /// The same, of one place in what was asked.
    #[error("{message}")]
    Argument {
        /// The place, as a JSON pointer: `/include/0`.
        pointer: String,
        /// What was expected there.
        message: String,
    },
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Findings can't be kept, as on a full disk. Nobody was told of them.
    #[error("findings can't be kept in {}", path.display())]
    Unkept {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A log was read in part only.
    #[error("{file} was read in part only: {reason}")]
    CutShort {
        /// The log.
        file: String,
        /// Why.
        reason: String,
    },
    /// There is no sink of this name.
    #[error("there is no sink `{name}`, expected one of: {known}")]
    NoSuchSink {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no sink at all.
    #[error("{file} has no sink that is switched on; `watchbell setup` makes one")]
    NoSinks {
        /// The configuration.
        file: String,
    },
    /// A sink can't be built any more, though it could when the configuration was read.
    #[error("the sink `{name}`: {message}")]
    Sink {
        /// The sink.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A file holds no findings.
    #[error("{}: {message}", path.display())]
    Findings {
        /// The file.
        path: PathBuf,
        /// What was expected.
        message: String,
    },
    /// A sink can't be set up this way.
    #[error("{0}")]
    Setup(String),
    /// The rules can't be read, or are wrong.
    #[error(transparent)]
    Rules(#[from] FolderError),
    /// No sink runs rules.
    #[error("{}", no_rule_sink(.name.as_deref(), .known))]
    NoRuleSink {
        /// The sink that was named.
        name: Option<String>,
        /// Those that run rules.
        known: String,
    },
    /// Several sinks run rules.
    #[error("several sinks run rules; say which one with --sink: {known}")]
    SeveralRuleSinks {
        /// Their names.
        known: String,
    },
    /// A tenant can't be worked with.
    #[error("{sink}: {message}")]
    Tenant {
        /// The sink.
        sink: String,
        /// What it is about.
        kind: ErrorKind,
        /// Why.
        message: String,
    },
    /// Rules, or their tests, are not what they should be.
    #[error("{0}")]
    RuleTexts(String),
    /// The threads that wait for the network can't be had.
    #[error("cannot start the network's runtime")]
    Runtime(#[source] io::Error),
    /// A file or directory can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No job has this id.
    #[error("there is no job `{}`, or it is long over", .0.escape_debug())]
    NoSuchJob(String),
    /// No suppression that stands has this id.
    #[error("no suppression `{}` stands; standing: {standing}", .id.escape_debug())]
    NoSuchSuppression {
        /// The id.
        id: String,
        /// Those that stand.
        standing: String,
    },
    /// No model has this name.
    #[error("there is no model `{}`", .0.escape_debug())]
    NoSuchModel(String),
    /// What is asked for contradicts how things stand.
    #[error("{0}")]
    Conflict(String),
    /// More findings are chosen than may go out at once.
    #[error("{findings} findings match, at most {most} go at once")]
    TooMany {
        /// How many were chosen.
        findings: usize,
        /// How many may be.
        most: usize,
    },
    /// A job ended in the middle.
    #[error("the job broke off; this is a bug, and the log says where")]
    BrokeOff,
    /// No log of a call could be read.
    #[error("{reason}")]
    Unread {
        /// What it is about.
        cause: UnreadCause,
        /// Why, with the name of the log.
        reason: String,
    },
    /// Logs that come with a call become larger than they may.
    #[error("expected logs of at most {0} bytes, unpacked")]
    TooLarge(u64),
    /// Too much is going on already.
    #[error("{0}")]
    Busy(String),
    /// API keys can't be read or changed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// What is done can't be written down.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Nobody can be let in, or everybody would be.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The work was stopped.
    #[error("stopped")]
    Stopped,
}

/// What the reading of a log fails at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadCause {
    /// It is packed in a way that is not read.
    Packing,
    /// It becomes larger, unpacked, than it may.
    Size,
    /// It is no text, a table without names, or damaged.
    Content,
    /// The model that it is to be judged with.
    Model,
    /// The system: a disk, a permission.
    System,
}

impl UnreadCause {
    pub(super) fn of(error: &SourceError) -> Self {
        match error {
            SourceError::UnknownCompression { .. } => Self::Packing,
            SourceError::Bomb { .. } => Self::Size,
            SourceError::Binary { .. } | SourceError::NoHeader { .. } | SourceError::Damaged { .. } => Self::Content,
            _ => Self::System,
        }
    }
}

impl AppError {
    /// What can't be, said of this place in what was asked; other errors stay what they are.
    pub(super) fn at(self, pointer: impl Into<String>) -> Self {
        match self {
            Self::Request(message) | Self::Argument { message, .. } => {
                Self::Argument { pointer: pointer.into(), message }
            }
            other => other,
        }
    }
}

impl From<DetectError> for AppError {
    fn from(error: DetectError) -> Self {
        match error {
            DetectError::Stopped => Self::Stopped,
            error => Self::Detect(error),
        }
    }
}

/// An error and what caused it, in one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn no_rule_sink(name: Option<&str>, known: &str) -> String {
    match (name, known) {
        (None, _) => "no sink runs rules; `watchbell setup` makes one of type chronicle".to_owned(),
        (Some(name), "") => {
            format!("the sink `{name}` runs no rules, and no other does; expected one of type chronicle")
        }
        (Some(name), known) => format!("the sink `{name}` runs no rules, expected one of: {known}"),
    }
}
