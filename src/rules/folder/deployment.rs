//! `deployment.toml`: how the rules of a folder are run. Everything that is wrong with it is told at once.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{LocalRule, WantedDeployment};
use crate::{
    config::{Problem, Problems, unknown},
    sink::rules::RunFrequency,
};

const SECTIONS: [&str; 2] = ["defaults", "rules"];
const DEFAULT_KEYS: [&str; 3] = ["enabled", "alerting", "run_frequency"];
const RULE_KEYS: [&str; 5] = ["enabled", "alerting", "run_frequency", "archived", "renamed_from"];
const FREQUENCIES: [(&str, RunFrequency); 3] =
    [("live", RunFrequency::Live), ("hourly", RunFrequency::Hourly), ("daily", RunFrequency::Daily)];

/// Puts what the file says into the rules; gives what is wrong with it.
pub(super) fn put_into(rules: &mut [LocalRule], file: String, text: String) -> Option<Problems> {
    let mut list = problems(&text, rules);
    list.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
    (!list.is_empty()).then_some(Problems { file, text, list })
}

/// What one table says.
#[derive(Debug, Clone, Default)]
struct Said {
    deployment: WantedDeployment,
    renamed_from: Vec<String>,
}

fn problems(text: &str, rules: &mut [LocalRule]) -> Vec<Problem> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let told = errors.iter().map(|error| match error.span() {
            Some(span) => Problem::at(span, error.message()),
            None => Problem::elsewhere(error.message()),
        });
        return told.collect();
    }
    let mut reading = Reading { problems: Vec::new() };
    let document = document.get_ref();
    for (name, _) in document {
        if !SECTIONS.contains(&name.get_ref().as_ref()) {
            reading.problems.push(unknown(name.span(), "section", name.get_ref(), &SECTIONS));
        }
    }
    let mut defaults = Said::default();
    if let Some(table) = reading.table(document, "defaults") {
        reading.keys(table, &DEFAULT_KEYS, &mut defaults);
    }
    rules.iter_mut().for_each(|rule| rule.deployment = defaults.deployment);
    let tables = reading.table(document, "rules").into_iter().flatten();
    for (name, value) in tables {
        reading.rule((name.span(), name.get_ref()), value, rules);
    }
    reading.problems
}

struct Reading {
    problems: Vec<Problem>,
}

impl Reading {
    fn wrong(&mut self, span: Range<usize>, message: String) {
        self.problems.push(Problem::at(span, message));
    }

    fn table<'a, 'i>(&mut self, document: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
        let value = document.get(name)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        self.wrong(value.span(), format!("{name}: expected a table, found {}", value.get_ref().type_str()));
        None
    }

    fn rule(&mut self, (span, name): (Range<usize>, &str), value: &Spanned<DeValue<'_>>, rules: &mut [LocalRule]) {
        if !rules.iter().any(|rule| rule.name == name) {
            let mut known: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let mut problem = unknown(span.clone(), "rule", name, &known);
            // The whole list of a large folder helps nobody.
            problem.help = problem.help.map(|help| match help.split_once(" expected one of ") {
                Some((meant, _)) => meant.to_owned(),
                None => "no file of the folder declares a rule of this name".to_owned(),
            });
            self.problems.push(problem);
        }
        let DeValue::Table(table) = value.get_ref() else {
            let found = value.get_ref().type_str();
            return self.wrong(span, format!("expected a table `[rules.NAME]`, found {found}"));
        };
        for rule in rules.iter_mut().filter(|rule| rule.name == name) {
            let mut said = Said { deployment: rule.deployment, renamed_from: Vec::new() };
            // Two files may declare the same rule; what is wrong in the table is told once.
            let told = self.problems.len();
            self.keys(table, &RULE_KEYS, &mut said);
            let new = self.problems.split_off(told);
            new.into_iter().for_each(|problem| {
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            });
            (rule.deployment, rule.renamed_from) = (said.deployment, said.renamed_from);
        }
    }

    fn keys(&mut self, table: &DeTable<'_>, known: &[&str], said: &mut Said) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                self.problems.push(unknown(key.span(), "key", name, known));
                continue;
            }
            let deployment = &mut said.deployment;
            match name {
                "enabled" => deployment.enabled = self.flag(name, value).or(deployment.enabled),
                "alerting" => deployment.alerting = self.flag(name, value).or(deployment.alerting),
                "archived" => deployment.archived = self.flag(name, value).unwrap_or_default(),
                "run_frequency" => deployment.frequency = self.frequency(value).or(deployment.frequency),
                _ => said.renamed_from = self.names(value),
            }
        }
    }

    fn flag(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        self.wrong(value.span(), format!("{name}: expected true or false, found {}", value.get_ref().type_str()));
        None
    }

    fn frequency(&mut self, value: &Spanned<DeValue<'_>>) -> Option<RunFrequency> {
        let names = FREQUENCIES.map(|(name, _)| name);
        let Some(given) = value.get_ref().as_str() else {
            let found = value.get_ref().type_str();
            self.wrong(value.span(), format!("run_frequency: expected one of {}, found {found}", names.join(", ")));
            return None;
        };
        let known = FREQUENCIES.iter().find(|(name, _)| *name == given).map(|(_, frequency)| *frequency);
        if known.is_none() {
            self.problems.push(unknown(value.span(), "run frequency", given, &names));
        }
        known
    }

    fn names(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let mut names = Vec::new();
        let expected = "renamed_from: expected a list of names";
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(value.span(), format!("{expected}, found {}", value.get_ref().type_str()));
            return names;
        };
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(name) if !name.is_empty() => names.push(name.to_owned()),
                Some(_) => self.wrong(item.span(), format!("{expected}, found an empty text")),
                None => self.wrong(item.span(), format!("{expected}, found {}", item.get_ref().type_str())),
            }
        }
        names
    }
}
