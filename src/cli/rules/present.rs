//! Rules, their tests and their detections as text for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::super::{
    present::{TO_STRING, count as count_of},
    terminal::clean,
};
use crate::app::{
    Exported, Issues, LaidOutFiles, Layout, RuleCheckup, RuleDetection, RuleRun, RuleTestReport, ShippedRule,
};

const BOLD: Style = Style::new().bold();
/// Records that are shown of one detection.
const MOST_RECORDS: usize = 10;

fn count(number: usize, noun: &str) -> String {
    count_of(number as u64, noun)
}

fn colored(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Everything that is wrong, with its lines, and a summary.
pub(super) fn checkup(checkup: &RuleCheckup) -> String {
    let mut out = Issues(checkup).pretty();
    for problem in &checkup.unreadable {
        writeln!(out, "{}", one_line(problem)).expect(TO_STRING);
    }
    writeln!(
        out,
        "{} in {}: {}, {}",
        count(checkup.rules(), "rule"),
        count(checkup.files.len(), "file"),
        count(checkup.errors(), "error"),
        count(checkup.warnings(), "warning")
    )
    .expect(TO_STRING);
    out
}

/// The same for programs.
pub(super) fn checkup_json(checkup: &RuleCheckup) -> Value {
    let files = checkup.files.iter().map(|file| json!({ "file": file.file, "rules": file.rules }));
    json!({
        "files": files.collect::<Vec<_>>(),
        "diagnostics": Issues(checkup).json(),
        "unreadable": checkup.unreadable,
        "errors": checkup.errors(),
        "warnings": checkup.warnings(),
    })
}

/// The same for code hosts.
pub(super) fn checkup_sarif(checkup: &RuleCheckup) -> Value {
    Issues(checkup).sarif()
}

/// What became of laying out.
pub(super) fn laid_out(done: &LaidOutFiles, only_look: bool) -> String {
    let mut out = String::new();
    let changed: Vec<&str> =
        done.files.iter().filter(|(_, layout)| *layout == Layout::Changed).map(|(file, _)| file.as_str()).collect();
    for file in &changed {
        let word = if only_look { "would change" } else { "changed" };
        writeln!(out, "{word} {}", one_line(file)).expect(TO_STRING);
    }
    let mut broken = 0;
    for (_, layout) in &done.files {
        if let Layout::Broken(problem) = layout {
            writeln!(out, "left alone {}", one_line(problem)).expect(TO_STRING);
            broken += 1;
        }
    }
    let word = if only_look { "to change" } else { "changed" };
    write!(out, "{}, {} {word}", count(done.files.len(), "file"), changed.len()).expect(TO_STRING);
    out.push_str(&if broken > 0 { format!(", {broken} can't be parsed\n") } else { "\n".to_owned() });
    out
}

/// The detections of a run.
pub(super) fn ran(run: &RuleRun) -> String {
    let mut out = String::new();
    for (number, detection) in (1..).zip(&run.detections) {
        write_detection(&mut out, number, detection);
    }
    writeln!(
        out,
        "{}: {} in {}",
        clean(&run.rule),
        count(run.detections.len(), "detection"),
        count(run.records, "record")
    )
    .expect(TO_STRING);
    out
}

fn write_detection(out: &mut String, number: usize, found: &RuleDetection) {
    let detection = &found.detection;
    let when = detection
        .window
        .as_ref()
        .map_or_else(|| detection.time.clone(), |window| format!("{} to {}", window.start, window.end));
    let risk = detection.risk_score;
    writeln!(out, "{BOLD}{number}{BOLD:#}  {when}  risk {risk}").expect(TO_STRING);
    let names = detection.matches.iter().chain(&detection.outcomes).map(|(name, _)| name.chars().count() + 1);
    let width = names.max().unwrap_or(0).min(24);
    for (word, pairs) in [("match", &detection.matches), ("outcome", &detection.outcomes)] {
        for (name, value) in pairs.iter().filter(|(_, value)| !is_empty(value)) {
            let name = format!("${name}");
            let mut lines = shown(value).into_iter();
            writeln!(out, "   {word:<8} {name:<width$}  {}", lines.next().unwrap_or_default()).expect(TO_STRING);
            lines.for_each(|line| writeln!(out, "            {:width$}  {line}", "").expect(TO_STRING));
        }
    }
    for record in found.records.iter().take(MOST_RECORDS) {
        let id = record.id.as_deref().map(|id| format!("  {}", one_line(id))).unwrap_or_default();
        let variable = format!("${}", clean(&record.variable));
        writeln!(out, "   record   {variable:<width$}  {}{id}", one_line(&record.place)).expect(TO_STRING);
        if let Some(summary) = &record.summary {
            writeln!(out, "            {:width$}  {}", "", one_line(summary)).expect(TO_STRING);
        }
    }
    if found.records.len() > MOST_RECORDS {
        writeln!(out, "   and {} more", count(found.records.len() - MOST_RECORDS, "record")).expect(TO_STRING);
    }
    out.push('\n');
}

/// Whether it says nothing: unset fields would fill the screen.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        _ => false,
    }
}

