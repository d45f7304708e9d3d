//! Text that holds events, in any of the shapes in which they are stored and sent: one event, a list, JSON lines, the
//! requests of the current API (`inline_source`) and of the legacy one (`customerId`), each event bare, within `udm`, or as
//! parsers put it out (`event.idm.read_only_udm`).
//!
//! A broken line of JSON lines costs only that line. serde_json keeps the last of two equal keys, so those are not seen.

use std::fmt;

use serde::Serialize;
use serde_json::{Deserializer, Value};

/// Where in the text an event stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line on which the event's JSON document starts, from 1.
    pub line: usize,
    /// RFC 6901 pointer to the event within its document.
    pub pointer: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer: String = self.pointer.escape_debug().collect();
        write!(f, "line {}{}{pointer}", self.line, if pointer.is_empty() { "" } else { " " })
    }
}

/// Text that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault, from 1.
    pub column: usize,
    /// What was expected there.
    pub message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}: {}", self.line, self.column, self.message)
    }
}

/// The events of a text, each with its place; what can't be read with the place of the fault.
pub fn events(text: &str) -> impl Iterator<Item = Result<(Place, Value), Broken>> + '_ {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents: Box<dyn Iterator<Item = Result<(usize, Value), Broken>>> =
        if is_json_lines(text) { Box::new(lines(text)) } else { Box::new(stream(text)) };
    documents.flat_map(|document| match document {
        Ok((line, document)) => unwrapped(document)
            .into_iter()
            .map(|(pointer, event)| Ok((Place { line, pointer }, event)))
            .collect::<Vec<_>>(),
        Err(broken) => vec![Err(broken)],
    })
}

/// Several lines of which the first or the second is a document of its own.
fn is_json_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    let alone =
        |line: Option<&str>| line.is_some_and(|line| serde_json::from_str::<Value>(line).is_ok_and(|v| v.is_object()));
    let (first, second) = (lines.next(), lines.next());
    second.is_some()
        && (alone(first)
            || alone(second) && first.is_some_and(|line| line.trim_start().starts_with('{') && line.trim().len() > 1))
}

fn lines(text: &str) -> impl Iterator<Item = Result<(usize, Value), Broken>> + '_ {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(above, line)| {
        let at = |error: &serde_json::Error| broken(error, above);
        serde_json::from_str(line).map(|value| (above + 1, value)).map_err(|error| at(&error))
    })
}

/// Documents one after another, on as many lines as they like.
fn stream(text: &str) -> impl Iterator<Item = Result<(usize, Value), Broken>> + '_ {
    let mut documents = Deserializer::from_str(text).into_iter::<Value>();
    let mut done = false;
    let (mut counted, mut line) = (0, 1);
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let rest = &text[documents.byte_offset()..];
        let start = documents.byte_offset() + (rest.len() - rest.trim_start().len());
        let document = documents.next()?;
        line += text[counted..start].matches('\n').count();
        counted = start;
        done = document.is_err();
        Some(document.map(|value| (line, value)).map_err(|error| broken(&error, 0)))
    })
}

fn broken(error: &serde_json::Error, lines_above: usize) -> Broken {
    // serde_json appends the place, which stands in fields of its own here.
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    Broken { line: lines_above + error.line(), column: error.column(), message: format!("no JSON: {message}") }
}

/// The events of a document with their pointers.
fn unwrapped(document: Value) -> Vec<(String, Value)> {
    let (pointer, list) = match document {
        Value::Array(items) => (String::new(), items),
        Value::Object(mut object) => {
            for wrapper in ["inline_source", "inlineSource"] {
                if let Some(Value::Array(_)) = object.get(wrapper).and_then(|source| source.get("events")) {
                    let items = object[wrapper]["events"].take();
                    return each(&format!("/{wrapper}/events"), items);
                }
            }
            match object.get_mut("events") {
                Some(items @ Value::Array(_)) => return each("/events", items.take()),
                _ => return vec![bare("", Value::Object(object))],
            }
        }
        other => return vec![(String::new(), other)],
    };
    each(&pointer, Value::Array(list))
}

