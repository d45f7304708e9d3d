//! A file of tests as it is written: TOML, beside the rules in a folder `tests`.
//!
//! Every table refuses keys that it does not know: a misspelt expectation would otherwise hold for ever.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a file of tests says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFile {
    /// The rule's name, or its file seen from the test; without one, what the test file is called.
    pub rule: Option<String>,
    /// The moment from which `at` counts.
    pub start: Option<String>,
    /// What `timestamp.now()` gives.
    pub now: Option<String>,
    /// Records by name, for any case to use.
    #[serde(default)]
    pub records: BTreeMap<String, Records>,
    /// Reference lists by name.
    #[serde(default)]
    pub lists: BTreeMap<String, Lines>,
    /// Data tables by name.
    #[serde(default)]
    pub tables: BTreeMap<String, Lines>,
    /// Cases on which the rule fires.
    #[serde(default)]
    pub fires: Vec<Case>,
    /// Cases on which it is silent.
    #[serde(default)]
    pub silent: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// The events.
    #[serde(default)]
    pub events: Several,
    /// The entity graph.
    #[serde(default)]
    pub entities: Several,
    /// Detections of other rules, for composite rules.
    #[serde(default)]
    pub detections: Several,
    /// How many detections there are to be; without it, at least one.
    pub count: Option<usize>,
    /// Match variables that one of the detections has.
    #[serde(default, rename = "match")]
    pub matching: toml::Table,
    /// Outcomes that the same detection has.
    #[serde(default)]
    pub outcome: toml::Table,
    /// What `timestamp.now()` gives, for this case.
    pub now: Option<String>,
}

/// One entry of records, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Several {
    /// A list.
    List(Vec<Records>),
    /// One entry.
    One(Records),
}

impl Default for Several {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Several {
    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Records] {
        match self {
            Self::List(entries) => entries,
            Self::One(entry) => std::slice::from_ref(entry),
        }
    }
}

/// Where records come from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Records {
    /// JSON, a name from `[records]`, or a file, `FILE.jsonl` or `FILE.jsonl:3` for its third line.
    Text(String),
    /// The same with changes.
    Changed(Box<Changed>),
}

/// Records with changes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// JSON, a name, or a file.
    #[serde(rename = "use")]
    pub base: String,
    /// Values by path: `"principal.ip.0" = "192.0.2.1"`.
    #[serde(default)]
    pub set: toml::Table,
    /// Paths that are taken out.
    #[serde(default)]
    pub remove: Vec<String>,
    /// When: after `start`, `10m`, or a time.
    pub at: Option<String>,
    /// How often.
    pub times: Option<usize>,
    /// With `times`: how far apart.
    pub every: Option<String>,
}

/// Lines of a list or a table: written here, or in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Lines {
    /// A file, seen from the test.
    File(String),
    /// The lines.
    Here(Vec<String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_naming_records_is_read() {
        let file: TestFile = toml::from_str(
            r#"
            rule = "x"
            [records]
            login = '{"metadata":{}}'
            far = { use = "login", set = { "principal.ip.0" = "192.0.2.1" }, at = "10m", times = 3, every = "1m" }
            [lists]
            known = ["a", "b"]
            others = "others.txt"
            [[fires]]
            name = "one"
            events = "login"
            count = 1
            match = { user = "alice" }
            [[silent]]
            name = "two"
            events = ["login", { use = "far", remove = ["target"] }, "a.jsonl:3"]
            "#,
        )
        .unwrap();
        assert_eq!(file.fires[0].events.entries().len(), 1);
        assert_eq!(file.silent[0].events.entries().len(), 3);
        assert!(matches!(file.lists["known"], Lines::Here(_)));
    }

    #[test]
    fn a_misspelt_expectation_is_refused() {
        for text in ["[[fires]]\nname = \"a\"\ncuont = 1\n", "[[fire]]\nname = \"a\"\n", "[[fires]]\ncount = 1\n"] {
            assert!(toml::from_str::<TestFile>(text).is_err(), "{text}");
        }
    }
}
