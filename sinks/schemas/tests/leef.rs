//! LEEF lines read back by a strict parser that was written from the vendor's document and shares nothing with the writer.

use std::collections::BTreeMap;

use watchbell_schemas::{leef, product};
use watchbell_sink::{EntityKind, Finding, Severity, testkit::findings::sample};

use crate::{assert_shown, findings, first_of, rows};

/// Header fields without the delimiter, and pairs of a line.
#[derive(Debug)]
struct Parsed {
    header: Vec<String>,
    pairs: BTreeMap<String, String>,
}

fn parse(line: &str) -> Result<Parsed, String> {
    let parts: Vec<&str> = line.splitn(7, '|').collect();
    let [version, vendor, product, product_version, event, delimiter, attributes] = parts[..] else {
        return Err("fewer than six header fields".to_owned());
    };
    if version != "LEEF:2.0" {
        return Err(format!("unknown version {version}"));
    }
    let code = delimiter.strip_prefix("0x").or(delimiter.strip_prefix('x')).filter(|code| !code.is_empty());
    let delimiter = match code {
        Some(code) => u32::from_str_radix(code, 16).ok().and_then(char::from_u32).ok_or("bad delimiter")?,
        None => delimiter.parse().map_err(|_| "bad delimiter")?,
    };
    if let Some(control) = line.chars().find(|it| it.is_control() && *it != delimiter) {
        return Err(format!("control character {control:?}"));
    }
    let mut pairs = BTreeMap::new();
    for attribute in attributes.split(delimiter) {
        let (key, value) = attribute.split_once('=').ok_or_else(|| format!("no pair: {attribute:.80}"))?;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("no key: {key:.80}"));
        }
        if pairs.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("{key} comes twice"));
        }
    }
    let header = [version, vendor, product, product_version, event].map(str::to_owned).to_vec();
    Ok(Parsed { header, pairs })
}

fn breaches(parsed: &Parsed) -> Vec<String> {
    let known: BTreeMap<&str, (&str, &str)> =
        rows(include_str!("models/leef_2.0_attributes.csv")).map(|row| (row[0], (row[1], row[2]))).collect();
    let mut breaches = Vec::new();
    for (key, value) in &parsed.pairs {
        let is_right = match known.get(key.as_str()) {
            None => key.starts_with("watchbell"),
            Some(("string", limit)) => limit.parse().map_or(true, |most: usize| value.chars().count() <= most),
            Some(("integer", limit)) => {
                let (least, most) = limit.split_once('-').unwrap_or(("0", "9223372036854775807"));
                value.parse::<i64>().is_ok_and(|it| (least.parse().unwrap()..=most.parse().unwrap()).contains(&it))
            }
            Some(("ip", _)) => value.parse::<std::net::IpAddr>().is_ok(),
            Some(("date", _)) => parsed.pairs.contains_key("devTimeFormat"),
            Some(_) => false,
        };
        if !is_right || value.is_empty() || value.trim() != value {
            breaches.push(format!("{key} may not be {value:.80}"));
        }
    }
    if parsed.header[4].chars().count() > 255 {
        breaches.push("the event's id is longer than 255".to_owned());
    }
    breaches
}

#[test]
fn every_line_reads_back() {
    for finding in findings() {
        let line = leef::line(&finding);
        assert!(line.len() <= 7_680, "{}", line.len());
        let parsed = parse(&line).unwrap_or_else(|error| panic!("{error}: {line:.400}"));
        assert_eq!(breaches(&parsed), Vec::<String>::new());
        let name = finding.threat_type.name();
        assert_eq!(parsed.header, ["LEEF:2.0", product::VENDOR, product::PRODUCT, product::VERSION, name]);
        assert_values(&parsed, &finding);
    }
}

fn assert_values(parsed: &Parsed, finding: &Finding) {
    let pair = |key: &str| parsed.pairs.get(key).map(String::as_str);
    let said = |text: &str| !text.trim().is_empty();
    let shown = |key: &str, text: &str, most| assert_shown(pair(key), text, most, &[]);
    assert_eq!(pair("watchbellId"), Some(finding.id.as_str()));
    let time = finding.last_seen.or(finding.first_seen);
    let read = pair("devTime").map(|text| {
        let text = text.strip_suffix(" GMT").unwrap();
        let read = jiff::fmt::strtime::parse("%b %d %Y %H:%M:%S%.f", text).unwrap().to_datetime().unwrap();
        read.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
    });
    let milliseconds = |time: jiff::Timestamp| time.as_nanosecond().div_euclid(1_000_000);
    assert_eq!(read.map(milliseconds), time.map(milliseconds));
    for (key, kind) in [
        ("usrName", EntityKind::User),
        ("resource", EntityKind::Host),
        ("watchbellProcess", EntityKind::Process),
        ("watchbellUserAgent", EntityKind::UserAgent),
        ("watchbellCountry", EntityKind::Country),
    ] {
        shown(key, first_of(finding, kind).unwrap_or(""), 255);
    }
    let sentence = [finding.summary.as_str(), &finding.title].into_iter().find(|text| said(text));
    shown("watchbellSummary", sentence.unwrap_or(finding.threat_type.title()), 1023);
    assert_eq!(pair("watchbellEvidence").is_none(), finding.evidence.is_empty());
    shown("watchbellEntity", &finding.entity.value, 255);
}

#[test]
fn a_bad_line_is_refused() {
    let good = leef::line(&sample());
    assert!(parse(&good).is_ok_and(|parsed| breaches(&parsed).is_empty()));
    assert!(parse(&good.replacen("usrName=", "usrName=a\tb", 1)).is_err());
    assert!(parse(&good.replacen("usrName=", "usrName=a\n", 1)).is_err());
    assert!(parse(&good.replacen("usrName=", "sev=1\tusrName=", 1)).is_err());
    assert!(parse(&good.replacen("x09", "tab", 1)).is_err());
    let wrong = |bad: &str| !breaches(&parse(&good.replacen("usrName=", bad, 1)).unwrap()).is_empty();
    assert!(wrong("color=red\tusrName=") && wrong("dst=alice\tusrName=") && wrong("dstPort=65536\tusrName="));
    assert!(wrong(&format!("usrName={}", "x".repeat(256))));
}

#[test]
fn severities_run_from_one_to_ten() {
    let numbers = Severity::ALL.map(|severity| {
        let line = leef::line(&Finding { severity, ..sample() });
        parse(&line).unwrap().pairs["sev"].clone()
    });
    assert_eq!(numbers, ["1", "3", "5", "8", "10"]);
}
