//! Each schema against the official model: a thousand hostile findings, and each hostile text in every field at once.
//!
//! The models stand in `models/`, made by `models/make.py` from pinned packages; no test needs a network.

#![allow(clippy::unwrap_used)] // What can't be read back is a failed test.

mod cef;
mod cim;
mod ecs;
mod golden;
mod leef;
mod ocsf;

use jiff::Timestamp;
use watchbell_sink::{
    Attack, Entity, EntityKind, Evidence, Finding, Observable, Reason, Tactic,
    testkit::findings::{HOSTILE, sample, samples},
};

/// The realistic finding, a thousand hostile ones, and for each hostile text one that has it in every field.
fn findings() -> Vec<Finding> {
    let mut all = vec![sample()];
    all.extend(samples(1000, 20_260_115));
    all.extend(HOSTILE.iter().map(|text| filled(text)));
    let long = ["x", "\\", "=", "\u{1f514}", "\0", " ", "|", "a\n"].map(|piece| piece.repeat(100_000 / piece.len()));
    all.extend(long.iter().map(|text| filled(text)));
    all.push(extreme());
    all
}

/// A finding with numbers and times that no log should have.
fn extreme() -> Finding {
    let mut finding = sample();
    (finding.score, finding.confidence, finding.event_count) = (f64::NAN, f64::INFINITY, u64::MAX);
    (finding.first_seen, finding.last_seen) = (Some(Timestamp::MIN), Some(Timestamp::MAX));
    finding.reasons.iter_mut().for_each(|reason| reason.share = f64::NEG_INFINITY);
    for event in &mut finding.evidence {
        (event.line, event.score, event.time) = (u64::MAX, f64::NAN, Some(Timestamp::MIN));
    }
    finding
}

/// A finding with this text in every field that takes any.
fn filled(text: &str) -> Finding {
    const KINDS: [EntityKind; 9] = watchbell_sink::testkit::findings::KINDS;
    let text = text.to_owned();
    let tactics = vec![Tactic { id: text.clone(), name: text.clone() }];
    Finding {
        title: text.clone(),
        summary: text.clone(),
        entity: Entity { kind: KINDS[text.len() % KINDS.len()], value: text.clone() },
        attacks: vec![Attack {
            technique_id: text.clone(),
            technique_name: text.clone(),
            tactics,
            version: text.clone(),
        }],
        observables: KINDS.map(|kind| Observable { kind, value: text.clone(), count: 1 }).to_vec(),
        reasons: vec![Reason {
            feature: text.clone(),
            text: text.clone(),
            observed: text.clone(),
            typical: text.clone(),
            share: 1.0,
        }],
        evidence: vec![Evidence { file: text.clone(), line: 1, time: None, score: 1.0, raw: text }],
        ..sample()
    }
}

/// The entity's value when it is of this kind, else the first observable's that is not blank.
fn first_of(finding: &Finding, kind: EntityKind) -> Option<&str> {
    let entity = std::iter::once(&finding.entity).filter(|it| it.kind == kind).map(|it| it.value.as_str());
    let observables = finding.observables.iter().filter(|it| it.kind == kind).map(|it| it.value.as_str());
    entity.chain(observables).find(|value| !value.trim().is_empty())
}

/// Asserts that a line shows this text: control characters as spaces but those of `escapes`, none around it, an ellipsis
/// where it was cut. Characters of `escapes` take two bytes of the limit.
#[track_caller]
fn assert_shown(shown: Option<&str>, text: &str, most: usize, escapes: &[char]) {
    let is_wild = |it: char| (it.is_control() || it == '\u{2028}' || it == '\u{2029}') && !escapes.contains(&it);
    let length = |text: &str| text.len() + text.chars().filter(|it| escapes.contains(it)).count();
    let tame: String = text.chars().map(|it| if is_wild(it) { ' ' } else { it }).collect();
    let tame = tame.trim();
    match shown {
        None => assert!(tame.is_empty(), "{tame:.200?} is not shown"),
        Some(shown) if shown == tame => assert!(length(shown) <= most, "{shown:?} is longer than {most}"),
        Some(shown) => {
            let beginning =
                shown.strip_suffix('\u{2026}').unwrap_or_else(|| panic!("{shown:?} stands for {tame:.200?}"));
            assert!(tame.starts_with(beginning) && length(shown) <= most, "{shown:?} stands for {tame:.200?}");
            // It was too long, and no more was cut off than had to be; blanks before the cut don't count.
            let next_is_blank = tame[beginning.len()..].starts_with(char::is_whitespace);
            assert!(
                length(tame) > most && (length(shown) + 8 > most || next_is_blank),
                "{shown:?} stands for {tame:.200?}"
            );
        }
    }
}

/// The rows of a fact table, without its heading.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect())
}
