//! Rows of bytes as bit planes, and sums of bit planes back to numbers.
//!
//! Both ways go through 8 x 8 squares: rows become columns by bytes first, then each 8 bytes become 8 bits of 8 planes.

use super::{BLOCK_ROWS, SUM_BITS, WORDS, Word};
use multiversion::multiversion;

/// Bit planes of up to 512 rows of byte features. Takes as many bytes as the rows of a full block do.
#[derive(Debug, Clone)]
pub struct Planes {
    rows: usize,
    /// Per column the planes, lowest bit first; rows that are not there are 0.
    planes: Vec<[Word; 8]>,
}

impl Planes {
    /// Takes row-major bytes. What is past 512 rows or not a whole row is left out.
    #[must_use]
    pub fn from_rows(rows: &[u8], columns: usize) -> Self {
        let count = rows.len().checked_div(columns).unwrap_or(0).min(BLOCK_ROWS);
        let mut planes = vec![[[0; WORDS]; 8]; columns];
        if columns > 0 {
            scatter(&rows[..count * columns], columns, &mut planes);
        }
        Self { rows: count, planes }
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.planes.len()
    }

    /// One feature of one row. Panics when out of range.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> u8 {
        assert!(row < self.rows, "a row below {}", self.rows);
        let bit = |plane: &Word| (plane[row / 64] >> (row % 64) & 1) as u8;
        self.planes[column].iter().rev().fold(0, |byte, plane| byte << 1 | bit(plane))
    }

    /// One row. Panics when out of range.
    #[must_use]
    pub fn row(&self, row: usize) -> Vec<u8> {
        (0..self.columns()).map(|column| self.value(row, column)).collect()
    }

    pub(super) fn planes(&self) -> &[[Word; 8]] {
        &self.planes
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn scatter(rows: &[u8], columns: usize, planes: &mut [[Word; 8]]) {
    for (word, rows) in rows.chunks(64 * columns).enumerate() {
        for first in (0..columns).step_by(8) {
            let mut squares = [[0; 8]; 8];
            for (square, eight) in squares.iter_mut().zip(rows.chunks(8 * columns)) {
                for (bytes, row) in square.iter_mut().zip(eight.chunks_exact(columns)) {
                    *bytes = load(&row[first..]);
                }
                transpose_bytes(square);
                transpose_bits(square);
            }
            for (column, planes) in planes[first..].iter_mut().take(8).enumerate() {
                let mut words = std::array::from_fn(|group| squares[group][column]);
                transpose_bytes(&mut words);
                for (plane, bits) in planes.iter_mut().zip(words) {
                    plane[word] = bits;
                }
            }
        }
    }
}

/// Up to eight bytes, the first one lowest.
#[inline(always)]
fn load(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Byte `i` of word `j` goes to byte `j` of word `i`.
#[inline(always)]
fn transpose_bytes(square: &mut [u64; 8]) {
    for (distance, mask) in [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff_u64)] {
        for low in 0..8 {
            if low & distance == 0 {
                let high = low + distance;
                let moved = (square[low] >> (8 * distance) ^ square[high]) & mask;
                square[low] ^= moved << (8 * distance);
                square[high] ^= moved;
            }
        }
    }
}

/// Bit `i` of byte `j` goes to bit `j` of byte `i`, in each word.
#[inline(always)]
fn transpose_bits(square: &mut [u64; 8]) {
    for word in square {
        for (shift, mask) in [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0_u64)]
        {
            let moved = (*word ^ *word >> shift) & mask;
            *word ^= moved ^ moved << shift;
        }
    }
}

/// The numbers whose bits the planes are, lowest plane first.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn gather(sums: &[Word; SUM_BITS], numbers: &mut [u16; BLOCK_ROWS]) {
    for (half, planes) in sums.chunks_exact(8).enumerate() {
        for word in 0..WORDS {
            let mut square: [u64; 8] = std::array::from_fn(|bit| planes[bit][word]);
            // Byte g of plane b becomes byte b of group g: the bits of eight rows, then their bytes.
            transpose_bytes(&mut square);
            transpose_bits(&mut square);
            for (group, bytes) in square.iter().enumerate() {
                for (row, byte) in bytes.to_le_bytes().into_iter().enumerate() {
                    numbers[word * 64 + group * 8 + row] |= u16::from(byte) << (8 * half);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::random::Random;

    #[test]
    fn rows_come_back_as_they_went_in() {
        let mut random = Random::new(1);
        for (rows, columns) in [(512, 32), (511, 8), (9, 13), (1, 1), (64, 7), (0, 5), (0, 0)] {
            let bytes: Vec<u8> = (0..rows * columns).map(|_| random.bits() as u8).collect();
            let planes = Planes::from_rows(&bytes, columns);
            assert_eq!((planes.rows(), planes.columns()), (rows, columns));
            let back: Vec<u8> = (0..rows).flat_map(|row| planes.row(row)).collect();
            assert_eq!(back, bytes, "{rows} x {columns}");
        }
    }

    #[test]
    fn too_many_rows_and_torn_rows_are_left_out() {
        assert_eq!(Planes::from_rows(&[1; 600], 1).rows(), 512);
        assert_eq!(Planes::from_rows(&[1; 7], 3).rows(), 2);
    }

    #[test]
    fn sums_come_back_as_numbers() {
        let mut random = Random::new(2);
        let numbers: Vec<u16> = (0..BLOCK_ROWS).map(|_| random.bits() as u16).collect();
        let mut sums = [[0; WORDS]; SUM_BITS];
        for (row, &number) in numbers.iter().enumerate() {
            for (bit, plane) in sums.iter_mut().enumerate() {
                plane[row / 64] |= u64::from(number >> bit & 1) << (row % 64);
            }
        }
        let mut back = [0; BLOCK_ROWS];
        gather(&sums, &mut back);
        assert_eq!(back.as_slice(), numbers);
    }
}
