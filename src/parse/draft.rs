//! The event in the making: one value per slot, the best so far.
//!
//! A value is turned into what its slot holds when it is offered, so one that means nothing there (an unreadable time, an
//! address that is none) leaves the slot to the next best field.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::action::{self, WordCache};
use super::build::hash_text;
use super::clock::Clock;
use super::fields::{BUILT_IN, Claim, Slot};
use super::template;
use super::value::{self, Scalar};
use super::{ActionClass, Event, Outcome, Text};

/// The rank of a slot that nothing fills.
const EMPTY: u16 = u16::MAX;
/// Added to the rank of a time without a zone: one with a zone is surer.
const ZONELESS: u16 = 512;
/// Added to the rank of a source that is no address.
const NO_ADDRESS: u16 = 16_384;
/// Longer texts are cut for `unreadable_time`.
const SHOWN_CHARS: usize = 60;

/// A value for a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) value: Scalar<'a>,
    /// Where its letters stand, in the block or past its end in the arena.
    pub(super) place: Option<u32>,
    /// Where its use is counted.
    pub(super) tally: Option<u32>,
}

/// The event and what is known of its values.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) event: Event,
    pub(super) record: Range<usize>,
    pub(super) unreadable_time: Option<String>,
    ranks: [u16; Slot::ALL.len()],
    tallies: [Option<u32>; Slot::ALL.len()],
    arena: Vec<u8>,
    block_len: usize,
    clock: Clock,
    classes: WordCache<ActionClass>,
    outcomes: WordCache<Outcome>,
}

