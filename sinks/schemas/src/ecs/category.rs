//! `event.category` and `event.type` of each threat type. ECS says which types go with which category; `info` goes with
//! all that are used here.

use watchbell_sink::ThreatType;

/// The categories and the types.
pub(super) const fn of(threat: ThreatType) -> (&'static [&'static str], &'static [&'static str]) {
    match threat {
        ThreatType::BruteForce
        | ThreatType::PasswordSpraying
        | ThreatType::CredentialStuffing
        | ThreatType::AccountTakeover
        | ThreatType::ImpossibleTravel
        | ThreatType::LateralMovement
        | ThreatType::DormantAccount => (&["authentication", "intrusion_detection"], &["info"]),
        ThreatType::PrivilegeEscalation => (&["iam", "intrusion_detection"], &["admin", "info"]),
        ThreatType::DataExfiltration | ThreatType::SlowExfiltration => (&["network", "intrusion_detection"], &["info"]),
        ThreatType::Beaconing => (&["network", "intrusion_detection"], &["connection", "info"]),
        ThreatType::DefenseEvasion => (&["configuration", "intrusion_detection"], &["change", "info"]),
        ThreatType::Reconnaissance | ThreatType::AnomalousAccess => (&["intrusion_detection"], &["info"]),
    }
}
