//! Diagnostics for terminals. Texts of rules come from strangers: control characters are shown, never sent.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};

use super::{Diagnostic, FileReport, Level};
use crate::source::{Lines, Span};

/// How much of a line is shown around a place. Rules have short lines; files that are no rules may not.
const EXCERPT: usize = 4000;

/// Whether to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Letters only.
    Plain,
    /// With the escape sequences of terminals.
    Colored,
}

/// The lines with the places marked, as compilers show them.
#[must_use]
pub fn pretty(report: FileReport<'_>, style: Style) -> String {
    let lines = Lines::of(report.text);
    let renderer = if style == Style::Colored { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in report.diagnostics {
        out.push_str(&renderer.render(&groups(report, &lines, diagnostic)));
        out.push_str("\n\n");
    }
    out
}

/// One line for each: `file:line:column: error[Y0101]: message`.
#[must_use]
pub fn short(report: FileReport<'_>) -> String {
    let lines = Lines::of(report.text);
    let name = escaped(report.name);
    let line = |diagnostic: &Diagnostic| {
        let at = lines.position(diagnostic.span.start);
        let (level, id, message) = (diagnostic.level.name(), diagnostic.code.id(), escaped(&diagnostic.message));
        format!("{name}:{}:{}: {level}[{id}]: {message}\n", at.line, at.column)
    };
    report.diagnostics.iter().map(line).collect()
}

/// A text whose control characters, and those that turn the direction of writing, are written as escapes.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_hidden(character) { out.extend(character.escape_default()) } else { out.push(character) }
    }
    Cow::Owned(out)
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn groups<'a>(report: FileReport<'a>, lines: &Lines<'_>, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = if diagnostic.level == Level::Error { Title::ERROR } else { Title::WARNING };
    let title = level.primary_title(escaped(&diagnostic.message)).id(diagnostic.code.id());
    let mut whole = diagnostic.span;
    // Places that are near share one excerpt; what lies between is folded.
    let (near, far): (Vec<_>, Vec<_>) = diagnostic.related.iter().partition(|(span, _)| {
        let both = whole.to(*span);
        let fits = (both.end - both.start) as usize <= EXCERPT;
        whole = if fits { both } else { whole };
        fits
    });
    let mut places = vec![(AnnotationKind::Primary, diagnostic.span, diagnostic.label.as_deref())];
    places.extend(near.iter().map(|(span, words)| (AnnotationKind::Context, *span, Some(words.as_str()))));
    let mut group = marked(Group::with_title(title), report, lines, (whole, &places));
    for (span, words) in far {
        group = marked(group, report, lines, (*span, &[(AnnotationKind::Context, *span, Some(words.as_str()))]));
    }
    match &diagnostic.help {
        Some(help) => vec![group.element(Title::HELP.message(escaped(help)))],
        None => vec![group],
    }
}

/// What is marked: how, where, with which words.
type Place<'a> = (AnnotationKind, Span, Option<&'a str>);

