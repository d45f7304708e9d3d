//! How many mistakes are found: sound rules are broken in twenty ways, one at a time, and each break must be told.
//!
//! The table is printed (`cargo test --test mutants -- --nocapture`). "alone" counts the mutants of which one error tells all.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use regex::{Captures, Regex};
use watchbell_yaral::{
    Diagnostic, check,
    eval::{CompileError, Program},
    parse,
};

/// What counts as found.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found {
    /// An error.
    Error,
    /// A warning is enough: the pages contradict each other, or do not list everything.
    Warning,
}

/// One way to break a rule; `None` where the rule has nothing to break so.
type Break = fn(&str) -> Option<String>;

const CLASSES: [(&str, Break, Found); 20] = [
    ("dropped brace", dropped_brace, Found::Error),
    ("missing window", missing_window, Found::Error),
    ("undefined condition variable", undefined_condition_variable, Found::Error),
    ("missing condition", missing_condition, Found::Error),
    ("undefined match variable", undefined_match_variable, Found::Error),
    ("duplicate outcome", duplicate_outcome, Found::Error),
    ("unjoined event variable", unjoined_event, Found::Error),
    ("unknown option", unknown_option, Found::Error),
    ("unterminated string", unterminated_string, Found::Error),
    ("typo in a field, second level", typo_second_level, Found::Error),
    ("typo in a field, deep", typo_deep, Found::Error),
    ("typo in an enum value", typo_enum, Found::Error),
    ("window of 72 hours", long_window, Found::Warning),
    ("look-ahead in a pattern", look_ahead, Found::Error),
    ("unbalanced pattern", unbalanced_pattern, Found::Error),
    ("unknown function", unknown_function, Found::Warning),
    ("wrong number of arguments", wrong_arity, Found::Error),
    ("outcome without aggregate", without_aggregate, Found::Error),
    ("condition before events", condition_before_events, Found::Error),
    ("nocase on an enum", nocase_enum, Found::Error),
];

fn section<'t>(text: &'t str, name: &str) -> Option<(usize, &'t str)> {
    let start = text.find(&format!("\n  {name}:"))? + name.len() + 4;
    let rest = &text[start..];
    let next = Regex::new(r"\n  [a-z]+:|\n\}").unwrap();
    let end = next.find(rest).map_or(rest.len(), |found| found.start());
    Some((start, &rest[..end]))
}