/// Words stand in one line, sentences each in one of their own.
fn shown(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![one_line(text)],
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().flat_map(shown).collect();
            let are_sentences = texts.iter().any(|text| text.contains(' '));
            if are_sentences { texts } else { vec![texts.join(", ")] }
        }
        value => vec![one_line(&value.to_string())],
    }
}

/// What tests gave: every case that is not as expected, and how many there are.
pub(super) fn tested(report: &RuleTestReport) -> String {
    let (red, green) = (colored(AnsiColor::Red), colored(AnsiColor::Green));
    let mut out = String::new();
    for file in &report.files {
        let (style, word) = if file.passed() { (green, "ok") } else { (red, "failed") };
        let cases = count(file.cases.len(), "case");
        writeln!(out, "{style}{word:<6}{style:#} {} ({cases})", clean(&file.rule)).expect(TO_STRING);
        if let Some(problem) = &file.problem {
            writeln!(out, "       {}", clean(&file.file)).expect(TO_STRING);
            write_lines(&mut out, problem);
        }
        for case in file.cases.iter().filter(|case| !case.passed()) {
            let file = clean(&file.file);
            let (expected, name) = (case.expected.verb(), one_line(&case.name));
            writeln!(out, "       {file}: {BOLD}{expected}: {name}{BOLD:#}").expect(TO_STRING);
            case.failures.iter().for_each(|failure| write_lines(&mut out, failure));
        }
    }
    for rule in &report.untested {
        writeln!(out, "no test for {}", clean(rule)).expect(TO_STRING);
    }
    let cases = || report.files.iter().flat_map(|file| &file.cases);
    let failed = cases().filter(|case| !case.passed()).count();
    let broken = report.files.iter().filter(|file| file.problem.is_some()).count();
    write!(out, "{} of {}, {failed} failed", count(cases().count(), "case"), count(report.files.len(), "test file"))
        .expect(TO_STRING);
    out.push_str(&if broken > 0 {
        format!("; {} can't be run\n", count(broken, "test file"))
    } else {
        "\n".to_owned()
    });
    out
}

fn write_lines(out: &mut String, text: &str) {
    for line in clean(text).lines() {
        writeln!(out, "         {line}").expect(TO_STRING);
    }
}

/// The shipped rules.
pub(super) fn list(rules: &[ShippedRule]) -> String {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let mut out = format!("{BOLD}{:<width$}  {:<8}  {:<9}  {}{BOLD:#}\n", "RULE", "SEVERITY", "TECHNIQUE", "THREAT");
    for rule in rules {
        let threat = rule.threat.map_or("several findings", crate::app::ThreatType::name);
        writeln!(out, "{:<width$}  {:<8}  {:<9}  {threat}", rule.name, rule.severity, rule.technique).expect(TO_STRING);
    }
    out
}

/// What was written.
pub(super) fn exported(exported: &Exported) -> String {
    let (vendor, product) = &exported.names;
    let folder = clean(&exported.folder.to_string_lossy());
    format!(
        "{} written to {folder}, {} unchanged\nthe rules ask for events of {} / {} (vendor / product)\n\
         next: watchbell rules test {folder}\n",
        count(exported.written, "file"),
        exported.unchanged,
        one_line(vendor),
        one_line(product)
    )
}
