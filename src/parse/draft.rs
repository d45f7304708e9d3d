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
use super::value::{self, Kind};
use super::{ActionClass, Event, Outcome, Text};

/// The rank of a slot that nothing fills.
const EMPTY: u16 = u16::MAX;
/// Added to the rank of a time without a zone: one with a zone is surer.
const ZONELESS: u16 = 512;
/// Added to the rank of a source that is no address.
const NO_ADDRESS: u16 = 16_384;
/// The place of letters that stand neither in the block nor in the arena.
pub(super) const NOWHERE: u32 = u32::MAX;
/// Where the use of a value that no field gave is counted: nowhere.
pub(super) const NO_TALLY: u32 = u32::MAX;
/// Longer texts are cut for `unreadable_time`.
const SHOWN_CHARS: usize = 60;

/// A value for a slot, its letters apart: both then travel in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) kind: Kind,
    /// Where its letters stand, in the block or past its end in the arena; or [`NOWHERE`].
    pub(super) place: u32,
    /// Where its use is counted, or [`NO_TALLY`].
    pub(super) tally: u32,
}

/// The event and what is known of its values.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) event: Event,
    pub(super) record: Range<usize>,
    pub(super) unreadable_time: Option<String>,
    /// How it ended, if only the action's name says so.
    implied: Outcome,
    ranks: [u16; Slot::ALL.len()],
    tallies: [u32; Slot::ALL.len()],
    arena: Vec<u8>,
    template_scratch: Vec<u8>,
    block_len: usize,
    clock: Clock,
    meanings: WordCache<action::Meaning>,
    outcomes: WordCache<Outcome>,
}

