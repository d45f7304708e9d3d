//! Input: events, entities and detections of other rules, read once from JSON into trees by the schema.
//!
//! Fields that the schema does not have are passed over: exports hold computed fields that no rule can name. Whatever the
//! schema does have must be of its type, or the record is refused with the place.

mod node;
mod scalar;

use std::sync::Arc;

use serde_json::Value as Json;
use watchbell_udm::schema::{FieldType, Many, Message, Schema};

use super::value::Value;
use crate::resolve::EventSource;

pub(super) use node::{Node, each, first};

/// Messages nest no deeper; protobuf's own limit.
const DEEPEST: usize = 100;

/// A point in time, in nanoseconds since 1970: wide enough for every timestamp of the schema.
pub(super) type Nanos = i128;

/// Nanoseconds in a second.
pub(super) const SECOND: Nanos = 1_000_000_000;

/// A record that rules read: an event, an entity or a detection.
#[derive(Debug, Clone)]
pub struct Event {
    json: Arc<Json>,
    root: Node,
    span: (Option<Nanos>, Option<Nanos>),
}

/// A record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {position}, at `{pointer}`: {problem}")]
pub struct EventError {
    /// `event`, `entity` or `detection`.
    pub what: &'static str,
    /// Which one, from 1.
    pub position: usize,
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub problem: String,
}

impl Event {
    /// Reads one record; `position` counts from 0 and serves errors only. The wrappers `{"udm": ..}`, `{"entity": ..}`,
    /// `{"graph": ..}` and `{"detection": ..}` are taken off.
    ///
    /// # Errors
    /// The first value that does not fit the schema.
    pub fn read(source: EventSource, json: Json, position: usize) -> Result<Self, EventError> {
        let json = unwrapped(source, json);
        let root = message(source.root(), &json, DEEPEST).map_err(|fault| EventError {
            what: name_of(source),
            position: position + 1,
            pointer: fault.path.iter().rev().map(|part| format!("/{}", scalar::shown(part))).collect(),
            problem: fault.problem,
        })?;
        let span = span_of(source, &root);
        Ok(Self { json: Arc::new(json), root, span })
    }

    /// Reads a list of records.
    ///
    /// # Errors
    /// Those of [`Event::read`].
    pub fn read_all(source: EventSource, records: Vec<Json>) -> Result<Vec<Self>, EventError> {
        records.into_iter().enumerate().map(|(position, json)| Self::read(source, json, position)).collect()
    }

    /// The record as it was read, without its wrapper.
    #[must_use]
    pub fn json(&self) -> &Arc<Json> {
        &self.json
    }

    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// When it happened; an unset time is 1970, the zero value. Of an entity, the start of its interval.
    pub(super) fn time(&self) -> Nanos {
        self.span.0.unwrap_or(0)
    }

    /// Whether an entity's interval holds a time. The end is not part of it, as in `google.type.Interval`.
    pub(super) fn holds(&self, time: Nanos) -> bool {
        self.span.0.is_none_or(|start| start <= time) && self.span.1.is_none_or(|end| time < end)
    }
}

/// What one record of a source is called.
pub(super) fn name_of(source: EventSource) -> &'static str {
    match source {
        EventSource::Udm => "event",
        EventSource::Entity => "entity",
        EventSource::Detection => "detection",
    }
}

fn unwrapped(source: EventSource, json: Json) -> Json {
    let Json::Object(mut object) = json else { return json };
    let wrapper = match source {
        EventSource::Udm => object.get("udm").is_some_and(Json::is_object).then_some("udm"),
        // The message of an entity has a field `entity` too; what is inside of the wrapper has metadata or an entity.
        EventSource::Entity if object.get("graph").is_some_and(Json::is_object) => Some("graph"),
        EventSource::Entity => {
            let inner = object.get("entity").and_then(Json::as_object);
            let wraps = inner.is_some_and(|inner| inner.contains_key("metadata") || inner.contains_key("entity"));
            (wraps && !object.contains_key("metadata")).then_some("entity")
        }
        // The field `detection` of a collection is a list.
        EventSource::Detection => {
            ["detection", "collection"].into_iter().find(|wrapper| object.get(*wrapper).is_some_and(Json::is_object))
        }
    };
    match wrapper.and_then(|wrapper| object.remove(wrapper)) {
        Some(inner) => inner,
        None => Json::Object(object),
    }
}

fn span_of(source: EventSource, root: &Node) -> (Option<Nanos>, Option<Nanos>) {
    let at = |path: &[&str]| match root.at(path) {
        Some(Node::Value(Value::Timestamp(seconds, nanos))) => {
            Some(Nanos::from(*seconds) * SECOND + Nanos::from(*nanos))
        }
        _ => None,
    };
    match source {
        EventSource::Udm => (at(&["metadata", "event_timestamp"]), None),
        EventSource::Entity => (at(&["metadata", "interval", "start_time"]), at(&["metadata", "interval", "end_time"])),
        EventSource::Detection => (at(&["detection_time"]).or_else(|| at(&["time_window", "end_time"])), None),
    }
}

/// What is wrong, and the way to it from the inside out.
struct Fault {
    path: Vec<String>,
    problem: String,
}

impl Fault {
    fn new(problem: impl Into<String>) -> Self {
        Self { path: Vec::new(), problem: problem.into() }
    }

    fn inside(mut self, part: impl ToString) -> Self {
        self.path.push(part.to_string());
        self
    }
}

