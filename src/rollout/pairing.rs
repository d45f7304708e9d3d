//! Which file is which rule of the tenant: by name, then by a name it had before, then by its name in other letters' case.
//!
//! A pair that is not certain is none: its rule is told of and left alone, and the others go on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{rules::folder::LocalRule, sink::rules::HostedRule};

/// A rule that can't be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleTrouble {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A file, and the tenant's rule that it is.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The file.
    pub local: &'a LocalRule,
    /// The rule; `None` when there is none yet.
    pub hosted: Option<&'a HostedRule>,
}

/// All rules, each once.
#[derive(Debug, Default)]
pub struct Pairs<'a> {
    /// Files, in the order of their names.
    pub pairs: Vec<Pair<'a>>,
    /// The tenant's rules that no file is.
    pub left: Vec<&'a HostedRule>,
    /// What is not certain.
    pub troubles: Vec<RuleTrouble>,
}

/// Pairs files with the tenant's rules.
#[must_use]
pub fn pair<'a>(local: &'a [LocalRule], hosted: &'a [HostedRule]) -> Pairs<'a> {
    let mut pairing = Pairing { hosted, claimed: BTreeSet::new(), result: Pairs::default() };
    let unpaired = pairing.single_files(local);
    let unpaired = pairing.by_name(unpaired);
    let unpaired = pairing.by_former_name(unpaired);
    pairing.by_letters(unpaired);
    let Pairing { claimed, mut result, .. } = pairing;
    result.left = hosted.iter().filter(|rule| !claimed.contains(rule.version.id.as_str())).collect();
    result.pairs.sort_by(|left, right| left.local.name.cmp(&right.local.name));
    result.troubles.sort_by(|left, right| left.name.cmp(&right.name));
    result
}

struct Pairing<'a> {
    hosted: &'a [HostedRule],
    /// The ids that a file, or a trouble, speaks for.
    claimed: BTreeSet<&'a str>,
    result: Pairs<'a>,
}

/// What a name means in the tenant.
enum Meant<'a> {
    None,
    One(&'a HostedRule),
    Several(Vec<&'a HostedRule>),
}

impl<'a> Pairing<'a> {
    /// Files that are the only one of their name.
    fn single_files(&mut self, local: &'a [LocalRule]) -> Vec<&'a LocalRule> {
        let mut by_name: BTreeMap<&str, Vec<&LocalRule>> = BTreeMap::new();
        local.iter().for_each(|rule| by_name.entry(&rule.name).or_default().push(rule));
        let mut single = Vec::new();
        for (name, rules) in by_name {
            if let [rule] = rules.as_slice() {
                single.push(*rule);
                continue;
            }
            let files: Vec<&str> = rules.iter().map(|rule| rule.file.as_str()).collect();
            let message = format!("{} files declare this rule: {}", rules.len(), files.join(", "));
            self.trouble(name, message, "keep one of them, or give the other rule another name");
            self.claim(self.of_name(|hosted| hosted.name == name));
        }
        single
    }

    fn by_name(&mut self, unpaired: Vec<&'a LocalRule>) -> Vec<&'a LocalRule> {
        let meant = |pairing: &Self, rule: &LocalRule| pairing.meant(|hosted| hosted.name == rule.name);
        self.settle(unpaired, meant)
    }

    fn by_former_name(&mut self, unpaired: Vec<&'a LocalRule>) -> Vec<&'a LocalRule> {
        let mut claims: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for rule in &unpaired {
            for former in &rule.renamed_from {
                claims.entry(former).or_default().push(&rule.name);
            }
        }
        let (disputed, certain): (Vec<_>, Vec<_>) = unpaired.into_iter().partition(|rule| {
            let is_disputed = |former: &String| {
                claims[former.as_str()].len() > 1 && !self.of_name(|hosted| hosted.name == *former).is_empty()
            };
            rule.renamed_from.iter().any(is_disputed)
        });
        for rule in disputed {
            let message =
                format!("several rules say in `renamed_from` that they were {}", rule.renamed_from.join(", "));
            self.trouble(&rule.name, message, "leave the former name with the one rule that takes its place");
            for former in &rule.renamed_from {
                self.claim(self.of_name(|hosted| hosted.name == *former));
            }
        }
        let meant = |pairing: &Self, rule: &LocalRule| {
            let mut each = rule.renamed_from.iter().map(|former| pairing.meant(|hosted| hosted.name == *former));
            each.find(|meant| !matches!(meant, Meant::None)).unwrap_or(Meant::None)
        };
        self.settle(certain, meant)
    }

    /// A name in other letters' case is the same rule renamed, not another one; what is left now is new.
    fn by_letters(&mut self, unpaired: Vec<&'a LocalRule>) {
        let meant = |pairing: &Self, rule: &LocalRule| {
            let lower = rule.name.to_lowercase();
            pairing.meant(|hosted| hosted.name.to_lowercase() == lower)
        };
        for local in self.settle(unpaired, meant) {
            self.result.pairs.push(Pair { local, hosted: None });
        }
    }

    /// Pairs the rules whose meaning is certain; gives those that mean nothing yet.
    fn settle(
        &mut self,
        unpaired: Vec<&'a LocalRule>,
        meant: impl Fn(&Self, &LocalRule) -> Meant<'a>,
    ) -> Vec<&'a LocalRule> {
        let mut rest = Vec::new();
        for local in unpaired {
            match meant(self, local) {
                Meant::None => rest.push(local),
                Meant::One(hosted) => {
                    self.claim(vec![hosted]);
                    self.result.pairs.push(Pair { local, hosted: Some(hosted) });
                }
                Meant::Several(rules) => {
                    let ids: Vec<&str> = rules.iter().map(|rule| rule.version.id.as_str()).collect();
                    let message =
                        format!("the tenant has {} rules named {}: {}", ids.len(), rules[0].name, ids.join(", "));
                    self.trouble(
                        &local.name,
                        message,
                        "rename or archive all but one of them in SecOps, then plan again",
                    );
                    self.claim(rules);
                }
            }
        }
        rest
    }

    fn of_name(&self, is_meant: impl Fn(&HostedRule) -> bool) -> Vec<&'a HostedRule> {
        let unclaimed = self.hosted.iter().filter(|rule| !self.claimed.contains(rule.version.id.as_str()));
        unclaimed.filter(|rule| is_meant(rule)).collect()
    }

    /// The rule in use goes before those that were put away.
    fn meant(&self, is_meant: impl Fn(&HostedRule) -> bool) -> Meant<'a> {
        let all = self.of_name(is_meant);
        let in_use: Vec<_> = all.iter().copied().filter(|rule| !rule.deployment.archived).collect();
        match (in_use.as_slice(), all.as_slice()) {
            ([one], _) | ([], [one]) => Meant::One(one),
            ([], []) => Meant::None,
            ([], _) => Meant::Several(all),
            _ => Meant::Several(in_use),
        }
    }

    fn claim(&mut self, rules: Vec<&'a HostedRule>) {
        self.claimed.extend(rules.iter().map(|rule| rule.version.id.as_str()));
    }

    fn trouble(&mut self, name: &str, message: String, help: &str) {
        self.result.troubles.push(RuleTrouble { name: name.to_owned(), message, help: help.to_owned() });
    }
}
