//! Sinks, steps and the outbox as text for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::super::{present::TO_STRING, terminal::clean};
use crate::app::{DeadLetter, Forwarded, Outcome, ShownFinding, SinkReport, SinkStatus, Status, Step, UdmReport};

const BOLD: Style = Style::new().bold();

fn colored(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

/// What was done with one sink, step by step.
pub(super) fn steps(report: &SinkReport) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#} ({})\n", clean(&report.sink), report.kind);
    let width = report.steps.all().iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    for step in report.steps.all() {
        write_step(&mut out, step, width);
    }
    out.push('\n');
    out
}

fn write_step(out: &mut String, step: &Step, width: usize) {
    let (word, color, fix) = match &step.outcome {
        Outcome::Ok => ("ok", AnsiColor::Green, None),
        Outcome::Present => ("present", AnsiColor::Green, None),
        Outcome::Created => ("created", AnsiColor::Green, None),
        Outcome::Changed => ("changed", AnsiColor::Yellow, None),
        Outcome::Skipped => ("skipped", AnsiColor::BrightBlack, None),
        Outcome::Warning { fix } => ("warning", AnsiColor::Yellow, Some(fix)),
        Outcome::Failed { fix } => ("failed", AnsiColor::Red, Some(fix)),
    };
    let style = colored(color);
    let name = clean(&step.name);
    let detail = step.detail.as_deref().map(one_line).unwrap_or_default();
    writeln!(out, "  {style}{word:<8}{style:#} {name:<width$}  {detail}").expect(TO_STRING);
    if let Some(fix) = fix {
        writeln!(out, "           {:width$}  fix: {}", "", one_line(fix)).expect(TO_STRING);
    }
}

fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// What became of findings that were forwarded.
pub(super) fn forwarded(forwarded: &Forwarded) -> String {
    let accepted = &forwarded.taken.accepted;
    let mut out = format!(
        "{} findings: {} new, {} known, {} for no sink",
        forwarded.findings, accepted.new, accepted.known, accepted.unrouted
    );
    if forwarded.taken.suppressed > 0 {
        write!(out, ", {} suppressed", forwarded.taken.suppressed).expect(TO_STRING);
    }
    out.push('\n');
    out.push_str(&table(&forwarded.sinks));
    if !forwarded.complete {
        let why = if forwarded.timed_out { "the time is over" } else { "a sink is held" };
        writeln!(out, "{why}; what is pending stays in the outbox and goes out next time").expect(TO_STRING);
    }
    out
}

/// How the outbox stands.
pub(super) fn status(status: &Status) -> String {
    let mut out = table(&status.sinks);
    writeln!(out, "{} of {} MiB", status.bytes.div_ceil(1 << 20), status.max_bytes >> 20).expect(TO_STRING);
    for path in &status.quarantined {
        writeln!(out, "a damaged database was set aside: {}", clean(&path.to_string_lossy())).expect(TO_STRING);
    }
    out
}

/// One line a sink: accepted is what was delivered, is dead, was thrown away or is pending.
pub(in crate::cli) fn table(sinks: &[SinkStatus]) -> String {
    let width = sinks.iter().map(|sink| sink.name.len()).max().unwrap_or(0).max(4);
    let mut out = format!(
        "{BOLD}{:<width$} {:>10} {:>10} {:>10} {:>8} {:>8}{BOLD:#}\n",
        "SINK", "ACCEPTED", "DELIVERED", "PENDING", "DEAD", "PURGED"
    );
    for sink in sinks {
        let pending = sink.pending.ready + sink.pending.waiting + sink.pending.awaiting_ack;
        writeln!(
            out,
            "{:<width$} {:>10} {:>10} {pending:>10} {:>8} {:>8}",
            clean(&sink.name),
            sink.accepted,
            sink.delivered,
            sink.dead,
            sink.purged
        )
        .expect(TO_STRING);
        let said = match (&sink.held, &sink.last_error) {
            (Some(held), _) => format!("held since {} ({}): {}", held.since, held.kind, held.message),
            (None, Some(error)) if pending > 0 => format!("last error ({}): {}", error.kind, error.message),
            _ => continue,
        };
        let style = colored(AnsiColor::Red);
        writeln!(out, "{:width$} {style}{}{style:#}", "", one_line(&said)).expect(TO_STRING);
    }
    out
}

/// Dead letters.
pub(super) fn letters(letters: &[DeadLetter]) -> String {
    let mut out = String::new();
    for letter in letters {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#} to {}: {}",
            clean(&letter.finding),
            clean(&letter.sink),
            one_line(&letter.title)
        )
        .expect(TO_STRING);
        let status = letter.status.map_or_else(String::new, |status| format!(" {status}"));
        writeln!(
            out,
            "  {}{status} at {}, attempt {}: {}",
            letter.kind,
            letter.at,
            letter.attempts,
            one_line(&letter.message)
        )
        .expect(TO_STRING);
    }
    if letters.is_empty() {
        out.push_str("no dead letters\n");
    }
    out
}

/// One finding and where it stands.
pub(super) fn shown(shown: &ShownFinding) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#}\n", clean(&shown.id));
    match &shown.finding {
        Some(finding) => {
            writeln!(out, "{}, {}\n{}", one_line(&finding.title), finding.severity, one_line(&finding.summary))
                .expect(TO_STRING);
        }
        None => out.push_str("the finding itself is no longer kept: every sink has it\n"),
    }
    for delivery in &shown.deliveries {
        writeln!(out, "  {:<16} {:<14} attempts {}", clean(&delivery.sink), delivery.state, delivery.attempts)
            .expect(TO_STRING);
    }
    out
}

/// What the check of a file with UDM events found.
pub(super) fn udm(report: &UdmReport) -> String {
    let mut out = String::new();
    for event in &report.found.reports {
        for diagnostic in &event.diagnostics {
            writeln!(out, "{}: {}: {}", clean(&report.file), event.place, one_line(&diagnostic.to_string()))
                .expect(TO_STRING);
        }
    }
    let found = &report.found;
    writeln!(
        out,
        "{}: {} events, {} errors, {} warnings",
        clean(&report.file),
        found.events,
        found.errors,
        found.warnings
    )
    .expect(TO_STRING);
    out
}
