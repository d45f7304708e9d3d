//! Results as text for people.

use std::fmt::Write;

use anstyle::Style;

use super::terminal::clean;
use crate::app::{FileReport, FileStatus, Inspection, ModelCard, Round, summary_text};

/// What a demonstration found.
pub(super) fn demonstration(reports: &[FileReport]) -> String {
    let mut out = summary_text(reports, None, width());
    out.push('\n');
    out
}

/// Columns of the terminal; enough for a log file where there is none.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

/// A round: findings, files, and where the rest is.
pub(super) fn round(round: &Round) -> String {
    let summary = &round.summary;
    let skipped = summary.results.iter().filter(|result| result.status == FileStatus::Skipped).count();
    let mut out = String::new();
    if round.summary_file.is_some() {
        out = summary_text(&round.reports, Some(summary), width());
        out.push('\n');
    }
    writeln!(
        out,
        "{}, {}, {}, {}{}",
        count(summary.files_processed, "file"),
        count(summary.total_events, "event"),
        count_of(summary.total_anomalies, "anomaly", "anomalies"),
        count(summary.total_findings, "finding"),
        if skipped == 0 { String::new() } else { format!("; {skipped} without anything new") },
    )
    .expect(TO_STRING);
    if let Some(file) = &round.summary_file {
        writeln!(out, "summary: {}", clean(&file.to_string_lossy())).expect(TO_STRING);
    }
    out
}

/// What is in a file.
pub(super) fn inspection(inspection: &Inspection) -> String {
    let mut out = String::new();
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}: {}", clean(&inspection.file), clean(&inspection.format)).expect(TO_STRING);
    let (records, events) = (inspection.records, inspection.events);
    writeln!(out, "{}, {} understood\n", count(records, "record"), count(events, "event")).expect(TO_STRING);
    writeln!(out, "{bold}{:<12} {:>7}  {:<32} EXAMPLE{bold:#}", "FIELD", "FILLED", "FROM").expect(TO_STRING);
    for mapping in &inspection.fields {
        let share = if events == 0 { 0.0 } else { 100.0 * mapping.filled as f64 / events as f64 };
        let example = mapping.example.as_deref().map_or_else(String::new, |text| one_line(text, 48));
        let names = one_line(&mapping.names.join(", "), 32);
        writeln!(out, "{:<12} {share:>6.1}%  {names:<32} {example}", mapping.field).expect(TO_STRING);
    }
    for complaint in &inspection.complaints {
        let reason = serde_json::to_value(complaint.reason).ok();
        let reason = reason.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('_', " ");
        writeln!(out, "\n{bold}{reason}{bold:#}: {}", count(complaint.count, "record")).expect(TO_STRING);
        for sample in &complaint.samples {
            let (detail, text) = (one_line(&sample.detail, 120), one_line(&sample.sample, 100));
            writeln!(out, "  line {}: {detail}\n    {text}", sample.line).expect(TO_STRING);
        }
    }
    out
}

/// What a model is.
pub(super) fn model(card: &ModelCard) -> String {
    let mut out = format!("{}\n", clean(&card.file.to_string_lossy()));
    let width = card.facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in &card.facts {
        writeln!(out, "  {:<width$}  {}", clean(name), clean(value)).expect(TO_STRING);
    }
    out
}

pub(super) const TO_STRING: &str = "writing to a String does not fail";

fn one_line(text: &str, most: usize) -> String {
    let line = clean(text).replace('\n', " ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

pub(super) fn count(number: u64, noun: &str) -> String {
    count_of(number, noun, &format!("{noun}s"))
}

fn count_of(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count_of(2, "anomaly", "anomalies"), "2 anomalies");
    }
}
