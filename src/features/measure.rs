//! Small measures that an entity's memory is made of: windows, distinct counts, running means, surprise.
//!
//! Each is a few bytes of plain data and O(1) per event. All times are seconds since 1970 as `u32`.

use serde::{Deserialize, Serialize};

/// A count over a sliding window, from two half-open buckets of the window's width.
///
/// The estimate takes the share of the previous bucket that the window still covers, as rate limiters do; it is exact
/// for steady rates and never off by more than the previous bucket.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Window {
    bucket: u32,
    current: f32,
    previous: f32,
}

impl Window {
    /// Adds `amount` at `now` and gives the amount within the last `width` seconds.
    pub fn add(&mut self, now: u32, width: u32, amount: f32) -> f32 {
        self.turn(now, width);
        self.current += amount;
        self.level(now, width)
    }

    /// The amount within the last `width` seconds.
    #[must_use]
    pub fn read(mut self, now: u32, width: u32) -> f32 {
        self.turn(now, width);
        self.level(now, width)
    }

    /// The amount within the present and the previous bucket, as [`Distinct`] counts.
    #[must_use]
    pub fn both(mut self, now: u32, width: u32) -> f32 {
        self.turn(now, width);
        self.current + self.previous
    }

    fn level(&self, now: u32, width: u32) -> f32 {
        let into = (now % width) as f32 / width as f32;
        self.current + self.previous * (1.0 - into)
    }

    fn turn(&mut self, now: u32, width: u32) {
        let bucket = now / width;
        if bucket <= self.bucket {
            return;
        }
        self.previous = if bucket == self.bucket + 1 { self.current } else { 0.0 };
        self.current = 0.0;
        self.bucket = bucket;
    }
}

/// Distinct values over a sliding window: linear counting in 128 bits (Whang 1990), in two buckets.
///
/// Exact to a few percent up to some 200 distinct values, which is far past where any of the terms saturates.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Distinct {
    bucket: u32,
    current: u128,
    previous: u128,
}

impl Distinct {
    /// Adds a value by its hash and gives the number of distinct values within one to two windows of `width` seconds.
    pub fn add(&mut self, now: u32, width: u32, hash: u64) -> f32 {
        self.turn(now, width);
        self.current |= 1 << ((hash ^ (hash >> 32)) & 127);
        self.estimate()
    }

    /// The number of distinct values within one to two windows.
    #[must_use]
    pub fn read(mut self, now: u32, width: u32) -> f32 {
        self.turn(now, width);
        self.estimate()
    }

    fn estimate(&self) -> f32 {
        let free = (self.current | self.previous).count_zeros().max(1) as f32;
        -128.0 * std::f32::consts::LN_2 * log2(free / 128.0)
    }

    fn turn(&mut self, now: u32, width: u32) {
        let bucket = now / width;
        if bucket <= self.bucket {
            return;
        }
        self.previous = if bucket == self.bucket + 1 { self.current } else { 0 };
        self.current = 0;
        self.bucket = bucket;
    }
}

/// A running mean and variance that forgets slowly: exact at first, then exponentially weighted.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Running {
    /// Number of values, capped at the memory's length.
    pub count: f32,
    /// Mean.
    pub mean: f32,
    variance: f32,
}

impl Running {
    /// After so many values, old ones begin to fade.
    const MEMORY: f32 = 200.0;

    /// Takes in a value. It moves the mean by at most four deviations, so that one outlier does not become the norm.
    pub fn add(&mut self, value: f32) {
        let limit = 4.0 * self.deviation() + 1.0;
        let step = if self.count < 5.0 { value - self.mean } else { (value - self.mean).clamp(-limit, limit) };
        self.count = (self.count + 1.0).min(Self::MEMORY);
        let weight = 1.0 / self.count;
        self.mean += step * weight;
        self.variance += weight * (step * step * (1.0 - weight) - self.variance);
    }

    /// Standard deviation.
    #[must_use]
    pub fn deviation(&self) -> f32 {
        self.variance.max(0.0).sqrt()
    }
}

/// The level that windows usually reach: told once per window, so that a burst does not become its own norm.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Pace {
    window: u32,
    level: f32,
    /// Highest level of an earlier window, fading slowly.
    pub highest: f32,
    /// Levels of the earlier windows that had any.
    pub levels: Running,
}

