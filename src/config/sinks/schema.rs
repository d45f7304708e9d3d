//! Reading a JSON schema: which keys there are, which hold secrets, which may come from a file.

use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::engine::EngineOptions;
use crate::sink::{SinkKind, options::FROM_FILE};

/// A place in a schema, with the definitions that its references point to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    root: &'a Value,
    here: &'a Value,
}

impl<'a> Place<'a> {
    pub(super) const fn root(root: &'a Value) -> Self {
        Self { root, here: root }
    }

    /// This schema and those that it refers to or chooses from.
    fn alternatives(self) -> Vec<&'a Value> {
        let mut found = Vec::new();
        let mut open = vec![self.here];
        while let Some(schema) = open.pop() {
            let reference = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
            open.extend(reference.and_then(|path| self.root.pointer(path)));
            for choice in ["anyOf", "oneOf", "allOf"] {
                open.extend(schema.get(choice).and_then(Value::as_array).into_iter().flatten());
            }
            found.push(schema);
        }
        found
    }

    fn says(self, key: &str, wanted: &Value) -> bool {
        self.alternatives().into_iter().any(|schema| schema.get(key) == Some(wanted))
    }

    /// What stands under this key.
    pub(super) fn key(self, name: &str) -> Option<Self> {
        let alternatives = self.alternatives();
        let property = alternatives.iter().find_map(|schema| schema.get("properties")?.get(name));
        let other =
            || alternatives.iter().find_map(|schema| schema.get("additionalProperties").filter(|it| it.is_object()));
        property.or_else(other).map(|here| Self { here, ..self })
    }

    /// What the elements of an array are.
    pub(super) fn item(self) -> Option<Self> {
        let here = self.alternatives().into_iter().find_map(|schema| schema.get("items"))?;
        Some(Self { here, ..self })
    }

    /// The keys, when no others are allowed.
    pub(super) fn keys(self) -> Option<Vec<&'a str>> {
        let alternatives = self.alternatives();
        let is_closed =
            alternatives.iter().any(|schema| schema.get("additionalProperties") == Some(&Value::Bool(false)));
        let properties = alternatives.iter().filter_map(|schema| schema.get("properties")?.as_object());
        is_closed.then(|| properties.flat_map(Map::keys).map(String::as_str).collect())
    }

    pub(super) fn is_secret(self) -> bool {
        self.says("format", &json!("password"))
    }

    pub(super) fn is_from_file(self) -> bool {
        self.says(FROM_FILE, &Value::Bool(true))
    }

    pub(super) fn is_text(self) -> bool {
        let is_string =
            |value: &Value| value == "string" || value.as_array().is_some_and(|all| all.contains(&json!("string")));
        self.alternatives().into_iter().any(|schema| {
            schema.get("type").is_some_and(is_string) || schema.get("enum").is_some() || schema.get("const").is_some()
        })
    }

    /// What the option means.
    pub(super) fn description(self) -> Option<&'a str> {
        self.alternatives().into_iter().find_map(|schema| schema.get("description")?.as_str())
    }
}

/// The schema of the engine's own keys.
pub(super) fn engine_schema() -> Value {
    schema_for!(EngineOptions).to_value()
}

/// The JSON schema of one `[sinks.NAME]` table of this type, the engine's keys and the files of secrets included.
#[must_use]
pub fn sink_schema(kind: SinkKind) -> Value {
    let mut schema = kind.schema().to_value();
    let engine = engine_schema();
    let type_name = json!({ "const": kind.name, "description": "The type of the sink." });
    for (key, definition) in engine["$defs"].as_object().into_iter().flatten() {
        schema["$defs"][key] = definition.clone();
    }
    let mut properties = Map::new();
    properties.insert("type".to_owned(), type_name);
    for source in [&schema["properties"], &engine["properties"]] {
        properties.extend(source.as_object().cloned().into_iter().flatten());
    }
    schema["properties"] = Value::Object(properties);
    add_files(&mut schema);
    let mut required = vec![json!("type")];
    required.extend(schema["required"].as_array().cloned().into_iter().flatten().filter(|name| {
        // What may come from a file instead can't be required.
        let place = name.as_str().and_then(|name| Place::root(&schema).key(name));
        !place.is_some_and(Place::is_from_file)
    }));
    schema["required"] = Value::Array(required);
    schema
}

/// Beside every option that may come from a file stands the one that names the file.
fn add_files(schema: &mut Value) {
    let root = schema.clone();
    let complete = |properties: &mut Map<String, Value>| {
        let names: Vec<String> = properties.keys().cloned().collect();
        for name in names {
            if (Place { root: &root, here: &properties[&name] }).is_from_file() {
                let file = json!({ "type": "string", "description": format!("A file that holds `{name}`.") });
                properties.insert(format!("{name}_file"), file);
            }
        }
    };
    for pointer in ["/properties".to_owned()].into_iter().chain(definitions(&root)) {
        if let Some(properties) = schema.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            complete(properties);
        }
    }
}

fn definitions(schema: &Value) -> Vec<String> {
    let names = schema.get("$defs").and_then(Value::as_object);
    names.into_iter().flat_map(Map::keys).map(|name| format!("/$defs/{name}/properties")).collect()
}