fn change(text: &str, name: &str, pattern: &str, replace: impl Fn(&Captures<'_>) -> String) -> Option<String> {
    let (start, body) = section(text, name)?;
    let found = Regex::new(pattern).unwrap();
    let captures = found.captures(body)?;
    let whole = captures.get(0)?;
    Some(format!("{}{}{}{}", &text[..start], &body[..whole.start()], replace(&captures), &text[start + whole.end()..]))
}

fn insert_after(text: &str, name: &str, addition: &str) -> Option<String> {
    let (start, body) = section(text, name)?;
    let end = start + body.trim_end().len();
    Some(format!("{}{addition}{}", &text[..end], &text[end..]))
}

fn dropped_brace(text: &str) -> Option<String> {
    let at = text.rfind('}')?;
    Some(format!("{}{}", &text[..at], &text[at + 1..]))
}

fn missing_window(text: &str) -> Option<String> {
    change(text, "match", r" (over|by) .*", |_| String::new())
}

fn undefined_condition_variable(text: &str) -> Option<String> {
    insert_after(text, "condition", " and $nobody")
}

fn missing_condition(text: &str) -> Option<String> {
    let (start, body) = section(text, "condition")?;
    Some(format!("{}{}", &text[..start - "condition:".len()], &text[start + body.len()..]))
}

fn undefined_match_variable(text: &str) -> Option<String> {
    change(text, "match", r"\$\w+", |found| format!("{}_nowhere", &found[0]))
}

fn duplicate_outcome(text: &str) -> Option<String> {
    let (_, body) = section(text, "outcome")?;
    let name = Regex::new(r"\$\w+").unwrap().find(body)?.as_str().to_owned();
    insert_after(text, "outcome", &format!("\n    {name} = 1"))
}

fn unjoined_event(text: &str) -> Option<String> {
    let text = insert_after(text, "events", "\n    $lonely.metadata.event_type = \"USER_LOGIN\"")?;
    insert_after(&text, "condition", " and $lonely")
}

fn unknown_option(text: &str) -> Option<String> {
    let addition = "\n    allow_zero_value = true";
    if section(text, "options").is_some() {
        return insert_after(text, "options", addition);
    }
    insert_after(text, "condition", &format!("\n\n  options:{addition}"))
}

fn unterminated_string(text: &str) -> Option<String> {
    change(text, "events", r#"("[^"\n]+)""#, |found| found[1].to_owned())
}

fn typo_second_level(text: &str) -> Option<String> {
    change(text, "events", r"metadata\.event_type\b", |_| "metadata.event_typee".to_owned())
}

fn typo_deep(text: &str) -> Option<String> {
    change(text, "events", r"\$\w+(?:\.\w+){3,}\b", |found| format!("{}d", &found[0]))
}

fn typo_enum(text: &str) -> Option<String> {
    change(text, "events", r#"(metadata\.event_type [<>=]+ "\w+)""#, |found| format!("{}X\"", &found[1]))
}

fn long_window(text: &str) -> Option<String> {
    change(text, "match", r"(over|by) \d+[mhd]", |found| format!("{} 72h", &found[1]))
}

fn look_ahead(text: &str) -> Option<String> {
    change(text, "events", r"= /|regex\([^`\n]*`", |found| format!("{}(?=x)", &found[0]))
}

fn unbalanced_pattern(text: &str) -> Option<String> {
    change(text, "events", r"= /|regex\([^`\n]*`", |found| format!("{}(", &found[0]))
}

const NAME: &str = r"\b((?:re|strings|net|timestamp|math|arrays|window)\.\w+)";

/// In events, or else in outcome.
fn change_call(text: &str, pattern: &str, replace: impl Fn(&Captures<'_>) -> String + Copy) -> Option<String> {
    let pattern = format!("{NAME}{pattern}");
    change(text, "events", &pattern, replace).or_else(|| change(text, "outcome", &pattern, replace))
}

fn unknown_function(text: &str) -> Option<String> {
    change_call(text, r"\(", |found| format!("{}x(", &found[1]))
}

fn wrong_arity(text: &str) -> Option<String> {
    change_call(text, r"\([^()]+\)", |found| format!("{}()", &found[1]))
}

fn without_aggregate(text: &str) -> Option<String> {
    section(text, "match")?;
    change(text, "outcome", r"array_distinct\((\$\w+\.[^()]+)\)", |found| found[1].to_owned())
}

fn condition_before_events(text: &str) -> Option<String> {
    let (start, _) = section(text, "events")?;
    let at = start - "events:".len();
    Some(format!("{}condition:\n    $e\n\n  {}", &text[..at], &text[at..]))
}

fn nocase_enum(text: &str) -> Option<String> {
    change(text, "events", r#"metadata\.event_type [<>=]+ "\w+""#, |found| format!("{} nocase", &found[0]))
}

/// The sound rules: those of this test and those that are delivered.
fn rules() -> BTreeMap<String, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    collect(&here.join("tests/rules"), &mut found);
    for entry in fs::read_dir(here.join("..")).unwrap().flatten() {
        if entry.file_name() != "yaral" {
            collect(&entry.path(), &mut found);
        }
    }
    assert!(found.len() >= 30, "only {} rules found", found.len());
    found
}

fn collect(path: &Path, found: &mut BTreeMap<String, String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            collect(&entry.path(), found);
        }
    } else if path.extension().is_some_and(|extension| extension == "yaral") {
        found.insert(path.display().to_string(), fs::read_to_string(path).unwrap());
    }
}

fn told(text: &str) -> Vec<Diagnostic> {
    let parsed = parse(text);
    let mut all = parsed.diagnostics;
    all.extend(check(&parsed.file).diagnostics);
    all
}

#[test]
fn sound_rules_have_no_errors() {
    for (path, text) in rules() {
        let errors: Vec<_> = told(&text).into_iter().filter(Diagnostic::is_error).collect();
        assert!(errors.is_empty(), "{path}: {errors:#?}");
    }
}

#[test]
fn sound_rules_run() {
    for (path, text) in rules() {
        for rule in &parse(&text).file.rules {
            // Only the service has the data of metrics.
            if let Err(error) = Program::compile(rule) {
                assert!(matches!(error, CompileError::NotOffline { .. }), "{path}: {error}");
            }
        }
    }
}

#[test]
fn breaks_are_found() {
    let rules = rules();
    let mut missed = Vec::new();
    println!("{:<34}{:>8}{:>8}{:>8}", "class", "mutants", "found", "alone");
    for (name, mutate, wanted) in CLASSES {
        let mutants: Vec<_> = rules.iter().filter_map(|(path, text)| Some((path, text, mutate(text)?))).collect();
        let (mut found, mut alone) = (0, 0);
        for (path, sound, mutant) in &mutants {
            let diagnostics = told(mutant);
            let errors = diagnostics.iter().filter(|one| one.is_error()).count();
            let before = told(sound).len();
            let is_found = errors > 0 || wanted == Found::Warning && diagnostics.len() > before;
            found += usize::from(is_found);
            alone += usize::from(errors == 1);
            if !is_found {
                missed.push(format!("{name}: {path}"));
            }
        }
        println!("{name:<34}{:>8}{found:>8}{alone:>8}", mutants.len());
        assert!(mutants.len() >= 5, "{name}: only {} mutants", mutants.len());
        assert!(found * 100 >= mutants.len() * 95, "{name}: {found} of {} found\n{missed:#?}", mutants.len());
    }
}

/// As deep as the parser lets it be, on the small stack of a test's thread.
#[test]
fn deep_rules_do_not_exhaust_the_stack() {
    let nested = |depth: usize, open: &str, inside: &str, close: &str| {
        format!("rule t {{ meta: events: {}{inside}{} condition: $e }}", open.repeat(depth), close.repeat(depth))
    };
    for depth in [50, 100, 125, 127, 128, 200] {
        for text in [
            nested(depth, "(", "$e.target.port = 1", ")"),
            nested(depth, "not ", "$e.target.port = 1", ""),
            nested(depth, "(not ", "$e.target.port = 1", ")"),
            nested(depth, "if($e.target.port = 1, ", "2", ", 3)"),
            nested(depth, "strings.to_lower(", "$e.principal.hostname", ")"),
            nested(depth, "1 + (", "$e.target.port", ")"),
            nested(depth, "(", "$p = $e.principal.hostname or $q = $e.principal.hostname", ")"),
            format!(
                "rule t {{ meta: events: $e.target.port = 1 condition: {}$e{} }}",
                "(".repeat(depth),
                ")".repeat(depth)
            ),
        ] {
            told(&text);
        }
    }
}

/// An edit of bytes: where (as a share of the length), how many, and whether they are deleted or doubled.
type Edit = (prop::sample::Index, usize, bool);

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (place, length, doubles) in edits {
        if bytes.is_empty() {
            break;
        }
        let start = place.index(bytes.len());
        let end = (start + length).min(bytes.len());
        let piece = if *doubles { [&bytes[start..end], &bytes[start..end]].concat() } else { Vec::new() };
        bytes.splice(start..end, piece);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_makes_the_checker_panic_or_differ_from_the_evaluator(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 1usize..40, any::<bool>()), 1..8),
    ) {
        thread_local!(static RULES: Vec<String> = rules().into_values().collect());
        RULES.with(|rules| {
            let text = edited(&rules[which.index(rules.len())], &edits);
            let told = told(&text);
            if !told.iter().any(Diagnostic::is_error) {
                for rule in &parse(&text).file.rules {
                    let program = Program::compile(rule);
                    assert!(!matches!(program, Err(CompileError::Unsound { .. })), "{text}\n{program:?}");
                }
            }
            for diagnostic in told {
                assert!(diagnostic.span.end as usize <= text.len(), "{diagnostic:?}");
                assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains(char::is_control), "{diagnostic:?}");
            }
        });
    }
}
