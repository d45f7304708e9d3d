//! What the terminal shows after a run: the verdict, the strongest findings, the logs and what was not understood.
//!
//! Pure: the caller says how wide the terminal is and whether it takes color. Whatever came from a log goes through
//! [`super::visible`], so that no log can repaint the terminal that shows it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use watchbell_sink::{Finding, Severity};

use super::{
    FileReport, FileStatus, ReportInput,
    overview::{Overview, Ranked, complaint_title},
    visible, words,
};

/// Narrower than this nothing can be shown in columns.
const NARROWEST: usize = 32;
/// Wider lines are hard to read.
const WIDEST: usize = 110;
/// Findings shown; the reports have all.
const FINDINGS: usize = 8;
/// Logs shown in the table.
const FILES: usize = 12;
/// Longest text from a log on one line.
const LONGEST: usize = 300;
/// Widest name of a file beside other particulars.
const LONGEST_PLACE: usize = 48;
/// Left edge of what belongs to a heading.
const INDENT: usize = 2;

/// How to write for this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to send color.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// The summary of a run as text, with a line feed at its end.
#[must_use]
pub fn render_terminal(input: ReportInput<'_>, style: Style) -> String {
    let overview = Overview::new(input.reports);
    let mut screen = Screen { text: String::new(), color: style.color, width: style.width.clamp(NARROWEST, WIDEST) };
    screen.paragraph(Paint::Strong, 0, &overview.verdict(' '));
    if let (Some(_), _) | (_, Some(_)) = (overview.first, overview.last) {
        screen.paragraph(Paint::Soft, 0, &format!("{} UTC", words::span(overview.first, overview.last)));
    }
    severities(&mut screen, &overview);
    findings(&mut screen, &overview, input);
    files(&mut screen, input);
    complaints(&mut screen, &overview);
    screen.text
}

/// What a piece of text is, which decides its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    Plain,
    Strong,
    Soft,
    Severity(Severity),
}

struct Screen {
    text: String,
    color: bool,
    width: usize,
}

impl Screen {
    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        self.paragraph(Paint::Strong, 0, text);
    }

    /// Words, broken at the width, each line after this many spaces.
    fn paragraph(&mut self, paint: Paint, indent: usize, text: &str) {
        for line in wrapped(text, self.width - indent) {
            self.text.push_str(&" ".repeat(indent));
            self.paint(paint, &line);
            self.text.push('\n');
        }
    }

    fn paint(&mut self, paint: Paint, text: &str) {
        let style = match paint {
            Paint::Plain => anstyle::Style::new(),
            Paint::Strong => anstyle::Style::new().bold(),
            Paint::Soft => anstyle::Style::new().dimmed(),
            Paint::Severity(severity) => severity_style(severity),
        };
        if self.color && style != anstyle::Style::new() {
            self.text.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(text);
        }
    }
}

/// The sixteen basic colors: they follow the reader's own scheme, light or dark.
fn severity_style(severity: Severity) -> anstyle::Style {
    use anstyle::AnsiColor::{Blue, Magenta, Red, Yellow};
    let style = anstyle::Style::new();
    match severity {
        Severity::Critical => style.fg_color(Some(Magenta.into())).bold(),
        Severity::High => style.fg_color(Some(Red.into())).bold(),
        Severity::Medium => style.fg_color(Some(Yellow.into())),
        Severity::Low => style.fg_color(Some(Blue.into())),
        Severity::Informational => style.dimmed(),
    }
}

/// One line for each severity that occurs, with a bar.
fn severities(screen: &mut Screen, overview: &Overview<'_>) {
    let most = overview.by_severity.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return;
    }
    screen.blank();
    let numbers = words::grouped(most, ' ').len();
    let room = (screen.width - INDENT - 15 - numbers - 2).min(40) as u64;
    for severity in Severity::ALL.into_iter().rev() {
        let count = overview.by_severity[severity as usize];
        if count == 0 {
            continue;
        }
        screen.text.push_str(&" ".repeat(INDENT));
        screen.paint(Paint::Severity(severity), &format!("{:<13}", severity.name()));
        screen.text.push_str(&format!("  {:>numbers$}  ", words::grouped(count, ' ')));
        let bar = (u128::from(count) * u128::from(room) / u128::from(most)).max(1);
        let bar = "#".repeat(usize::try_from(bar).unwrap_or(1));
        screen.paint(Paint::Severity(severity), &bar);
        screen.blank();
    }
}

