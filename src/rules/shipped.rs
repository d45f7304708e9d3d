//! The rules about Watchbell's own findings, inside of the program. The list is written by `build.rs` from the folder `rules`.

use serde::Serialize;
use watchbell_yaral::syntax::tree::Rule;

use crate::sink::ThreatType;

/// A file of the folder `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippedFile {
    /// Its path below that folder, with `/`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl ShippedFile {
    /// Whether it holds a rule.
    #[must_use]
    pub fn is_rule(&self) -> bool {
        self.path.ends_with(".yaral")
    }
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// All files: rules, `deployment.toml`, tests. In the order of their paths.
#[must_use]
pub const fn files() -> &'static [ShippedFile] {
    FILES
}

/// A rule as its `meta` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShippedRule {
    /// Its name.
    pub name: String,
    /// The kind of threat that it is about; a rule that sees several findings together has none.
    pub threat: Option<ThreatType>,
    /// How bad it is.
    pub severity: String,
    /// The ATT&CK technique.
    pub technique: String,
    /// What it looks for.
    pub description: String,
    /// Its file.
    pub file: &'static str,
}

/// The rules, those about one finding first.
#[must_use]
pub fn rules() -> Vec<ShippedRule> {
    let described = files().iter().filter(|file| file.is_rule()).filter_map(|file| {
        let parsed = watchbell_yaral::parse(file.text);
        parsed.file.rules.first().map(|rule| described(rule, file.path))
    });
    let mut rules: Vec<ShippedRule> = described.collect();
    rules.sort_by_key(|rule| (rule.threat.is_none(), rule.threat));
    rules
}

fn described(rule: &Rule, file: &'static str) -> ShippedRule {
    let meta = |key: &str| {
        let entries = rule.meta.as_ref().map(|section| section.body.as_slice()).unwrap_or_default();
        entries.iter().find(|entry| entry.key.text == key).map(|entry| entry.value.clone()).unwrap_or_default()
    };
    ShippedRule {
        name: rule.name.text.clone(),
        threat: meta("threat_type").parse().ok(),
        severity: meta("severity"),
        technique: meta("technique"),
        description: meta("description"),
        file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::attack::{AttackVersion, attacks};

    #[test]
    fn every_threat_type_has_its_rule_with_its_technique() {
        for threat in ThreatType::ALL {
            let rules = rules();
            let of: Vec<_> = rules.iter().filter(|rule| rule.threat == Some(threat)).collect();
            assert_eq!(of.len(), 1, "{threat}");
            assert_eq!(of[0].name, format!("watchbell_{threat}"));
            let techniques = attacks(threat, AttackVersion::default());
            assert_eq!(of[0].technique, techniques[0].technique_id, "{threat}");
        }
    }

    #[test]
    fn a_file_is_named_after_its_rule() {
        for rule in rules() {
            assert_eq!(rule.file, format!("{}.yaral", rule.name));
        }
        let files = files().iter().filter(|file| file.is_rule()).count();
        assert_eq!(rules().len(), files);
    }

    #[test]
    fn each_rule_has_a_test() {
        for rule in rules() {
            let test = format!("tests/{}.toml", rule.name);
            assert!(files().iter().any(|file| file.path == test), "{test} is missing");
        }
    }
}
