//! The seeded generator that every draw of this floor comes from: xoshiro256++ seeded by SplitMix64.
//!
//! It is written out here because a model must come out the same in every release: a library is free to change its
//! streams between versions. Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2021).

/// The next value of a SplitMix64 sequence; also a good mixer of a counter into a seed.
#[must_use]
pub const fn split_mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A stream of random numbers that is the same for the same seed, everywhere.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        Self {
            state: [
                split_mix(seed),
                split_mix(seed.wrapping_add(STEP)),
                split_mix(seed.wrapping_add(STEP.wrapping_mul(2))),
                split_mix(seed.wrapping_add(STEP.wrapping_mul(3))),
            ],
        }
    }

    /// The stream number `index` of a seed, so that parts of a model can be made in any order and on any thread.
    #[must_use]
    pub const fn stream(seed: u64, index: u64) -> Self {
        Self::new(split_mix(seed).wrapping_add(split_mix(!index)))
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0.0..1.0`, in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A number below `bound`, which must not be 0. The bias is below `bound` / 2^64.
    pub const fn below(&mut self, bound: usize) -> usize {
        ((self.bits() as u128 * bound as u128) >> 64) as usize
    }

    /// A number of the standard normal distribution (polar method).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * square.ln() / square).sqrt();
            }
        }
    }

    /// `count` different numbers below `bound`, in random order; all of them when `count` is not smaller.
    ///
    /// Floyd's method would save memory, but its order is not random; this one keeps only the touched places.
    pub fn sample(&mut self, bound: usize, count: usize) -> Vec<usize> {
        let mut moved = std::collections::BTreeMap::new();
        let place = |moved: &std::collections::BTreeMap<usize, usize>, at: usize| moved.get(&at).copied().unwrap_or(at);
        (0..count.min(bound))
            .map(|at| {
                let other = at + self.below(bound - at);
                let (here, there) = (place(&moved, at), place(&moved, other));
                moved.insert(other, here);
                there
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_sequence() {
        // The first outputs for seed 1234567 as in the reference implementation's well-known test.
        assert_eq!(split_mix(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(1_234_567_u64.wrapping_add(0x9e37_79b9_7f4a_7c15)), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_sample_is_without_replacement_and_covers_all() {
        let mut drawn = Random::new(5).sample(100, 40);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 40);
        let mut all = Random::new(6).sample(10, 99);
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert!(Random::new(1).sample(0, 3).is_empty());
    }

    #[test]
    fn draws_are_uniform_enough() {
        let mut random = Random::stream(7, 3);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[random.below(10)] += 1;
        }
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 500), "{counts:?}");
        let mean = (0..100_000).map(|_| random.unit()).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.01);
        let (mut sum, mut square) = (0.0, 0.0);
        for _ in 0..100_000 {
            let x = random.normal();
            sum += x;
            square += x * x;
        }
        assert!((sum / 1e5).abs() < 0.02 && (square / 1e5 - 1.0).abs() < 0.03);
    }
}
