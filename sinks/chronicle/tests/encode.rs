//! Findings as events: one golden file per threat type, and hostile findings that must pass the linter all the same.
//!
//! `WRITE_GOLDEN=1` writes the golden files; read the difference before you commit it.

mod support;

use std::{env, fs, path::Path, sync::LazyLock};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use support::{build, options};
use watchbell_chronicle::Chronicle;
use watchbell_sink::{
    Entity, EntityKind, Finding, Observable, Sink, ThreatType,
    testkit::findings::{sample, samples},
};
use watchbell_udm::lint::check;

fn sink(more: &str) -> Chronicle {
    build(&format!("{}{more}", options("127.0.0.1:9"))).expect("the options are right")
}

fn event(sink: &Chronicle, finding: &Finding) -> Value {
    let payload = sink.encode(finding).unwrap_or_else(|error| panic!("{}: {error}", finding.id));
    let mut wrapped: Value = serde_json::from_slice(payload.bytes()).expect("a payload is JSON");
    wrapped["udm"].take()
}

#[test]
fn each_threat_type_has_the_event_of_its_golden_file() {
    let sink = sink("collector = \"collector-1.example.org\"\nnamespace = \"corp\"\n");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for threat_type in ThreatType::ALL {
        let finding = Finding { threat_type, ..sample() };
        let event = event(&sink, &finding);
        assert_eq!(check(&event), [], "{threat_type}");
        let text = format!("{event:#}\n");
        let path = folder.join(format!("{threat_type}.json"));
        if env::var_os("WRITE_GOLDEN").is_some() {
            fs::write(&path, &text).expect("the golden file can be written");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, golden, "{}", path.display());
    }
}

#[test]
fn a_type_is_taken_only_with_all_its_nouns() {
    let sink = sink("");
    let kinds = |kinds: &[EntityKind]| -> Vec<Observable> {
        sample().observables.into_iter().filter(|one| kinds.contains(&one.kind)).collect()
    };
    use EntityKind::{Host, Ip, Resource, User};
    for (threat_type, known, expected) in [
        (ThreatType::BruteForce, &[User, Ip][..], "USER_LOGIN"),
        (ThreatType::BruteForce, &[User], "GENERIC_EVENT"),
        (ThreatType::BruteForce, &[Ip], "SCAN_UNCATEGORIZED"),
        (ThreatType::BruteForce, &[], "GENERIC_EVENT"),
        (ThreatType::DataExfiltration, &[User, Resource], "USER_RESOURCE_ACCESS"),
        (ThreatType::DataExfiltration, &[Ip, Host], "NETWORK_CONNECTION"),
        (ThreatType::DataExfiltration, &[Host], "SCAN_UNCATEGORIZED"),
        (ThreatType::Beaconing, &[Ip, Host, User], "NETWORK_CONNECTION"),
        (ThreatType::Beaconing, &[Ip, User], "SCAN_UNCATEGORIZED"),
        (ThreatType::Reconnaissance, &[Ip], "SCAN_NETWORK"),
        (ThreatType::DefenseEvasion, &[Host, User], "SYSTEM_AUDIT_LOG_UNCATEGORIZED"),
        (ThreatType::PrivilegeEscalation, &[User, Ip], "USER_UNCATEGORIZED"),
        (ThreatType::AnomalousAccess, &[User, Resource], "USER_RESOURCE_ACCESS"),
    ] {
        let entity = Entity { kind: EntityKind::Source, value: "auth.jsonl".to_owned() };
        let finding = Finding { threat_type, entity, observables: kinds(known), ..sample() };
        let event = event(&sink, &finding);
        assert_eq!(event["metadata"]["event_type"], expected, "{threat_type} with {known:?}");
        assert_eq!(check(&event), [], "{threat_type} with {known:?}");
    }
}

#[test]
fn values_from_logs_are_nouns_only_where_they_are_ones() {
    let observables = vec![
        Observable { kind: EntityKind::Ip, value: "web-07".to_owned(), count: 1 },
        Observable { kind: EntityKind::Host, value: "not a host/name".to_owned(), count: 1 },
        Observable { kind: EntityKind::User, value: " ".to_owned(), count: 1 },
    ];
    let entity = Entity { kind: EntityKind::Ip, value: "unknown".to_owned() };
    let event = event(&sink(""), &Finding { entity, observables, ..sample() });
    assert_eq!(event["metadata"]["event_type"], "GENERIC_EVENT");
    assert_eq!((&event["principal"], &event["target"]), (&Value::Null, &Value::Null));
    let fields = event["security_result"][0]["detection_fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["key"] == "observed_ip" && field["value"] == "web-07"));
}

#[test]
fn a_finding_without_times_and_one_beyond_all_years_are_events() {
    let sink = sink("");
    let none = event(&sink, &Finding { first_seen: None, last_seen: None, ..sample() });
    assert_eq!(none["metadata"]["event_timestamp"], "1970-01-01T00:00:00Z");
    let far = event(&sink, &Finding { first_seen: Some(Timestamp::MIN), last_seen: Some(Timestamp::MAX), ..sample() });
    assert_eq!(check(&far), []);
}

#[test]
fn a_large_event_is_shortened_from_the_least_telling_end() {
    let sink = sink("max_bytes = 16384\nmax_events = 10\n");
    let mut finding = sample();
    finding.evidence = vec![finding.evidence[0].clone(); 8];
    for evidence in &mut finding.evidence {
        evidence.raw = "\u{1}".repeat(100_000);
    }
    let payload = sink.encode(&finding).unwrap();
    assert!(payload.bytes().len() <= sink.limits().bytes, "{}", payload.bytes().len());
    let event = event(&sink, &finding);
    assert_eq!(event["security_result"][0]["detection_fields"][0]["key"], "finding_id");
    assert_eq!(check(&event), []);
}

#[test]
fn a_thousand_hostile_findings_pass_the_linter() {
    let sink = sink("");
    for finding in samples(1000, 20_261_122) {
        let errors: Vec<_> = check(&event(&sink, &finding)).into_iter().filter(|found| found.is_error()).collect();
        assert_eq!(errors, [], "{}", finding.id);
    }
}

/// Building a sink reads the system's certificates, so it is done once per size.
static SINKS: LazyLock<[Chronicle; 4]> = LazyLock::new(|| {
    [16_384, 40_000, 200_000, 1_000_000].map(|bytes| sink(&format!("max_bytes = {bytes}\nmax_events = 100\n")))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_finding_is_an_event_that_passes_and_fits(seed in any::<u64>(), size in 0_usize..4) {
        let sink = &SINKS[size];
        for finding in samples(16, seed) {
            let payload = sink.encode(&finding).expect("every finding is an event");
            prop_assert!(payload.bytes().len() <= sink.limits().bytes);
            prop_assert!(check(&event(sink, &finding)).iter().all(|found| !found.is_error()));
        }
    }
}
