//! The JSON schema of the configuration file, for editors; from the same tables that the reading uses.

use serde_json::{Map, Value, json};

use super::{
    keys::{KEYS, SECTIONS, section_doc},
    settings::Settings,
    sinks::sink_schema,
};
use crate::{parse::Slot, registry};

/// The schema, in draft 2020-12.
#[must_use]
pub fn schema() -> Value {
    let mut sections = Map::new();
    let mut definitions = Map::new();
    for section in SECTIONS {
        let described = match section {
            "fields" => fields(),
            "sinks" => sinks(&mut definitions),
            _ => json!({ "type": "object", "additionalProperties": false, "properties": keys(section) }),
        };
        let mut described = described;
        described["description"] = json!(section_doc(section));
        sections.insert(section.to_owned(), described);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "watchbell.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
        "$defs": definitions,
    })
}

fn keys(section: &str) -> Value {
    let settings = Settings::default();
    let described = KEYS.iter().filter(|key| key.section == section).map(|key| {
        let default = (key.show)(&settings).0;
        let sample = default.as_deref().unwrap_or(key.example);
        let mut schema = json!({ "description": key.doc, "type": types_of(sample) });
        if let Some(value) = default.as_deref().and_then(value_of) {
            schema["default"] = value;
        }
        (key.name.to_owned(), schema)
    });
    Value::Object(described.collect())
}

/// A text is allowed everywhere: it may name a variable.
fn types_of(sample: &str) -> Value {
    match value_of(sample) {
        Some(Value::Number(_)) => json!(["number", "string"]),
        Some(Value::Array(_)) => json!(["array", "string"]),
        _ => json!("string"),
    }
}

fn value_of(toml: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {toml}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

fn fields() -> Value {
    let names = json!({ "type": ["string", "array"], "items": { "type": "string" } });
    let described: Map<String, Value> =
        Slot::ALL.into_iter().map(|slot| (slot.name().to_owned(), names.clone())).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": described })
}

/// Each type of sink is a definition; a sink is one of them, told apart by `type`.
fn sinks(definitions: &mut Map<String, Value>) -> Value {
    let mut choices = Vec::new();
    for kind in registry::kinds() {
        let mut schema = sink_schema(*kind);
        if let Some(inner) = schema.as_object_mut().and_then(|schema| schema.remove("$defs")) {
            let prefixed = inner.as_object().cloned().into_iter().flatten();
            definitions.extend(prefixed.map(|(name, mut definition)| {
                point_below(&mut definition, kind.name);
                (format!("{}.{name}", kind.name), definition)
            }));
        }
        point_below(&mut schema, kind.name);
        definitions.insert(kind.name.to_owned(), schema);
        choices.push(json!({
            "if": { "properties": { "type": { "const": kind.name } } },
            "then": { "$ref": format!("#/$defs/{}", kind.name) },
        }));
    }
    let names: Vec<&str> = registry::kinds().iter().map(|kind| kind.name).collect();
    json!({
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["type"],
            "properties": { "type": { "enum": names } },
            "allOf": choices,
        },
    })
}

/// References of one sink's schema, made to point below that sink's name.
fn point_below(schema: &mut Value, kind: &str) {
    match schema {
        Value::Object(map) => {
            map.remove("$schema");
            for (key, value) in map {
                match value {
                    Value::String(path) if key == "$ref" => {
                        *path = path.replace("#/$defs/", &format!("#/$defs/{kind}."))
                    }
                    _ => point_below(value, kind),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_below(item, kind)),
        _ => {}
    }
}
