//! Files of rules, checked: what the parser says, what the checker says, and names that two files declare.

use std::collections::BTreeMap;

use serde::Serialize;
use watchbell_yaral::{Code, Diagnostic, check::RuleFacts};

use super::folder::RuleText;

/// What is known of some files of rules.
#[derive(Debug, Default)]
pub struct Checkup {
    /// One for each file, in their order.
    pub files: Vec<CheckedFile>,
    /// What could not be read.
    pub unreadable: Vec<String>,
}

/// What is known of one file.
#[derive(Debug)]
pub struct CheckedFile {
    /// The file as the user named it, or `-`.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The rules in it.
    pub rules: Vec<CheckedRule>,
    /// What is wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedRule {
    /// Its name.
    pub name: String,
    /// How it is counted and run.
    #[serde(flatten)]
    pub facts: RuleFacts,
}

impl Checkup {
    /// How many errors there are, files that can't be read among them.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.diagnostics().filter(|diagnostic| diagnostic.is_error()).count() + self.unreadable.len()
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.diagnostics().filter(|diagnostic| !diagnostic.is_error()).count()
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.files.iter().map(|file| file.rules.len()).sum()
    }

    fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.iter().flat_map(|file| &file.diagnostics)
    }
}

/// Everything that is wrong with a text, in its order.
#[must_use]
pub fn diagnostics(text: &str) -> Vec<Diagnostic> {
    checked(RuleText { path: "-".into(), file: "-".to_owned(), text: text.to_owned() }).diagnostics
}

/// Checks these files, each for itself and their names against each other.
#[must_use]
pub fn check(texts: Vec<RuleText>) -> Checkup {
    let mut files = Vec::new();
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    for text in texts {
        let parsed = watchbell_yaral::parse(&text.text);
        let mut file = checked(text);
        for rule in &parsed.file.rules {
            let Some(first) = declared.get(&rule.name.text).filter(|first| **first != file.file) else {
                declared.insert(rule.name.text.clone(), file.file.clone());
                continue;
            };
            let message = format!("the rule `{}` is declared in {first} too", rule.name.text);
            let twice = Diagnostic::new(Code::DuplicateRule, rule.name.span, message);
            file.diagnostics.push(twice.help("give one of them another name"));
        }
        file.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        files.push(file);
    }
    Checkup { files, unreadable: Vec::new() }
}

fn checked(text: RuleText) -> CheckedFile {
    let parsed = watchbell_yaral::parse(&text.text);
    let checked = watchbell_yaral::check(&parsed.file);
    let named = parsed.file.rules.iter().zip(checked.facts);
    let rules = named.map(|(rule, facts)| CheckedRule { name: rule.name.text.clone(), facts }).collect();
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(checked.diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    CheckedFile { file: text.file, text: text.text, rules, diagnostics }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(file: &str, rule: &str) -> RuleText {
        let text = format!(
            "rule {rule} {{\n  meta:\n    author = \"a\"\n    description = \"d\"\n    severity = \"Low\"\n  events:\n    \
             $e.metadata.event_type = \"USER_LOGIN\"\n  condition:\n    $e\n}}\n"
        );
        RuleText { path: file.into(), file: file.to_owned(), text }
    }

    #[test]
    fn a_name_in_two_files_is_told_at_the_second() {
        let checkup = check(vec![text("a.yaral", "x"), text("b.yaral", "y"), text("c.yaral", "x")]);
        assert_eq!((checkup.errors(), checkup.rules()), (1, 3));
        let twice = &checkup.files[2].diagnostics[0];
        assert_eq!(twice.message, "the rule `x` is declared in a.yaral too");
        assert_eq!(twice.span.of(&checkup.files[2].text), "x");
    }

    #[test]
    fn a_right_rule_has_facts_and_no_diagnostics() {
        let checkup = check(vec![text("a.yaral", "x")]);
        assert_eq!((checkup.errors(), checkup.warnings()), (0, 0));
        assert_eq!(checkup.files[0].rules[0].name, "x");
    }
}
