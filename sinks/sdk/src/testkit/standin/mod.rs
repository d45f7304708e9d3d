//! Stand-ins of six destinations on the loopback. They speak the real protocol, with its quirks and in its words, refuse
//! what the real one refuses, and remember what arrived.
//!
//! Each can be told at any time to be [down, busy, throttled or to refuse the credentials](Mood).

mod block_kit;
pub mod chronicle;
pub mod elasticsearch;
mod record;
pub mod slack;
pub mod splunk_hec;
pub mod syslog;
pub mod webhook;

#[cfg(test)]
mod tests;

use std::{
    any::Any,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::SystemTime,
};

pub use record::{Arrival, Record};

use super::{
    locked,
    server::{Answer, Request, Server},
};

/// How a stand-in feels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    /// It does its work.
    #[default]
    Well,
    /// It is overloaded: 503 in the vendor's words.
    Busy,
    /// It has had too much: 429 with `Retry-After: 1`.
    Throttled,
    /// It takes no credentials.
    Unauthorized,
    /// It takes connections and never answers.
    Silent,
    /// It resets every connection.
    Broken,
}

/// What a stand-in speaks.
trait Protocol: Send + Sync + 'static {
    /// Answers as the destination does, and records what arrived.
    fn answer(&self, request: &Request) -> Answer;
    /// How the destination words [`Mood::Busy`], [`Mood::Throttled`] and [`Mood::Unauthorized`].
    fn refusal(&self, mood: Mood) -> Answer;
}

/// A running stand-in. It ends when it is dropped.
pub struct Standin {
    name: &'static str,
    address: SocketAddr,
    record: Record,
    mood: Arc<Mutex<Mood>>,
    _running: Box<dyn Any + Send + Sync>,
}

impl std::fmt::Debug for Standin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Standin").field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

impl Standin {
    async fn http(name: &'static str, at: SocketAddr, record: Record, protocol: impl Protocol) -> io::Result<Self> {
        let mood: Arc<Mutex<Mood>> = Arc::default();
        let felt = Arc::clone(&mood);
        let server = Server::start_on(at, move |request| {
            let mood = *locked(&felt);
            let answer = match mood {
                Mood::Well => protocol.answer(request),
                Mood::Silent => Answer::hang(),
                Mood::Broken => Answer::reset(),
                Mood::Throttled => protocol.refusal(mood).header("Retry-After", 1),
                Mood::Busy | Mood::Unauthorized => protocol.refusal(mood),
            };
            answer.header("Date", httpdate::fmt_http_date(SystemTime::now()))
        })
        .await?;
        Ok(Self { name, address: server.address(), record, mood, _running: Box::new(server) })
    }

    /// The type of sink that it stands in for.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens: `127.0.0.1:PORT`.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What arrived.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// From now on it feels like this.
    pub fn feel(&self, mood: Mood) {
        *locked(&self.mood) = mood;
    }
}

/// Any free port of 127.0.0.1.
#[must_use]
pub fn anywhere() -> SocketAddr {
    super::server::free_port()
}

/// The first run of exactly 32 hexadecimal digits: the id of a finding, in protocols that have no place of their own for it.
fn id_in(text: &str) -> String {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let id = words.find(|word| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    id.unwrap_or_default().to_owned()
}
