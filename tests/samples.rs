//! The sample logs that ship are what their generator writes, and hold what their README promises.
//!
//! Packed files are compared after unpacking: two versions of a packer may pack the same bytes differently.

#[path = "../examples/generate_logs/samples/mod.rs"]
mod generator;

use std::{fs, io::Read as _, net::Ipv4Addr, path::PathBuf};

fn shipped(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("could not read {}: {error}", path.display()))
}

fn unpacked(name: &str) -> Vec<u8> {
    let bytes = shipped(&format!("logs/{name}"));
    let mut plain = Vec::new();
    match name.rsplit_once('.') {
        Some((_, "gz")) => {
            flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).expect("the sample is a gzip file");
            plain
        }
        Some((_, "zst")) => zstd::decode_all(bytes.as_slice()).expect("the sample is a zstd file"),
        _ => bytes,
    }
}

#[test]
fn the_shipped_logs_are_what_the_generator_writes() {
    let mut planted = Vec::new();
    for sample in generator::all() {
        let same = unpacked(sample.name) == sample.plain();
        assert!(same, "{} is out of date: cargo run --release --example generate_logs", sample.name);
        planted.extend(sample.planted());
        let again = sample.packed().expect("packing into memory does not fail");
        assert_eq!(again, sample.packed().expect("packing into memory does not fail"));
    }
    assert_eq!(shipped("planted.json"), generator::planted_json(&planted).into_bytes());
}

#[test]
fn the_shipped_logs_stay_small() {
    let names = generator::all().into_iter().map(|sample| sample.name);
    let total: usize = names.map(|name| shipped(&format!("logs/{name}")).len()).sum();
    assert!(total <= 1_200_000, "the samples travel inside the program, and have grown to {total} bytes");
}

#[test]
fn the_readme_names_every_incident_with_its_file_and_entity() {
    let readme = String::from_utf8(shipped("README.md")).expect("the README is UTF-8");
    for planted in generator::all().iter().flat_map(generator::Sample::planted) {
        let row = readme.lines().find(|line| line.contains(&format!("`{}`", planted.incident.id)));
        let row = row.unwrap_or_else(|| panic!("the README does not name {}", planted.incident.id));
        let (_, entity) = planted.incident.entity;
        let events = planted.lines.len().to_string();
        for part in [planted.file, planted.incident.threat_type, entity, &events] {
            assert!(row.contains(part), "the README's row of {} lacks {part}", planted.incident.id);
        }
    }
}

#[test]
fn every_planted_line_is_in_its_file_and_inside_its_span() {
    for sample in generator::all() {
        let lines = sample.plain().split(|&byte| byte == b'\n').count() as u64;
        for planted in sample.planted() {
            assert!(planted.first < planted.last, "{}", planted.incident.id);
            assert!(planted.lines.is_sorted(), "{}", planted.incident.id);
            let is_wrapped = lines < 10;
            assert!(is_wrapped || planted.lines.iter().all(|&line| line <= lines), "{}", planted.incident.id);
        }
    }
}

#[test]
fn every_address_is_private_or_reserved_for_documentation() {
    for sample in generator::all() {
        let strangers = strangers(&String::from_utf8_lossy(&sample.plain()));
        assert!(strangers.is_empty(), "{} holds addresses that may be somebody's: {strangers:?}", sample.name);
    }
    assert_eq!(strangers("Chrome/145.0.0.0 from 192.0.2.7 and 10.1.2.3, then 8.8.8.8"), ["8.8.8.8"]);
}

/// Addresses of neither kind; what follows a slash is a version.
fn strangers(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut found = Vec::new();
    for word in text.split(|c: char| !is_part(c) && c != '/').filter(|word| !word.contains('/')) {
        if let Ok(address) = word.parse::<Ipv4Addr>()
            && !address.is_private()
            && !address.is_documentation()
            && !address.is_unspecified()
        {
            found.push(word.to_owned());
        }
    }
    found
}