impl Draft {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            event: Event::EMPTY,
            record: 0..0,
            unreadable_time: None,
            implied: Outcome::Unknown,
            ranks: [EMPTY; Slot::ALL.len()],
            tallies: [NO_TALLY; Slot::ALL.len()],
            arena: Vec::new(),
            template_scratch: Vec::new(),
            block_len: 0,
            clock: Clock::new(zone),
            meanings: WordCache::new(),
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
        self.tallies = [NO_TALLY; Slot::ALL.len()];
        self.unreadable_time = None;
        self.implied = Outcome::Unknown;
    }

    /// The event, complete.
    pub(super) fn finished(&mut self) -> Event {
        if self.event.outcome == Outcome::Unknown {
            self.event.outcome = self.implied;
        }
        self.event
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranks.iter().all(|rank| *rank == EMPTY)
    }

    pub(super) fn tallies(&self) -> &[u32] {
        &self.tallies
    }

    pub(super) fn take_arena(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.arena)
    }

    pub(super) fn reuse_arena(&mut self, arena: Vec<u8>) {
        if self.arena.is_empty() {
            self.arena = arena;
        }
    }

    /// Takes the value if it beats the slot's present one.
    #[inline]
    pub(super) fn offer(&mut self, claim: Claim, text: &str, origin: Origin) {
        let Claim { slot, rank } = claim;
        if rank >= self.ranks[slot as usize] {
            return;
        }
        let taken = match slot {
            Slot::Time => self.offer_time(rank, text),
            Slot::Outcome => if_taken(self.offer_outcome(text), rank),
            Slot::Bytes => if_taken(self.offer_bytes(text), rank),
            Slot::SourceIp => self.offer_source(rank, text, origin),
            Slot::Message => if_taken(self.offer_message(text), rank),
            _ => if_taken(self.offer_text(slot, text, origin), rank),
        };
        if taken != EMPTY {
            self.ranks[slot as usize] = taken;
            self.tallies[slot as usize] = origin.tally;
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
            let origin = Origin { kind: Kind::Text, place: NOWHERE, tally: NO_TALLY };
            self.offer(Claim { slot, rank: BUILT_IN }, text, origin);
        }
        if self.ranks[slot as usize] == EMPTY {
            self.ranks[slot as usize] = rank;
        }
    }

    /// An action of a known class.
    pub(super) fn derive_action(&mut self, action: &str, class: ActionClass) {
        if self.ranks[Slot::Action as usize] >= BUILT_IN {
            self.derive_text(Slot::Action, action);
            self.event.class = class;
            self.implied = Outcome::Unknown;
        }
    }

    /// Takes a value out of its slot again, unless a user's mapping put it there.
    pub(super) fn clear(&mut self, slot: Slot) {
        if self.ranks[slot as usize] < BUILT_IN {
            return;
        }
        self.ranks[slot as usize] = EMPTY;
        self.tallies[slot as usize] = NO_TALLY;
        if let Some(text) = self.text_mut(slot) {
            *text = Text::ABSENT;
        }
    }

    /// Whether something fills the slot.
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.ranks[slot as usize] != EMPTY
    }

    /// Appends text to the arena, and says where it stands; beyond 4 GiB the letters are lost, the hash is not.
    fn keep(&mut self, text: &str) -> u32 {
        let start = self.block_len + self.arena.len();
        if u32::try_from(start + text.len()).is_err() {
            return NOWHERE;
        }
        self.arena.extend_from_slice(text.as_bytes());
        start as u32
    }

    fn offer_time(&mut self, rank: u16, text: &str) -> u16 {
        match self.clock.read(text) {
            Some((millis, zoned)) => {
                let rank = if zoned || rank < BUILT_IN { rank } else { rank.saturating_add(ZONELESS) };
                let wins = rank < self.ranks[Slot::Time as usize];
                if wins {
                    self.event.time = millis;
                }
                if_taken(wins, rank)
            }
            None => {
                if !value::is_absent(text) && self.unreadable_time.is_none() {
                    self.unreadable_time = Some(text.chars().take(SHOWN_CHARS).collect());
                }
                EMPTY
            }
        }
    }

    fn offer_outcome(&mut self, text: &str) -> bool {
        let outcome = match text.len() {
            0..=64 => self.outcomes.of(hash_text(text.as_bytes()), || value::outcome(text)),
            _ => value::outcome(text),
        };
        if outcome != Outcome::Unknown {
            self.event.outcome = outcome;
        }
        outcome != Outcome::Unknown
    }

    fn offer_bytes(&mut self, text: &str) -> bool {
        let count = value::byte_count(text);
        if count.is_some() {
            self.event.bytes = count;
        }
        count.is_some()
    }

    fn offer_source(&mut self, rank: u16, text: &str, origin: Origin) -> u16 {
        let (text, place, rank) = match value::address(text) {
            Some(address) if origin.place == NOWHERE => (address, NOWHERE, rank),
            Some(address) => {
                let skipped = (address.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                (address, origin.place + skipped as u32, rank)
            }
            None if rank < BUILT_IN => (text, origin.place, rank),
            // A path, a URL or a sentence is the source of something else.
            None if origin.kind != Kind::Text || text.len() > 255 || text.contains(['/', '\\', ' ', '{', '"']) => {
                return EMPTY;
            }
            None => (text, origin.place, rank.saturating_add(NO_ADDRESS)),
        };
        let wins = rank < self.ranks[Slot::SourceIp as usize];
        if_taken(wins && self.offer_text(Slot::SourceIp, text, Origin { place, ..origin }), rank)
    }

    fn offer_message(&mut self, text: &str) -> bool {
        if self.event.template == 0 {
            self.event.template = template::hash(text, &mut self.template_scratch);
        }
        self.event.template != 0
    }

    #[inline]
    fn offer_text(&mut self, slot: Slot, text: &str, origin: Origin) -> bool {
        if origin.kind == Kind::Text && value::is_absent(text) {
            return false;
        }
        let hash = hash_text(text.as_bytes());
        let start = if origin.place == NOWHERE { self.keep(text) } else { origin.place };
        let Ok(len) = u32::try_from(text.len()) else { return false };
        if slot == Slot::Action {
            let meaning = self.meanings.of(hash, || action::meaning(text));
            self.event.class = meaning.class;
            self.implied = meaning.outcome;
        }
        if let Some(into) = self.text_mut(slot) {
            *into = Text { hash, start, len };
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

/// The rank, if the value was taken.
fn if_taken(taken: bool, rank: u16) -> u16 {
    if taken { rank } else { EMPTY }
}
