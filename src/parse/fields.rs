//! Which field names mean what. (A small stand-in for the full table.)

use std::collections::{BTreeMap, HashMap};

/// What a field can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Slot {
    Time,
    User,
    SourceIp,
    Host,
    Action,
    Outcome,
    Resource,
    Bytes,
    Country,
    Process,
    UserAgent,
    Message,
}

/// Names of fields and the slot that each fills.
#[derive(Debug, Clone, Default)]
pub struct FieldTable {
    names: HashMap<String, Slot>,
}

impl FieldTable {
    /// The table, with what the user maps on top.
    #[must_use]
    pub fn new(mapping: &BTreeMap<Slot, Vec<String>>) -> Self {
        let plain: [(&str, Slot); 22] = [
            ("timestamp", Slot::Time),
            ("time", Slot::Time),
            ("ts", Slot::Time),
            ("user", Slot::User),
            ("username", Slot::User),
            ("source_ip", Slot::SourceIp),
            ("src_ip", Slot::SourceIp),
            ("ip", Slot::SourceIp),
            ("id.orig_h", Slot::SourceIp),
            ("id_orig_h", Slot::SourceIp),
            ("host", Slot::Host),
            ("action", Slot::Action),
            ("event", Slot::Action),
            ("name", Slot::Action),
            ("status", Slot::Outcome),
            ("outcome", Slot::Outcome),
            ("resource", Slot::Resource),
            ("bytes", Slot::Bytes),
            ("country", Slot::Country),
            ("process", Slot::Process),
            ("user_agent", Slot::UserAgent),
            ("msg", Slot::Message),
        ];
        let mut names: HashMap<String, Slot> = plain.into_iter().map(|(name, slot)| (name.to_owned(), slot)).collect();
        for (slot, paths) in mapping {
            names.extend(paths.iter().map(|path| (path.clone(), *slot)));
        }
        Self { names }
    }

    /// The slot that a field fills.
    #[must_use]
    pub fn slot(&self, path: &str) -> Option<Slot> {
        self.names.get(path).copied()
    }
}
