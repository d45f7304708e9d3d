//! The comparisons that any cut of a column is made of, computed once per block.
//!
//! A byte is below a cut when its upper half is below the cut's upper half, or equal to it and its lower half is below
//! the cut's lower half. With "below" known for all 16 values of either half, each of the 256 cuts costs two logic
//! operations instead of the 16 that comparing plane by plane takes.

use super::{Planes, WORDS, Word};
use multiversion::multiversion;

/// The comparisons of one column.
#[derive(Debug, Clone)]
pub(super) struct Rungs {
    /// Upper half below 0..=16, and once more all rows, so that there is always a next one.
    pub(super) high: [Word; 18],
    /// Lower half below 0..16.
    pub(super) low: [Word; 16],
}

/// What forests climb on to score one block; keep it from block to block, it is some 2 KiB per column.
#[derive(Debug, Clone, Default)]
pub struct Ladder {
    rungs: Vec<Rungs>,
}

impl Ladder {
    /// Takes the comparisons of a block, in place of those of the last one.
    pub fn set(&mut self, planes: &Planes) {
        self.rungs.resize(planes.columns(), Rungs { high: [[0; WORDS]; 18], low: [[0; WORDS]; 16] });
        build(planes.planes(), &mut self.rungs);
    }

    /// Columns of the block.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.rungs.len()
    }

    pub(super) fn rungs(&self) -> &[Rungs] {
        &self.rungs
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn build(planes: &[[Word; 8]], rungs: &mut [Rungs]) {
    for (planes, rungs) in planes.iter().zip(rungs) {
        let [a, b, c, d, e, f, g, h] = planes;
        rungs.high[17] = [u64::MAX; WORDS];
        climb(&equals(e, f, g, h), &mut rungs.high[1..17]);
        climb(&equals(a, b, c, d), &mut rungs.low[1..]);
    }
}

/// The rows whose four bits, lowest first, are each number.
#[inline(always)]
fn equals(a: &Word, b: &Word, c: &Word, d: &Word) -> [Word; 16] {
    let mut equal = [[0; WORDS]; 16];
    for (nibble, equal) in equal.iter_mut().enumerate() {
        for word in 0..WORDS {
            let pick = |plane: &Word, bit: usize| if nibble >> bit & 1 == 1 { plane[word] } else { !plane[word] };
            equal[word] = pick(a, 0) & pick(b, 1) & pick(c, 2) & pick(d, 3);
        }
    }
    equal
}

/// Rung by rung, the rows that are at or below it.
#[inline(always)]
fn climb(equal: &[Word; 16], rungs: &mut [Word]) {
    let mut below = [0; WORDS];
    for (rung, equal) in rungs.iter_mut().zip(equal) {
        for word in 0..WORDS {
            below[word] |= equal[word];
        }
        *rung = below;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_of_every_byte() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut ladder = Ladder::default();
        // A block that was there before must leave nothing behind.
        ladder.set(&Planes::from_rows(&[255; 1024], 2));
        ladder.set(&Planes::from_rows(&bytes, 1));
        assert_eq!(ladder.columns(), 1);
        let rungs = &ladder.rungs()[0];
        for cut in 0..=256_usize {
            for byte in 0..256_usize {
                let (high, low) = (cut >> 4, cut & 15);
                let at = |word: &Word| word[byte / 64] >> (byte % 64) & 1;
                let below = at(&rungs.high[high]) | (at(&rungs.high[high + 1]) & at(&rungs.low[low]));
                assert_eq!(below == 1, byte < cut, "{byte} < {cut}");
            }
        }
    }
}