impl Draft {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            event: Event::EMPTY,
            record: 0..0,
            unreadable_time: None,
            ranks: [EMPTY; Slot::ALL.len()],
            tallies: [None; Slot::ALL.len()],
            arena: Vec::new(),
            block_len: 0,
            clock: Clock::new(zone),
            classes: WordCache::new(),
            outcomes: WordCache::new(),
        }
    }

    pub(super) fn begin(&mut self, block_len: usize, record: Range<usize>, line: u32) {
        self.block_len = block_len;
        self.restart(record, line);
    }

    pub(super) fn restart(&mut self, record: Range<usize>, line: u32) {
        self.forget();
        self.event.line = line;
        self.event.record_start = u32::try_from(record.start).unwrap_or(u32::MAX);
        self.event.record_len = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.record = record;
    }

    /// Drops the values; a late complaint still finds the record's place.
    pub(super) fn forget(&mut self) {
        self.event = Event { line: self.event.line, ..Event::EMPTY };
        self.ranks = [EMPTY; Slot::ALL.len()];
        self.tallies = [None; Slot::ALL.len()];
        self.unreadable_time = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranks.iter().all(|rank| *rank == EMPTY)
    }

    pub(super) fn tallies(&self) -> impl Iterator<Item = Option<u32>> + use<> {
        self.tallies.into_iter()
    }

    pub(super) fn take_arena(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.arena)
    }

    /// Takes the value if it beats the slot's present one.
    #[inline]
    pub(super) fn offer(&mut self, claim: Claim, offer: Offer<'_>) {
        if claim.rank >= self.ranks[claim.slot as usize] {
            return;
        }
        let taken = match claim.slot {
            Slot::Time => self.offer_time(claim.rank, offer.value),
            Slot::Outcome => self.offer_outcome(offer.value).then_some(claim.rank),
            Slot::Bytes => self.offer_bytes(offer.value).then_some(claim.rank),
            Slot::SourceIp => self.offer_source(claim.rank, offer),
            Slot::Message => self.offer_message(offer.value).then_some(claim.rank),
            _ => self.offer_text(claim.slot, offer).then_some(claim.rank),
        };
        if let Some(rank) = taken {
            self.ranks[claim.slot as usize] = rank;
            self.tallies[claim.slot as usize] = offer.tally;
        }
    }

    pub(super) fn set_time(&mut self, millis: i64) {
        if self.ranks[Slot::Time as usize] >= BUILT_IN {
            self.event.time = millis;
            self.ranks[Slot::Time as usize] = BUILT_IN;
        }
    }

    pub(super) fn set_outcome(&mut self, outcome: Outcome) {
        if self.ranks[Slot::Outcome as usize] >= BUILT_IN {
            self.event.outcome = outcome;
            self.ranks[Slot::Outcome as usize] = BUILT_IN;
        }
    }

    /// A text that a vendor's derivation found: stands above every built-in name, below a user's mapping.
    pub(super) fn derive_text(&mut self, slot: Slot, text: &str) {
        let rank = std::mem::replace(&mut self.ranks[slot as usize], EMPTY);
        if rank >= BUILT_IN {
            let offer = Offer { value: Scalar::Text(text), place: None, tally: None };
            self.offer(Claim { slot, rank: BUILT_IN }, offer);
        }
        if self.ranks[slot as usize] == EMPTY {
            self.ranks[slot as usize] = rank;
        }
    }

    /// Takes a value out of its slot again, unless a user's mapping put it there.
    pub(super) fn clear(&mut self, slot: Slot) {
        if self.ranks[slot as usize] < BUILT_IN {
            return;
        }
        self.ranks[slot as usize] = EMPTY;
        self.tallies[slot as usize] = None;
        if let Some(text) = self.text_mut(slot) {
            *text = Text::ABSENT;
        }
    }

    /// Whether something fills the slot.
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.ranks[slot as usize] != EMPTY
    }

    /// Appends text to the arena, and says where it stands.
    pub(super) fn keep(&mut self, text: &str) -> Option<u32> {
        let start = u32::try_from(self.block_len + self.arena.len()).ok()?;
        u32::try_from(self.block_len + self.arena.len() + text.len()).ok()?;
        self.arena.extend_from_slice(text.as_bytes());
        Some(start)
    }

    fn offer_time(&mut self, rank: u16, value: Scalar<'_>) -> Option<u16> {
        let (Scalar::Text(text) | Scalar::Number(text)) = value else { return None };
        match self.clock.read(text) {
            Some((millis, zoned)) => {
                let rank = if zoned || rank < BUILT_IN { rank } else { rank + ZONELESS };
                (rank < self.ranks[Slot::Time as usize]).then(|| self.event.time = millis)?;
                Some(rank)
            }
            None => {
                if !value::is_absent(text) && self.unreadable_time.is_none() {
                    self.unreadable_time = Some(text.chars().take(SHOWN_CHARS).collect());
                }
                None
            }
        }
    }

    fn offer_outcome(&mut self, value: Scalar<'_>) -> bool {
        let outcome = match value {
            Scalar::Text(text) if text.len() <= 64 => {
                self.outcomes.of(hash_text(text.as_bytes()), || value::outcome(value))
            }
            _ => value::outcome(value),
        };
        if outcome != Outcome::Unknown {
            self.event.outcome = outcome;
        }
        outcome != Outcome::Unknown
    }

    fn offer_bytes(&mut self, value: Scalar<'_>) -> bool {
        let (Scalar::Text(text) | Scalar::Number(text)) = value else { return false };
        let count = value::byte_count(text);
        if count.is_some() {
            self.event.bytes = count;
        }
        count.is_some()
    }

    fn offer_source(&mut self, rank: u16, mut offer: Offer<'_>) -> Option<u16> {
        let Scalar::Text(text) = offer.value else { return None };
        let rank = match value::address(text) {
            Some(address) => {
                let skipped = (address.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                offer.place = offer.place.and_then(|place| place.checked_add(u32::try_from(skipped).ok()?));
                offer.value = Scalar::Text(address);
                rank
            }
            None if rank < BUILT_IN => rank,
            // A path, a URL or a sentence is the source of something else.
            None if text.len() > 255 || text.contains(['/', '\\', ' ', '{', '"']) => return None,
            None => rank.saturating_add(NO_ADDRESS),
        };
        (rank < self.ranks[Slot::SourceIp as usize] && self.offer_text(Slot::SourceIp, offer)).then_some(rank)
    }

    fn offer_message(&mut self, value: Scalar<'_>) -> bool {
        let Scalar::Text(text) = value else { return false };
        if self.event.template == 0 {
            self.event.template = template::hash(text);
        }
        !text.is_empty()
    }

    #[inline]
    fn offer_text(&mut self, slot: Slot, offer: Offer<'_>) -> bool {
        let (letters, place) = match offer.value {
            Scalar::Text(text) if value::is_absent(text) => return false,
            Scalar::Text(text) | Scalar::Number(text) => (text, offer.place),
            Scalar::Bool(true) => ("true", None),
            Scalar::Bool(false) => ("false", None),
            Scalar::Null => return false,
        };
        let Some(start) = place.or_else(|| self.keep(letters)) else { return false };
        let Ok(len) = u32::try_from(letters.len()) else { return false };
        let hash = hash_text(letters.as_bytes());
        if slot == Slot::Action {
            self.event.class = self.classes.of(hash, || action::classify(letters));
        }
        if let Some(text) = self.text_mut(slot) {
            *text = Text { hash, start, len };
        }
        true
    }

    fn text_mut(&mut self, slot: Slot) -> Option<&mut Text> {
        match slot {
            Slot::User => Some(&mut self.event.user),
            Slot::SourceIp => Some(&mut self.event.source_ip),
            Slot::Host => Some(&mut self.event.host),
            Slot::Action => Some(&mut self.event.action),
            Slot::Resource => Some(&mut self.event.resource),
            Slot::Country => Some(&mut self.event.country),
            Slot::Process => Some(&mut self.event.process),
            Slot::UserAgent => Some(&mut self.event.user_agent),
            Slot::Time | Slot::Outcome | Slot::Bytes | Slot::Message => None,
        }
    }
}
