//! The generator of chance behind the samples: SplitMix64, integers only.

/// A seeded stream of numbers, the same on every platform.
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0..n, without n.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    /// From `low` up to and with `high`.
    pub(crate) const fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// Around `middle`, most often close to it, never farther than `spread`.
    pub(crate) const fn around(&mut self, middle: i64, spread: i64) -> i64 {
        let third = spread / 3;
        middle + self.between(-third, third) + self.between(-third, third) + self.between(-third, third)
    }

    /// True so many times in a hundred.
    pub(crate) const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) const fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// A size in bytes with a long tail: most are near `typical`, one in eight is several times as large.
    pub(crate) const fn size(&mut self, typical: u64) -> u64 {
        const SCALE: [u64; 8] = [1, 2, 2, 3, 3, 4, 6, 11];
        let third = typical / 3 + 1;
        third * SCALE[self.below(8) as usize] + self.below(third)
    }
}
