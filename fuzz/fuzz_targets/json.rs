//! Any bytes as a JSON record: judged as `serde_json` judges them, and their values arrive unchanged.

#![no_main]

#[path = "../../tests/json_oracle.rs"]
mod json_oracle;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|record: &[u8]| {
    let pick = record.iter().fold(0_u64, |pick, byte| pick.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    json_oracle::check(record, pick);
});