/// The group with one more excerpt.
fn marked<'a>(group: Group<'a>, report: FileReport<'a>, lines: &Lines<'_>, marks: (Span, &[Place<'a>])) -> Group<'a> {
    let (whole, places) = marks;
    let excerpt = Excerpt::around(report.text, whole);
    let annotation = |&(kind, span, words): &Place<'a>| kind.span(excerpt.place(span)).label(words.map(escaped));
    let annotations: Vec<_> = places.iter().map(annotation).collect();
    let first = lines.position(whole.start);
    let snippet = Snippet::source(excerpt.shown()).line_start(first.line).annotations(annotations);
    if excerpt.whole_lines {
        return group.element(snippet.path(escaped(report.name)));
    }
    // The column can't be counted in a part of a line.
    group.element(Origin::path(escaped(report.name)).line(first.line).char_column(first.column)).element(snippet)
}

/// The lines of a place, cut where they are very long.
struct Excerpt<'a> {
    text: &'a str,
    start: usize,
    whole_lines: bool,
}

impl<'a> Excerpt<'a> {
    fn around(text: &'a str, span: Span) -> Self {
        let (from, to) = (boundary(text, span.start as usize), boundary(text, span.end as usize));
        let line_start = text[..from].rfind('\n').map_or(0, |at| at + 1);
        let start = boundary(text, line_start.max(from.saturating_sub(EXCERPT)));
        let rest = &text[to..];
        let line_end = to + rest.find('\n').unwrap_or(rest.len());
        let end = boundary(text, line_end.min(from + 2 * EXCERPT).max(start));
        Self { text: &text[start..end], start, whole_lines: start == line_start }
    }

    /// The excerpt, each hidden character replaced by one that is seen: columns stay.
    fn shown(&self) -> String {
        visible(self.text).map(|(_, shown)| shown).collect()
    }

    /// A place in what is shown, at least one character wide where the text goes on.
    fn place(&self, span: Span) -> std::ops::Range<usize> {
        let inside = |byte: u32| boundary(self.text, (byte as usize).saturating_sub(self.start).min(self.text.len()));
        let (start, end) = (inside(span.start), inside(span.end));
        let before = |byte| {
            visible(self.text).take_while(|&(at, _)| at < byte).map(|(_, shown)| shown.len_utf8()).sum::<usize>()
        };
        before(start)..before(end.max(start))
    }
}

/// Each character as it is seen, with the byte at which it stands. The carriage return of a line's end is not.
fn visible(text: &str) -> impl Iterator<Item = (usize, char)> {
    let ends_line = |at: usize| matches!(text.as_bytes().get(at + 1), None | Some(b'\n'));
    let seen = move |(at, character): (usize, char)| match character {
        '\r' if ends_line(at) => None,
        '\n' | '\t' => Some((at, character)),
        '\0'..='\u{1f}' => Some((at, char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'))),
        hidden if is_hidden(hidden) => Some((at, '\u{fffd}')),
        other => Some((at, other)),
    };
    text.char_indices().filter_map(seen)
}

/// The nearest place before a byte at which a character begins.
fn boundary(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    fn report(text: &str, diagnostics: &[Diagnostic], style: Style) -> String {
        pretty(FileReport { name: "a.yaral", text, diagnostics }, style)
    }

    #[test]
    fn the_line_is_shown_with_the_place_marked() {
        let text = "rule a {\n  events:\r\n    $e.a == 1\n}\n";
        let wrong =
            Diagnostic::new(Code::UnexpectedToken, Span::new(29, 31), "unexpected token \"==\"").help("write `=`");
        let wrong = wrong.related(Span::new(0, 4), "in this rule").label("here");
        let shown = "error[Y0101]: unexpected token \"==\"\n --> a.yaral:3:10\n  |\n1 | rule a {\n  | ---- in this rule\n2 |   events:\n\
             3 |     $e.a == 1\n  |          ^^ here\n  |\n  = help: write `=`\n\n";
        assert_eq!(report(text, &[wrong], Style::Plain), shown);
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let text = "rule \u{1b}[31mred\u{202e} \u{9b}x";
        let wrong = Diagnostic::new(Code::UnexpectedToken, Span::new(5, 6), "\u{1b}]0;title\u{7}")
            .label("\u{8}")
            .help("\u{9b}");
        let shown = report(text, &[wrong.clone().related(Span::new(0, 4), "\r")], Style::Plain);
        assert!(!shown.chars().any(|character| is_hidden(character) && character != '\n'), "{shown:?}");
        let line = short(FileReport { name: "a\nb", text, diagnostics: &[wrong] });
        assert_eq!(line, "a\\nb:1:6: error[Y0101]: \\u{1b}]0;title\\u{7}\n");
    }

    #[test]
    fn a_carriage_return_within_a_line_moves_no_place() {
        let text = "\r\r$a\r\r$b\r\n$c\r";
        for (start, letter) in [(3, 'a'), (7, 'b'), (11, 'c')] {
            let wrong = Diagnostic::new(Code::InvalidCharacter, Span::new(start, start + 1), "a mistake").label("here");
            let shown = report(text, &[wrong], Style::Plain);
            let mark = shown.lines().find(|line| line.contains("^ here")).unwrap();
            let column = mark.chars().position(|character| character == '^').unwrap();
            let above = shown.lines().take_while(|line| *line != mark).last().unwrap();
            assert_eq!(above.chars().nth(column), Some(letter), "{shown}");
        }
        // A place may begin or end between the two characters of a line's end.
        for start in 0..u32::try_from(text.len()).unwrap() {
            let wrong = Diagnostic::new(Code::InvalidCharacter, Span::new(start, start + 1), "a mistake");
            assert!(report(text, &[wrong], Style::Plain).contains("a mistake"));
        }
    }

    #[test]
    fn a_very_long_line_is_cut_and_its_column_kept() {
        let text = format!("{}$", "é".repeat(100_000));
        let wrong = Diagnostic::new(Code::InvalidCharacter, Span::new(200_000, 200_001), "a variable without a name");
        let shown = report(&text, &[wrong], Style::Colored);
        assert!(shown.contains("a.yaral:1:100001"), "{shown}");
        assert!(shown.len() < 10_000, "{}", shown.len());
    }

    #[test]
    fn places_outside_of_the_text_are_its_end() {
        let wrong = Diagnostic::new(Code::InvalidCharacter, Span::new(900, 1000), "x").related(Span::new(7, 3), "y");
        assert!(report("a", &[wrong], Style::Plain).contains("a.yaral:1:2"));
    }
}