fn findings(screen: &mut Screen, overview: &Overview<'_>, input: ReportInput<'_>) {
    if overview.ranked.is_empty() {
        return;
    }
    screen.heading(if overview.ranked.len() > FINDINGS { "Strongest findings" } else { "Findings" });
    for item in overview.ranked.iter().take(FINDINGS) {
        finding(screen, *item);
    }
    let left = overview.ranked.len().saturating_sub(FINDINGS);
    if left > 0 {
        let place = match input.run.reports_at.as_str() {
            "" => String::new(),
            place => format!(" in {}", visible::plain(place, LONGEST)),
        };
        screen.blank();
        screen.paragraph(Paint::Soft, INDENT, &format!("and {} more{place}", words::grouped(left as u64, ' ')));
    }
}

fn finding(screen: &mut Screen, item: Ranked<'_>) {
    let finding = item.finding;
    let label = finding.severity.name().to_uppercase();
    let title = format!("{label} {} {}", words::score(finding.score), visible::plain(&finding.title, LONGEST));
    screen.blank();
    for (number, line) in wrapped(&title, screen.width - INDENT).into_iter().enumerate() {
        screen.text.push_str(&" ".repeat(INDENT));
        // The label is one word and leads, so it is never broken.
        match line.strip_prefix(label.as_str()) {
            Some(rest) if number == 0 => {
                screen.paint(Paint::Severity(finding.severity), &label);
                screen.paint(Paint::Strong, rest);
            }
            _ => screen.paint(Paint::Strong, &line),
        }
        screen.blank();
    }
    screen.paragraph(Paint::Plain, INDENT + 2, &visible::plain(&finding.summary, LONGEST));
    screen.paragraph(Paint::Soft, INDENT + 2, &particulars(finding));
}

/// Where to look: first evidence, number of events, time, techniques.
fn particulars(finding: &Finding) -> String {
    let mut parts = Vec::new();
    if let Some(first) = finding.evidence.first() {
        let file = shortened(&visible::plain(&first.file, LONGEST), LONGEST_PLACE);
        parts.push(format!("{file}:{}", first.line));
    }
    parts.push(words::counted(finding.event_count, "event", ' '));
    if finding.first_seen.is_some() {
        parts.push(words::span(finding.first_seen, finding.last_seen));
    }
    parts.extend(finding.attacks.iter().take(3).map(|attack| visible::plain(&attack.technique_id, 12)));
    parts.join(", ")
}

/// One line for each log: events, findings, and its name, which may be long and so comes last.
fn files(screen: &mut Screen, input: ReportInput<'_>) {
    let failures = input.summary.into_iter().flat_map(|summary| &summary.results);
    let failures: Vec<_> = failures.filter(|result| result.status == FileStatus::Error).collect();
    if input.reports.is_empty() && failures.is_empty() {
        return;
    }
    screen.heading("Logs");
    let number = |report: &FileReport| words::grouped(report.total_events, ' ').len();
    let numbers = input.reports.iter().map(number).max().unwrap_or(0).max("events".len());
    if !input.reports.is_empty() {
        screen.text.push_str(&" ".repeat(INDENT));
        screen.paint(Paint::Soft, &format!("{:>numbers$}  {:>8}  log", "events", "findings"));
        screen.blank();
    }
    let name_at = INDENT + numbers + 2 + 8 + 2;
    for report in input.reports.iter().take(FILES) {
        let (events, findings) = (words::grouped(report.total_events, ' '), report.findings.len());
        let name = visible::plain(&report.source_file, LONGEST);
        let name = shortened(&name, screen.width - name_at);
        screen.text.push_str(&" ".repeat(INDENT));
        screen.text.push_str(&format!("{events:>numbers$}  {findings:>8}  {name}\n"));
    }
    let left = input.reports.len().saturating_sub(FILES);
    if left > 0 {
        screen.paragraph(Paint::Soft, INDENT, &format!("and {} more", words::counted(left as u64, "log", ' ')));
    }
    for failure in failures.into_iter().take(FILES) {
        let error = failure.error.as_deref().unwrap_or("no reason was given");
        let (file, error) = (visible::plain(&failure.source_file, LONGEST), visible::plain(error, LONGEST));
        screen.paragraph(Paint::Severity(Severity::High), INDENT, &format!("not read: {file}: {error}"));
    }
}

