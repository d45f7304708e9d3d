//! Findings and decisions about them as text for people. What comes from logs is on one line and harmless.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::super::{present::TO_STRING, terminal::clean};
use crate::app::{
    Action, Entity, FeedbackReport, Finding, FindingPage, JudgedFinding, Severity, StandingSuppression,
    SuppressionEffect, Suppressions, Truth,
};

const BOLD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
/// So much of an id is shown in lists; it suffices to name a finding.
const SHORT_ID: usize = 12;
/// So many findings of a dry run are listed.
const MOST_HIDDEN: usize = 20;

fn of_severity(severity: Severity) -> Style {
    let color = match severity {
        Severity::Critical | Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low | Severity::Informational => AnsiColor::Cyan,
    };
    Style::new().fg_color(Some(color.into()))
}

fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

fn short(id: &str) -> String {
    clean(id.get(..SHORT_ID).unwrap_or(id))
}

fn about(entity: &Entity) -> String {
    format!("{} {}", entity.kind.name(), one_line(&entity.value))
}

/// A page, one line a finding.
pub(super) fn page(page: &FindingPage) -> String {
    let mut out = String::new();
    if !page.findings.is_empty() {
        let head = format!("{:<13} {:<12} {:>4} {:<20}", "SEVERITY", "ID", "RISK", "LAST SEEN");
        writeln!(out, "{BOLD}{head} FINDING{BOLD:#}").expect(TO_STRING);
    }
    page.findings.iter().for_each(|judged| line(&mut out, judged));
    write!(out, "{} of {} findings", page.findings.len(), page.total).expect(TO_STRING);
    let shown = page.findings.iter().any(|judged| judged.suppressed_by.is_some());
    if page.suppressed > 0 && !shown {
        write!(out, "; {} suppressed (`--suppressed show`)", page.suppressed).expect(TO_STRING);
    }
    out.push('\n');
    if let Some(next) = &page.next {
        writeln!(out, "more with `--after {}`", clean(next)).expect(TO_STRING);
    }
    problems(&mut out, &page.problems);
    out
}

fn line(out: &mut String, judged: &JudgedFinding) {
    let finding = &judged.finding;
    let style = of_severity(finding.severity);
    let seen = finding.last_seen.map(|time| format!("{time:.0}")).unwrap_or_default();
    let (id, title) = (short(&finding.id), one_line(&finding.title));
    write!(out, "{style}{:<13}{style:#} {id:<12} {:>4} {seen:<20} {title}", finding.severity, finding.risk_score)
        .expect(TO_STRING);
    if let Some(suppression) = &judged.suppressed_by {
        write!(out, " {FAINT}[suppressed: {suppression}]{FAINT:#}").expect(TO_STRING);
    }
    if let Some(truth) = judged.feedback {
        write!(out, " {FAINT}[{truth}]{FAINT:#}").expect(TO_STRING);
    }
    out.push('\n');
}

/// One finding with everything that is known of it.
pub(super) fn finding(finding: &Finding) -> String {
    let style = of_severity(finding.severity);
    let mut out = format!("{style}{}{style:#} {BOLD}{}{BOLD:#}\n", finding.severity, one_line(&finding.title));
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            writeln!(out, "  {name:<11} {value}").expect(TO_STRING);
        }
    };
    fact("id", clean(&finding.id));
    fact("threat", finding.threat_type.title().to_owned());
    fact("about", about(&finding.entity));
    fact(
        "risk score",
        format!("{} (score {:.3}, confidence {:.2})", finding.risk_score, finding.score, finding.confidence),
    );
    let time = |time: Option<jiff::Timestamp>| time.map(|time| format!("{time:.0}")).unwrap_or_default();
    fact("first seen", time(finding.first_seen));
    fact("last seen", time(finding.last_seen));
    fact("events", finding.event_count.to_string());
    let techniques = finding.attacks.iter().map(|attack| format!("{} {}", attack.technique_id, attack.technique_name));
    fact("ATT&CK", one_line(&techniques.collect::<Vec<_>>().join(", ")));
    writeln!(out, "\n{}", one_line(&finding.summary)).expect(TO_STRING);
    if !finding.reasons.is_empty() {
        writeln!(out, "\n{BOLD}Why{BOLD:#}").expect(TO_STRING);
    }
    for reason in &finding.reasons {
        writeln!(out, "  {:>3.0} %  {}", reason.share * 100.0, one_line(&reason.text)).expect(TO_STRING);
        let (observed, typical) = (one_line(&reason.observed), one_line(&reason.typical));
        writeln!(out, "         {FAINT}observed {observed}; typical {typical}{FAINT:#}").expect(TO_STRING);
    }
    if !finding.evidence.is_empty() {
        writeln!(out, "\n{BOLD}Evidence{BOLD:#}").expect(TO_STRING);
    }
    for evidence in &finding.evidence {
        writeln!(out, "  {}:{}", one_line(&evidence.file), evidence.line).expect(TO_STRING);
        writeln!(out, "    {}", one_line(&evidence.raw)).expect(TO_STRING);
    }
    out
}

