//! How long a lane waits after failures: exponential with full jitter, never less than what the destination asked for.
//!
//! Full jitter (anything from nothing to the whole) spreads the attempts of many senders best.

use std::time::Duration;

/// Longest wait that a destination can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Waits, from a seed.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    initial: Duration,
    max: Duration,
    random: u64,
}

impl Backoff {
    pub(super) fn new(initial: Duration, max: Duration, seed: u64) -> Self {
        Self { initial, max, random: seed }
    }

    /// The wait after so many failures in a row, at least as long as the destination asked for.
    pub(super) fn wait(&mut self, failures: u32, asked: Option<Duration>) -> Duration {
        let whole = self.whole(failures);
        let own = whole.mul_f64(self.share());
        // Everybody was told the same time; nobody should come back at exactly that.
        let asked = asked.map(|asked| asked.min(LONGEST_ASKED).mul_f64(1.0 + 0.1 * self.share()));
        own.max(asked.unwrap_or_default()).max(Duration::from_millis(1))
    }

    /// What the wait is drawn from.
    pub(super) fn whole(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(31));
        self.initial.saturating_mul(doubled).min(self.max)
    }

    /// From 0 to 1 (splitmix64).
    fn share(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_grow_to_the_limit_and_are_spread() {
        let mut backoff = Backoff::new(SECOND, SECOND * 60, 7);
        for (failures, whole) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (4_000_000_000, 60)] {
            assert_eq!(backoff.whole(failures), SECOND * whole);
            let waits: Vec<Duration> = (0..200).map(|_| backoff.wait(failures, None)).collect();
            assert!(waits.iter().all(|&wait| wait <= SECOND * whole));
            let (shortest, longest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
            assert!(*shortest < SECOND * whole / 10 && *longest > SECOND * whole * 9 / 10, "{shortest:?} {longest:?}");
        }
    }

    #[test]
    fn what_the_destination_asks_is_the_least_and_is_limited() {
        let mut backoff = Backoff::new(SECOND, SECOND * 60, 7);
        for _ in 0..100 {
            let wait = backoff.wait(1, Some(SECOND * 30));
            assert!(wait >= SECOND * 30 && wait <= SECOND * 33, "{wait:?}");
            let wait = backoff.wait(1, Some(SECOND * 1_000_000));
            assert!(wait >= LONGEST_ASKED && wait <= LONGEST_ASKED.mul_f64(1.1), "{wait:?}");
        }
    }
}
