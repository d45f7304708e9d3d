//! A type's options as a guide asks for them.

use serde_json::Value;

use super::schema::Place;
use crate::sink::SinkKind;

/// One option of a type of sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkOption {
    /// Its key.
    pub key: String,
    /// What it means, and where to find it.
    pub meaning: String,
    /// The value of the type's example, as TOML.
    pub example: Option<String>,
    /// Whether there is no sink without it.
    pub is_required: bool,
    /// Whether it is not for every eye.
    pub is_secret: bool,
    /// Whether `KEY_file` may name a file that holds it.
    pub is_from_file: bool,
    /// Whether a plain text is a value.
    pub is_text: bool,
}

/// The options of a type, those of its example first.
#[must_use]
pub fn sink_options(kind: SinkKind) -> Vec<SinkOption> {
    let schema = kind.schema().to_value();
    let mut options = of_schema(&schema, kind.example);
    options.sort_by_key(|option| (!option.is_required, option.example.is_none()));
    options
}

fn of_schema(schema: &Value, example: &str) -> Vec<SinkOption> {
    let place = Place::root(schema);
    let examples: toml::Table = example.parse().unwrap_or_default();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let described = place.keys().unwrap_or_default().into_iter().filter_map(|key| {
        let below = place.key(key)?;
        Some(SinkOption {
            key: key.to_owned(),
            meaning: below.description().unwrap_or_default().to_owned(),
            example: examples.get(key).or_else(|| examples.get(&format!("{key}_file"))).map(ToString::to_string),
            is_required: required.contains(&key),
            is_secret: below.is_secret(),
            is_from_file: below.is_from_file(),
            is_text: below.is_text(),
        })
    });
    described.collect()
}
