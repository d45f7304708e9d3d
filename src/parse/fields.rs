//! The one table of field names: which slot of an event a field of a record fills.
//!
//! Names are compared without case, `_`, `-`, `@`, `#`, `$` and spaces, so `sourceIPAddress`, `source_ip_address` and
//! `Source-IP-Address` are one name; dots separate the levels of nested names and are kept. The lists themselves are
//! data and stand in `names`; the fields that only a vendor's derivation reads stand with the vendor.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names;
use super::vendor::{self, Note};

/// A part of an event that fields of records fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Slot {
    /// When it happened.
    Time,
    /// The account that acts.
    User,
    /// The address it acts from.
    SourceIp,
    /// The computer it acts on, or that wrote the record.
    Host,
    /// The word for what is done.
    Action,
    /// How it ended.
    Outcome,
    /// What it is done to.
    Resource,
    /// Bytes moved.
    Bytes,
    /// Where from.
    Country,
    /// The program that does it.
    Process,
    /// The client's description of itself.
    UserAgent,
    /// Free text.
    Message,
}

impl Slot {
    /// Every slot, in the order of the enum.
    pub const ALL: [Self; 12] = [
        Self::Time,
        Self::User,
        Self::SourceIp,
        Self::Host,
        Self::Action,
        Self::Outcome,
        Self::Resource,
        Self::Bytes,
        Self::Country,
        Self::Process,
        Self::UserAgent,
        Self::Message,
    ];

    /// The `snake_case` name, as it is written in `[fields]`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::User => "user",
            Self::SourceIp => "source_ip",
            Self::Host => "host",
            Self::Action => "action",
            Self::Outcome => "outcome",
            Self::Resource => "resource",
            Self::Bytes => "bytes",
            Self::Country => "country",
            Self::Process => "process",
            Self::UserAgent => "user_agent",
            Self::Message => "message",
        }
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no slot's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown field `{0}`: expected one of time, user, source_ip, host, action, outcome, resource, bytes, country, process, user_agent, message"
)]
pub struct UnknownSlot(pub String);

impl FromStr for Slot {
    type Err = UnknownSlot;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|slot| slot.name() == text).ok_or_else(|| UnknownSlot(text.to_owned()))
    }
}

/// A slot that a field may fill, and with which priority: the lowest rank present in a record wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) slot: Slot,
    pub(crate) rank: u16,
}

/// What a field is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Target {
    pub(crate) first: Option<Claim>,
    /// Only users' mappings give one field to two slots.
    pub(crate) second: Option<Claim>,
    pub(crate) note: Option<Note>,
}

impl Target {
    pub(crate) const NONE: Self = Self { first: None, second: None, note: None };

    pub(crate) const fn is_none(&self) -> bool {
        self.first.is_none() && self.note.is_none()
    }

    fn claim(&mut self, claim: Claim) {
        match self.first {
            None => self.first = Some(claim),
            Some(first) if first.slot == claim.slot => {}
            Some(_) if self.second.is_none() => self.second = Some(claim),
            Some(_) => {}
        }
    }

    fn later_by(mut self, steps: u16) -> Self {
        for claim in [&mut self.first, &mut self.second].into_iter().flatten() {
            claim.rank += steps;
        }
        self
    }
}

/// Ranks below this are users' mappings.
pub(crate) const BUILT_IN: u16 = 64;
/// Added to the rank of a field inside an envelope (`detail.eventName`).
const ENVELOPE: u16 = 1024;
/// Added to the rank of a field that is known by its last name only (`whatever.srcIp`).
const ANYWHERE: u16 = 4096;

/// The table: field names to slots.
#[derive(Debug, Clone)]
pub struct FieldTable {
    paths: HashMap<String, Target>,
    anywhere: HashMap<&'static str, Claim>,
}

impl Default for FieldTable {
    fn default() -> Self {
        Self::new(&BTreeMap::new())
    }
}

impl FieldTable {
    /// The table with a user's own mapping before the built-in names. A field that the user maps fills no built-in
    /// slot any more; one field can fill two slots at most.
    #[must_use]
    pub fn new(mapping: &BTreeMap<Slot, Vec<String>>) -> Self {
        let mut paths: HashMap<String, Target> = HashMap::new();
        for (&slot, fields) in mapping {
            for (rank, field) in (0..BUILT_IN).zip(fields) {
                paths.entry(normalize(field)).or_default().claim(Claim { slot, rank });
            }
        }
        let mapped: Vec<String> = paths.keys().cloned().collect();
        for (slot, fields) in names::SLOTS {
            for (rank, field) in (BUILT_IN..).zip(fields.split_whitespace()) {
                let path = normalize(field);
                if !mapped.contains(&path) {
                    paths.entry(path).or_default().claim(Claim { slot: *slot, rank });
                }
            }
        }
        for (note, fields) in vendor::NOTES {
            for field in fields.split_whitespace() {
                paths.entry(normalize(field)).or_default().note = Some(*note);
            }
        }
        let anywhere = names::ANYWHERE
            .iter()
            .flat_map(|(slot, fields)| {
                (BUILT_IN + ANYWHERE..)
                    .zip(fields.split_whitespace())
                    .map(|(rank, field)| (field, Claim { slot: *slot, rank }))
            })
            .collect();
        Self { paths, anywhere }
    }

