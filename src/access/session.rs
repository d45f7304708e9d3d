//! Sessions of people who look with a browser: instead of the API key, which a page should not have, the browser gets a
//! random number that ends by itself.
//!
//! They live in memory, under the hash of that number: a restart ends them all, and a picture of the memory opens none.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::key::hex;

/// So long is a session valid: a working day and what is done after it.
const LASTS: SignedDuration = SignedDuration::from_hours(12);
/// Most sessions at once; the oldest makes room.
const MOST: usize = 1000;

/// The sessions that there are.
#[derive(Debug, Default)]
pub struct Sessions {
    held: Mutex<HashMap<[u8; 32], Session>>,
}

#[derive(Debug)]
struct Session {
    /// The id of the API key that opened it.
    key: String,
    ends: Timestamp,
}

impl Sessions {
    /// So long is a session valid.
    pub const LASTS: SignedDuration = LASTS;

    /// Opens a session for the key of this id.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn open(&self, key: String, now: Timestamp) -> Result<SecretString, getrandom::Error> {
        let mut number = [0; 32];
        getrandom::fill(&mut number)?;
        let text = SecretString::from(hex(&number));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            held.retain(|_, session| now < session.ends);
        }
        if held.len() >= MOST
            && let Some(oldest) = held.iter().min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash)
        {
            held.remove(&oldest);
        }
        held.insert(hash(text.expose_secret()), Session { key, ends: now.saturating_add(LASTS).unwrap_or(now) });
        Ok(text)
    }

    /// The id of the key that opened this session, if it is still open. Whether the key is still valid is the gate's matter.
    #[must_use]
    pub fn key(&self, text: &str, now: Timestamp) -> Option<String> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&hash(text)).filter(|session| now < session.ends).map(|session| session.key.clone())
    }

    /// Ends a session.
    pub fn close(&self, text: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(text));
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_session_ends_with_its_time_or_when_it_is_closed() {
        let sessions = Sessions::default();
        let open = || sessions.open("soc".to_owned(), NOW).unwrap();
        let (one, other) = (open(), open());
        assert_eq!(one.expose_secret().len(), 64);
        assert_eq!(
            sessions.key(one.expose_secret(), NOW + LASTS - SignedDuration::from_secs(1)).as_deref(),
            Some("soc")
        );
        assert_eq!(sessions.key(one.expose_secret(), NOW + LASTS), None);
        sessions.close(one.expose_secret());
        assert_eq!(sessions.key(one.expose_secret(), NOW), None);
        assert!(sessions.key(other.expose_secret(), NOW).is_some());
        assert_eq!(sessions.key("", NOW), None);
        assert!(!format!("{sessions:?}").contains(other.expose_secret()));
    }

    #[test]
    fn the_oldest_makes_room() {
        let sessions = Sessions::default();
        let at = |second| NOW + SignedDuration::from_secs(second);
        let first = sessions.open("soc".to_owned(), at(0)).unwrap();
        let second = sessions.open("soc".to_owned(), at(1)).unwrap();
        for number in 2..=MOST {
            sessions.open("soc".to_owned(), at(i64::try_from(number).unwrap())).unwrap();
        }
        assert_eq!(sessions.key(first.expose_secret(), at(2)), None);
        assert!(sessions.key(second.expose_secret(), at(2)).is_some());
        assert_eq!(sessions.held.lock().unwrap().len(), MOST);
    }
}
