//! `hash.*` and `optimization.sample_rate`.
//!
//! `fingerprint2011` is the function of that name in Google's public libraries; its results for "test" repeated are known there
//! and checked here, for each of its three ways by length.

use sha2::{Digest, Sha256};

use super::{Arguments, FunctionError};
use crate::eval::Value;

pub(super) fn sha256(arguments: &Arguments<'_>) -> Result<Value, FunctionError> {
    let digest = Sha256::digest(arguments.bytes(0)?.as_ref());
    Ok(Value::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

pub(super) fn fingerprint2011(arguments: &Arguments<'_>) -> Result<Value, FunctionError> {
    Ok(Value::Uint(fingerprint(arguments.bytes(0)?.as_ref())))
}

pub(super) fn sample_rate(arguments: &Arguments<'_>) -> Result<Value, FunctionError> {
    let share = arguments.int(1)?.max(0).unsigned_abs();
    let of = u64::try_from(arguments.int(2)?).ok().filter(|&of| of > 0);
    let of = of.ok_or(FunctionError::Argument { position: 3, expected: "a number above 0" })?;
    Ok(Value::Bool(fingerprint(arguments.bytes(0)?.as_ref()) % of < share))
}

const K0: u64 = 0xa5b8_5c5e_198e_d849;
const K1: u64 = 0x8d58_ac26_afe1_2e47;
const K2: u64 = 0xc47b_6e9e_3a97_0ed3;
const K3: u64 = 0xc6a4_a793_5bd1_e995;

fn fingerprint(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let inner = match length {
        0..=32 => short(bytes),
        33..=64 => medium(bytes),
        _ => long(bytes),
    };
    let head = if length >= 8 { load(bytes, 0) } else { K0 };
    let tail = if length >= 9 { load(bytes, length - 8) } else { K0 };
    match join(inner.wrapping_add(tail), head) {
        // 0 and 1 are kept free.
        reserved @ (0 | 1) => reserved.wrapping_add(!1),
        result => result,
    }
}

/// Eight bytes from a place on, the lowest first; 0 outside, where no caller reads.
fn load(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
}

const fn mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

const fn join(high: u64, low: u64) -> u64 {
    let first = mix((low ^ high).wrapping_mul(K3));
    mix((high ^ first).wrapping_mul(K3)).wrapping_mul(K3)
}

fn short(bytes: &[u8]) -> u64 {
    let mut state = (K0 ^ K1 ^ K2) ^ (bytes.len() as u64).wrapping_mul(K3);
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let word = mix(u64::from_le_bytes(*eight).wrapping_mul(K3)).wrapping_mul(K3);
        state = (state ^ word).wrapping_mul(K3);
    }
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
        state = (state ^ word).wrapping_mul(K3);
    }
    mix(mix(state).wrapping_mul(K3))
}

/// Of 33 to 64 bytes: the first 32 and the last 32 each give a pair.
fn medium(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let start = load(bytes, 0).wrapping_add((length as u64).wrapping_add(load(bytes, length - 16)).wrapping_mul(K0));
    let (first, first_sum) = half([start, load(bytes, 8), load(bytes, 16), load(bytes, 24)]);
    let start = load(bytes, 16).wrapping_add(load(bytes, length - 32));
    let words = [start, load(bytes, length - 24), load(bytes, length - 16), load(bytes, length - 8)];
    let (second, second_sum) = half(words);
    let crossed = first.wrapping_add(second_sum).wrapping_mul(K2);
    let other = second.wrapping_add(first_sum).wrapping_mul(K0);
    let joined = mix(crossed.wrapping_add(other));
    mix(joined.wrapping_mul(K0).wrapping_add(first_sum)).wrapping_mul(K2)
}

const fn half([start, second, third, last]: [u64; 4]) -> (u64, u64) {
    let turned = start.wrapping_add(last).rotate_right(52);
    let two = start.wrapping_add(second);
    let three = two.wrapping_add(third);
    let side = start.rotate_right(37).wrapping_add(two.rotate_right(7));
    (three.wrapping_add(last), turned.wrapping_add(three.rotate_right(31)).wrapping_add(side))
}

/// 32 bytes from a place on, with two seeds.
fn weak(bytes: &[u8], at: usize, seeds: (u64, u64)) -> (u64, u64) {
    let [first, second, third, last] = [0, 8, 16, 24].map(|step| load(bytes, at + step));
    let start = seeds.0.wrapping_add(first);
    let side = seeds.1.wrapping_add(start).wrapping_add(last).rotate_right(51);
    let sum = start.wrapping_add(second).wrapping_add(third);
    (sum.wrapping_add(last), side.wrapping_add(sum.rotate_right(23)).wrapping_add(start))
}

/// Of more than 64 bytes: the end first, then 64 at a time.
fn long(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let mut x = load(bytes, 0);
    let mut y = load(bytes, length - 16) ^ K1;
    let mut z = load(bytes, length - 56) ^ K0;
    let mut v = weak(bytes, length - 64, (length as u64, y));
    let mut w = weak(bytes, length - 32, ((length as u64).wrapping_mul(K1), K0));
    z = z.wrapping_add(mix(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(length - 1) / 64).map(|block| block * 64) {
        let sum = x.wrapping_add(y).wrapping_add(v.0).wrapping_add(load(bytes, at + 16));
        x = sum.rotate_right(37).wrapping_mul(K1) ^ w.1;
        y = y.wrapping_add(v.1).wrapping_add(load(bytes, at + 48)).rotate_right(42).wrapping_mul(K1) ^ v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak(bytes, at, (v.1.wrapping_mul(K1), x.wrapping_add(w.0)));
        w = weak(bytes, at + 32, (z.wrapping_add(w.1), y));
        (x, z) = (z, x);
    }
    let high = join(v.0, w.0).wrapping_add(mix(y).wrapping_mul(K1)).wrapping_add(z);
    join(high, join(v.1, w.1).wrapping_add(x))
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn fingerprints_of_every_length_are_the_published_ones() {
        assert_eq!(fingerprint(b""), 2_570_847_921_467_975_139);
        assert_eq!(fingerprint(b"test"), 8_473_225_671_271_759_044);
        assert_eq!(fingerprint("test".repeat(8).as_bytes()), 7_345_148_637_025_587_076);
        assert_eq!(fingerprint("test".repeat(64).as_bytes()), 4_904_844_928_629_814_570);
    }
}
