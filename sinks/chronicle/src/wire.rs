//! The parts of a UDM event that are written, in the order and spelling of `backstory/udm.proto`.
//!
//! Lists are lists even with one item: the published JSON mapping refuses a bare value, whatever Google's own samples do.

use serde::Serialize;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Udm {
    pub(crate) metadata: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<Noun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Noun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observer: Option<Noun>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) about: Vec<Noun>,
    pub(crate) security_result: [SecurityResult; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extensions: Option<Extensions>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Metadata {
    pub(crate) product_log_id: String,
    pub(crate) event_timestamp: String,
    pub(crate) event_type: &'static str,
    pub(crate) vendor_name: String,
    pub(crate) product_name: String,
    pub(crate) product_version: &'static str,
    pub(crate) product_event_type: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Noun {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<User>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ip: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<Resource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) asset: Option<Asset>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct User {
    pub(crate) userid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) email_addresses: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Location {
    pub(crate) country_or_region: String,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Resource {
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Asset {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ip: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct SecurityResult {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) category: Vec<&'static str>,
    pub(crate) category_details: Vec<&'static str>,
    pub(crate) threat_name: &'static str,
    pub(crate) rule_name: &'static str,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) severity: &'static str,
    pub(crate) confidence: &'static str,
    pub(crate) rule_type: &'static str,
    pub(crate) detection_fields: Vec<Label>,
    pub(crate) risk_score: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attack_details: Option<AttackDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_discovered_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_discovered_time: Option<String>,
    pub(crate) confidence_score: u8,
}

#[derive(Debug, Serialize)]
pub(crate) struct Label {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct AttackDetails {
    pub(crate) version: String,
    pub(crate) tactics: Vec<Named>,
    pub(crate) techniques: Vec<Technique>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Technique {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subtechnique_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subtechnique_name: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Network {
    pub(crate) http: Http,
}

#[derive(Debug, Serialize)]
pub(crate) struct Http {
    pub(crate) user_agent: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Extensions {
    pub(crate) auth: Auth,
}

#[derive(Debug, Serialize)]
pub(crate) struct Auth {
    pub(crate) auth_details: &'static str,
}