fn message(message: &'static Message, json: &Json, depth: usize) -> Result<Node, Fault> {
    let Json::Object(object) = json else {
        return Err(Fault::new(format!("expected an object, found {}", scalar::described(json))));
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Fault::new(format!("expected at most {DEEPEST} messages inside of each other")));
    };
    let mut fields = Vec::with_capacity(object.len());
    for (key, value) in object {
        let Some(field) = message.field(key).filter(|_| !value.is_null()) else { continue };
        let node = match field.many {
            Many::One => one(field.kind, value, depth).map_err(|fault| fault.inside(key))?,
            Many::List => Node::List(list(field.kind, value, depth).map_err(|fault| fault.inside(key))?),
            Many::Map => Node::Keyed(map(field.kind, value, depth).map_err(|fault| fault.inside(key))?),
        };
        fields.push((field, node));
    }
    Ok(Node::Message(fields))
}

fn list(kind: FieldType, json: &Json, depth: usize) -> Result<Vec<Node>, Fault> {
    let Json::Array(items) = json else {
        return Err(Fault::new(format!("expected a list, found {}", scalar::described(json))));
    };
    let read = |(position, item)| one(kind, item, depth).map_err(|fault| fault.inside(position));
    items.iter().enumerate().map(read).collect()
}

fn map(kind: FieldType, json: &Json, depth: usize) -> Result<Vec<(Arc<str>, Node)>, Fault> {
    let Json::Object(entries) = json else {
        return Err(Fault::new(format!("expected an object, found {}", scalar::described(json))));
    };
    let read = |(key, value): (&String, _)| {
        let node = one(kind, value, depth).map_err(|fault| fault.inside(key))?;
        Ok((Arc::from(key.as_str()), node))
    };
    entries.iter().map(read).collect()
}

fn one(kind: FieldType, json: &Json, depth: usize) -> Result<Node, Fault> {
    let schema = Schema::published();
    match kind {
        FieldType::Message(id) => message(schema.message_of(id), json, depth),
        FieldType::Struct => structure(json),
        FieldType::Value => Ok(json.as_str().map_or(Node::Keyed(Vec::new()), Node::text)),
        _ => scalar::read(schema, kind, json).map(Node::Value).map_err(Fault::new),
    }
}

/// A struct is read by key, and only its texts can be read.
fn structure(json: &Json) -> Result<Node, Fault> {
    let Json::Object(object) = json else {
        return Err(Fault::new(format!("expected an object, found {}", scalar::described(json))));
    };
    // Exports of the wire format have the entries one floor down, each with the kind of its value.
    let entries = match object.get("fields") {
        Some(Json::Object(fields)) if object.len() == 1 => fields,
        _ => object,
    };
    let text = |value: &Json| match value {
        Json::String(text) => Some(Node::text(text)),
        Json::Object(typed) => {
            typed.get("string_value").or_else(|| typed.get("stringValue")).and_then(Json::as_str).map(Node::text)
        }
        _ => None,
    };
    Ok(Node::Keyed(entries.iter().filter_map(|(key, value)| Some((Arc::from(key.as_str()), text(value)?))).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn udm(json: Json) -> Result<Event, EventError> {
        Event::read(EventSource::Udm, json, 0)
    }

    #[test]
    fn both_spellings_and_the_wrapper_are_read() {
        let snake = udm(json!({"metadata": {"event_timestamp": "2024-01-01T00:00:00.5Z"}})).unwrap();
        let camel = udm(json!({"udm": {"metadata": {"eventTimestamp": "2024-01-01T01:00:00.5+01:00"}}})).unwrap();
        assert_eq!(snake.time(), camel.time());
        assert_eq!(snake.time(), 1_704_067_200 * SECOND + SECOND / 2);
        assert!(camel.json().get("udm").is_none());
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let error = udm(json!({"about": [{}, {"ip": [1]}]})).unwrap_err();
        assert_eq!(error.to_string(), "event 1, at `/about/1/ip/0`: expected text, found the number 1");
        let error = udm(json!({"metadata": {"eventType": "USER_LOGN"}})).unwrap_err();
        assert_eq!(error.pointer, "/metadata/eventType");
        assert!(error.problem.contains("did you mean `USER_LOGIN`"), "{error}");
        let error = udm(json!({"principal": []})).unwrap_err();
        assert_eq!(error.problem, "expected an object, found a list");
        assert!(udm(json!([])).unwrap_err().pointer.is_empty());
    }

    #[test]
    fn unknown_fields_and_nulls_are_passed_over() {
        let event = udm(json!({"principal": {"hostname": null, "from_tomorrow": 1}})).unwrap();
        assert!(event.root().at(&["principal", "hostname"]).is_none());
    }

    #[test]
    fn an_entity_has_an_interval_and_comes_wrapped_or_not() {
        let interval = json!({"start_time": "2024-01-01T00:00:00Z", "end_time": "2024-01-02T00:00:00Z"});
        let bare = json!({"metadata": {"interval": interval}, "entity": {"hostname": "h"}});
        for json in [bare.clone(), json!({"entity": bare}), json!({"graph": bare})] {
            let entity = Event::read(EventSource::Entity, json, 0).unwrap();
            assert!(entity.root().at(&["entity", "hostname"]).is_some());
            let start = 1_704_067_200 * SECOND;
            assert!(entity.holds(start) && !entity.holds(start + 86_400 * SECOND) && !entity.holds(start - 1));
        }
        let lone = Event::read(EventSource::Entity, json!({"entity": {"hostname": "h"}}), 0).unwrap();
        assert!(lone.holds(0) && lone.root().at(&["entity", "hostname"]).is_some());
    }

    #[test]
    fn messages_in_messages_end_somewhere() {
        let mut json = json!({});
        for _ in 0..120 {
            json = json!({"associated_actors": [json]});
        }
        let error = udm(json!({"security_result": [{"associations": [json]}]})).unwrap_err();
        assert!(error.problem.contains("at most 100"), "{error}");
    }
}
