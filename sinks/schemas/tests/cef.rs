//! CEF lines read back by a strict parser that was written from the vendor's document and shares nothing with the writer.

use std::collections::BTreeMap;

use watchbell_schemas::{cef, product};
use watchbell_sink::{EntityKind, Finding, Severity, ThreatType, testkit::findings::sample};

use crate::{assert_shown, findings, first_of, rows};

/// Header fields and pairs of a line.
#[derive(Debug)]
struct Parsed {
    header: Vec<String>,
    pairs: BTreeMap<String, String>,
}

/// Type and length of each key that a producer may set.
fn dictionary() -> BTreeMap<&'static str, (&'static str, Option<usize>)> {
    let table = include_str!("models/cef_0_extensions.csv");
    rows(table).map(|row| (row[0], (row[1], row[2].parse().ok()))).collect()
}

fn unescaped(text: &str, known: &[(char, char)]) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let escaped = characters.next().ok_or("a backslash ends it")?;
        let found = known.iter().find(|(from, _)| *from == escaped);
        plain.push(found.ok_or_else(|| format!("unknown escape {escaped:?}"))?.1);
    }
    Ok(plain)
}

/// Byte positions of these characters where no backslash escapes them.
fn unescaped_positions(text: &str, wanted: char) -> Vec<usize> {
    let (mut found, mut is_escaped) = (Vec::new(), false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            it if it == wanted => found.push(at),
            _ => {}
        }
    }
    found
}

fn parse(line: &str) -> Result<Parsed, String> {
    if let Some(control) = line.chars().find(|it| it.is_control()) {
        return Err(format!("control character {control:?}"));
    }
    let pipes = unescaped_positions(line, '|');
    let Some(&end) = pipes.get(6) else { return Err("fewer than seven header fields".to_owned()) };
    let (mut header, mut from) = (Vec::new(), 0);
    for &pipe in &pipes[..7] {
        header.push(unescaped(&line[from..pipe], &[('\\', '\\'), ('|', '|')])?);
        from = pipe + 1;
    }
    let extension = &line[end + 1..];
    let (mut pairs, mut key, mut value_from) = (BTreeMap::new(), None::<&str>, 0);
    let mut add = |key: Option<&str>, value: &str| -> Result<(), String> {
        let escapes = [('\\', '\\'), ('=', '='), ('n', '\n'), ('r', '\r')];
        let Some(key) = key else { return if value.is_empty() { Ok(()) } else { Err("text before a key".to_owned()) } };
        match pairs.insert(key.to_owned(), unescaped(value, &escapes)?) {
            Some(_) => Err(format!("{key} comes twice")),
            None => Ok(()),
        }
    };
    for equals in unescaped_positions(extension, '=') {
        let key_from = extension[..equals].rfind(' ').map_or(0, |space| space + 1);
        if key_from < value_from {
            return Err(format!("a value holds an equals sign that is not escaped: {:.80}", &extension[value_from..]));
        }
        add(key, &extension[value_from..key_from.saturating_sub(1).max(value_from)])?;
        key = Some(&extension[key_from..equals]);
        value_from = equals + 1;
    }
    add(key, &extension[value_from..])?;
    Ok(Parsed { header, pairs })
}

fn breaches(parsed: &Parsed) -> Vec<String> {
    let (dictionary, mut breaches) = (dictionary(), Vec::new());
    for (key, value) in &parsed.pairs {
        let Some((kind, length)) = dictionary.get(key.as_str()) else {
            breaches.push(format!("{key} is not in the dictionary"));
            continue;
        };
        let is_right = match *kind {
            "string" => length.is_some_and(|most| value.len() <= most) && !value.is_empty() && value.trim() == value,
            "ipv4" => value.parse::<std::net::Ipv4Addr>().is_ok(),
            "ipv6" => value.parse::<std::net::Ipv6Addr>().is_ok(),
            "integer" => value.parse::<i32>().is_ok(),
            "long" | "timestamp" => value.parse::<i64>().is_ok(),
            "double" => value.parse::<f64>().is_ok_and(f64::is_finite),
            _ => false,
        };
        if !is_right {
            breaches.push(format!("{key} is no {kind} of {length:?}: {value:.80}"));
        }
        if let Some(labelled) = key.strip_suffix("Label")
            && !parsed.pairs.contains_key(labelled)
        {
            breaches.push(format!("{key} has nothing to label"));
        }
        let needs_label = ["cs", "cn", "cfp", "c6a"].iter().any(|start| {
            key.strip_prefix(start).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
        });
        if needs_label && !parsed.pairs.contains_key(&format!("{key}Label")) {
            breaches.push(format!("{key} has no label"));
        }
    }
    breaches
}

