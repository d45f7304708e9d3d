//! The records must not depend on how a log is read, and a broken record must not cost its neighbors.

use std::{io::Cursor, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::{
    parse::{Format, open_input},
    source::Limits,
};

/// A record as it was cut, its line or number, and the reason if it was lost.
type Seen = (u64, String, Option<ComplaintReason>);

fn frame(bytes: &[u8], chunk: usize, options: &ParseOptions) -> Vec<Seen> {
    let input =
        Input::from_reader(PathBuf::from("x"), Box::new(Cursor::new(bytes.to_vec())), Limits::default()).unwrap();
    let log = open_input(input, 0, 0, options).unwrap();
    let mut blocks = log.blocks.with_chunk(chunk);
    let mut seen = Vec::new();
    for block in blocks.by_ref() {
        let block = block.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Some(reason) = block.fault {
            let sample = text(&block.bytes).chars().take(20).collect();
            seen.push((block.first_line, sample, Some(reason)));
        } else if block.records.is_empty() {
            for (line, record) in block.bytes.split(|byte| *byte == b'\n').enumerate() {
                let record = text(record.strip_suffix(b"\r").unwrap_or(record));
                if !record.trim().is_empty() {
                    let long = record.len() > options.max_record_bytes;
                    let shown = if long { record.chars().take(20).collect() } else { record };
                    let reason = long.then_some(ComplaintReason::TooLong);
                    seen.push((block.first_line + line as u64, shown, reason));
                }
            }
        } else {
            let (mut line, mut at) = (block.first_line, 0);
            for (number, record) in block.records.iter().enumerate() {
                let (start, end) = (record.start as usize, record.end as usize);
                line += block.bytes[at..start].iter().filter(|byte| **byte == b'\n').count() as u64;
                at = start;
                let place = if log.format.has_lines() { line } else { block.first_line + number as u64 };
                let record = text(&block.bytes[start..end]);
                let long = record.len() > options.max_record_bytes;
                let shown = if long { record.chars().take(20).collect() } else { record };
                seen.push((place, shown, long.then_some(ComplaintReason::TooLong)));
            }
        }
    }
    assert_eq!(blocks.end_offset(), bytes.len() as u64, "all is accounted for");
    seen
}

fn options(format: Format) -> ParseOptions {
    ParseOptions { format: Some(format), ..ParseOptions::default() }
}

fn records(text: &str, format: Format) -> Vec<String> {
    frame(text.as_bytes(), 1 << 20, &options(format)).into_iter().map(|(_, record, _)| record).collect()
}

#[test]
fn arrays_wrappers_and_sequences() {
    let expected = [r#"{"a":1}"#, r#"{"b":{"c":[{"d":2}]}}"#];
    let [a, b] = expected;
    for text in [
        format!("[{a},{b}]"),
        format!("[\n  {a},\n  {b}\n]\n"),
        format!("{{\"Records\":[{a},{b}]}}"),
        format!("{{\"kind\":\"list\",\"n\":1,\"items\" : [ {a} , {b} ],\"next\":\"x\",\"more\":[{{\"z\":1}}]}}\n"),
        format!("{{\"hits\":{{\"total\":2,\"hits\":[{a},{b}]}}}}"),
        format!("{{\"data\":{{\"events\":[{a},{b}]}}}}"),
        format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}\n"),
        format!("{{\"Records\":[{a}]}}{{\"Records\":[]}}{{\"Records\":[{b}]}}"),
        format!("{a}{b}"),
        format!("{a}\n{b}\n"),
        format!("{a}\n\n\r\n{b}"),
        format!("[{a}]\n[{b}]"),
        format!("\u{feff}[{a},{b}]"),
        format!("\u{1e}{a}\n\u{1e}{b}\n"),
    ] {
        assert_eq!(records(&text, Format::Json), expected, "{text}");
    }
}

#[test]
fn pretty_printed_records_are_whole() {
    let one = "{\n  \"a\": {\n    \"b\": [\n      {\n        \"c\": 1\n      },\n      {\n        \"c\": 2\n      }\n    ]\n  }\n}";
    let text = format!("{one}\n{one}\n");
    assert_eq!(records(&text, Format::Json), [one, one]);
    assert_eq!(records(&format!("[{one},\n{one}]"), Format::Json), [one, one]);
}

#[test]
fn a_broken_element_costs_itself() {
    let (good, last) = (r#"{"good":"yes, {\"really\"}"}"#, r#"{"last":[1,2,{"x":null}]}"#);
    for broken in [
        r#"{"open":"never closed}"#,
        r#"{"open":"never closed"#,
        r#"{"a":{"b":1}"#,
        r#"{"a":[1,2}"#,
        r#"{"a":1]"#,
        r#"{a:1}"#,
        r#"{'a':'1'}"#,
        r#"{"a" "b"}"#,
        r#"{"a":"b" c}"#,
        r#"{"a":"b\"#,
        r#"{"a":"#,
        r#"{"#,
        "17",
        "\"text\"",
        "null",
        "garbage",
    ] {
        for (before, between, after) in [("[\n", ",\n", "\n]\n"), ("[\n  ", ",\n  ", "\n]"), ("", "\n", "\n")] {
            let text = format!("{before}{good}{between}{broken}{between}{last}{between}{good}{after}");
            let seen = records(&text, Format::Json);
            assert_eq!(seen.first().map(String::as_str), Some(good), "{text}");
            assert_eq!(&seen[seen.len() - 2..], [last, good], "{text} gives {seen:?}");
            assert_eq!(seen.len(), 4, "{text} gives {seen:?}");
        }
        // In one line there is no layout to go by.
        let text = format!("[{good},{broken},{last},{good}]");
        let seen = records(&text, Format::Json);
        assert!(seen.iter().any(|record| record == last), "{text} gives {seen:?}");
        assert_eq!(seen.last().map(String::as_str), Some(good), "{text} gives {seen:?}");
    }
}

#[test]
fn what_is_open_at_the_end_hides_nothing() {
    let text = "{\"a\":[\n{\"b\":[\n{\"c\":1}";
    assert_eq!(records(text, Format::Json), ["{\"a\":[", "{\"b\":[", "{\"c\":1}"]);
    let seen = frame(b"[{\"a\":1},{\"b\":[", 3, &options(Format::Json));
    assert_eq!(seen[1], (2, "{\"b\":[".to_owned(), Some(ComplaintReason::Truncated)));
}

#[test]
fn a_broken_pretty_element_costs_itself() {
    let good = "  {\n    \"a\": [\n      {\n        \"b\": 1\n      },\n      {\n        \"b\": 2\n      }\n    ]\n  }";
    let broken = "  {\n    \"a\": \"open,\n    \"list\": [\n      {\n        \"b\": 1\n      },\n      {\n        \"b\": 2\n      }\n    ]\n  }";
    let text = format!("[\n{good},\n{broken},\n{good}\n]\n");
    let seen = records(&text, Format::Json);
    assert_eq!(seen, [good.trim_start(), broken.trim_start(), good.trim_start()]);
}

#[test]
fn lost_records_are_told_with_their_place() {
    let small = ParseOptions { max_record_bytes: 100, ..options(Format::Json) };
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300));
    let text = format!("[{{\"a\":1}},{long},{{\"b\":2}},{{\"c\":");
    let seen = frame(text.as_bytes(), 64, &small);
    let reasons: Vec<_> = seen.iter().map(|(number, _, reason)| (*number, *reason)).collect();
    let expected = [(1, None), (2, Some(ComplaintReason::TooLong)), (3, None), (4, Some(ComplaintReason::Truncated))];
    assert_eq!(reasons, expected);
    let lines = ParseOptions { format: Some(Format::Syslog), ..small };
    let text = format!("one\n\n{}\ntwo\r\n{}", "x".repeat(300), "y".repeat(300));
    for chunk in [1, 7, 64, 1 << 20] {
        let seen = frame(text.as_bytes(), chunk, &lines);
        let places: Vec<_> = seen.iter().map(|(line, _, reason)| (*line, reason.is_some())).collect();
        assert_eq!(places, [(1, false), (3, true), (4, false), (5, true)], "{chunk}");
    }
}

