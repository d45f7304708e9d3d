//! Named places at which a test may have the process die, to prove that nothing is lost there.
//!
//! Inert unless the environment says `WATCHBELL_FAILPOINT=NAME:N`: then the process aborts at the N-th pass of NAME.

use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that arms a failpoint.
pub const VARIABLE: &str = "WATCHBELL_FAILPOINT";

/// The places, in the order in which a finding passes them.
pub const NAMES: [&str; 6] =
    ["before_commit", "after_commit", "before_send", "after_send", "before_settle", "after_settle"];

/// At most one armed place.
#[derive(Debug, Default)]
pub(super) struct Failpoints {
    armed: Option<(String, AtomicU64)>,
}

impl Failpoints {
    /// What the environment arms.
    pub(super) fn from_environment() -> Self {
        std::env::var(VARIABLE).map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let armed = text.split_once(':').and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
        Self { armed: armed.map(|(name, count)| (name, AtomicU64::new(count))) }
    }

    /// Passes a place; dies there if it is the armed one and its time has come.
    pub(super) fn pass(&self, name: &str) {
        if self.is_last_pass(name) {
            std::process::abort();
        }
    }

    fn is_last_pass(&self, name: &str) -> bool {
        let Some((armed, left)) = &self.armed else { return false };
        armed == name && left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_armed_place_kills_and_only_at_its_pass() {
        let failpoints = Failpoints::parse("after_commit:3");
        let passes: Vec<bool> = (0..5).map(|_| failpoints.is_last_pass("after_commit")).collect();
        assert_eq!(passes, [false, false, true, false, false]);
        assert!(!Failpoints::parse("after_commit:1").is_last_pass("before_commit"));
        for nothing in ["", "after_commit", "after_commit:x"] {
            assert!(!Failpoints::parse(nothing).is_last_pass("after_commit"), "{nothing}");
        }
    }
}
