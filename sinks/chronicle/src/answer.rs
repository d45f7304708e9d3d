//! An answer of the API, fit to be shown: without the credentials, and without the token that the question carried.
//!
//! Refusals are `google.rpc.Status`; whatever comes from something in between is shown as it is, cut.

use serde::{Deserialize, de::DeserializeOwned};
use watchbell_sink::{Secret, SinkError, http::Reply};

/// An answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) reply: Reply,
    token: Secret,
}

/// What a refusal says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    /// For example `INVALID_ARGUMENT`.
    pub(crate) status: String,
    /// In words.
    pub(crate) message: String,
}

impl Answered {
    pub(crate) fn new(reply: Reply, token: Secret) -> Self {
        Self { reply, token }
    }

    /// A text out of this answer: one line, cut, without secrets.
    pub(crate) fn shown(&self, text: &str) -> String {
        self.reply.shown(&text.replace(self.token.expose(), "[redacted]"))
    }

    /// The body, which has to be this.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, SinkError> {
        self.reply.json().map_err(|error| SinkError { message: self.shown(&error.message), ..error })
    }

    /// What a refusal says of itself: `{"error": {"code", "status", "message"}}`.
    pub(crate) fn status(&self) -> Option<Status> {
        #[derive(Deserialize)]
        struct Body {
            error: Status,
        }
        serde_json::from_slice::<Body>(&self.reply.body).ok().map(|body| body.error)
    }

    /// The same for people.
    pub(crate) fn told(&self) -> String {
        match self.status() {
            Some(status) => self.shown(&format!("{} {}", status.status, status.message)),
            None => self.shown(&String::from_utf8_lossy(&self.reply.body)),
        }
    }
}
