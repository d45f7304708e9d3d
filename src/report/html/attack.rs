//! The part of ATT&CK that the findings touch, and the same as a layer for the ATT&CK Navigator.
//!
//! Reports are read back from disk, so an id is checked before it becomes part of an address.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::json;
use watchbell_sink::{Attack, Severity};

use super::look::SeverityLook;
use crate::report::overview::Overview;

/// More techniques than any real run touches; keeps the page small when a report is forged.
const MOST_TECHNIQUES: usize = 120;

/// Tactics in the order in which an intrusion goes through them; the two after `TA0005` follow its split in v19.
const TACTIC_ORDER: [&str; 15] = [
    "TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112", "TA0006", "TA0007", "TA0008",
    "TA0009", "TA0011", "TA0010", "TA0040",
];

/// One touched tactic.
#[derive(Debug, Serialize)]
pub(in crate::report) struct TacticColumn {
    name: String,
    id: String,
    techniques: Vec<TechniqueCell>,
}

/// One touched technique.
#[derive(Debug, Clone, Serialize)]
struct TechniqueCell {
    link: TechniqueLink,
    findings: u64,
    worst: SeverityLook,
}

/// A technique with its page, if its id is one.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct TechniqueLink {
    id: String,
    name: String,
    url: Option<String>,
}

impl TechniqueLink {
    /// The link of a technique.
    pub(in crate::report) fn new(attack: &Attack) -> Self {
        let (id, name) = (attack.technique_id.clone(), attack.technique_name.clone());
        let url = is_technique(&id).then(|| format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/")));
        Self { id, name, url }
    }
}

/// `T` and four digits, then perhaps a dot and three digits.
fn is_technique(id: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = id.strip_prefix('T') else { return false };
    match number.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(number, 4),
    }
}

/// A tactic's name and its techniques by id.
type Column<'a> = (&'a str, BTreeMap<&'a str, TechniqueCell>);

/// The touched tactics in the order of an intrusion, each with its techniques, the worst first.
pub(in crate::report) fn matrix(overview: &Overview<'_>) -> Vec<TacticColumn> {
    let mut columns: BTreeMap<(usize, &str), Column<'_>> = BTreeMap::new();
    let attacks = overview.ranked.iter().flat_map(|item| item.finding.attacks.iter().map(move |attack| (item, attack)));
    let mut cells = 0;
    for (item, attack) in attacks {
        for tactic in &attack.tactics {
            let order = TACTIC_ORDER.iter().position(|id| *id == tactic.id).unwrap_or(TACTIC_ORDER.len());
            let known = columns.get(&(order, tactic.id.as_str()));
            let is_new = known.is_none_or(|(_, of)| !of.contains_key(attack.technique_id.as_str()));
            if is_new && cells == MOST_TECHNIQUES {
                continue;
            }
            cells += usize::from(is_new);
            let (_, techniques) = columns.entry((order, &tactic.id)).or_insert_with(|| (&tactic.name, BTreeMap::new()));
            // Findings come worst first, so the one that opens a cell is its worst.
            let cell = techniques.entry(&attack.technique_id).or_insert_with(|| TechniqueCell {
                link: TechniqueLink::new(attack),
                findings: 0,
                worst: SeverityLook::of(item.finding.severity),
            });
            cell.findings += 1;
        }
    }
    columns.into_iter().map(|((_, id), column)| tactic_column(id, column)).collect()
}

fn tactic_column(id: &str, (name, techniques): Column<'_>) -> TacticColumn {
    let mut techniques: Vec<_> = techniques.into_values().collect();
    techniques.sort_by_key(|cell| std::cmp::Reverse((cell.worst.rank, cell.findings)));
    TacticColumn { name: name.to_owned(), id: id.to_owned(), techniques }
}

/// The touched techniques as a Navigator layer in a `data:` address; nothing when there are none.
pub(in crate::report) fn navigator_layer(overview: &Overview<'_>) -> Option<String> {
    let mut techniques: BTreeMap<&str, (u64, Severity, &str)> = BTreeMap::new();
    for item in &overview.ranked {
        for attack in item.finding.attacks.iter().filter(|attack| is_technique(&attack.technique_id)) {
            let known = techniques.len() < MOST_TECHNIQUES || techniques.contains_key(attack.technique_id.as_str());
            if known {
                let new = (0, item.finding.severity, attack.version.as_str());
                techniques.entry(&attack.technique_id).or_insert(new).0 += 1;
            }
        }
    }
    let version = techniques.values().next()?.2;
    let version = if version.len() <= 4 { version } else { "19" };
    let techniques: Vec<_> = techniques
        .iter()
        .map(|(id, &(count, worst, _))| {
            json!({
                "techniqueID": id,
                "score": worst as u8 + 1,
                "comment": format!("{count} findings, the worst {worst}"),
                "enabled": true,
            })
        })
        .collect();
    let layer = json!({
        "name": "Watchbell findings",
        "versions": { "attack": version, "navigator": "5.1.0", "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": "Techniques that the findings point to; the score is the worst severity, 1 to 5.",
        "techniques": techniques,
        "gradient": { "colors": ["#dbe9f6", "#f2c14e", "#b3122a"], "minValue": 1, "maxValue": 5 },
    });
    Some(format!("data:application/json;base64,{}", STANDARD.encode(layer.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn only_real_ids_become_addresses() {
        assert!(is_technique("T1110") && is_technique("T1110.003"));
        for id in ["", "T", "T111", "T11100", "T1110.", "T1110.03", "T1110.0033", "T1110/../x", "javascript:1", "Tabcd"]
        {
            assert!(!is_technique(id), "{id}");
        }
    }

    #[test]
    fn the_matrix_follows_the_intrusion_and_counts_findings() {
        let reports = fixture::reports();
        let overview = Overview::new(&reports);
        let matrix = matrix(&overview);
        let names: Vec<_> = matrix.iter().map(|column| column.name.as_str()).collect();
        let first = names.iter().position(|name| *name == "Initial Access").unwrap();
        let last = names.iter().position(|name| *name == "Exfiltration").unwrap();
        assert!(first < last);
        let cells: u64 = matrix.iter().flat_map(|column| &column.techniques).map(|cell| cell.findings).sum();
        assert_eq!(cells, 12, "13 findings, one without a technique");
    }

    #[test]
    fn the_layer_is_json_that_the_navigator_reads() {
        let reports = fixture::reports();
        let layer = navigator_layer(&Overview::new(&reports)).unwrap();
        let decoded = STANDARD.decode(layer.strip_prefix("data:application/json;base64,").unwrap()).unwrap();
        let layer: serde_json::Value = serde_json::from_slice(&decoded).unwrap();
        assert_eq!(layer["versions"]["layer"], "4.5");
        assert_eq!(layer["techniques"].as_array().unwrap().len(), 10);
        assert!(navigator_layer(&Overview::new(&fixture::hostile_reports())).is_none());
    }
}
