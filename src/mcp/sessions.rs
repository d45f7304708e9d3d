//! The sessions that clients of the older protocol open: so many at once, each until it is idle for too long.
//!
//! When there are too many, the one that was silent the longest ends, and its client opens another when it comes back, as the
//! protocol wants of it. Refusing the new one instead would let clients that never end theirs lock out everybody.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_server::{
        SessionId, SessionManager,
        session::{
            ServerSseMessage,
            local::{LocalSessionManager, LocalSessionManagerError},
        },
    },
};

/// Most sessions at once. One takes about 100 KB.
const MOST: usize = 256;
/// A session ends that is silent for so long. Longer than a call takes, because its answer would end with it.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// The sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    inner: LocalSessionManager,
    most: usize,
    /// When each was used last.
    used: Mutex<HashMap<SessionId, Instant>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Sessions {
    fn new(most: usize) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(IDLE);
        Self { inner, most, used: Mutex::default() }
    }

    fn used(&self) -> MutexGuard<'_, HashMap<SessionId, Instant>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a new session; the one that makes room for it.
    fn begin(&self, id: SessionId) -> Option<SessionId> {
        let mut used = self.used();
        let is_full = used.len() >= self.most;
        let oldest = used.iter().min_by_key(|(_, used)| **used).map(|(id, _)| id.clone()).filter(|_| is_full);
        if let Some(oldest) = &oldest {
            used.remove(oldest);
        }
        used.insert(id, Instant::now());
        oldest
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.inner.create_session().await?;
        if let Some(oldest) = self.begin(id.clone()) {
            tracing::debug!("there are too many sessions; the one that was silent the longest ends");
            if let Err(error) = self.inner.close_session(&oldest).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a session did not end in order");
            }
        }
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.inner.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        // Every request of a session asks this first.
        if let Some(used) = self.used().get_mut(id) {
            *used = Instant::now();
        }
        self.inner.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.used().remove(id);
        self.inner.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.inner.create_stream(id, message).await
    }

    async fn accept_message(&self, id: &SessionId, message: ClientJsonRpcMessage) -> Result<(), Self::Error> {
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.inner.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.inner.resume(id, last_event_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_session_that_was_silent_the_longest_makes_room() {
        let sessions = Sessions::new(2);
        let open = async || {
            let (id, transport) = sessions.create_session().await.unwrap();
            std::thread::sleep(Duration::from_millis(2));
            (id, transport)
        };
        let ((first, _a), (second, _b)) = (open().await, open().await);
        assert!(sessions.has_session(&first).await.unwrap());
        std::thread::sleep(Duration::from_millis(2));
        let (third, _c) = open().await;
        assert!(!sessions.has_session(&second).await.unwrap());
        assert!(sessions.has_session(&first).await.unwrap() && sessions.has_session(&third).await.unwrap());
        for id in [&first, &third] {
            sessions.close_session(id).await.unwrap();
        }
        assert!(sessions.used().is_empty() && sessions.inner.sessions.read().await.is_empty());
    }
}
