//! The channel of one endpoint. With acknowledgement it is a new one for each run, because a number means nothing but on the
//! channel and at the indexer that gave it.
//!
//! A number that comes twice on one channel shows that somebody else counts: the indexer restarted, or a load balancer took
//! us to another. What is open on that channel could then be confirmed for the wrong request, so nothing there is believed any more.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// Numbers to remember; then the next channel.
const MOST_NUMBERS: usize = 10_000;
/// Channels to remember; older ones have timed out long ago.
const MOST_RENOUNCED: usize = 20;

/// The channel in use, and those that are not believed any more.
#[derive(Debug)]
pub(crate) struct Channel {
    current: String,
    /// `None`: numbers are not asked for, and the channel stays.
    numbers: Option<HashSet<u64>>,
    renounced: VecDeque<String>,
}

impl Channel {
    /// One that stays.
    pub(crate) const fn fixed(current: String) -> Self {
        Self { current, numbers: None, renounced: VecDeque::new() }
    }

    /// One of our own; `renounced` is what [`Channel::renounced`] gave before.
    pub(crate) fn fresh(renounced: &str) -> Self {
        let renounced = renounced.split_whitespace().map(str::to_owned).collect();
        Self { current: unused(), numbers: Some(HashSet::new()), renounced }
    }

    /// What requests go out on.
    pub(crate) fn current(&self) -> String {
        self.current.clone()
    }

    /// The indexer took a request on this channel under this number; whether that can be believed.
    pub(crate) fn takes(&mut self, channel: &str, number: u64) -> bool {
        if self.is_renounced(channel) {
            return false;
        }
        let Some(numbers) = self.numbers.as_mut().filter(|_| channel == self.current) else { return true };
        if !numbers.insert(number) {
            self.renounced.push_back(self.current.clone());
            if self.renounced.len() > MOST_RENOUNCED {
                self.renounced.pop_front();
            }
            self.renew();
            return false;
        }
        if numbers.len() >= MOST_NUMBERS {
            self.renew();
        }
        true
    }

    /// Whether nothing on this channel is believed any more.
    pub(crate) fn is_renounced(&self, channel: &str) -> bool {
        self.renounced.iter().any(|known| known == channel)
    }

    /// As text, for the next run.
    pub(crate) fn renounced(&self) -> String {
        self.renounced.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn renew(&mut self) {
        self.current = unused();
        self.numbers = Some(HashSet::new());
    }
}

fn unused() -> String {
    Uuid::new_v4().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_comes_twice_ends_a_channel() {
        let mut channel = Channel::fresh("");
        let first = channel.current();
        assert!(channel.takes(&first, 1) && channel.takes(&first, 0), "the order of answers says nothing");
        assert!(!channel.takes(&first, 0));
        let second = channel.current();
        assert_ne!(first, second);
        assert!(!channel.takes(&first, 7), "nothing there is believed any more");
        assert!(channel.takes(&second, 0));
        let next = Channel::fresh(&channel.renounced());
        assert!(next.is_renounced(&first) && !next.is_renounced(&second));
        assert_ne!(next.current(), second, "each run has its own");
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let mut channel = Channel::fresh("");
        let first = channel.current();
        for number in 0..MOST_NUMBERS as u64 {
            assert!(channel.takes(&first, number));
        }
        assert_ne!(channel.current(), first);
        assert!(channel.takes(&first, 0) && !channel.is_renounced(&first), "a full channel is still believed");
        for _ in 0..2 * MOST_RENOUNCED {
            let current = channel.current();
            assert!(channel.takes(&current, 0) && !channel.takes(&current, 0));
        }
        assert_eq!(channel.renounced.len(), MOST_RENOUNCED);
    }

    #[test]
    fn a_fixed_channel_stays() {
        let mut channel = Channel::fixed("c".to_owned());
        assert!(channel.takes("c", 0) && channel.takes("c", 0));
        assert_eq!(channel.current(), "c");
    }
}
