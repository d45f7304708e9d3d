//! A plan as text for people. What comes from the tenant is foreign: control characters are shown as what they are.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::{
    app::{RuleChange, RulePlan, RuleTrouble},
    cli::present::TO_STRING,
};

pub(super) const BOLD: Style = Style::new().bold();
/// How many names of rules are listed that only the tenant has.
const MOST_NAMES: usize = 10;

pub(super) fn colored(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(color.into()))
}

/// A foreign text on one line, harmless for a terminal; tabs stay.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let is_harmful = (letter.is_control() && letter != '\t')
            // Direction overrides let a text show as another one.
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_harmful {
            out.extend(letter.escape_unicode());
        } else {
            out.push(letter);
        }
    }
    out
}

/// What changes, rule by rule.
pub(super) fn plan(sink: &str, plan: &RulePlan) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#}: {}\n", shown(sink), summary(plan));
    plan.changes.iter().for_each(|change| write_change(&mut out, change));
    plan.troubles.iter().for_each(|trouble| write_trouble(&mut out, trouble));
    if !plan.only_there.is_empty() {
        let names: Vec<String> = plan.only_there.iter().take(MOST_NAMES).map(|name| shown(name)).collect();
        let more = plan.only_there.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "\nonly in the tenant: {}{more}; they stay, --prune archives them", names.join(", "))
            .expect(TO_STRING);
    }
    write_forecast(&mut out, plan);
    out
}

fn counted(count: usize, what: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {what}"))
}

/// `1 rule is`, `2 rules are`.
pub(super) fn rules_are(count: usize) -> String {
    if count == 1 { "1 rule is".to_owned() } else { format!("{count} rules are") }
}

/// What is done how often, in words.
fn summary(plan: &RulePlan) -> String {
    let count = |is: &dyn Fn(&RuleChange) -> bool| plan.changes.iter().filter(|change| is(change)).count();
    let creates = count(&RuleChange::creates);
    let archives = count(&RuleChange::archives);
    let parts = [
        counted(creates, "to create"),
        counted(plan.changes.len() - creates - archives, "to change"),
        counted(archives, "to archive"),
        counted(plan.troubles.len(), "unclear"),
        counted(plan.unchanged, "as they should be"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if plan.is_empty() && plan.troubles.is_empty() {
        return match plan.unchanged {
            0 => "nothing to do, there are no rules".to_owned(),
            count => format!("nothing to do, {} as they should be", rules_are(count)),
        };
    }
    parts.join(", ")
}

/// What the user is asked.
pub(super) fn question(sink: &str, plan: &RulePlan, own: bool) -> String {
    let archives = plan.changes.iter().filter(|change| change.archives()).count();
    let pruned = plan.changes.iter().filter(|change| change.file.is_none()).count();
    let warning = match (archives, pruned) {
        (0, _) => String::new(),
        (_, 0) => format!("{} archived. ", rules_are(archives)),
        (_, pruned) if own => format!("{} archived, {pruned} because no file has them. ", rules_are(archives)),
        (_, pruned) => {
            format!("{} archived, {pruned} because Watchbell no longer has them. ", rules_are(archives))
        }
    };
    format!("{warning}Apply this to {}?", shown(sink))
}

fn write_change(out: &mut String, change: &RuleChange) {
    let (sign, color) = match (change.creates(), change.archives()) {
        (true, _) => ('+', AnsiColor::Green),
        (_, true) => ('-', AnsiColor::Red),
        _ => ('~', AnsiColor::Yellow),
    };
    let style = colored(color);
    let dim = colored(AnsiColor::BrightBlack);
    write!(out, "\n{style}{sign}{style:#} {BOLD}{}{BOLD:#}", shown(&change.name)).expect(TO_STRING);
    if let Some(name) = &change.renamed_from {
        write!(out, " (named {} now)", shown(name)).expect(TO_STRING);
    }
    let ids = change.before.as_ref().map(|rule| shown(&rule.version.id));
    let places: Vec<String> = ids.into_iter().chain(change.file.as_deref().map(shown)).collect();
    writeln!(out, "  {dim}{}{dim:#}", places.join(", ")).expect(TO_STRING);
    let steps: Vec<String> = change.steps.iter().map(ToString::to_string).collect();
    writeln!(out, "    {}", steps.join(", ")).expect(TO_STRING);
    if !change.creates() {
        for field in &change.fields {
            let before = field.before.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
            writeln!(out, "    {} {before} -> {}", field.field, field.after).expect(TO_STRING);
        }
    }
    for note in &change.notes {
        writeln!(out, "    note: {}", shown(note)).expect(TO_STRING);
    }
    change.diff.iter().flat_map(|diff| diff.lines()).for_each(|line| write_diff(out, line));
}

fn write_diff(out: &mut String, line: &str) {
    let style = match line.as_bytes().first() {
        Some(b'+') => colored(AnsiColor::Green),
        Some(b'-') => colored(AnsiColor::Red),
        Some(b'@') => colored(AnsiColor::Cyan),
        _ => Style::new(),
    };
    // What can't be seen can't be judged: blanks at the end of a changed line are dots.
    let text = line.trim_end_matches(' ');
    let blanks = if line.starts_with(['+', '-']) { "·".repeat(line.len() - text.len()) } else { String::new() };
    writeln!(out, "    {style}{}{blanks}{style:#}", shown(text)).expect(TO_STRING);
}

/// A rule that is left alone.
pub(super) fn write_trouble(out: &mut String, trouble: &RuleTrouble) {
    let style = colored(AnsiColor::Red);
    writeln!(
        out,
        "\n{style}!{style:#} {BOLD}{}{BOLD:#}: {}\n    fix: {}",
        shown(&trouble.name),
        shown(&trouble.message),
        shown(&trouble.help)
    )
    .expect(TO_STRING);
}

fn write_forecast(out: &mut String, plan: &RulePlan) {
    let forecast = &plan.forecast;
    let (before, after) = (forecast.before, forecast.after);
    let becomes = |before: usize, after: usize| match before == after {
        true => before.to_string(),
        false => format!("{before} -> {after}"),
    };
    writeln!(
        out,
        "\nenabled rules: {}, multi-event rules among them: {}",
        becomes(before.enabled, after.enabled),
        becomes(before.multi_event, after.multi_event)
    )
    .expect(TO_STRING);
    if forecast.uncounted > 0 {
        writeln!(out, "{} of them can't be told: their texts can't be read here", forecast.uncounted).expect(TO_STRING);
    }
    let style = colored(AnsiColor::Yellow);
    for over in &forecast.exceeded {
        let what = if over.what == "enabled" { "enabled rules" } else { "enabled multi-event rules" };
        writeln!(out, "{style}warning{style:#}: {} allows {} {what}", over.edition, over.limit).expect(TO_STRING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_texts_can_t_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb\tc\u{202e}"), "a\\u{1b}[2Jb\tc\\u{202e}");
    }

    #[test]
    fn blanks_at_the_end_of_a_changed_line_are_seen() {
        let mut out = String::new();
        write_diff(&mut out, "+a  ");
        write_diff(&mut out, " b  ");
        assert_eq!(anstream::adapter::strip_str(&out).to_string(), "    +a··\n     b\n");
    }
}