    /// What the field of this (dotted) name is good for.
    pub(crate) fn resolve(&self, path: &str) -> Target {
        let path = normalize(path);
        if let Some(target) = self.exact(&path) {
            return target;
        }
        let mut inner = path.as_str();
        for _ in 0..names::MAX_ENVELOPES {
            let Some((envelope, rest)) = inner.split_once('.') else { break };
            if !names::ENVELOPES.contains(&envelope) && envelope.parse::<u32>().is_err() {
                break;
            }
            if let Some(target) = self.exact(rest) {
                return target.later_by(ENVELOPE);
            }
            inner = rest;
        }
        let last = path.rsplit('.').find(|part| *part != "0").unwrap_or_default();
        let first = self.anywhere.get(last).copied().filter(|_| path.contains('.'));
        Target { first, ..Target::NONE }
    }

    /// The first element of an array also answers to the array's own name.
    fn exact(&self, path: &str) -> Option<Target> {
        self.paths.get(path).copied().or_else(|| {
            let firsts = path.split('.').any(|part| part == "0");
            let plain = || path.split('.').filter(|part| *part != "0").collect::<Vec<_>>().join(".");
            firsts.then(|| self.paths.get(&plain()).copied()).flatten()
        })
    }
}

/// A name as the table compares it.
pub(crate) fn normalize(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-' | ' ' | '@' | '#' | '$'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(table: &FieldTable, path: &str) -> Option<Slot> {
        table.resolve(path).first.map(|claim| claim.slot)
    }

    #[test]
    fn names_are_compared_without_case_and_separators() {
        let table = FieldTable::default();
        for name in ["sourceIPAddress", "source_ip_address", "Source-IP-Address", "SOURCE IP ADDRESS"] {
            assert_eq!(slot(&table, name), Some(Slot::SourceIp), "{name}");
        }
        assert_eq!(slot(&table, "@timestamp"), Some(Slot::Time));
        assert_eq!(slot(&table, "userIdentity.userName"), Some(Slot::User));
    }

    #[test]
    fn a_user_mapping_wins_and_takes_the_field_away_from_its_built_in_slot() {
        let mapping = BTreeMap::from([(Slot::User, vec!["kunde".to_owned(), "host".to_owned()])]);
        let table = FieldTable::new(&mapping);
        let claim = table.resolve("Kunde").first.unwrap();
        assert_eq!((claim.slot, claim.rank), (Slot::User, 0));
        assert!(table.resolve("user").first.unwrap().rank >= BUILT_IN);
        let host = table.resolve("host");
        assert_eq!((host.first.unwrap().slot, host.second), (Slot::User, None));
    }

    #[test]
    fn one_field_can_fill_two_slots_when_the_user_says_so() {
        let both = vec!["peer".to_owned()];
        let table = FieldTable::new(&BTreeMap::from([(Slot::User, both.clone()), (Slot::Host, both)]));
        let target = table.resolve("peer");
        assert_eq!(target.first.unwrap().slot, Slot::User);
        assert_eq!(target.second.unwrap().slot, Slot::Host);
    }

    #[test]
    fn envelopes_and_first_elements_are_looked_through() {
        let table = FieldTable::default();
        let plain = table.resolve("eventName").first.unwrap();
        let inside = table.resolve("detail.eventName").first.unwrap();
        assert_eq!(plain.slot, inside.slot);
        assert!(plain.rank < inside.rank);
        assert_eq!(slot(&table, "host.ip.0"), slot(&table, "host.ip"));
        assert_eq!(slot(&table, "target.0.alternateId"), Some(Slot::Resource));
        assert_eq!(slot(&table, "deep.in.vendor.srcIp"), Some(Slot::SourceIp));
        // Zeek's number of a connection, not an account.
        assert_eq!(slot(&table, "uid"), None);
    }

    #[test]
    fn every_name_of_a_slot_stands_once() {
        let mut seen = HashMap::new();
        for (slot, fields) in names::SLOTS {
            for field in fields.split_whitespace() {
                if let Some(earlier) = seen.insert(normalize(field), slot) {
                    panic!("{field} stands under {slot} and under {earlier}");
                }
            }
        }
    }

    #[test]
    fn slots_have_names_that_parse() {
        for slot in Slot::ALL {
            assert_eq!(slot.name().parse(), Ok(slot));
            assert_eq!(serde_json::to_string(&slot).unwrap(), format!("\"{slot}\""));
        }
        assert!("ip".parse::<Slot>().unwrap_err().to_string().contains("source_ip"));
    }
}