fn complaints(screen: &mut Screen, overview: &Overview<'_>) {
    if overview.complaints.is_empty() {
        return;
    }
    screen.heading("Not understood");
    for of in &overview.complaints {
        let count = words::counted(of.count, "record", ' ');
        screen.paragraph(Paint::Plain, INDENT, &format!("{count}: {}", complaint_title(of.reason)));
        if let Some((file, sample)) = of.samples.first() {
            let (file, detail) = (visible::plain(file, LONGEST), visible::plain(&sample.detail, LONGEST));
            screen.paragraph(Paint::Soft, INDENT + 2, &format!("{file}:{}: {detail}", sample.line));
        }
    }
}

/// The text in lines of at most this width, broken between words, and within a word that is longer than a line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let needed = word.width();
        if used > 0 && used + 1 + needed > width {
            lines.push(String::new());
            used = 0;
        }
        let mut line = lines.pop().unwrap_or_default();
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            let columns = letter.width().unwrap_or(0);
            if used + columns > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(letter);
            used += columns;
        }
        lines.push(line);
    }
    lines
}

/// The end of a text that is too wide: in a path the end tells more than the beginning.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(3);
    let mut kept = Vec::new();
    for letter in text.chars().rev() {
        let columns = letter.width().unwrap_or(0);
        if columns > room {
            break;
        }
        room -= columns;
        kept.push(letter);
    }
    kept.push('.');
    kept.push('.');
    kept.push('.');
    kept.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::{RunFacts, fixture};

    fn screen(reports: &[FileReport], style: Style) -> String {
        render_terminal(ReportInput { reports, summary: Some(&fixture::summary()), run: &fixture::run() }, style)
    }

    #[test]
    fn wide_without_color() {
        insta::assert_snapshot!(screen(&fixture::reports(), Style { color: false, width: 100 }));
    }

    #[test]
    fn forty_columns() {
        insta::assert_snapshot!(screen(&fixture::reports(), Style { color: false, width: 40 }));
    }

    #[test]
    fn hostile_logs() {
        let shown = screen(&fixture::hostile_reports(), Style { color: false, width: 80 });
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn nothing_to_report() {
        let run = RunFacts { reports_at: String::new(), ..fixture::run() };
        let input = ReportInput { reports: &[], summary: None, run: &run };
        assert_eq!(render_terminal(input, Style { color: true, width: 80 }), "\u{1b}[1mNo events were read\u{1b}[0m\n");
    }

    #[test]
    fn color_changes_no_letter() {
        for width in [0, 40, 80, 500] {
            let plain = screen(&fixture::reports(), Style { color: false, width });
            let colored = screen(&fixture::reports(), Style { color: true, width });
            assert_ne!(plain, colored);
            assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
        }
    }

    #[test]
    fn no_log_can_command_the_terminal() {
        let shown = screen(&fixture::hostile_reports(), Style { color: false, width: 80 });
        let left = shown.chars().find(|&letter| letter != '\n' && visible::is_control(letter));
        assert_eq!(left, None);
        let colored = screen(&fixture::hostile_reports(), Style { color: true, width: 80 });
        let commands = colored.split('\u{1b}').skip(1).map(|rest| rest.split_once('m').unwrap().0);
        for command in commands {
            assert!(command.bytes().all(|byte| byte.is_ascii_digit() || b"[;".contains(&byte)), "{command:?}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [32, 40, 60, 80, 110] {
            for reports in [fixture::reports(), fixture::hostile_reports()] {
                for line in screen(&reports, Style { color: false, width }).lines() {
                    assert!(line.width() <= width, "{width}: {line}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z ]{0,200}", width in 5_usize..60) {
            let joined: String = wrapped(&text, width).concat();
            let letters: String = text.split_whitespace().collect();
            prop_assert_eq!(joined.replace(' ', ""), letters);
            prop_assert!(wrapped(&text, width).iter().all(|line| line.width() <= width));
        }
    }
}
