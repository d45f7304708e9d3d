//! A hash table of bounded size: the memory of one sort of entity.
//!
//! It grows like any table up to its cap; from there on a newcomer takes the place of the entry among its neighbors that
//! was idle longest. So memory has a limit that no log can break, a busy entity is never forgotten for a flood of
//! one-time ones, and the evictions are counted.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many neighboring slots a key may stand in.
const REACH: usize = 8;

/// What a table keeps per key.
pub trait Remembered: Copy + Default {
    /// Seconds since 1970 of the last use, for choosing whom to forget.
    fn last(&self) -> u32;
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot<T> {
    /// 0 marks a free slot; a real key of 0 is stored as 1.
    key: u64,
    value: T,
}

/// Entities by the hash of their name.
///
/// A frozen table shares its entries with its clones, and each clone keeps only what it changes: what a model remembers
/// is there once, however many logs are measured with it at the same time.
#[derive(Debug, Clone)]
pub struct Table<T> {
    /// What is shared; `slots` holds what was changed since.
    frozen: Option<Arc<Table<T>>>,
    /// Entries of `slots` that are changed ones of `frozen`.
    changed: usize,
    slots: Vec<Slot<T>>,
    len: usize,
    max_slots: usize,
    evictions: u64,
}

impl<T: Remembered> Table<T> {
    /// An empty table that holds at most `max_entries`, rounded up to a power of two.
    #[must_use]
    pub fn new(max_entries: usize) -> Self {
        Self {
            frozen: None,
            changed: 0,
            slots: vec![Slot::default(); 64 + REACH],
            len: 0,
            max_slots: max_entries.next_power_of_two().max(64),
            evictions: 0,
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len + self.frozen.as_ref().map_or(0, |frozen| frozen.len()) - self.changed
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shares all entries with the clones that are made from now on.
    pub fn freeze(&mut self) {
        let evictions = self.evictions;
        let mut merged = Self::new(self.max_slots);
        if self.frozen.is_some() {
            self.iter().for_each(|(key, value)| *merged.entry(key).0 = *value);
        } else {
            std::mem::swap(&mut merged, self);
        }
        let empty = Self::new(merged.max_slots);
        *self = Self { frozen: Some(Arc::new(merged)), evictions, ..empty };
    }

    /// How many entries had to make room for others since the table reached its cap.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    /// The entry of this key, if there is one.
    #[must_use]
    pub fn find(&self, key: u64) -> Option<&T> {
        let key = key.max(1);
        let home = self.home(key);
        let own = self.slots[home..home + REACH].iter().find(|slot| slot.key == key).map(|slot| &slot.value);
        own.or_else(|| self.frozen.as_ref().and_then(|frozen| frozen.find(key)))
    }

    /// Fetches the place where this key stands into the cache. Several of these in a row wait for memory once, where the
    /// same look-ups one after another would each wait; the number that comes back means nothing.
    #[must_use]
    pub fn touch(&self, key: u64) -> u64 {
        self.slots[self.home(key.max(1))].key
    }

    /// The entry of this key, made anew from `T::default()` when there is none; `true` says that it was.
    pub fn entry(&mut self, key: u64) -> (&mut T, bool) {
        let key = key.max(1);
        let home = self.home(key);
        if let Some(offset) = self.slots[home..home + REACH].iter().position(|slot| slot.key == key) {
            return (&mut self.slots[home + offset].value, false);
        }
        let shared = self.shared(key);
        let at = self.room_for(key);
        if self.shared(self.slots[at].key).is_some() {
            self.changed -= 1;
        }
        self.changed += usize::from(shared.is_some());
        self.slots[at] = Slot { key, value: shared.unwrap_or_default() };
        (&mut self.slots[at].value, shared.is_none())
    }

    fn shared(&self, key: u64) -> Option<T> {
        self.frozen.as_ref().filter(|_| key != 0).and_then(|frozen| frozen.find(key)).copied()
    }

    /// All entries with their keys, in the order of the slots.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let shared = self.frozen.iter().flat_map(|frozen| frozen.changed());
        self.changed().chain(shared.filter(|(key, _)| !self.holds(*key)))
    }

    fn holds(&self, key: u64) -> bool {
        let home = self.home(key);
        self.slots[home..home + REACH].iter().any(|slot| slot.key == key)
    }

    /// The entries that were made or looked at since the table was frozen; all, if it never was.
    pub fn changed(&self) -> impl Iterator<Item = (u64, &T)> {
        self.slots.iter().filter(|slot| slot.key != 0).map(|slot| (slot.key, &slot.value))
    }

    fn home(&self, key: u64) -> usize {
        // The multiplier (2^64 / golden ratio, Knuth) spreads keys whose low bits are alike.
        let spread = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (spread >> (64 - (self.slots.len() - REACH).trailing_zeros())) as usize
    }

    /// A free slot within reach of the key's home; counts the entry.
    fn room_for(&mut self, key: u64) -> usize {
        loop {
            let home = self.home(key);
            let buckets = self.slots.len() - REACH;
            if self.len * 10 < buckets * 7 || buckets >= self.max_slots {
                if let Some(offset) = self.slots[home..home + REACH].iter().position(|slot| slot.key == 0) {
                    self.len += 1;
                    return home + offset;
                }
                if buckets >= self.max_slots {
                    self.evictions += 1;
                    return home + self.longest_idle(home);
                }
            }
            self.grow();
        }
    }

    fn longest_idle(&self, home: usize) -> usize {
        let neighbors = &self.slots[home..home + REACH];
        (0..REACH).min_by_key(|&offset| neighbors[offset].value.last()).unwrap_or(0)
    }

    fn grow(&mut self) {
        let mut buckets = (self.slots.len() - REACH) * 2;
        let old = std::mem::take(&mut self.slots);
        loop {
            self.slots = vec![Slot::default(); buckets + REACH];
            self.len = 0;
            let unplaced = old.iter().filter(|slot| slot.key != 0 && !self.place(**slot)).count();
            if unplaced == 0 {
                return;
            }
            if buckets >= self.max_slots {
                self.evictions += unplaced as u64;
                return;
            }
            buckets *= 2;
        }
    }

    fn place(&mut self, moved: Slot<T>) -> bool {
        let home = self.home(moved.key);
        let free = self.slots[home..home + REACH].iter_mut().find(|slot| slot.key == 0);
        let Some(free) = free else { return false };
        *free = moved;
        self.len += 1;
        true
    }
}

/// As its cap and its entries: where an entry stands is the table's own business, so that no file can put it wrong.
impl<T: Remembered + Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries: Vec<(u64, T)> = self.iter().map(|(key, value)| (key, *value)).collect();
        (self.max_slots as u64, self.evictions, entries).serialize(serializer)
    }
}

