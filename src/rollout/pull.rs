//! The tenant's rules as files, such that a plan made from them is empty.
//!
//! What is in the folder and differs is somebody's work, and stays unless it is given up by force. Comments of
//! `deployment.toml` stay in any case.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use toml_edit::{DocumentMut, Item, Table, TomlError, value};

use super::{facts::Facts, pairing::RuleTrouble, steps::fields, text};
use crate::{
    rules::folder::{DEPLOYMENT_FILE, LocalRule, WantedDeployment, only_name, plain},
    sink::rules::{Deployment, HostedRule, RunFrequency},
};

/// What is in the folder already.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Its rules.
    pub rules: &'a [LocalRule],
    /// `deployment.toml`.
    pub deployment: Option<&'a str>,
    /// Whether what differs is overwritten.
    pub force: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFile {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: String,
    /// Whether there is none yet.
    pub is_new: bool,
}

/// What pulling gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Files to write.
    pub files: Vec<PullFile>,
    /// Rules that differ here and were kept, with their files.
    pub kept: Vec<(String, String)>,
    /// How many rules are here as they are there.
    pub same: usize,
    /// Rules that will not come back the same.
    pub troubles: Vec<RuleTrouble>,
}

/// Names that Windows gives to devices.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// Longest name of a file, in letters; file systems take 255 bytes.
const LONGEST_NAME: usize = 100;

/// What is to be written so that the folder holds these rules.
///
/// # Errors
/// When `deployment.toml` is no TOML.
pub fn pull(hosted: &[&HostedRule], existing: &Existing<'_>) -> Result<Pulled, TomlError> {
    let mut pulling = Pulling {
        existing,
        taken: existing.rules.iter().map(|rule| rule.file.to_lowercase()).collect(),
        deployment: existing.deployment.unwrap_or_default().parse()?,
        pulled: Pulled::default(),
    };
    if existing.deployment.is_none() {
        pulling.defaults(hosted);
    }
    let defaults = pulling.known_defaults();
    let mut hosted = hosted.to_vec();
    hosted.sort_by(|left, right| (&left.name, &left.version.id).cmp(&(&right.name, &right.version.id)));
    let mut names = BTreeSet::new();
    for rule in hosted {
        if !names.insert(rule.name.as_str()) {
            pulling.trouble(rule, "the tenant has several rules of this name; each was written to a file of its own");
        }
        let local = existing.rules.iter().find(|local| local.name == rule.name);
        pulling.rule(rule, local, &defaults);
    }
    let text = pulling.deployment.to_string();
    if existing.deployment != Some(text.as_str()) && !(text.is_empty() && existing.deployment.is_none()) {
        let path = existing.folder.join(DEPLOYMENT_FILE);
        pulling.pulled.files.push(PullFile { path, text, is_new: existing.deployment.is_none() });
    }
    Ok(pulling.pulled)
}

struct Pulling<'a> {
    existing: &'a Existing<'a>,
    /// Files that there are, in lower case: some file systems do not tell `A` from `a`.
    taken: BTreeSet<String>,
    deployment: DocumentMut,
    pulled: Pulled,
}

