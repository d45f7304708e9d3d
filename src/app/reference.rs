//! What is the same for every log: the threats, what each means, and its ATT&CK techniques.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    classify::attack::{AttackVersion, attacks},
    report::triage,
    sink::{Attack, ThreatType},
};

/// A kind of threat.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ThreatReference {
    /// The threat.
    pub threat_type: ThreatType,
    /// Its name as a title.
    pub title: &'static str,
    /// What a finding of it says.
    pub meaning: &'static str,
    /// Its ATT&CK techniques, the most fitting first.
    pub attacks: Vec<Attack>,
}

/// All kinds of threats, with the techniques of this version of ATT&CK.
#[must_use]
pub fn threat_reference(version: AttackVersion) -> Vec<ThreatReference> {
    let entry = |threat_type: ThreatType| ThreatReference {
        threat_type,
        title: threat_type.title(),
        meaning: triage::guide(threat_type).meaning,
        attacks: attacks(threat_type, version),
    };
    ThreatType::ALL.into_iter().map(entry).collect()
}