impl<'de, T: Remembered + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Largest cap that is taken from a file.
        const LARGEST: u64 = 1 << 22;
        let (max_slots, evictions, entries) = <(u64, u64, Vec<(u64, T)>)>::deserialize(deserializer)?;
        let mut table = Self::new(max_slots.min(LARGEST) as usize);
        for (key, value) in entries {
            *table.entry(key).0 = value;
        }
        table.evictions = evictions;
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, Default, PartialEq)]
    struct Seen {
        last: u32,
        count: u32,
    }

    impl Remembered for Seen {
        fn last(&self) -> u32 {
            self.last
        }
    }

    fn key(n: u64) -> u64 {
        n.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        let mut table = Table::<Seen>::new(1 << 20);
        for n in 0..100_000 {
            let (entry, new) = table.entry(key(n));
            assert!(new);
            *entry = Seen { last: 1, count: n as u32 };
        }
        assert_eq!((table.len(), table.evictions()), (100_000, 0));
        for n in 0..100_000 {
            assert_eq!(table.find(key(n)).map(|seen| seen.count), Some(n as u32));
        }
        assert_eq!(table.find(key(100_001)), None);
        assert_eq!(table.iter().count(), 100_000);
    }

    #[test]
    fn the_cap_holds_and_the_busy_stay() {
        let mut table = Table::<Seen>::new(1024);
        for n in 0..50_000_u64 {
            table.entry(key(n)).0.last = n as u32;
            table.entry(key(7)).0.last = n as u32;
        }
        assert!(table.len() <= 1024 + REACH, "{}", table.len());
        assert!(table.evictions() > 40_000);
        assert!(table.find(key(7)).is_some());
    }

    #[test]
    fn a_clone_of_a_frozen_table_is_as_one_of_its_own() {
        let mut plain = Table::<Seen>::new(1 << 16);
        (0..5_000).for_each(|n| *plain.entry(key(n)).0 = Seen { last: 1, count: n as u32 });
        let mut frozen = plain.clone();
        frozen.freeze();
        let mut fork = frozen.clone();
        for n in 4_000..6_000 {
            for table in [&mut plain, &mut fork] {
                let (entry, new) = table.entry(key(n));
                assert_eq!(new, n >= 5_000, "{n}");
                entry.count += 1;
            }
        }
        assert_eq!((plain.len(), fork.len(), frozen.len()), (6_000, 6_000, 5_000));
        assert_eq!(fork.changed().count(), 2_000);
        for n in 0..7_000 {
            assert_eq!(fork.find(key(n)), plain.find(key(n)), "{n}");
        }
        assert_eq!(frozen.find(key(4_500)).unwrap().count, 4_500);
        let all = |table: &Table<Seen>| {
            let mut all: Vec<(u64, u32)> = table.iter().map(|(key, seen)| (key, seen.count)).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(all(&fork), all(&plain));
        fork.freeze();
        assert_eq!((fork.len(), all(&fork)), (6_000, all(&plain)));
    }

    #[test]
    fn the_key_zero_is_a_key() {
        let mut table = Table::<Seen>::new(64);
        table.entry(0).0.count = 5;
        assert_eq!(table.find(0).map(|seen| seen.count), Some(5));
    }
}
