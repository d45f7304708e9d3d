//! Any bytes in any format: no panic, and every record is an event or a complaint that says it is lost.
#![no_main]

use std::{io::Cursor, path::PathBuf};

use libfuzzer_sys::fuzz_target;
use watchbell::{
    parse::{Format, ParseOptions, open_input},
    source::{Input, Limits},
};

fuzz_target!(|data: &[u8]| {
    // The first byte chooses the format, or leaves it to be found out.
    let Some((choice, log)) = data.split_first() else { return };
    let format = Format::ALL.get(usize::from(*choice) % (Format::ALL.len() + 1)).copied();
    let options = ParseOptions {
        format,
        reference_time: Some(1_740_960_000_000),
        max_record_bytes: 1 << 12,
        ..ParseOptions::default()
    };
    let limits = Limits { max_output: 1 << 20, max_ratio: 1_000 };
    let Ok(input) = Input::from_reader(PathBuf::from("fuzz"), Box::new(Cursor::new(log.to_vec())), limits) else {
        return;
    };
    let Ok(log) = open_input(input, 0, 0, &options) else { return };
    let mut parser = log.parser;
    for block in log.blocks {
        let Ok(block) = block else { return };
        let again = block.clone();
        let batch = parser.parse(block);
        let lost = batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()).count();
        assert_eq!(batch.records, (batch.events.len() + lost) as u64, "a record is unaccounted for");
        for event in &batch.events {
            for text in [event.user, event.source_ip, event.host, event.action, event.resource, event.process] {
                let _ = batch.text(text);
            }
            assert_eq!(batch.record(event).len(), event.record_len as usize);
        }
        let second = parser.parse(again);
        assert_eq!((batch.events.len(), batch.arena), (second.events.len(), second.arena), "a parser has a memory");
    }
});
