//! Threat types and severities: closed vocabularies that findings, filters and sinks share.
//!
//! Both serialize in `snake_case`; the names are a contract with reports and with users' filters.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of threat that an anomaly or a finding points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ThreatType {
    /// Unusual, and no narrower type explains it.
    AnomalousAccess,
    /// Many failed logins against one account.
    BruteForce,
    /// Few failed logins each against many accounts from one source.
    PasswordSpraying,
    /// Known pairs of name and password tried from many new sources.
    CredentialStuffing,
    /// A stranger working in a user's account.
    AccountTakeover,
    /// One account in two places too far apart for the time between.
    ImpossibleTravel,
    /// Administrative rights used or granted where they never were.
    PrivilegeEscalation,
    /// Much data leaving in a short time.
    DataExfiltration,
    /// Data leaving in small pieces over a long time.
    SlowExfiltration,
    /// One account or host reaching many new hosts.
    LateralMovement,
    /// Calls to one destination at a machine's regular pace.
    Beaconing,
    /// One account or host touching many new resources or ports.
    Reconnaissance,
    /// Logs deleted, auditing or protection switched off.
    DefenseEvasion,
    /// An account active again after long silence, or never seen before.
    DormantAccount,
}

impl ThreatType {
    /// All types, in the order of their discriminants.
    pub const ALL: [Self; 14] = [
        Self::AnomalousAccess,
        Self::BruteForce,
        Self::PasswordSpraying,
        Self::CredentialStuffing,
        Self::AccountTakeover,
        Self::ImpossibleTravel,
        Self::PrivilegeEscalation,
        Self::DataExfiltration,
        Self::SlowExfiltration,
        Self::LateralMovement,
        Self::Beaconing,
        Self::Reconnaissance,
        Self::DefenseEvasion,
        Self::DormantAccount,
    ];

    /// The `snake_case` name used in reports, filters and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnomalousAccess => "anomalous_access",
            Self::BruteForce => "brute_force",
            Self::PasswordSpraying => "password_spraying",
            Self::CredentialStuffing => "credential_stuffing",
            Self::AccountTakeover => "account_takeover",
            Self::ImpossibleTravel => "impossible_travel",
            Self::PrivilegeEscalation => "privilege_escalation",
            Self::DataExfiltration => "data_exfiltration",
            Self::SlowExfiltration => "slow_exfiltration",
            Self::LateralMovement => "lateral_movement",
            Self::Beaconing => "beaconing",
            Self::Reconnaissance => "reconnaissance",
            Self::DefenseEvasion => "defense_evasion",
            Self::DormantAccount => "dormant_account",
        }
    }

    /// The name as a title for people, for example `Password spraying`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::AnomalousAccess => "Anomalous access",
            Self::BruteForce => "Brute force",
            Self::PasswordSpraying => "Password spraying",
            Self::CredentialStuffing => "Credential stuffing",
            Self::AccountTakeover => "Account takeover",
            Self::ImpossibleTravel => "Impossible travel",
            Self::PrivilegeEscalation => "Privilege escalation",
            Self::DataExfiltration => "Data exfiltration",
            Self::SlowExfiltration => "Slow exfiltration",
            Self::LateralMovement => "Lateral movement",
            Self::Beaconing => "Beaconing",
            Self::Reconnaissance => "Reconnaissance",
            Self::DefenseEvasion => "Defense evasion",
            Self::DormantAccount => "Dormant account",
        }
    }
}

impl fmt::Display for ThreatType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no threat type or severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{given}`, expected one of {expected}")]
pub struct UnknownName {
    what: &'static str,
    given: String,
    expected: String,
}

impl FromStr for ThreatType {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name("threat type", &Self::ALL, Self::name, name)
    }
}

/// How much a finding matters: its rarity weighed with its impact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Severity {
    /// Worth recording, not worth a look.
    Informational,
    /// A look when there is time.
    Low,
    /// A look today.
    Medium,
    /// A look now.
    High,
    /// Wake somebody.
    Critical,
}

impl Severity {
    /// All severities, lowest first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The `snake_case` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name("severity", &Self::ALL, Self::name, name)
    }
}

fn by_name<T: Copy>(
    what: &'static str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
    given: &str,
) -> Result<T, UnknownName> {
    all.iter().copied().find(|&item| name_of(item) == given).ok_or_else(|| UnknownName {
        what,
        given: given.to_owned(),
        expected: all.iter().map(|&item| name_of(item)).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_through_text_and_json() {
        for (position, threat) in ThreatType::ALL.into_iter().enumerate() {
            assert_eq!(threat as usize, position);
            assert_eq!(threat.name().parse(), Ok(threat));
            assert_eq!(serde_json::to_string(&threat).unwrap(), format!("\"{threat}\""));
        }
        for severity in Severity::ALL {
            assert_eq!(severity.name().parse(), Ok(severity));
            assert_eq!(serde_json::to_string(&severity).unwrap(), format!("\"{severity}\""));
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_exists() {
        let error = "urgent".parse::<Severity>().unwrap_err().to_string();
        assert_eq!(error, "unknown severity `urgent`, expected one of informational, low, medium, high, critical");
    }
}