#[test]
fn quoted_tables() {
    let text = "a,b\n1,\"two\nlines\"\n3,\"with \"\"quotes\"\" and, comma\"\n\n5,six\n";
    let expected = ["1,\"two\nlines\"", "3,\"with \"\"quotes\"\" and, comma\"", "5,six"];
    assert_eq!(records(text, Format::Csv), expected);
    let lines: Vec<u64> = frame(text.as_bytes(), 5, &options(Format::Csv)).iter().map(|seen| seen.0).collect();
    assert_eq!(lines, [2, 4, 6]);
    // An open quote costs its own line, whatever follows.
    let text = "a,b\n1,\"open\n2,\"closed\"\n3,4\n";
    assert_eq!(records(text, Format::Csv), ["1,\"open", "2,\"closed\"", "3,4"]);
    let text = "a,b\n1,\"open\n2,3\n4,5\n";
    assert_eq!(records(text, Format::Csv), ["1,\"open", "2,3", "4,5"]);
    let text = "a\tb\n1\t\n\t\n";
    assert_eq!(records(text, Format::Tsv), ["1\t"]);
    assert_eq!(records("a,b\n5\" disk,x\n6\" disk,y\n", Format::Csv), ["5\" disk,x", "6\" disk,y"]);
}

#[test]
fn an_unfinished_line_can_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let read = |from: u64, keep: bool| {
        let file = crate::source::SourceFile::at(0, &path).unwrap();
        let options = ParseOptions { keep_unfinished_line: keep, ..options(Format::Text) };
        let mut blocks = super::super::open_log(&file, from, &options).unwrap().blocks;
        let text: Vec<u8> = blocks.by_ref().flat_map(|block| block.unwrap().bytes).collect();
        (String::from_utf8(text).unwrap(), blocks.end_offset())
    };
    std::fs::write(&path, "one\ntw").unwrap();
    assert_eq!(read(0, true), ("one\n".to_owned(), 4));
    assert_eq!(read(0, false), ("one\ntw".to_owned(), 6));
    std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
    assert_eq!(read(4, true), ("two\nthree\n".to_owned(), 14));
    // The rest of a line that has been read belongs to it.
    assert_eq!(read(6, true), ("three\n".to_owned(), 14));
    std::fs::write(&path, "one\ntw\nthree\n").unwrap();
    assert_eq!(read(6, true), ("three\n".to_owned(), 13));
    assert_eq!(read(13, true), (String::new(), 13));
}

