//! All events of a text, checked: what the command line shows and writes as JSON.

use serde::Serialize;
use serde_json::Value;

use super::{Broken, Code, Diagnostic, Place, Severity, check, events};

/// What the check of a text found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Number of events that were read.
    pub events: usize,
    /// Number of errors, with those of JSON.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// The events about which there is something to say, and the places that are no JSON, in the order of the text.
    pub reports: Vec<EventReport>,
}

/// What is to be said about one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventReport {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// Column of the fault, where the text is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Its type, where it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// What is wrong; the pointers start at the event's document.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Whether the server would take all of it.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors == 0
    }
}

/// Checks every event of a text: one event, a list, JSON lines, or a request.
#[must_use]
pub fn lint_text(text: &str) -> Report {
    let mut report = Report { events: 0, errors: 0, warnings: 0, reports: Vec::new() };
    for event in events(text) {
        let one = match event {
            Ok((place, event)) => {
                report.events += 1;
                about_event(place, &event)
            }
            Err(broken) => about_text(broken),
        };
        for diagnostic in &one.diagnostics {
            match diagnostic.severity {
                Severity::Error => report.errors += 1,
                Severity::Warning => report.warnings += 1,
            }
        }
        if !one.diagnostics.is_empty() {
            report.reports.push(one);
        }
    }
    if report.events == 0 && report.errors == 0 {
        report.errors = 1;
        report.reports.push(nothing());
    }
    report
}

fn about_event(place: Place, event: &Value) -> EventReport {
    let metadata = event.get("metadata");
    let event_type = ["event_type", "eventType"].into_iter().find_map(|name| metadata?.get(name)?.as_str());
    let diagnostics = check(event)
        .into_iter()
        .map(|found| Diagnostic { pointer: format!("{}{}", place.pointer, found.pointer), ..found })
        .collect();
    EventReport { place, column: None, event_type: event_type.map(str::to_owned), diagnostics }
}

fn about_text(broken: Broken) -> EventReport {
    let place = Place { line: broken.line, pointer: String::new() };
    let diagnostics = vec![Diagnostic::error("", Code::BrokenJson, broken.message)];
    EventReport { place, column: Some(broken.column), event_type: None, diagnostics }
}

fn nothing() -> EventReport {
    let message = "expected an event, a list of events, JSON lines, or a request with `events`";
    let place = Place { line: 1, pointer: String::new() };
    let diagnostics = vec![Diagnostic::error("", Code::NoEvent, message)];
    EventReport { place, column: None, event_type: None, diagnostics }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_counts_and_places() {
        let good = json!({"metadata": {"event_type": "GENERIC_EVENT", "event_timestamp": "2026-08-20T10:15:30Z"}});
        let bad = json!({"metadata": {"event_type": "GENERIC_EVENT", "event_timestamp": "now"}});
        let report = lint_text(&json!({"events": [{"udm": good}, {"udm": bad}]}).to_string());
        assert_eq!((report.events, report.errors, report.warnings), (2, 1, 0));
        assert_eq!(
            serde_json::to_value(&report).unwrap()["reports"],
            json!([{
                "line": 1,
                "pointer": "/events/1/udm",
                "event_type": "GENERIC_EVENT",
                "diagnostics": [{
                    "pointer": "/events/1/udm/metadata/event_timestamp",
                    "code": "bad_timestamp",
                    "severity": "error",
                    "message": "`now`: expected RFC 3339, for example 2026-08-20T10:15:30.123Z",
                }],
            }])
        );
        assert!(lint_text(&good.to_string()).is_clean());
    }

    #[test]
    fn a_text_without_events_is_no_success() {
        for text in ["", "[]", "{\"events\": []}", "{"] {
            assert!(!lint_text(text).is_clean(), "{text}");
        }
    }
}
