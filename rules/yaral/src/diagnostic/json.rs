//! Diagnostics for programs: a flat struct with lines and columns from 1.

use serde::Serialize;

use super::{FileReport, Level};
use crate::source::{Lines, Position, Span};

/// A diagnostic with its places resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The code, for example `Y0201`.
    pub code: &'static str,
    /// The code's name, for example `unknown-field`.
    pub name: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is wrong.
    pub message: &'a str,
    /// Where it begins.
    pub start: Position,
    /// The place after its end.
    pub end: Position,
    /// What stands under the marked place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related<'a>>,
}

/// Another place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related<'a> {
    /// What it has to do with it.
    pub message: &'a str,
    /// Where it begins.
    pub start: Position,
    /// The place after its end.
    pub end: Position,
}

/// The diagnostics of a file in their order.
#[must_use]
pub fn entries(report: FileReport<'_>) -> Vec<Entry<'_>> {
    let lines = Lines::of(report.text);
    let place = |span: Span| (lines.position(span.start), lines.position(span.end));
    report
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let (code, (start, end)) = (diagnostic.code, place(diagnostic.span));
            let related = diagnostic.related.iter().map(|(span, message)| {
                let (start, end) = place(*span);
                Related { message, start, end }
            });
            Entry {
                file: report.name,
                code: code.id(),
                name: code.name(),
                level: diagnostic.level,
                message: &diagnostic.message,
                start,
                end,
                label: diagnostic.label.as_deref(),
                help: diagnostic.help.as_deref(),
                related: related.collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Diagnostic};

    #[test]
    fn places_are_lines_and_columns() {
        let wrong =
            Diagnostic::new(Code::UnknownField, Span::new(3, 4), "no such field").related(Span::new(0, 2), "here");
        let report = FileReport { name: "a.yaral", text: "é\nx\n", diagnostics: &[wrong] };
        let json = serde_json::to_value(entries(report)).unwrap();
        assert_eq!(
            json,
            serde_json::json!([{
                "file": "a.yaral", "code": "Y0201", "name": "unknown-field", "level": "error", "message": "no such field",
                "start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 2},
                "related": [{"message": "here", "start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 2}}],
            }])
        );
    }
}
