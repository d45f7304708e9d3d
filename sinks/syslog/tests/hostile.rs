//! A thousand hostile findings in every format and payload: each is exactly one message that a strict reader takes.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use support::{batch, counted, rfc5424, sink};
use watchbell_sink::{Finding, Sink, testkit::findings};

const PAYLOADS: [&str; 4] = ["text", "json", "cef", "leef"];

fn stream(sink: &dyn Sink, findings: &[Finding]) -> Vec<u8> {
    batch(sink, findings).deliveries().iter().flat_map(|delivery| delivery.payload.bytes()).copied().collect()
}

fn year(time: jiff::Timestamp) -> i16 {
    time.to_zoned(jiff::tz::TimeZone::UTC).year()
}

fn priority(finding: &Finding) -> u8 {
    16 * 8 + 6 - finding.severity as u8
}

#[test]
fn counted_messages_read_back() {
    let all = findings::samples(1000, 1);
    for payload in PAYLOADS {
        let sink = sink(&format!("transport = 'tcp'\naddress = 'h'\npayload = '{payload}'\nstructured_data = true"));
        let messages = counted(&stream(&*sink, &all)).unwrap();
        assert_eq!(messages.len(), all.len());
        for (finding, message) in all.iter().zip(&messages) {
            assert!(message.len() <= 8192, "{}", message.len());
            let read =
                rfc5424::parse(message).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(message)));
            assert_eq!(read.priority, priority(finding));
            assert_eq!(read.message_id.as_deref(), Some(finding.threat_type.name()));
            let readable = finding.last_seen.is_some_and(|time| (1970..2100).contains(&year(time)));
            assert_eq!(read.timestamp.is_some(), readable);
            assert_eq!(read.parameter("finding_id"), Some(finding.id.as_str()));
            assert!(!read.text.contains(['\n', '\r', '\0']));
            assert!(payload == "leef" || !read.text.contains(char::is_control), "{:?}", read.text);
        }
    }
}

#[test]
fn no_line_end_makes_a_second_message() {
    let all = findings::samples(400, 2);
    for payload in PAYLOADS {
        let sink = sink(&format!("transport = 'tls'\naddress = 'h'\nframing = 'lf'\npayload = '{payload}'"));
        let stream = stream(&*sink, &all);
        let messages: Vec<&[u8]> = stream.strip_suffix(b"\n").unwrap().split(|&byte| byte == b'\n').collect();
        assert_eq!(messages.len(), all.len());
        assert!(messages.iter().all(|message| rfc5424::parse(message).is_ok()));
    }
}

#[test]
fn json_is_the_finding_or_says_that_it_is_less() {
    let all = findings::samples(300, 3);
    for limit in [1024, 2048, 8192, 1 << 20] {
        let sink = sink(&format!("transport = 'tcp'\naddress = 'h'\npayload = 'json'\nmax_message_bytes = {limit}"));
        let messages = counted(&stream(&*sink, &all)).unwrap();
        let mut whole = 0;
        for (finding, message) in all.iter().zip(&messages) {
            assert!(message.len() <= limit, "{} of {limit}", message.len());
            let text = rfc5424::parse(message).unwrap().text;
            let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(json["id"], finding.id.as_str());
            if json.get("truncated").is_none() {
                assert_eq!(&serde_json::from_value::<Finding>(json).unwrap(), finding);
                whole += 1;
            }
        }
        assert!(limit < 1 << 20 || whole > 280, "{whole} of {limit}");
        assert!(whole > 0, "{limit}");
    }
}

#[test]
fn datagrams_are_short_messages() {
    for finding in findings::samples(400, 4) {
        for payload in PAYLOADS {
            let sink = sink(&format!("transport = 'udp'\naddress = 'h'\npayload = '{payload}'\nbom = true"));
            let payload = sink.encode(&finding).unwrap();
            assert!(payload.bytes().len() <= 2048);
            rfc5424::parse(payload.bytes()).unwrap();
            assert_eq!(payload, sink.encode(&finding).unwrap());
        }
    }
}

#[test]
fn the_older_format_has_its_header() {
    let sink =
        sink("transport = 'udp'\naddress = 'h'\nformat = 'rfc3164'\nhostname = 'gate 1'\ntime_zone = 'Europe/Berlin'");
    let mut finding = findings::sample();
    finding.last_seen = Some("2026-01-05T23:30:00Z".parse().unwrap());
    let text = String::from_utf8(sink.encode(&finding).unwrap().bytes().to_vec()).unwrap();
    assert!(text.starts_with("<131>Jan  6 00:30:00 gate_1 watchbell: Brute force against alice: 48 events"), "{text}");
    finding.last_seen = None;
    let text = String::from_utf8(sink.encode(&finding).unwrap().bytes().to_vec()).unwrap();
    assert!(text.starts_with("<131>watchbell: Brute force"), "{text}");
    for finding in findings::samples(300, 5) {
        let bytes = sink.encode(&finding).unwrap().bytes().to_vec();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(&format!("<{}>", priority(&finding))));
        assert!(!text.contains(char::is_control), "{text:?}");
        assert_eq!(text.contains(" gate_1 watchbell: "), finding.last_seen.is_some());
    }
}

#[test]
fn header_fields_stay_within_their_grammar() {
    let options = "transport = 'tcp'\naddress = 'h'\nhostname = \"ho st\\nx\u{e4}\"\napp_name = \"";
    let sink = sink(&format!("{options}{}\"", "a b".repeat(40)));
    let messages = counted(&stream(&*sink, &[findings::sample()])).unwrap();
    let read = rfc5424::parse(&messages[0]).unwrap();
    assert_eq!(read.hostname.as_deref(), Some("ho_st_x_"));
    assert_eq!(read.app_name.map(|name| name.len()), Some(48));
}

#[test]
fn the_reader_is_strict() {
    let good = b"<131>1 2026-01-15T03:16:52.500Z host app - id [a@1 b=\"x\\]\\\"\\\\\"] text";
    assert_eq!(rfc5424::parse(good).unwrap().parameter("b"), Some("x]\"\\"));
    for wrong in [
        &b"<192>1 - - - - - - x"[..],
        b"<013>1 - - - - - - x",
        b"<13>2 - - - - - - x",
        b"<13>1 2026-01-15T03:16:52Z - - - - - x",
        "<13>1 - h\u{e9} - - - - x".as_bytes(),
        b"<13>1 - - - - - [a b=\"]\"] x",
        b"<13>1 - - - - - [a b=\"\\n\"] x",
        b"<13>1 - - - - - [a b=\"x\"]x",
        b"<13>1 - - - - - x",
    ] {
        assert!(rfc5424::parse(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
    }
}

#[test]
fn a_shortened_line_ends_between_its_fields() {
    for finding in findings::samples(300, 6) {
        for (payload, start) in [("cef", "CEF:0|"), ("leef", "LEEF:2.0|")] {
            let sink =
                sink(&format!("transport = 'tcp'\naddress = 'h'\npayload = '{payload}'\nmax_message_bytes = 1024"));
            let messages = counted(&stream(&*sink, std::slice::from_ref(&finding))).unwrap();
            let text = rfc5424::parse(&messages[0]).unwrap().text;
            assert!(messages[0].len() <= 1024 && text.starts_with(start));
            let slashes = text.len() - text.trim_end_matches('\\').len();
            assert!(slashes.is_multiple_of(2), "{text}");
            let id = if payload == "cef" { "externalId=" } else { "watchbellId=" };
            assert!(text.contains(&format!("{id}{}", finding.id)), "{text}");
        }
    }
}
