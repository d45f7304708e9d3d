//! ATT&CK techniques by threat type and version of the matrix.
//!
//! Version 19 (April 2026) split Defense Evasion: TA0005 became Stealth, TA0112 Defense Impairment took T1562's place in
//! T1685. Everything else named here is the same in 18.1 and 19. Source: MITRE ATT&CK for Enterprise, attack.mitre.org.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use watchbell_sink::{Attack, Tactic, ThreatType};

/// A version of the matrix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AttackVersion {
    /// 18.1, of November 2025.
    #[serde(rename = "18")]
    V18,
    /// 19, of April 2026.
    #[default]
    #[serde(rename = "19")]
    V19,
}

impl AttackVersion {
    /// The version's number as text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V18 => "18",
            Self::V19 => "19",
        }
    }
}

/// A version of ATT&CK that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 18 or 19, found `{0}`")]
pub struct UnknownVersion(String);

impl FromStr for AttackVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "18" => Ok(Self::V18),
            "19" => Ok(Self::V19),
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}

/// Id, name and tactic of a technique.
type Row = (&'static str, &'static str, &'static str);

/// The techniques of a threat type, the most fitting first.
#[must_use]
pub fn attacks(threat: ThreatType, version: AttackVersion) -> Vec<Attack> {
    let rows = rows(threat, version);
    rows.iter()
        .map(|&(id, name, tactic)| Attack {
            technique_id: id.to_owned(),
            technique_name: name.to_owned(),
            tactics: vec![Tactic { id: tactic.to_owned(), name: tactic_name(tactic, version).to_owned() }],
            version: version.name().to_owned(),
        })
        .collect()
}

fn rows(threat: ThreatType, version: AttackVersion) -> &'static [Row] {
    match threat {
        ThreatType::AnomalousAccess => &[("T1078", "Valid Accounts", "TA0001")],
        ThreatType::BruteForce => &[("T1110.001", "Brute Force: Password Guessing", "TA0006")],
        ThreatType::PasswordSpraying => &[("T1110.003", "Brute Force: Password Spraying", "TA0006")],
        ThreatType::CredentialStuffing => &[("T1110.004", "Brute Force: Credential Stuffing", "TA0006")],
        ThreatType::AccountTakeover | ThreatType::DormantAccount => &[("T1078", "Valid Accounts", "TA0001")],
        ThreatType::ImpossibleTravel => {
            &[("T1078", "Valid Accounts", "TA0001"), ("T1078.004", "Valid Accounts: Cloud Accounts", "TA0001")]
        }
        ThreatType::PrivilegeEscalation => {
            &[("T1098", "Account Manipulation", "TA0004"), ("T1548", "Abuse Elevation Control Mechanism", "TA0004")]
        }
        ThreatType::DataExfiltration => &[
            ("T1048", "Exfiltration Over Alternative Protocol", "TA0010"),
            ("T1567", "Exfiltration Over Web Service", "TA0010"),
        ],
        ThreatType::SlowExfiltration => {
            &[("T1030", "Data Transfer Size Limits", "TA0010"), ("T1567", "Exfiltration Over Web Service", "TA0010")]
        }
        ThreatType::LateralMovement => &[("T1021", "Remote Services", "TA0008")],
        ThreatType::Beaconing => &[("T1071", "Application Layer Protocol", "TA0011")],
        ThreatType::Reconnaissance => {
            &[("T1083", "File and Directory Discovery", "TA0007"), ("T1046", "Network Service Discovery", "TA0007")]
        }
        ThreatType::DefenseEvasion => match version {
            AttackVersion::V18 => &[("T1562", "Impair Defenses", "TA0005"), ("T1070", "Indicator Removal", "TA0005")],
            AttackVersion::V19 => {
                &[("T1685", "Disable or Modify Tools", "TA0112"), ("T1070", "Indicator Removal", "TA0005")]
            }
        },
    }
}

fn tactic_name(id: &str, version: AttackVersion) -> &'static str {
    match id {
        "TA0001" => "Initial Access",
        "TA0004" => "Privilege Escalation",
        "TA0005" if version == AttackVersion::V18 => "Defense Evasion",
        "TA0005" => "Stealth",
        "TA0006" => "Credential Access",
        "TA0007" => "Discovery",
        "TA0008" => "Lateral Movement",
        "TA0010" => "Exfiltration",
        "TA0011" => "Command and Control",
        "TA0112" => "Defense Impairment",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threat_type_has_a_technique_with_a_named_tactic_in_both_versions() {
        for version in [AttackVersion::V18, AttackVersion::V19] {
            for threat in ThreatType::ALL {
                let attacks = attacks(threat, version);
                assert!(!attacks.is_empty(), "{threat}");
                for attack in attacks {
                    assert!(attack.technique_id.starts_with('T'), "{attack:?}");
                    assert!(attack.tactics.iter().all(|tactic| tactic.name != "Unknown"), "{attack:?}");
                    assert_eq!(attack.version, version.name());
                }
            }
        }
    }

    #[test]
    fn version_19_moved_defense_evasion() {
        let technique = |version| attacks(ThreatType::DefenseEvasion, version).remove(0);
        assert_eq!(technique(AttackVersion::V18).technique_id, "T1562");
        assert_eq!(technique(AttackVersion::V19).technique_id, "T1685");
        assert_eq!(technique(AttackVersion::V19).tactics[0].id, "TA0112");
    }
}
