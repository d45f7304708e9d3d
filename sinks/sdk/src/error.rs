//! The one error of a sink. Its kind is the whole vocabulary: nobody matches on text.
//!
//! The outbox decides by [`ErrorKind`] alone whether a delivery waits, is held, or goes to the dead letters.

use std::{fmt, sync::Arc, time::Duration};

/// What a failed delivery is about, and so what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The item can never be taken (400, 413 alone, 422, mapping error): to the dead letters, with the reason.
    Rejected,
    /// Too much at the moment (429): wait; the attempt does not count.
    Throttled,
    /// Not reachable or failing at the moment (connect, timeout, 408, 425, 5xx): back off, keep.
    Unavailable,
    /// Our credentials are not taken (401, 403, 407): hold the lane, keep everything, alarm.
    Auth,
    /// The destination is set up differently than we are told (404, 405, 410): hold the lane, keep everything, alarm.
    Config,
}

impl ErrorKind {
    /// The kind that an HTTP status has unless a sink knows better. `None` for statuses that are no failure.
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            0..=399 => None,
            401 | 403 | 407 => Some(Self::Auth),
            404 | 405 | 410 | 501 => Some(Self::Config),
            408 | 425 => Some(Self::Unavailable),
            429 => Some(Self::Throttled),
            400..=499 => Some(Self::Rejected),
            _ => Some(Self::Unavailable),
        }
    }
}

/// Why a sink did not deliver.
#[derive(Clone)]
pub struct SinkError {
    /// What it is about.
    pub kind: ErrorKind,
    /// Lowercase, no full stop, says what was expected; never holds a secret.
    pub message: String,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long the destination asks us to wait.
    pub retry_after: Option<Duration>,
    /// The cause.
    pub source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl SinkError {
    /// An error without status, wait or cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), status: None, retry_after: None, source: None }
    }

    /// The same error with the HTTP status that it came from.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same error with the wait that the destination asked for.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }
}

impl fmt::Debug for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl ErrorKind {
    /// The `snake_case` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Auth => "auth",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The cause of an error where no connection came to be: nothing of the delivery was sent, so that it can't have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no connection came to be")]
pub struct NotConnected;

/// Why a sink can't be built from its options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ConfigError {
    /// The option it is about.
    pub key: String,
    /// What was expected there.
    pub message: String,
}

impl ConfigError {
    /// Something wrong with this option (dotted, for example `tls.ca`).
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_map_to_kinds() {
        let expected = [
            (200, None),
            (304, None),
            (400, Some(ErrorKind::Rejected)),
            (401, Some(ErrorKind::Auth)),
            (403, Some(ErrorKind::Auth)),
            (404, Some(ErrorKind::Config)),
            (407, Some(ErrorKind::Auth)),
            (408, Some(ErrorKind::Unavailable)),
            (410, Some(ErrorKind::Config)),
            (413, Some(ErrorKind::Rejected)),
            (422, Some(ErrorKind::Rejected)),
            (425, Some(ErrorKind::Unavailable)),
            (429, Some(ErrorKind::Throttled)),
            (500, Some(ErrorKind::Unavailable)),
            (501, Some(ErrorKind::Config)),
            (503, Some(ErrorKind::Unavailable)),
        ];
        for (status, kind) in expected {
            assert_eq!(ErrorKind::from_status(status), kind, "status {status}");
        }
    }
}
