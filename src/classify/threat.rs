//! What each threat type is made of, how long it lasts, whom it is about, how much it matters.

use watchbell_sink::{EntityKind, ThreatType};

use crate::{
    features::memory::DAY,
    parse::{ActionClass, Outcome},
};

/// Whether an event of this class and outcome can be part of the threat.
#[must_use]
pub fn is_made_of(threat: ThreatType, class: ActionClass, outcome: Outcome) -> bool {
    let login = matches!(class, ActionClass::Login | ActionClass::RemoteLogin);
    match threat {
        ThreatType::BruteForce | ThreatType::PasswordSpraying | ThreatType::CredentialStuffing => login,
        ThreatType::AccountTakeover | ThreatType::DormantAccount | ThreatType::ImpossibleTravel => {
            outcome != Outcome::Failure || !login
        }
        ThreatType::PrivilegeEscalation => class == ActionClass::Privilege,
        ThreatType::DataExfiltration => {
            matches!(class, ActionClass::Download | ActionClass::Upload | ActionClass::Read | ActionClass::Connect)
        }
        ThreatType::SlowExfiltration => class == ActionClass::Upload,
        ThreatType::LateralMovement => login,
        ThreatType::Beaconing => {
            matches!(class, ActionClass::Connect | ActionClass::Upload | ActionClass::Read | ActionClass::Other)
        }
        ThreatType::Reconnaissance => {
            matches!(class, ActionClass::List | ActionClass::Read | ActionClass::Connect | ActionClass::Other)
        }
        ThreatType::DefenseEvasion => {
            matches!(class, ActionClass::Tamper | ActionClass::Configure | ActionClass::Delete)
        }
        ThreatType::AnomalousAccess => true,
    }
}

/// Seconds without a sign after which the threat counts as over.
#[must_use]
pub const fn pause(threat: ThreatType) -> u32 {
    match threat {
        ThreatType::SlowExfiltration => 5 * DAY,
        ThreatType::DormantAccount => DAY,
        ThreatType::Beaconing | ThreatType::AccountTakeover | ThreatType::ImpossibleTravel => 2 * 3_600,
        _ => 1_800,
    }
}

/// Whom a finding of this type is about. An actor that names no account is told by its address or host.
#[must_use]
pub const fn subject(threat: ThreatType) -> EntityKind {
    match threat {
        ThreatType::PasswordSpraying => EntityKind::Ip,
        ThreatType::CredentialStuffing => EntityKind::Source,
        _ => EntityKind::User,
    }
}

/// Impact as a factor on the strength: what is lost when it is true.
#[must_use]
pub const fn impact(threat: ThreatType) -> f32 {
    match threat {
        ThreatType::DefenseEvasion => 1.2,
        ThreatType::PrivilegeEscalation
        | ThreatType::AccountTakeover
        | ThreatType::DataExfiltration
        | ThreatType::SlowExfiltration
        | ThreatType::LateralMovement => 1.1,
        ThreatType::Beaconing | ThreatType::DormantAccount => 1.0,
        ThreatType::BruteForce | ThreatType::PasswordSpraying | ThreatType::CredentialStuffing => 0.95,
        ThreatType::ImpossibleTravel | ThreatType::Reconnaissance => 0.9,
        ThreatType::AnomalousAccess => 0.8,
    }
}

/// Whether the threat is a single act that can be named, not the way somebody came in or looks around.
#[must_use]
pub const fn is_act(threat: ThreatType) -> bool {
    matches!(threat, ThreatType::PrivilegeEscalation | ThreatType::DefenseEvasion | ThreatType::DataExfiltration)
}

/// Whether the threat is that somebody else is in the account.
#[must_use]
pub const fn is_stranger(threat: ThreatType) -> bool {
    matches!(threat, ThreatType::AccountTakeover | ThreatType::DormantAccount | ThreatType::ImpossibleTravel)
}