impl Pulling<'_> {
    fn trouble(&mut self, rule: &HostedRule, message: &str) {
        self.pulled.troubles.push(RuleTrouble {
            name: rule.name.clone(),
            message: message.to_owned(),
            help: format!("look at {} in SecOps", rule.version.id),
        });
    }

    fn rule(&mut self, rule: &HostedRule, local: Option<&LocalRule>, defaults: &WantedDeployment) {
        let text = with_line_feed(plain(&rule.text));
        if only_name(&text).ok().as_deref() != Some(rule.name.as_str()) {
            self.trouble(rule, "its text does not read as a rule of this name");
        }
        let Some(local) = local else {
            let path = self.free_path(&rule.name);
            self.pulled.files.push(PullFile { path, text, is_new: true });
            return self.deploy(rule, defaults);
        };
        let has_text = text::is_same(&local.text, &rule.text);
        let differs = fields(&local.deployment, Some(&rule.deployment), &Facts::of(&rule.text));
        if has_text && differs.is_empty() {
            self.pulled.same += 1;
        } else if self.existing.force {
            if !has_text {
                self.pulled.files.push(PullFile { path: PathBuf::from(&local.file), text, is_new: false });
            }
            if !differs.is_empty() {
                self.deploy(rule, defaults);
            }
        } else {
            let file = if has_text { DEPLOYMENT_FILE } else { local.file.as_str() };
            self.pulled.kept.push((rule.name.clone(), file.to_owned()));
        }
    }

    fn free_path(&mut self, name: &str) -> PathBuf {
        let base = file_name(name);
        let mut number = 1;
        loop {
            let name = if number == 1 { format!("{base}.yaral") } else { format!("{base}-{number}.yaral") };
            let path = self.existing.folder.join(name);
            if self.taken.insert(path.to_string_lossy().to_lowercase()) {
                return path;
            }
            number += 1;
        }
    }

    /// The commonest of each, so that the file stays short.
    fn defaults(&mut self, hosted: &[&HostedRule]) {
        let runs: Vec<&Deployment> = hosted.iter().map(|rule| &rule.deployment).filter(|run| !run.archived).collect();
        if runs.is_empty() {
            return;
        }
        let mostly = |is: &dyn Fn(&Deployment) -> bool| runs.iter().filter(|run| is(run)).count() * 2 > runs.len();
        let mut table = Table::new();
        table
            .decor_mut()
            .set_prefix("# How the rules of this folder are run. What a rule's own table says goes first.\n");
        table.insert("enabled", value(mostly(&|run| run.enabled)));
        table.insert("alerting", value(mostly(&|run| run.alerting)));
        let count = |frequency| runs.iter().filter(|run| run.frequency == Some(frequency)).count();
        let all = [RunFrequency::Daily, RunFrequency::Hourly, RunFrequency::Live];
        // A rule of which nobody knows how often it runs would get the default.
        let is_known = runs.iter().all(|run| run.frequency.is_some());
        if let Some(most) = all.into_iter().max_by_key(|frequency| count(*frequency)).filter(|_| is_known) {
            table.insert("run_frequency", value(most.to_string()));
        }
        self.deployment.insert("defaults", Item::Table(table));
    }

    fn known_defaults(&self) -> WantedDeployment {
        let table = self.deployment.get("defaults").and_then(Item::as_table_like);
        let flag = |key| table.and_then(|table| table.get(key)).and_then(Item::as_bool);
        let frequency = table.and_then(|table| table.get("run_frequency")).and_then(Item::as_str);
        let all = [RunFrequency::Live, RunFrequency::Hourly, RunFrequency::Daily];
        WantedDeployment {
            enabled: flag("enabled"),
            alerting: flag("alerting"),
            frequency: all.into_iter().find(|known| frequency == Some(known.to_string().as_str())),
            archived: false,
        }
    }

    /// Writes down how a rule is run, as far as the defaults do not say it.
    fn deploy(&mut self, rule: &HostedRule, defaults: &WantedDeployment) {
        let run = &rule.deployment;
        let rules = self.deployment.entry("rules").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(rules) = rules.as_table_like_mut() else { return };
        let mut entries: Vec<(&str, Option<Item>)> = vec![("archived", run.archived.then(|| value(true)))];
        if !run.archived {
            entries.push(("enabled", (defaults.enabled != Some(run.enabled)).then(|| value(run.enabled))));
            entries.push(("alerting", (defaults.alerting != Some(run.alerting)).then(|| value(run.alerting))));
            let own = run.frequency.filter(|frequency| defaults.frequency != Some(*frequency));
            entries.push(("run_frequency", own.map(|frequency| value(frequency.to_string()))));
        }
        if !rules.contains_key(&rule.name) {
            if entries.iter().all(|(_, item)| item.is_none()) {
                return;
            }
            rules.insert(&rule.name, Item::Table(Table::new()));
        }
        let Some(table) = rules.get_mut(&rule.name).and_then(Item::as_table_like_mut) else { return };
        for (key, item) in entries {
            match item {
                Some(item) => drop(table.insert(key, item)),
                None => drop(table.remove(key)),
            }
        }
    }
}

/// A name for a file that every file system takes.
fn file_name(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = name.chars().map(plain).take(LONGEST_NAME).collect();
    let lower = name.to_lowercase();
    let is_numbered = |device: &str| lower.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest != "_");
    if name.is_empty() || DEVICES.contains(&lower.as_str()) || is_numbered("com") || is_numbered("lpt") {
        return format!("{name}_");
    }
    name
}

fn with_line_feed(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_safe_everywhere() {
        let table = [
            ("watchbell_brute_force", "watchbell_brute_force"),
            ("../../etc/passwd", "______etc_passwd"),
            ("Nul", "Nul_"),
            ("com1", "com1_"),
            ("company", "company"),
            ("", "_"),
            ("ä\u{202e}b", "__b"),
        ];
        for (name, expected) in table {
            assert_eq!(file_name(name), expected);
        }
        assert_eq!(file_name(&"x".repeat(300)).len(), LONGEST_NAME);
    }
}
