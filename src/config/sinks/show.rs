//! The sinks' tables as `config show` prints them: no secret, and for each value where it comes from.

use toml::de::{DeTable, DeValue};

use super::{
    SinkTables,
    schema::{Place, sink_schema},
};
use crate::{
    config::{interpolate::interpolate, read::Environment, values::quoted},
    registry,
};

/// What is in force for each sink.
pub(in crate::config) fn show(tables: &SinkTables, environment: Environment<'_>) -> String {
    let mut out = String::new();
    for table in &tables.tables {
        let entries = table.entries();
        let kind = entries.get("type").and_then(|value| value.get_ref().as_str());
        let schema = kind.and_then(|name| registry::kind(name).ok()).map(sink_schema);
        let place = schema.as_ref().map(Place::root);
        out.push_str(&format!("\n[sinks.{}]\n", key_text(&table.name)));
        for (key, value) in &entries {
            let below = place.and_then(|place| place.key(key.get_ref()));
            let shown = Shown { environment, origin: origin(value.get_ref()) };
            let text = shown.value(value.get_ref(), below, place.is_some());
            out.push_str(&format!("{} = {text}  # {}\n", key_text(key.get_ref()), shown.origin));
        }
    }
    out
}

fn key_text(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// The file, or the variables that the file asks for.
fn origin(value: &DeValue<'_>) -> String {
    let variables = variables(value);
    if variables.is_empty() { "configuration file".to_owned() } else { variables.join(", ") }
}

fn variables(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::String(text) => {
            let parts = text.split("${").skip(1).filter_map(|part| part.split(['}', ':']).next());
            parts.map(str::to_owned).collect()
        }
        DeValue::Array(items) => items.iter().flat_map(|item| variables(item.get_ref())).collect(),
        DeValue::Table(table) => table.values().flat_map(|value| variables(value.get_ref())).collect(),
        _ => Vec::new(),
    }
}

struct Shown<'a> {
    environment: Environment<'a>,
    origin: String,
}

impl Shown<'_> {
    /// `known`: there is a schema, so that what is no secret is known to be none.
    fn value(&self, value: &DeValue<'_>, place: Option<Place<'_>>, known: bool) -> String {
        match value {
            DeValue::String(_) if !known || place.is_some_and(Place::is_secret) => quoted("[redacted]"),
            DeValue::String(text) => quoted(&interpolate(text, self.environment).unwrap_or_else(|_| text.to_string())),
            DeValue::Array(items) => {
                let is_secret = place.is_some_and(Place::is_secret);
                let item = if is_secret { place } else { place.and_then(Place::item) };
                let items: Vec<String> = items.iter().map(|value| self.value(value.get_ref(), item, known)).collect();
                format!("[{}]", items.join(", "))
            }
            DeValue::Table(table) => self.table(table, place, known),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(value) => value.to_string(),
        }
    }

    fn table(&self, table: &DeTable<'_>, place: Option<Place<'_>>, known: bool) -> String {
        let entries = table.iter().map(|(key, value)| {
            let below = place.and_then(|place| place.key(key.get_ref()));
            format!("{} = {}", key_text(key.get_ref()), self.value(value.get_ref(), below, known))
        });
        format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
    }
}