#[test]
fn every_line_reads_back() {
    for finding in findings() {
        let line = cef::line(&finding);
        assert!(line.len() <= 7_680, "{}", line.len());
        let parsed = parse(&line).unwrap_or_else(|error| panic!("{error}: {line:.400}"));
        assert_eq!(breaches(&parsed), Vec::<String>::new());
        let (name, title) = (finding.threat_type.name(), finding.threat_type.title());
        assert_eq!(parsed.header[..6], ["CEF:0", product::VENDOR, product::PRODUCT, product::VERSION, name, title]);
        assert!(parsed.header[6].parse::<u8>().is_ok_and(|severity| severity <= 10));
        assert_values(&parsed, &finding);
    }
}

fn assert_values(parsed: &Parsed, finding: &Finding) {
    let pair = |key: &str| parsed.pairs.get(key).map(String::as_str);
    let said = |text: &str| !text.trim().is_empty();
    let escapes = ['\n', '\r', '\\', '='];
    let shown = |key: &str, text: &str, most| assert_shown(pair(key), text, most, &escapes);
    assert_eq!(pair("externalId"), Some(finding.id.as_str()));
    assert_eq!(pair("cn1"), Some(finding.risk_score.to_string().as_str()));
    for (key, time) in [("start", finding.first_seen), ("end", finding.last_seen)] {
        assert_eq!(pair(key).map(str::to_owned), time.map(|time| time.as_millisecond().to_string()));
    }
    let user = first_of(finding, EntityKind::User).unwrap_or("");
    shown(if pair("duser").is_some() { "duser" } else { "suser" }, user, 255);
    let host = first_of(finding, EntityKind::Host).unwrap_or("");
    shown(if pair("shost").is_some() { "shost" } else { "dhost" }, host, 255);
    shown("sproc", first_of(finding, EntityKind::Process).unwrap_or(""), 255);
    shown("requestClientApplication", first_of(finding, EntityKind::UserAgent).unwrap_or(""), 255);
    let sentence = [finding.summary.as_str(), &finding.title].into_iter().find(|text| said(text));
    shown("msg", sentence.unwrap_or(finding.threat_type.title()), 1023);
    shown("reason", finding.reasons.first().map_or("", |reason| &reason.text), 1023);
    shown("cs5", &finding.reasons.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("; "), 1023);
    // What remains of the line is the evidence's; it is never crowded out.
    assert_eq!(pair("cs6").is_none(), finding.evidence.is_empty());
    shown("cs3", &format!("{}: {}", finding.entity.kind.name(), finding.entity.value), 255);
}

#[test]
fn a_bad_line_is_refused() {
    let good = cef::line(&sample());
    assert!(parse(&good).is_ok_and(|parsed| breaches(&parsed).is_empty()));
    assert!(parse(&good.replacen("msg=", "msg=x=y ", 1)).is_err());
    assert!(parse(&good.replacen("msg=", "msg=a\\b ", 1)).is_err());
    assert!(parse(&good.replacen("msg=", "msg=\n", 1)).is_err());
    assert!(parse(&good.replacen("msg=", "suser=a suser=b msg=", 1)).is_err());
    assert!(parse("CEF:0|a|b|c|d|e").is_err());
    let wrong = |bad: &str| !breaches(&parse(&good.replacen("msg=", bad, 1)).unwrap()).is_empty();
    assert!(wrong("rawEvent=x msg=") && wrong("dst=2001:db8::1 msg=") && wrong("cn3=1 msg="));
    assert!(wrong(&format!("msg={}", "x".repeat(1024))));
}

#[test]
fn severities_and_directions_are_right() {
    let numbers = Severity::ALL.map(|severity| {
        let line = cef::line(&Finding { severity, ..sample() });
        parse(&line).unwrap().header[6].clone()
    });
    assert_eq!(numbers, ["1", "3", "5", "8", "10"]);
    let keys = |threat_type| parse(&cef::line(&Finding { threat_type, ..sample() })).unwrap().pairs;
    assert!(keys(ThreatType::BruteForce).contains_key("duser"));
    assert!(keys(ThreatType::AccountTakeover).contains_key("suser"));
    assert!(keys(ThreatType::Beaconing).contains_key("shost"));
    let both = keys(ThreatType::BruteForce);
    assert_eq!((both["src"].as_str(), both["c6a2"].as_str()), ("203.0.113.7", "2001:db8::7"));
    assert!(both["cs6"].starts_with("logs/auth.jsonl:1093: {"));
}
