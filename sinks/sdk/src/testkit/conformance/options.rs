//! The options: their example builds, a typo is refused with its place, and the schema knows every key.

use serde_json::Value as Json;
use toml::{Table, Value};

use super::{
    Proof, Suite,
    sinks::{PATIENT, build, expect, expect_same, told},
};
use crate::{
    kind::{BuildError, SinkKind},
    options::FROM_FILE,
    sink::SinkConfig,
    testkit::identity::Identity,
};

/// What no sink has an option of.
const UNKNOWN: &str = "watchbell_unknown_key";

/// The example builds, with something in place of its variables and files.
///
/// # Errors
/// What was seen otherwise.
pub fn the_example_builds<C: SinkConfig>(suite: &Suite) -> Proof {
    let example: Table = C::EXAMPLE.parse().map_err(told("the example is no TOML"))?;
    let schema = SinkKind::of::<C>().schema().to_value();
    let filled = Schema { root: &schema }.filled(&schema, &example, suite)?;
    let text = toml::to_string(&filled).map_err(told("the example can't be written"))?;
    build::<C>(&text, PATIENT).map(drop).map_err(told("the example builds no sink"))
}

/// A key that does not exist is refused, and the error knows its line and column.
///
/// # Errors
/// What was seen otherwise.
pub fn an_unknown_key_is_refused_with_its_place<C: SinkConfig>(suite: &Suite) -> Proof {
    let options = format!("# the first line\n  {UNKNOWN} = 1\n{}", (suite.options)("127.0.0.1:9"));
    match build::<C>(&options, PATIENT) {
        Ok(_) => Err(format!("`{UNKNOWN}` is taken; `deny_unknown_fields` is missing")),
        Err(BuildError::Options { span, message }) => {
            let place = span.map(|span| place(&options, span.start));
            expect_same(&place, &Some((2, 3)), "line and column of the unknown key")?;
            expect(message.contains(UNKNOWN), || format!("the unknown key is not named: {message}"))?;
            let secret = suite.secrets.iter().any(|secret| message.contains(secret));
            expect(!secret, || "the error about an unknown key shows a secret".to_owned())
        }
        Err(error) => Err(format!("expected an error with a place, found: {error}")),
    }
}

/// Line and column, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Every key of the example is in the schema, from which editors and the reference know the options.
///
/// # Errors
/// What was seen otherwise.
pub fn the_schema_lists_the_example<C: SinkConfig>(_suite: &Suite) -> Proof {
    let example: Table = C::EXAMPLE.parse().map_err(told("the example is no TOML"))?;
    let schema = SinkKind::of::<C>().schema().to_value();
    Schema { root: &schema }.lists(&schema, &example)
}

/// A JSON schema that may refer to itself.
struct Schema<'a> {
    root: &'a Json,
}

impl<'a> Schema<'a> {
    /// The schema and its alternatives.
    fn variants(&self, schema: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![schema];
        let referred = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#'));
        found.extend(referred.and_then(|path| self.root.pointer(path)).into_iter().flat_map(|to| self.variants(to)));
        for key in ["allOf", "anyOf", "oneOf"] {
            let parts = schema.get(key).and_then(Json::as_array).into_iter().flatten();
            found.extend(parts.flat_map(|part| self.variants(part)));
        }
        found
    }

    /// What the schema says of a key.
    fn property(&self, schema: &'a Json, key: &str) -> Option<&'a Json> {
        let variants = self.variants(schema);
        let listed = variants.iter().find_map(|variant| variant.get("properties")?.get(key));
        listed.or_else(|| {
            variants.iter().find_map(|variant| variant.get("additionalProperties")).filter(|&any| *any != false)
        })
    }

    /// The option that `NAME_file` stands for, where its value may come from a file.
    fn file_option(&self, schema: &'a Json, key: &'a str) -> Option<&'a str> {
        let stem = key.strip_suffix("_file")?;
        let variants = self.variants(self.property(schema, stem)?);
        variants.iter().any(|variant| variant.get(FROM_FILE) == Some(&Json::Bool(true))).then_some(stem)
    }

    fn lists(&self, schema: &'a Json, table: &'a Table) -> Proof {
        for (key, value) in table {
            let Some(property) = self.property(schema, key) else {
                expect(self.file_option(schema, key).is_some(), || format!("the schema does not list `{key}`"))?;
                continue;
            };
            if let Value::Table(inner) = value {
                self.lists(property, inner)?;
            }
        }
        Ok(())
    }

    /// The table as the engine hands it over: variables put in, files read.
    fn filled(&self, schema: &'a Json, table: &'a Table, suite: &Suite) -> Result<Table, String> {
        let mut filled = Table::new();
        for (key, value) in table {
            match (self.property(schema, key), self.file_option(schema, key)) {
                (None, Some(stem)) => filled.insert(stem.to_owned(), Value::String(suite.file(key)?)),
                (Some(property), _) => {
                    let value = match value {
                        Value::Table(inner) => Value::Table(self.filled(property, inner, suite)?),
                        value => suite.interpolated(value),
                    };
                    filled.insert(key.clone(), value)
                }
                (None, None) => filled.insert(key.clone(), suite.interpolated(value)),
            };
        }
        Ok(filled)
    }
}

impl Suite {
    fn given(&self, name: &str) -> Option<String> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// What a file holds: what the suite was told, or something that suits many.
    fn file(&self, key: &str) -> Result<String, String> {
        if let Some(value) = self.given(key) {
            return Ok(value);
        }
        let identity = Identity::new(&["localhost"]).map_err(told("no certificate"))?;
        Ok(match key {
            "ca_file" => identity.authority,
            "cert_file" => identity.certificate,
            // A certificate's key belongs to that certificate: give both with `variable` where the example has both.
            "key_file" => identity.key,
            _ => "text-of-a-file".to_owned(),
        })
    }

    fn interpolated(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.without_variables(text)),
            Value::Array(values) => Value::Array(values.iter().map(|value| self.interpolated(value)).collect()),
            Value::Table(table) => {
                Value::Table(table.iter().map(|(key, value)| (key.clone(), self.interpolated(value))).collect())
            }
            value => value.clone(),
        }
    }

    fn without_variables(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
        let Some((variable, after)) = rest.split_once('}') else { return text.to_owned() };
        let (name, default) = variable.split_once(":-").map_or((variable, None), |(name, value)| (name, Some(value)));
        let value = self.given(name).or_else(|| default.map(str::to_owned));
        let value = value.unwrap_or_else(|| "text-of-a-variable".to_owned());
        format!("{before}{value}{}", self.without_variables(after))
    }
}
