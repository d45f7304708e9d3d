//! The realistic finding in each schema, byte for byte. `WATCHBELL_BLESS=1` writes the files anew; the difference is then
//! read like any other change.

use std::{env, fs, path::Path};

use serde::Serialize;
use watchbell_schemas::{cef, cim, ecs, leef, ocsf, product};
use watchbell_sink::testkit::findings::{sample, samples};

#[track_caller]
fn assert_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    // A release alone changes no file.
    let actual = format!("{}\n", actual.replace(product::VERSION, "[version]"));
    if env::var_os("WATCHBELL_BLESS").is_some() {
        fs::write(&path, &actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name} differs; now it is:\n{actual}");
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn the_sample_is_as_it_was() {
    let finding = sample();
    assert_golden("ecs.json", &pretty(&ecs::document(&finding)));
    assert_golden("ecs_mappings.json", &pretty(&ecs::mappings()));
    assert_golden("cim.json", &pretty(&cim::event(&finding)));
    assert_golden("ocsf.json", &pretty(&ocsf::detection_finding(&finding, product::VERSION)));
    assert_golden("cef.txt", &cef::line(&finding));
    assert_golden("leef.txt", &leef::line(&finding));
}

#[test]
fn the_same_finding_gives_the_same_bytes() {
    for finding in samples(100, 3) {
        let copy = finding.clone();
        assert_eq!(pretty(&ecs::document(&finding)), pretty(&ecs::document(&copy)));
        assert_eq!(pretty(&cim::event(&finding)), pretty(&cim::event(&copy)));
        assert_eq!(pretty(&ocsf::detection_finding(&finding, "1")), pretty(&ocsf::detection_finding(&copy, "1")));
        assert_eq!((cef::line(&finding), leef::line(&finding)), (cef::line(&copy), leef::line(&copy)));
    }
}
