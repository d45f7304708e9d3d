//! Which findings a suppression is about.
//!
//! A scope names one threat, never all of them, and a highest severity: another kind of threat about the same entity rings, and
//! so does the same kind when it gets worse.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sink::{Entity, Finding, Severity, ThreatType};

/// Which findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// Of this threat.
    pub threat_type: ThreatType,
    /// About this account, address, host; `None`: about anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Not above this severity.
    pub max_severity: Severity,
}

impl Scope {
    /// Findings like this one: same threat, same entity, no worse.
    #[must_use]
    pub fn like(finding: &Finding) -> Self {
        Self { threat_type: finding.threat_type, entity: Some(finding.entity.clone()), max_severity: finding.severity }
    }

    /// Whether it is about this finding.
    #[must_use]
    pub fn covers(&self, finding: &Finding) -> bool {
        self.threat_type == finding.threat_type
            && finding.severity <= self.max_severity
            && self.entity.as_ref().is_none_or(|entity| *entity == finding.entity)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.threat_type)?;
        match &self.entity {
            Some(entity) => write!(f, " about {} {}", entity.kind.name(), entity.value)?,
            None => write!(f, " about anybody")?,
        }
        write!(f, ", up to {}", self.max_severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{EntityKind, testkit::findings};

    #[test]
    fn another_threat_another_entity_and_a_worse_one_still_ring() {
        let mut finding = findings::sample();
        finding.threat_type = ThreatType::BruteForce;
        finding.severity = Severity::Medium;
        let scope = Scope::like(&finding);
        assert!(scope.covers(&finding));
        let milder = Finding { severity: Severity::Low, ..finding.clone() };
        assert!(scope.covers(&milder));
        let worse = Finding { severity: Severity::High, ..finding.clone() };
        assert!(!scope.covers(&worse));
        let other_threat = Finding { threat_type: ThreatType::AccountTakeover, ..finding.clone() };
        assert!(!scope.covers(&other_threat));
        let somebody = Entity { kind: EntityKind::User, value: "somebody else".to_owned() };
        let other_entity = Finding { entity: somebody, ..finding.clone() };
        assert!(!scope.covers(&other_entity));
        assert!(Scope { entity: None, ..scope }.covers(&other_entity));
    }
}
