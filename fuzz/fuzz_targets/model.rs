//! Model files from hostile hands: whatever loads must also score without a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use watchbell::{
    detect::{DetectSettings, Stream},
    model,
    parse::{Event, EventBatch},
};

fuzz_target!(|bytes: &[u8]| {
    // The checksum is made right, or nothing behind it would ever be reached.
    let mut file = bytes.to_vec();
    let content = file.len().saturating_sub(32);
    let checksum = blake3::hash(&file[..content]);
    file[content..].copy_from_slice(&checksum.as_bytes()[..bytes.len() - content]);
    if let Ok(model) = model::from_bytes(&file, Path::new("fuzzed")) {
        let mut stream = Stream::new(&DetectSettings::default(), Some(&model));
        let event = Event { time: 1_700_000_000_000, bytes: Some(1 << 40), ..Event::EMPTY };
        let _ = stream.observe(&EventBatch::default(), &event);
    }
});