/// What a new suppression does.
pub(super) fn effect(effect: &SuppressionEffect) -> String {
    let suppression = &effect.suppression;
    let hides = if effect.made { "hides" } else { "would hide" };
    let made = suppression.id.as_deref().map_or_else(|| "would be made".to_owned(), |id| format!("{id} is made"));
    let mut out = format!("{made}: {}\n", one_line(&suppression.scope.to_string()));
    writeln!(out, "until {:.0}, because: {}", suppression.expires, one_line(&suppression.reason)).expect(TO_STRING);
    writeln!(out, "it {hides} {} of {} findings", effect.hides.len(), effect.looked_at).expect(TO_STRING);
    for finding in effect.hides.iter().take(MOST_HIDDEN) {
        writeln!(out, "  {} {}", short(&finding.id), one_line(&finding.title)).expect(TO_STRING);
    }
    if effect.hides.len() > MOST_HIDDEN {
        writeln!(out, "  and {} more", effect.hides.len() - MOST_HIDDEN).expect(TO_STRING);
    }
    out
}

/// The suppressions.
pub(super) fn suppressions(found: &Suppressions) -> String {
    let mut out = String::new();
    if found.suppressions.is_empty() {
        out.push_str("no suppression stands\n");
    }
    found.suppressions.iter().for_each(|standing| suppression(&mut out, standing));
    problems(&mut out, &found.problems);
    out
}

fn suppression(out: &mut String, standing: &StandingSuppression) {
    let one = &standing.suppression;
    writeln!(out, "{BOLD}{}{BOLD:#} {}", clean(&one.id), one_line(&one.scope.to_string())).expect(TO_STRING);
    let end = match standing.lifted {
        Some(lifted) => format!("lifted {lifted:.0}"),
        None => format!("until {:.0}", one.expires),
    };
    let (by, reason) = (one_line(&standing.by), one_line(&one.reason));
    writeln!(out, "  {end}; by {by} at {:.0}: {reason}", standing.made).expect(TO_STRING);
}

/// What was just said of a finding.
pub(super) fn said(feedback: &crate::app::Feedback) -> String {
    let (id, entity) = (short(&feedback.finding), about(&feedback.entity));
    let mut out = format!("{id} ({} about {entity}) is a {}\n", feedback.threat_type, feedback.truth);
    if feedback.truth == Truth::FalsePositive {
        writeln!(out, "to hear no more of its kind: watchbell suppress add --from-finding {id} --reason '..'")
            .expect(TO_STRING);
    }
    out
}

/// What people said, and how often each threat was right.
pub(super) fn feedback(report: &FeedbackReport) -> String {
    let mut out = String::new();
    if report.entries.is_empty() {
        out.push_str("nothing was said about any finding\n");
    }
    for entry in &report.entries {
        let Action::Feedback(said) = &entry.action else { continue };
        let note = said.note.as_deref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
        let (id, by, entity) = (short(&said.finding), one_line(&entry.by), about(&said.entity));
        writeln!(out, "{:.0} {id} {:<14} {} about {entity}, by {by}{note}", entry.time, said.truth, said.threat_type)
            .expect(TO_STRING);
    }
    for threat in &report.threats {
        let all = threat.true_positives + threat.false_positives;
        writeln!(out, "{:<20} {} of {all} right", threat.threat_type.name(), threat.true_positives).expect(TO_STRING);
    }
    problems(&mut out, &report.problems);
    out
}

fn problems(out: &mut String, problems: &[String]) {
    for problem in problems {
        writeln!(out, "not read: {}", one_line(problem)).expect(TO_STRING);
    }
}
