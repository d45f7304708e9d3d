//! The records of a log are the same however it is cut into chunks, and no byte is left over.
#![no_main]

use std::{io::Cursor, path::PathBuf};

use libfuzzer_sys::fuzz_target;
use watchbell::{
    parse::{ComplaintReason, Format, ParseOptions, open_input},
    source::{Input, Limits},
};

const FORMATS: [Format; 5] = [Format::Json, Format::JsonLines, Format::Csv, Format::Tsv, Format::Zeek];

fuzz_target!(|data: &[u8]| {
    let [choice, chunk, max, log @ ..] = data else { return };
    let options = ParseOptions {
        format: Some(FORMATS[usize::from(*choice) % FORMATS.len()]),
        max_record_bytes: 64 + usize::from(*max),
        ..ParseOptions::default()
    };
    let whole = records(log, 1 << 20, &options);
    let cut = records(log, 1 + usize::from(*chunk), &options);
    assert_eq!(whole, cut);
});

/// Each record's place and letters, or why it is lost.
fn records(log: &[u8], chunk: usize, options: &ParseOptions) -> Option<Vec<(u64, Result<Vec<u8>, ComplaintReason>)>> {
    let input =
        Input::from_reader(PathBuf::from("fuzz"), Box::new(Cursor::new(log.to_vec())), Limits::default()).ok()?;
    if input.compression().is_some() {
        return None;
    }
    let log = open_input(input, 0, 0, options).ok()?;
    let mut parser = log.parser;
    let mut seen = Vec::new();
    for block in log.blocks.with_chunk(chunk) {
        let batch = parser.parse(block.ok()?);
        let mut found: Vec<(u64, Result<Vec<u8>, ComplaintReason>)> = Vec::new();
        for event in &batch.events {
            found.push((batch.first_line + u64::from(event.line), Ok(batch.record(event).to_vec())));
        }
        for complaint in batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()) {
            found.push((batch.first_line + u64::from(complaint.line), Err(complaint.reason)));
        }
        found.sort();
        seen.extend(found);
    }
    Some(seen)
}
