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
/// Most sessions of one key, so that nobody can end those of others by logging in again and again.
const MOST_OF_ONE: usize = 20;

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
        let is_own = |session: &Session| session.key == key;
        if held.values().filter(|session| is_own(session)).count() >= MOST_OF_ONE {
            remove_oldest(&mut held, is_own);
        }
        if held.len() >= MOST {
            held.retain(|_, session| now < session.ends);
        }
        if held.len() >= MOST {
            remove_oldest(&mut held, |_| true);
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

fn remove_oldest(held: &mut HashMap<[u8; 32], Session>, among: impl Fn(&Session) -> bool) {
    let among = held.iter().filter(|(_, session)| among(session));
    if let Some(oldest) = among.min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash) {
        held.remove(&oldest);
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
        let open = |number: usize| {
            sessions.open(format!("key {}", number / MOST_OF_ONE), at(i64::try_from(number).unwrap())).unwrap()
        };
        let (first, second) = (open(0), open(1));
        (2..=MOST).for_each(|number| drop(open(number)));
        assert_eq!(sessions.key(first.expose_secret(), at(2)), None);
        assert!(sessions.key(second.expose_secret(), at(2)).is_some());
        assert_eq!(sessions.held.lock().unwrap().len(), MOST);
    }

    #[test]
    fn one_key_ends_no_sessions_of_others() {
        let sessions = Sessions::default();
        let other = sessions.open("siem".to_owned(), NOW).unwrap();
        let at = |number: usize| NOW + SignedDuration::from_secs(i64::try_from(number).unwrap());
        let own: Vec<_> = (1..=MOST).map(|number| sessions.open("soc".to_owned(), at(number)).unwrap()).collect();
        let is_open = |session: &SecretString| sessions.key(session.expose_secret(), at(MOST)).is_some();
        assert!(is_open(&other));
        assert_eq!(own.iter().filter(|session| is_open(session)).count(), MOST_OF_ONE);
        assert!(own[MOST - MOST_OF_ONE..].iter().all(is_open), "the newest stay");
    }
}
