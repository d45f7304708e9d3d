//! The event against the schema: fields, shapes, scalars, and in every message the rules of that message.
//!
//! Null is no value in protobuf's JSON mapping: a field that is null counts as absent.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    Code, Diagnostic,
    diagnostic::shown,
    rules,
    scalar::{described, fault},
};
use crate::schema::{Field, FieldType, Many, Message, Schema};

/// protobuf's own limit for nested messages.
const DEEPEST: usize = 100;

pub(super) fn against_schema(event: &Value) -> Vec<Diagnostic> {
    let schema = Schema::published();
    let mut walk = Walk { schema, pointer: String::new(), depth: 0, found: Vec::new() };
    walk.message(schema.udm(), event);
    walk.found
}

/// One message in the event: its fields can be read by either spelling.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) message: &'a Message,
    object: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    pub(super) fn new(message: &'a Message, object: &'a Map<String, Value>) -> Self {
        Self { message, object }
    }

    /// The value of a field and the key under which it stands, unless it is null.
    pub(super) fn entry(self, name: &str) -> Option<(&'a str, &'a Value)> {
        let field = self.message.field(name)?;
        [field.name, field.json_name]
            .into_iter()
            .find_map(|spelling| self.object.get_key_value(spelling))
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.as_str(), value))
    }

    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        self.entry(name).map(|(_, value)| value)
    }
}

struct Walk {
    schema: &'static Schema,
    pointer: String,
    depth: usize,
    found: Vec<Diagnostic>,
}

impl Walk {
    fn message(&mut self, message: &'static Message, value: &Value) {
        let Some(object) = value.as_object() else {
            let text = format!("expected an object ({}), found {}", message.name, described(value));
            let code = if value.is_array() { Code::ExpectedSingle } else { Code::ExpectedObject };
            return self.report(Diagnostic::error("", code, text));
        };
        let mut spelled: HashMap<&str, &str> = HashMap::new();
        let mut chosen: HashMap<&str, &str> = HashMap::new();
        for (key, value) in object {
            self.inside(key, |walk| {
                let Some(field) = message.field(key) else {
                    return walk.unknown_field(message, key);
                };
                if let Some(other) = spelled.insert(field.name, key) {
                    let text = format!("`{key}` and `{other}` are one field, expected only one of them");
                    walk.report(Diagnostic::error("", Code::DuplicateField, text));
                }
                if value.is_null() {
                    return;
                }
                if let Some(other) = field.oneof.and_then(|group| chosen.insert(group, field.name)) {
                    let text = format!("expected only one of `{other}` and `{}`", field.name);
                    walk.report(Diagnostic::error("", Code::Oneof, text));
                }
                walk.deprecated(field);
                walk.field(field, value);
            });
        }
        self.rules(Node::new(message, object));
    }

    fn unknown_field(&mut self, message: &Message, key: &str) {
        let meant = message.nearest_field(key);
        let text = format!("`{}` is no field of {}", shown(key), message.name);
        self.report(Diagnostic::error("", Code::UnknownField, text).meaning(meant));
    }

    fn deprecated(&mut self, field: &Field) {
        if let Some(deprecated) = field.deprecated {
            let instead = deprecated.instead.map(|name| format!(", use {name}")).unwrap_or_default();
            let text = format!("`{}` is deprecated{instead}", field.name);
            self.report(Diagnostic::warning("", Code::DeprecatedField, text));
        }
    }

    fn field(&mut self, field: &Field, value: &Value) {
        match (field.many, value) {
            (Many::List, Value::Array(items)) => {
                for (position, item) in items.iter().enumerate() {
                    self.inside(&position.to_string(), |walk| match item {
                        Value::Null => walk.report(Diagnostic::error("", Code::NullItem, "a list holds no null")),
                        item => walk.one(field.kind, item),
                    });
                }
            }
            (Many::List, single) => {
                let text = format!("`{}` is a list, found {}", field.name, described(single));
                self.report(Diagnostic::error("", Code::ExpectedList, text).instead(json!([single])));
                // What is wrong inside is told in the same run.
                self.one(field.kind, single);
            }
            (Many::Map, Value::Object(entries)) => {
                for (key, entry) in entries {
                    self.inside(key, |walk| walk.one(field.kind, entry));
                }
            }
            (Many::Map, other) => {
                let text = format!("`{}` is a map, found {}", field.name, described(other));
                self.report(Diagnostic::error("", Code::ExpectedObject, text));
            }
            (Many::One, Value::Array(items)) if field.kind != FieldType::Value => {
                let text = format!("`{}` is one value, found a list of {}", field.name, items.len());
                self.report(Diagnostic::error("", Code::ExpectedSingle, text));
            }
            (Many::One, single) => self.one(field.kind, single),
        }
    }