#[test]
fn headers_in_mid_file_change_the_columns() {
    let text = "#fields\tts\ta\n1\t2\n#close\n#fields\tts\tb\n#types\ttime\tstring\n3\t4\n5\t6\n";
    for chunk in [1, 10, 1 << 20] {
        let input = Input::from_reader(PathBuf::from("x"), Box::new(Cursor::new(text)), Limits::default()).unwrap();
        let log = open_input(input, 0, 0, &ParseOptions::default()).unwrap();
        assert_eq!(log.format, Format::Zeek);
        let mut seen = Vec::new();
        for block in log.blocks.with_chunk(chunk) {
            let block = block.unwrap();
            let header = block.header.clone().unwrap();
            let text = String::from_utf8(block.bytes).unwrap();
            seen.extend(text.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{header}: {line}")));
        }
        assert_eq!(seen, ["#fields\tts\ta: 1\t2", "#fields\tts\tb: 3\t4", "#fields\tts\tb: 5\t6"]);
    }
}

/// Objects with strings that hold brackets, quotes and escapes.
fn object() -> impl Strategy<Value = String> {
    let text = "[ -~é\\n]{0,12}".prop_map(serde_json::Value::from);
    let leaf = prop_oneof![
        text,
        any::<i32>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::vec(("[a-z\"{},]{1,6}", inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    });
    (proptest::collection::vec(("[b-z]{1,4}", value), 0..4), any::<bool>()).prop_map(|(pairs, pretty)| {
        let object = serde_json::Value::Object(pairs.into_iter().collect());
        if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() }
    })
}

fn compact(object: &str) -> String {
    serde_json::from_str::<serde_json::Value>(object).unwrap().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn well_formed_json_is_cut_where_it_ends(
        objects in proptest::collection::vec(object(), 1..8),
        layout in 0..4,
        chunk in 1..200_usize,
    ) {
        let text = match layout {
            0 => format!("[{}]", objects.join(",")),
            1 => objects.concat(),
            2 => objects.join("\n"),
            _ => format!("{{\"x\":\"[\",\"Records\":[{}],\"y\":[1]}}", objects.join(" , ")),
        };
        let seen: Vec<String> =
            frame(text.as_bytes(), chunk, &options(Format::Json)).into_iter().map(|seen| seen.1).collect();
        prop_assert_eq!(seen, objects);
    }

    #[test]
    fn any_split_gives_the_same_json_records(
        pieces in proptest::collection::vec(prop_oneof![
            object(),
            "[\\[\\]{}\",:\\\\ \na0]{0,30}".prop_map(|text| text),
        ], 0..12),
        chunk in 1..100_usize,
        max in 64..300_usize,
    ) {
        let text = pieces.join(",");
        let options = ParseOptions { max_record_bytes: max, ..options(Format::Json) };
        let whole = frame(text.as_bytes(), 1 << 20, &options);
        prop_assert_eq!(frame(text.as_bytes(), chunk, &options), whole);
    }

    #[test]
    fn any_split_gives_the_same_lines_and_rows(
        text in "[ab\",\n\r]{0,300}",
        chunk in 1..100_usize,
        max in 64..120_usize,
    ) {
        for format in [Format::Csv, Format::Syslog] {
            let options = ParseOptions { max_record_bytes: max, ..options(format) };
            let text = format!("first,second\n{text}");
            let whole = frame(text.as_bytes(), 1 << 20, &options);
            prop_assert_eq!(frame(text.as_bytes(), chunk, &options), whole);
        }
    }

    #[test]
    fn neighbors_of_broken_objects_survive(
        before in object(),
        after in object(),
        broken in "\\{[\\[\\]{}\",:\\\\ a0]{0,40}",
        chunk in 1..100_usize,
    ) {
        // One object per line, which is the layout of every exporter of arrays.
        let (before, after) = (compact(&before), compact(&after));
        let after = if after == "{}" { r#"{"a":1}"#.to_owned() } else { after };
        let text = format!("[\n{before},\n{broken},\n{after},\n{after}\n]");
        let seen: Vec<String> =
            frame(text.as_bytes(), chunk, &options(Format::Json)).into_iter().map(|seen| seen.1).collect();
        prop_assert!(seen.contains(&before), "{} gives {:?}", text, seen);
        prop_assert_eq!(seen.iter().filter(|record| **record == after).count(), 2, "{} gives {:?}", text, seen);
    }
}
