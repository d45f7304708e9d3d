//! The last messages of a stream. Plain syslog has no acknowledgement: what the kernel took may be lost with the
//! connection, so the last messages are written again on the next one. It is best effort, and may double messages.

use std::collections::VecDeque;

/// The last messages that were written and that nobody confirmed.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    most: usize,
    messages: VecDeque<Vec<u8>>,
}

impl Unconfirmed {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, messages: VecDeque::new() }
    }

    /// Adds what was just written; the oldest make room.
    pub(crate) fn remember(&mut self, written: &[&[u8]]) {
        let newest = &written[written.len().saturating_sub(self.most)..];
        let too_many = (self.messages.len() + newest.len()).saturating_sub(self.most);
        self.messages.drain(..too_many);
        self.messages.extend(newest.iter().map(|message| message.to_vec()));
    }

    /// The other side read everything.
    pub(crate) fn forget(&mut self) {
        self.messages.clear();
    }

    /// All of them in the order in which they were written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.messages.iter().flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let mut unconfirmed = Unconfirmed::new(3);
        unconfirmed.remember(&[b"a", b"b"]);
        assert_eq!(unconfirmed.bytes(), b"ab");
        unconfirmed.remember(&[b"c", b"d"]);
        assert_eq!(unconfirmed.bytes(), b"bcd");
        unconfirmed.remember(&[b"1", b"2", b"3", b"4", b"5"]);
        assert_eq!(unconfirmed.bytes(), b"345");
        unconfirmed.forget();
        assert!(unconfirmed.bytes().is_empty());
        let mut none = Unconfirmed::new(0);
        none.remember(&[b"a"]);
        assert!(none.bytes().is_empty());
    }
}
