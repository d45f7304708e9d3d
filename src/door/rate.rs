//! How much one caller may ask, so that nobody takes the server from the others.
//!
//! A caller is counted under the name of their key, everybody else under their address. Credentials that are not valid are
//! counted once more, far more strictly; keys and tokens that are known to be valid are never held back by others' failures
//! from the same address.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::RETRY_AFTER};
use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock, QuantaInstant},
    middleware::{StateInformationMiddleware, StateSnapshot},
    state::keyed::DefaultKeyedStateStore,
};

use super::client::Client;
use crate::app::{Caller, Credentials, Gate, Refusal};

/// Credentials that are not valid, a minute, for each address: enough for a typing mistake in a script.
const FAILURES: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");
/// So many questions may pass before what is no longer needed is forgotten.
const SWEEP: u32 = 1024;
/// Most callers that are counted one by one; further addresses share one count.
const MOST: usize = 50_000;

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    /// A caller, by name.
    Caller(String),
    /// An address.
    Address(IpAddr),
    /// Everybody for whom there was no room.
    Others,
}

type Limiter = RateLimiter<Counted, DefaultKeyedStateStore<Counted>, DefaultClock, StateInformationMiddleware>;

/// The limits.
#[derive(Debug)]
pub(crate) struct Rates {
    asked: Limiter,
    failed: DefaultKeyedRateLimiter<IpAddr>,
    /// Addresses that had no failure left, until they have one again: looking there counts nothing.
    waiting: Mutex<HashMap<IpAddr, (Instant, TooMany)>>,
    clock: DefaultClock,
    since_sweep: AtomicU32,
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
}

/// Too much was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany {
    limit: u32,
    wait: Duration,
}

impl Rates {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            asked: RateLimiter::keyed(Quota::per_minute(per_minute)).with_middleware(),
            failed: RateLimiter::keyed(Quota::per_minute(FAILURES)),
            waiting: Mutex::default(),
            clock: DefaultClock::default(),
            since_sweep: AtomicU32::new(0),
        }
    }

    /// Finds out who asks, and counts it, in the one order that counts: who showed many credentials that were not valid waits
    /// before a signature is checked for them, and who is valid is counted by name.
    pub(crate) async fn admit(
        &self,
        gate: &Gate,
        (credentials, client): (Credentials<'_>, Client),
        who: impl Future<Output = Result<Caller, Refusal>>,
    ) -> Result<(Result<Caller, Refusal>, Left), TooMany> {
        if gate.is_unproven(credentials)
            && let Some(too_many) = self.waits(client.counted())
        {
            return Err(too_many);
        }
        let asked = who.await;
        if asked == Err(Refusal::Invalid) {
            self.fail(client.counted())?;
        }
        let counted = match &asked {
            Ok(caller) if !gate.is_open() => Counted::Caller(caller.name.clone()),
            _ => Counted::Address(client.counted()),
        };
        Ok((asked, self.ask(counted)?))
    }

    /// Counts a request.
    fn ask(&self, who: Counted) -> Result<Left, TooMany> {
        self.sweep();
        let is_crowded = self.asked.len() >= MOST && matches!(who, Counted::Address(_));
        let who = if is_crowded { Counted::Others } else { who };
        match self.asked.check_key(&who) {
            Ok(snapshot) => Ok(left(&snapshot)),
            Err(refused) => Err(self.too_many(&refused)),
        }
    }

    /// Counts credentials that are not valid.
    pub(crate) fn fail(&self, address: IpAddr) -> Result<(), TooMany> {
        let counted = if self.failed.len() >= MOST { IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED) } else { address };
        let Err(refused) = self.failed.check_key(&counted) else { return Ok(()) };
        let too_many = self.too_many(&refused);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST {
            waiting.insert(address, (Instant::now() + too_many.wait, too_many));
        }
        Err(too_many)
    }

    /// Whether this address had too many failures a moment ago.
    fn waits(&self, address: IpAddr) -> Option<TooMany> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(&address).filter(|(until, _)| Instant::now() < *until).map(|(_, too_many)| *too_many)
    }

    fn too_many(&self, refused: &NotUntil<QuantaInstant>) -> TooMany {
        TooMany { limit: refused.quota().burst_size().get(), wait: refused.wait_time_from(self.clock.now()) }
    }

    fn sweep(&self) {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) < SWEEP {
            return;
        }
        self.since_sweep.store(0, Ordering::Relaxed);
        let now = Instant::now();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (until, _)| now < *until);
        self.asked.retain_recent();
        self.failed.retain_recent();
        self.asked.shrink_to_fit();
        self.failed.shrink_to_fit();
    }
}