impl Pace {
    /// Tells the level of the window at `now`.
    pub fn tell(&mut self, now: u32, width: u32, level: f32) {
        let window = now / width;
        if window == self.window {
            self.level = self.level.max(level);
            return;
        }
        if self.level > 0.0 {
            self.levels.add(self.level);
            self.highest = (self.highest * 0.995).max(self.level);
        }
        self.window = window;
        self.level = level;
    }

    /// What level to expect, leaning on `peers` as long as the own past is short.
    #[must_use]
    pub fn expected(&self, peers: f32) -> f32 {
        const PRIOR: f32 = 3.0;
        (self.levels.mean * self.levels.count + peers * PRIOR) / (self.levels.count + PRIOR)
    }
}

/// Logarithm to base 2, within 0.00002: the same bits on every machine, which libraries' logarithms are not, and faster.
///
/// The mantissa's logarithm by a polynomial of degree 5 that meets 0 and 1 at the ends. 0 for what has no logarithm.
#[must_use]
pub fn log2(value: f32) -> f32 {
    if !(value > 0.0 && value.is_finite()) {
        return 0.0;
    }
    let bits = value.to_bits();
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    let x = f32::from_bits((bits & 0x007F_FFFF) | 0x3F80_0000) - 1.0;
    exponent + x * (1.441_916_7 + x * (-0.709_093_6 + x * (0.415_598_7 + x * (-0.193_568_1 + x * 0.045_146_28))))
}

/// Natural logarithm of `1 + value`, see [`log2`].
#[must_use]
pub fn log_of_count(value: f32) -> f32 {
    log2(1.0 + value) * std::f32::consts::LN_2
}

/// Logarithm to base 10, see [`log2`].
#[must_use]
pub fn log10(value: f32) -> f32 {
    log2(value) * std::f32::consts::LOG10_2
}

/// `-log10 P(X >= observed)` for a Poisson variable with mean `expected`; 0 when it is not above it.
///
/// Chernoff's bound with Stirling's correction, within 0.3 of the exact value where it matters (observed >= 3).
#[must_use]
pub fn poisson_surprise(observed: f32, expected: f32) -> f32 {
    let expected = expected.max(1e-6);
    if observed <= expected {
        return 0.0;
    }
    let nats = observed * (observed / expected).ln() - observed + expected;
    (nats / std::f32::consts::LN_10 + 0.5 * (std::f32::consts::TAU * observed).log10().max(0.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_what_left_it() {
        let mut window = Window::default();
        for second in 0..300 {
            window.add(second, 300, 1.0);
        }
        assert_eq!(window.read(299, 300), 300.0);
        assert!((window.read(450, 300) - 150.0).abs() < 1.0);
        assert_eq!(window.read(900, 300), 0.0);
    }

    #[test]
    fn distinct_counts_values_not_events() {
        let mut distinct = Distinct::default();
        let mut estimate = 0.0;
        for n in 0..5_000_u64 {
            estimate = distinct.add(10, 60, (n % 40).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7);
        }
        assert!((30.0..50.0).contains(&estimate), "{estimate}");
        assert_eq!(distinct.read(1_000, 60), 0.0);
    }

    #[test]
    fn running_knows_mean_and_deviation() {
        let mut running = Running::default();
        for n in 0..100 {
            running.add((n % 10) as f32);
        }
        assert!((running.mean - 4.5).abs() < 0.01, "{}", running.mean);
        assert!((running.deviation() - 2.87).abs() < 0.05, "{}", running.deviation());
    }

    #[test]
    fn the_logarithm_is_close_and_never_fails() {
        for step in 1..200_000 {
            let value = step as f32 * 0.013;
            assert!((log2(value) - value.log2()).abs() < 1e-4, "{value}: {} {}", log2(value), value.log2());
        }
        assert_eq!((log2(1.0), log2(0.0), log2(-3.0), log2(f32::NAN), log2(f32::INFINITY)), (0.0, 0.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn poisson_surprise_is_close_to_the_exact_tail() {
        // Exact values: -log10 of scipy.stats.poisson.sf(observed - 1, expected).
        for (observed, expected, exact) in [(10.0, 1.0, 6.95), (5.0, 0.5, 3.76), (30.0, 10.0, 6.60), (3.0, 0.1, 3.81)] {
            let surprise = poisson_surprise(observed, expected);
            assert!((surprise - exact).abs() < 0.35, "{observed} {expected}: {surprise} against {exact}");
        }
        assert_eq!(poisson_surprise(2.0, 3.0), 0.0);
    }
}
