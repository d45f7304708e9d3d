//! Diagnostics as SARIF 2.1.0, which code hosts show beside the lines of a change. One run over all files; columns count code
//! points, which the run declares, because SARIF's own default are UTF-16 units.

use serde_json::{Value, json};

use super::{Code, Diagnostic, FileReport, Level};
use crate::source::{Lines, Span};

/// The document over several files.
#[must_use]
pub fn document(reports: &[FileReport<'_>]) -> Value {
    let results: Vec<Value> = reports.iter().flat_map(file).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "watchbell",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Code::ALL.iter().map(|&code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.id(),
        "name": pascal(code.name()),
        "shortDescription": {"text": sentence(code.summary())},
        "defaultConfiguration": {"level": level(code.level())},
    })
}

fn file(report: &FileReport<'_>) -> Vec<Value> {
    let lines = Lines::of(report.text);
    let uri = uri(report.name);
    report.diagnostics.iter().map(|diagnostic| result(diagnostic, &lines, &uri)).collect()
}

fn result(diagnostic: &Diagnostic, lines: &Lines<'_>, uri: &str) -> Value {
    let mut text = sentence(&diagnostic.message);
    if let Some(help) = &diagnostic.help {
        text.push(' ');
        text.push_str(&sentence(help));
    }
    let index = Code::ALL.iter().position(|&code| code == diagnostic.code).unwrap_or(0);
    let mut result = json!({
        "ruleId": diagnostic.code.id(),
        "ruleIndex": index,
        "level": level(diagnostic.level),
        "message": {"text": text},
        "locations": [location(diagnostic.span, lines, uri)],
    });
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(|(span, message)| {
            let mut place = location(*span, lines, uri);
            place["message"] = json!({"text": sentence(message)});
            place
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(span: Span, lines: &Lines<'_>, uri: &str) -> Value {
    let (start, end) = (lines.position(span.start), lines.position(span.end));
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column},
    }})
}

const fn level(level: Level) -> &'static str {
    level.name()
}

/// With a capital letter and a full stop, as SARIF asks of messages; control characters escaped.
fn sentence(text: &str) -> String {
    let text = super::render::escaped(text);
    let mut characters = text.chars();
    let first = characters.next().map(|letter| letter.to_ascii_uppercase());
    let rest = characters.as_str();
    let stop = if rest.ends_with(['.', '?']) { "" } else { "." };
    format!("{}{rest}{stop}", first.map_or_else(String::new, String::from))
}

fn pascal(name: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    name.split('-').filter(|word| !word.is_empty()).map(capital).collect()
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => uri.push(char::from(byte)),
            b'\\' => uri.push('/'),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_what_the_standard_requires() {
        let wrong = Diagnostic::new(Code::UnknownField, Span::new(0, 1), "no \u{7} field")
            .help("did you mean `ip`?")
            .related(Span::new(1, 2), "here");
        let reports = [
            FileReport { name: "rules\\a b.yaral", text: "abc", diagnostics: &[wrong] },
            FileReport { name: "ok.yaral", text: "", diagnostics: &[] },
        ];
        let document = document(&reports);
        assert_eq!(document["version"], "2.1.0");
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), Code::ALL.len());
        assert!(rules.iter().all(|rule| rule["id"].is_string() && rule["shortDescription"]["text"].is_string()));
        let result = &run["results"][0];
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        assert_eq!(result["message"]["text"], "No \\u{7} field. Did you mean `ip`?");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "rules/a%20b.yaral");
        assert_eq!(place["region"], json!({"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}));
        assert_eq!(result["relatedLocations"][0]["message"]["text"], "Here.");
        assert_eq!(run["results"].as_array().unwrap().len(), 1);
    }
}
