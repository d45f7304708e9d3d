//! The shipped rules made to fit an installation: other names of product and vendor, one log source, a least severity.
//!
//! Texts are changed at the places that the parser names, never by searching for words: a comment or a description that says
//! `Watchbell` stays, and a name with a quote in it can't become part of the rule.

use serde_json::{Value, json};
use watchbell_yaral::{
    Span,
    syntax::tree::{Compare, CompareOp, Expr, ExprKind, Field, Rule},
};

use super::{
    inspect,
    shipped::{ShippedFile, files},
};
use crate::sink::Severity;

/// What the shipped rules say for vendor and product.
const SHIPPED_NAME: &str = "Watchbell";
/// The shipped file that holds events of Watchbell's own.
const FINDINGS: &str = "tests/findings.jsonl";

/// What is to be different. What is `None` stays as it ships.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customization {
    /// `metadata.product_name` of the events.
    pub product_name: Option<String>,
    /// `metadata.vendor_name` of the events.
    pub vendor_name: Option<String>,
    /// Only events of this source.
    pub log_source: Option<LogSource>,
    /// Only findings of this severity or above.
    pub min_severity: Option<Severity>,
}

/// How the tenant tells one source of events from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogSource {
    /// `metadata.log_type`.
    LogType(String),
    /// A label that ingestion puts on: key and value.
    Label(String, String),
}

impl std::str::FromStr for LogSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text.is_empty() => Err("expected a log type, or KEY=VALUE of an ingestion label".to_owned()),
            None => Ok(Self::LogType(text.to_owned())),
            Some(("", _) | (_, "")) => Err("expected KEY=VALUE of an ingestion label".to_owned()),
            Some((key, value)) => Ok(Self::Label(key.to_owned(), value.to_owned())),
        }
    }
}

/// A file as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomFile {
    /// Its path, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A rule that would not compile any more.
#[derive(Debug, thiserror::Error)]
#[error("{file} would not compile: {message}")]
pub struct CustomizeError {
    /// The rule's file.
    pub file: String,
    /// The first thing that is wrong.
    pub message: String,
}

/// The shipped folder with these changes.
///
/// # Errors
/// When a changed rule would not compile.
pub fn customize(wanted: &Customization) -> Result<Vec<CustomFile>, CustomizeError> {
    files().iter().map(|file| customized(file, wanted)).collect()
}

fn customized(file: &ShippedFile, wanted: &Customization) -> Result<CustomFile, CustomizeError> {
    let text = match file.path {
        FINDINGS => findings(file.text, wanted),
        path if file.is_rule() => {
            let text = rule_text(file.text, wanted);
            if let Some(wrong) = inspect::diagnostics(&text).into_iter().find(watchbell_yaral::Diagnostic::is_error) {
                return Err(CustomizeError { file: path.to_owned(), message: wrong.message });
            }
            text
        }
        _ => file.text.to_owned(),
    };
    Ok(CustomFile { path: file.path.to_owned(), text })
}

/// The rules of a text with the changes put in.
fn rule_text(text: &str, wanted: &Customization) -> String {
    let parsed = watchbell_yaral::parse(text);
    let mut edits = Vec::new();
    for rule in &parsed.file.rules {
        edits_of(rule, text, wanted, &mut edits);
    }
    applied(text, edits)
}

/// What stands at the span is replaced by the text.
type Edit = (Span, String);

fn edits_of(rule: &Rule, text: &str, wanted: &Customization, edits: &mut Vec<Edit>) {
    let statements = rule.events.as_ref().map(|section| section.body.as_slice()).unwrap_or_default();
    for statement in statements {
        each_comparison(statement, &mut |compare| {
            let Some((field, literal)) = shipped_name(compare) else { return };
            let name = match metadata_field(field) {
                Some("product_name") => wanted.product_name.as_deref(),
                Some("vendor_name") => wanted.vendor_name.as_deref(),
                _ => None,
            };
            edits.extend(name.map(|name| (literal, quoted(name))));
        });
        let ExprKind::Compare(compare) = &statement.kind else { continue };
        let own = shipped_name(compare).filter(|(field, _)| metadata_field(field) == Some("product_name"));
        let Some((field, _)) = own.filter(|_| compare.op == CompareOp::Equal) else { continue };
        let place = Span::new(statement.span.end, statement.span.end);
        let indent = indent_of(text, statement.span);
        let lines = conditions(&field.variable.text, wanted).into_iter();
        edits.push((place, lines.map(|line| format!("\n{indent}{line}")).collect()));
    }
}

/// What is asked of the events of a variable beside their names.
fn conditions(variable: &str, wanted: &Customization) -> Vec<String> {
    let source = wanted.log_source.as_ref().map(|source| match source {
        LogSource::LogType(log_type) => format!("${variable}.metadata.log_type = {}", quoted(log_type)),
        LogSource::Label(key, value) => {
            format!("${variable}.metadata.ingestion_labels[{}] = {}", quoted(key), quoted(value))
        }
    });
    let severity = wanted.min_severity.map(|least| {
        let names = Severity::ALL.into_iter().filter(|&severity| severity >= least);
        let asked = names.map(|severity| {
            format!("${variable}.security_result.severity = \"{}\"", severity.name().to_ascii_uppercase())
        });
        let asked: Vec<String> = asked.collect();
        if asked.len() == 1 { asked.concat() } else { format!("({})", asked.join(" or ")) }
    });
    source.into_iter().chain(severity).collect()
}