fn each(pointer: &str, items: Value) -> Vec<(String, Value)> {
    let Value::Array(items) = items else { return Vec::new() };
    items.into_iter().enumerate().map(|(position, item)| bare(&format!("{pointer}/{position}"), item)).collect()
}

/// Where an event may stand within an item: as the API wants it, and as parsers put it out.
const WRAPPERS: [&str; 3] = ["/udm", "/event/idm/read_only_udm", "/event/idm/readOnlyUdm"];

/// The event itself, out of its wrapper.
fn bare(pointer: &str, mut item: Value) -> (String, Value) {
    for wrapper in WRAPPERS {
        if let Some(event) = item.pointer_mut(wrapper) {
            return (format!("{pointer}{wrapper}"), event.take());
        }
    }
    (pointer.to_owned(), item)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Vec<(String, Value)> {
        events(text).map(|event| event.unwrap()).map(|(place, event)| (place.to_string(), event)).collect()
    }

    #[test]
    fn every_shape_gives_the_same_events() {
        let (a, b) = (json!({"metadata": {"id": "YQ=="}}), json!({"principal": {}}));
        let expected = |first: &str, second: &str| vec![(first.to_owned(), a.clone()), (second.to_owned(), b.clone())];
        let inline = json!({"inline_source": {"events": [{"udm": a}, {"udm": b}]}});
        for (text, first, second) in [
            (json!([a, b]).to_string(), "line 1 /0", "line 1 /1"),
            (json!([{"udm": a}, b]).to_string(), "line 1 /0/udm", "line 1 /1"),
            (format!("{a}\n\n{b}\n"), "line 1", "line 3"),
            (format!("\u{feff}{a}\r\n{b}"), "line 1", "line 2"),
            (format!("{a:#}\n{b:#}"), "line 1", "line 6"),
            (json!({"events": [{"udm": a}, {"udm": b}]}).to_string(), "line 1 /events/0/udm", "line 1 /events/1/udm"),
            (format!("{inline:#}"), "line 1 /inline_source/events/0/udm", "line 1 /inline_source/events/1/udm"),
            (
                json!({"inlineSource": {"events": [a, b]}}).to_string(),
                "line 1 /inlineSource/events/0",
                "line 1 /inlineSource/events/1",
            ),
            (json!({"customerId": "u", "events": [a, b]}).to_string(), "line 1 /events/0", "line 1 /events/1"),
        ] {
            assert_eq!(read(&text), expected(first, second), "{text}");
        }
        assert_eq!(read(&a.to_string()), [("line 1".to_owned(), a.clone())]);
        assert_eq!(read(&json!({"udm": a}).to_string()), [("line 1 /udm".to_owned(), a.clone())]);
        let parsed = json!({"events": [{"event": {"timestamp": "x", "idm": {"readOnlyUdm": a}}}]}).to_string();
        assert_eq!(read(&parsed), [("line 1 /events/0/event/idm/readOnlyUdm".to_owned(), a.clone())]);
        assert_eq!(read(" \n"), []);
    }

    #[test]
    fn broken_json_is_placed_and_costs_only_its_line() {
        let found: Vec<_> = events("{\"a\":1}\n{\"a\":}\n{\"a\":2}\n").collect();
        assert_eq!(found.len(), 3);
        let broken = found[1].as_ref().unwrap_err();
        assert_eq!((broken.line, broken.column), (2, 6));
        assert_eq!(found[2].as_ref().unwrap().0.line, 3);

        let found: Vec<_> = events("{\"a\": 1,}\n{\"a\":2}\n").collect();
        assert_eq!(found[0].as_ref().unwrap_err().line, 1);
        assert_eq!(found[1].as_ref().unwrap().1, json!({"a": 2}));

        let found: Vec<_> = events("{\n  \"a\": 1,\n  \"b\" 2\n}\n").collect();
        assert_eq!(found.len(), 1);
        let broken = found[0].as_ref().unwrap_err();
        assert_eq!((broken.line, broken.column), (3, 7));
        assert_eq!(broken.to_string(), "line 3 column 7: no JSON: expected `:`");
    }
}
