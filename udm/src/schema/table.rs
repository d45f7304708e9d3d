//! Reads `facts/udm.txt`.
//!
//! The text is part of the program, so a line that can't be read is a defect of the build: every `expect` here is run by
//! the tests of this crate.

use std::collections::HashMap;

use super::{Deprecated, EnumId, EnumValue, Enumeration, Field, FieldType, Many, Message, MessageId, Schema};

pub(super) fn read(text: &'static str) -> Schema {
    let message_ids: HashMap<_, _> = names(text, "M ").enumerate().map(|(at, name)| (name, MessageId(at))).collect();
    let enum_ids: HashMap<_, _> = names(text, "E ").enumerate().map(|(at, name)| (name, EnumId(at))).collect();
    let mut schema = Schema { messages: Vec::new(), enums: Vec::new(), message_ids };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("M ") {
            schema.messages.push(Message { name, fields: Vec::new(), by_name: HashMap::new() });
        } else if let Some(name) = line.strip_prefix("E ") {
            schema.enums.push(Enumeration { name, values: Vec::new() });
        } else if let Some(open) = schema.enums.last_mut() {
            let (name, number) = line.split_once(' ').expect("a value of an enum has a name and a number");
            open.values
                .push(EnumValue { name, number: number.parse().expect("the number of an enum's value is 32 bits") });
        } else {
            let field = field(line, &schema.message_ids, &enum_ids);
            let open = schema.messages.last_mut().expect("a field follows its message");
            open.by_name.insert(field.name, open.fields.len());
            open.by_name.insert(field.json_name, open.fields.len());
            open.fields.push(field);
        }
    }
    schema
}

fn names(text: &'static str, prefix: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter_map(move |line| line.strip_prefix(prefix))
}

fn field(
    line: &'static str,
    messages: &HashMap<&'static str, MessageId>,
    enums: &HashMap<&'static str, EnumId>,
) -> Field {
    let mut words = line.split(' ');
    let label = words.next().expect("a line has a first word");
    let (name, json_name) = label.split_once('=').unwrap_or_else(|| (label, camel_case(label)));
    let (many, kind) = words.next().map(many).expect("a field has a type");
    let mut field =
        Field { name, json_name, kind: kind_of(kind, messages, enums), many, oneof: None, deprecated: None };
    for word in words {
        match word.split_once(':') {
            Some(("oneof", group)) => field.oneof = Some(group),
            Some(("deprecated", instead)) => field.deprecated = Some(Deprecated { instead: Some(instead) }),
            _ => field.deprecated = Some(Deprecated { instead: None }),
        }
    }
    field
}

fn many(word: &'static str) -> (Many, &'static str) {
    if let Some(kind) = word.strip_prefix('*') {
        (Many::List, kind)
    } else if let Some(kind) = word.strip_prefix('%') {
        (Many::Map, kind)
    } else {
        (Many::One, word)
    }
}

fn kind_of(word: &str, messages: &HashMap<&str, MessageId>, enums: &HashMap<&str, EnumId>) -> FieldType {
    match word {
        "string" => FieldType::String,
        "bytes" => FieldType::Bytes,
        "bool" => FieldType::Bool,
        "int32" => FieldType::Int32,
        "int64" => FieldType::Int64,
        "uint32" => FieldType::Uint32,
        "uint64" => FieldType::Uint64,
        "float" => FieldType::Float,
        "double" => FieldType::Double,
        "timestamp" => FieldType::Timestamp,
        "duration" => FieldType::Duration,
        "struct" => FieldType::Struct,
        "value" => FieldType::Value,
        _ => match word.strip_prefix('@') {
            Some(name) => FieldType::Enum(enums[name]),
            None => FieldType::Message(messages[word]),
        },
    }
}

/// protobuf's rule for JSON names. The result lives as long as the program, as the table does.
fn camel_case(name: &'static str) -> &'static str {
    if !name.contains('_') {
        return name;
    }
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        match letter {
            '_' => raise = true,
            _ if raise => {
                camel.push(letter.to_ascii_uppercase());
                raise = false;
            }
            _ => camel.push(letter),
        }
    }
    camel.leak()
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn json_names_follow_the_rule_of_protobuf() {
        assert_eq!(camel_case("nat_ip"), "natIp");
        assert_eq!(camel_case("ip"), "ip");
        assert_eq!(camel_case("event_timestamp_attributes"), "eventTimestampAttributes");
    }
}