fn left(snapshot: &StateSnapshot) -> Left {
    Left { limit: snapshot.quota().burst_size().get(), remaining: snapshot.remaining_burst_capacity() }
}

impl Left {
    /// Tells the caller.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { limit, remaining } = self;
        // The whole limit comes back within a minute, evenly.
        let missing = u64::from(limit.saturating_sub(remaining));
        tell(headers, (limit, remaining), (missing * 60).div_ceil(u64::from(limit.max(1))));
    }
}

fn tell(headers: &mut HeaderMap, (limit, remaining): (u32, u32), seconds: u64) {
    let mut set = |name: &'static str, value: String| {
        let value = HeaderValue::from_str(&value).expect("numbers are ASCII");
        headers.insert(HeaderName::from_static(name), value);
    };
    set("ratelimit-policy", format!("\"default\";q={limit};w=60"));
    set("ratelimit", format!("\"default\";r={remaining};t={seconds}"));
    set("x-ratelimit-limit", limit.to_string());
    set("x-ratelimit-remaining", remaining.to_string());
    set("x-ratelimit-reset", seconds.to_string());
}

impl TooMany {
    /// When to come back, in seconds; rounded up, because who comes back a moment too early is refused again.
    pub(crate) fn seconds(self) -> u64 {
        (self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)).max(1)
    }

    /// Tells the caller.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        tell(headers, (self.limit, 0), self.seconds());
        headers.insert(RETRY_AFTER, self.seconds().into());
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "more than {} a minute; come back in {} s", self.limit, self.seconds())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn rates(per_minute: u32) -> Rates {
        Rates::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn a_limit_is_each_callers_own() {
        let rates = rates(3);
        let ada = || rates.ask(Counted::Caller("ada".to_owned()));
        assert_eq!(ada(), Ok(Left { limit: 3, remaining: 2 }));
        assert!(ada().is_ok() && ada().is_ok());
        let refused = ada().unwrap_err();
        assert!(rates.ask(Counted::Caller("bob".to_owned())).is_ok());
        assert!(rates.ask(Counted::Address(address(1))).is_ok());
        let mut headers = HeaderMap::new();
        refused.tell(&mut headers);
        let number = |name: &str| headers[name].to_str().unwrap().parse::<u64>().unwrap();
        assert!((1..=20).contains(&number("retry-after")), "{headers:?}");
        assert_eq!((number("x-ratelimit-limit"), number("x-ratelimit-remaining")), (3, 0));
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=3;w=60");
    }

    #[test]
    fn who_is_to_come_back_is_never_told_at_once() {
        for (wait, seconds) in [(0, "1"), (1, "1"), (1_000_000_000, "1"), (1_000_000_001, "2")] {
            let mut headers = HeaderMap::new();
            TooMany { limit: 1, wait: Duration::from_nanos(wait) }.tell(&mut headers);
            assert_eq!(headers[RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn failures_are_counted_more_strictly() {
        let rates = rates(6000);
        assert!((0..FAILURES.get()).all(|_| rates.fail(address(1)).is_ok()));
        assert!(rates.waits(address(1)).is_none());
        assert!(rates.fail(address(1)).is_err());
        assert!(rates.waits(address(1)).is_some());
        assert!(rates.fail(address(2)).is_ok() && rates.waits(address(2)).is_none());
    }

    #[test]
    fn what_is_no_longer_needed_is_forgotten() {
        // A place comes back within 60 ms / 6000, so that each address is soon like a new one.
        let rates = rates(60_000);
        for number in 0..5 * SWEEP {
            rates.ask(Counted::Address(address(number))).unwrap();
            if number % SWEEP == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        assert!(rates.asked.len() <= 2 * SWEEP as usize, "{}", rates.asked.len());
    }

    #[test]
    fn a_crowd_of_addresses_shares_one_count() {
        let rates = rates(1);
        for number in 0..u32::try_from(MOST).unwrap() {
            rates.ask(Counted::Address(address(number))).unwrap();
        }
        assert!(rates.ask(Counted::Address(address(u32::MAX))).is_ok());
        assert!(rates.ask(Counted::Address(address(u32::MAX - 1))).is_err());
        // A caller with a key still is counted alone.
        assert!(rates.ask(Counted::Caller("ada".to_owned())).is_ok());
        assert!(rates.asked.len() <= MOST + 2);
    }
}