    fn one(&mut self, kind: FieldType, value: &Value) {
        if self.depth > DEEPEST {
            let text = format!("nested deeper than {DEEPEST} levels, which protobuf does not read");
            return self.report(Diagnostic::error("", Code::TooDeep, text));
        }
        match kind {
            FieldType::Message(id) => self.message(self.schema.message_of(id), value),
            FieldType::Struct if !value.is_object() => {
                let text = format!("expected an object, found {}", described(value));
                self.report(Diagnostic::error("", Code::ExpectedObject, text));
            }
            FieldType::Struct | FieldType::Value => self.free(value),
            scalar => {
                if let Some(fault) = fault(self.schema, scalar, value) {
                    self.report(fault);
                }
            }
        }
    }

    /// Any JSON, which only depth can spoil.
    fn free(&mut self, value: &Value) {
        match value {
            Value::Object(entries) => {
                for (key, entry) in entries {
                    self.inside(key, |walk| walk.one(FieldType::Value, entry));
                }
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    self.inside(&position.to_string(), |walk| walk.one(FieldType::Value, item));
                }
            }
            _ => {}
        }
    }

    fn rules(&mut self, node: Node<'_>) {
        for fault in rules::broken(node) {
            self.report(fault);
        }
    }

    fn inside(&mut self, key: &str, act: impl FnOnce(&mut Self)) {
        let end = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        self.depth += 1;
        act(self);
        self.depth -= 1;
        self.pointer.truncate(end);
    }

    /// A fault's own pointer is relative to where the walk stands.
    fn report(&mut self, fault: Diagnostic) {
        let pointer = format!("{}{}", self.pointer, fault.pointer);
        self.found.push(Diagnostic { pointer, ..fault });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(event: Value) -> Vec<(String, Code)> {
        against_schema(&event).into_iter().map(|found| (found.pointer, found.code)).collect()
    }

    fn one(pointer: &str, code: Code) -> Vec<(String, Code)> {
        vec![(pointer.to_owned(), code)]
    }

    #[test]
    fn every_shape_has_its_code_and_place() {
        assert_eq!(found(json!([])), one("", Code::ExpectedSingle));
        assert_eq!(found(json!("text")), one("", Code::ExpectedObject));
        assert_eq!(found(json!({"principal": "web-1"})), one("/principal", Code::ExpectedObject));
        assert_eq!(found(json!({"principal": [{}]})), one("/principal", Code::ExpectedSingle));
        assert_eq!(found(json!({"principal": {"ip": "10.0.0.1"}})), one("/principal/ip", Code::ExpectedList));
        assert_eq!(found(json!({"about": {}})), one("/about", Code::ExpectedList));
        assert_eq!(found(json!({"about": [null]})), one("/about/0", Code::NullItem));
        assert_eq!(found(json!({"principal": {"hostname": ["a"]}})), one("/principal/hostname", Code::ExpectedSingle));
        assert_eq!(found(json!({"additional": 1})), one("/additional", Code::ExpectedObject));
        assert_eq!(found(json!({"a~b/c": 1})), one("/a~0b~1c", Code::UnknownField));
        assert_eq!(found(json!({"principal": null, "additional": {"any": [1, {"x": null}]}})), []);
    }

    #[test]
    fn both_spellings_of_one_field_are_one_too_many() {
        let event = json!({"security_result": [{}], "securityResult": [{}]});
        assert_eq!(found(event), one("/securityResult", Code::DuplicateField));
    }

    #[test]
    fn only_one_of_a_oneof_is_set() {
        let variable = json!({"type": null, "string_val": "a", "int64_val": 1});
        let event = json!({"security_result": [{"variables": {"x": variable}}]});
        assert!(found(event).contains(&("/security_result/0/variables/x/int64_val".to_owned(), Code::Oneof)));
    }

    #[test]
    fn depth_is_limited_as_protobuf_limits_it() {
        let mut deep = json!({});
        for _ in 0..300 {
            deep = json!({ "x": deep });
        }
        let found = against_schema(&json!({"additional": deep}));
        assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [Code::TooDeep]);
    }
}