/// The field and the literal of a comparison with the name that ships.
fn shipped_name(compare: &Compare) -> Option<(&Field, Span)> {
    let sides = [(&compare.left, &compare.right), (&compare.right, &compare.left)];
    sides.into_iter().find_map(|(field, literal)| match (&field.kind, &literal.kind) {
        (ExprKind::Field(field), ExprKind::String(text)) if text == SHIPPED_NAME => Some((field, literal.span)),
        _ => None,
    })
}

/// `x` of `$e.metadata.x`.
fn metadata_field(field: &Field) -> Option<&str> {
    let names: Vec<&str> = field.segments.iter().map(|segment| segment.name.text.as_str()).collect();
    match names.as_slice() {
        ["metadata", name] | ["udm", "metadata", name] => Some(name),
        _ => None,
    }
}

/// Every comparison below an expression of `events`. The parser bounds the depth.
fn each_comparison<'a>(expr: &'a Expr, found: &mut impl FnMut(&'a Compare)) {
    match &expr.kind {
        ExprKind::Compare(compare) => found(compare),
        ExprKind::Not(inner) | ExprKind::Group(inner) => each_comparison(inner, found),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|part| each_comparison(part, found)),
        _ => {}
    }
}

fn indent_of(text: &str, span: Span) -> String {
    let before = Span::new(0, span.start).of(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.chars().take_while(|letter| letter.is_whitespace()).collect()
}

fn applied(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(span, _)| *span);
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (span, new) in edits {
        out.push_str(Span::new(from, span.start).of(text));
        out.push_str(&new);
        from = span.end;
    }
    out.push_str(text.get(from as usize..).unwrap_or_default());
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Nothing else of the kind has an escape, and none of it is part of a name.
            control if control.is_control() => {}
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// The events of the tests as the installation would send them.
fn findings(text: &str, wanted: &Customization) -> String {
    let lines = text.lines().map(|line| {
        let Ok(mut event) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
        let udm = if event.get("udm").is_some() { &mut event["udm"] } else { &mut event };
        if let Some(name) = &wanted.product_name {
            udm["metadata"]["product_name"] = json!(name);
        }
        if let Some(name) = &wanted.vendor_name {
            udm["metadata"]["vendor_name"] = json!(name);
        }
        match &wanted.log_source {
            Some(LogSource::LogType(log_type)) => udm["metadata"]["log_type"] = json!(log_type),
            Some(LogSource::Label(key, value)) => {
                udm["metadata"]["ingestion_labels"] = json!([{ "key": key, "value": value }]);
            }
            None => {}
        }
        if let Some(least) = wanted.min_severity {
            let severity = &mut udm["security_result"][0]["severity"];
            let now = severity.as_str().and_then(|name| name.to_ascii_lowercase().parse::<Severity>().ok());
            if now.is_none_or(|now| now < least) {
                *severity = json!(least.name().to_ascii_uppercase());
            }
        }
        event.to_string()
    });
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str) -> &'static str {
        files().iter().find(|file| file.path == format!("{name}.yaral")).expect("a shipped rule").text
    }

    #[test]
    fn names_are_replaced_where_events_are_compared_and_nowhere_else() {
        let wanted = Customization { product_name: Some("Acme \"Bell\" \\ 2".to_owned()), ..Customization::default() };
        let text = rule_text(rule("watchbell_credentials_then_login"), &wanted);
        assert!(text.contains(r#"$finding.metadata.product_name = "Acme \"Bell\" \\ 2""#), "{text}");
        assert!(text.contains(r#"$login.metadata.product_name != "Acme \"Bell\" \\ 2""#), "{text}");
        assert!(text.contains(r#"$finding.metadata.vendor_name = "Watchbell""#), "{text}");
        assert!(text.contains(r#"author = "Watchbell""#), "{text}");
    }

    #[test]
    fn conditions_follow_the_name_of_the_own_events_alone() {
        let wanted = Customization {
            log_source: Some("WATCHBELL".parse().unwrap()),
            min_severity: Some(Severity::High),
            ..Customization::default()
        };
        let text = rule_text(rule("watchbell_credentials_then_login"), &wanted);
        let expected = "    $finding.metadata.product_name = \"Watchbell\"\n    $finding.metadata.log_type = \"WATCHBELL\"\n    \
            ($finding.security_result.severity = \"HIGH\" or $finding.security_result.severity = \"CRITICAL\")\n";
        assert!(text.contains(expected), "{text}");
        assert_eq!(text.matches("log_type").count(), 1);
    }

    #[test]
    fn every_rule_still_compiles_whatever_is_wanted() {
        let names = ["Acme", "a\"b\\c", "日本\u{202e}", "} rule x {", "`", ""];
        for name in names {
            for severity in Severity::ALL {
                let wanted = Customization {
                    product_name: Some(name.to_owned()),
                    vendor_name: Some(name.to_owned()),
                    log_source: Some(LogSource::Label(name.to_owned(), name.to_owned())),
                    min_severity: Some(severity),
                };
                let files = customize(&wanted).unwrap();
                assert_eq!(files.len(), super::files().len());
            }
        }
    }

    #[test]
    fn nothing_wanted_changes_nothing() {
        for file in customize(&Customization::default()).unwrap() {
            let shipped = files().iter().find(|shipped| shipped.path == file.path).unwrap();
            assert_eq!(file.text, shipped.text, "{}", file.path);
        }
    }

    #[test]
    fn log_sources_are_types_or_labels() {
        assert_eq!("UDM".parse(), Ok(LogSource::LogType("UDM".to_owned())));
        assert_eq!("team=soc".parse(), Ok(LogSource::Label("team".to_owned(), "soc".to_owned())));
        assert!("=x".parse::<LogSource>().is_err() && "".parse::<LogSource>().is_err());
    }
}
