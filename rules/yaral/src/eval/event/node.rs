//! The tree of a record, and how a path is followed through it.
//!
//! Fields are found by the address of their schema entry, which a path has already: no name is compared while a rule runs.

use std::sync::Arc;

use watchbell_udm::schema::Field;

use super::super::value::Value;
use crate::resolve::{Pick, Step};

/// A part of a record.
#[derive(Debug, Clone)]
pub(in super::super) enum Node {
    /// A scalar.
    Value(Value),
    /// A message: the fields that are set.
    Message(Vec<(&'static Field, Node)>),
    /// A list.
    List(Vec<Node>),
    /// A struct or a map.
    Keyed(Vec<(Arc<str>, Node)>),
}

impl Node {
    pub(super) fn text(text: &str) -> Self {
        Self::Value(Value::String(Arc::from(text)))
    }

    /// A part by the names of fields.
    pub(in super::super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.named(name))
    }

    fn named(&self, name: &str) -> Option<&Self> {
        let Self::Message(fields) = self else { return None };
        fields.iter().find(|(field, _)| field.name == name).map(|(_, node)| node)
    }

    fn field(&self, field: &'static Field) -> Option<&Self> {
        let Self::Message(fields) = self else { return None };
        fields.iter().find(|(one, _)| std::ptr::eq(*one, field)).map(|(_, node)| node)
    }

    fn key(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Keyed(entries) => entries.iter().find(|(one, _)| &**one == key).map(|(_, node)| node),
            Self::List(items) => items.iter().find_map(|item| item.key(key)),
            // A label; one without a key has the empty key.
            Self::Message(_) => {
                let own = match self.named("key") {
                    Some(Self::Value(Value::String(own))) => &**own,
                    _ => "",
                };
                (own == key).then(|| self.named("value"))?
            }
            Self::Value(_) => None,
        }
    }

    fn value(&self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            // A typed variable of a detection, read without the suffix that says its type.
            Self::Message(fields) => fields
                .iter()
                .find(|(field, _)| field.oneof == Some("typed_value"))
                .and_then(|(_, node)| node.value())
                .map(|value| Value::String(Arc::from(value.text()))),
            Self::List(_) | Self::Keyed(_) => None,
        }
    }

    /// Seconds and nanoseconds are parts of a point in time, which the tree has as one value.
    fn part_of_time(&self, step: &Step) -> Option<Value> {
        let Self::Value(Value::Timestamp(seconds, nanos)) = self else { return None };
        Some(Value::Int(if step.field.name == "nanos" { i64::from(*nanos) } else { *seconds }))
    }

    /// The part to which steps without lists lead.
    fn follow(&self, step: &Step) -> Option<&Self> {
        let node = self.field(step.field)?;
        match &step.pick {
            Pick::One | Pick::Each => Some(node),
            Pick::Item(number) => match node {
                Self::List(items) => items.get(usize::try_from(*number).ok()?),
                _ => None,
            },
            Pick::Key(key) => node.key(key),
        }
    }

    /// The list to which a path leads whose last step stands for each of its items; empty when there is none.
    pub(in super::super) fn items(&self, steps: &[Step]) -> &[Self] {
        let Some((step, rest)) = steps.split_first() else {
            return match self {
                Self::List(items) => items,
                _ => &[],
            };
        };
        match self.follow(step) {
            // Lists before a key are searched for the first that has it.
            Some(Self::List(items)) if step.pick == Pick::Each && !rest.is_empty() => {
                items.iter().map(|item| item.items(rest)).find(|found| !found.is_empty()).unwrap_or_default()
            }
            Some(node) => node.items(rest),
            None => &[],
        }
    }
}

/// The one value at the end of a path; of several, the first that is set. `None` when it is unset.
pub(in super::super) fn first(node: &Node, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return node.value() };
    if let Some(part) = node.part_of_time(step) {
        return Some(part);
    }
    match (node.follow(step)?, &step.pick) {
        (Node::List(items), Pick::Each) => items.iter().find_map(|item| first(item, rest)),
        (found, _) => first(found, rest),
    }
}

/// All values at the end of a path, in the order of the record. An item without the value counts with the zero value; a list
/// without items does not count.
pub(in super::super) fn each(node: &Node, steps: &[Step], zero: &Value, found: &mut Vec<Value>) {
    let Some(step) = steps.first() else {
        found.push(node.value().unwrap_or_else(|| zero.clone()));
        return;
    };
    if steps.iter().all(|step| step.pick != Pick::Each) || steps.iter().any(|step| matches!(step.pick, Pick::Key(_))) {
        let last_key = steps.iter().rposition(|step| matches!(step.pick, Pick::Key(_)));
        let many =
            last_key.and_then(|at| steps[at..].iter().position(|step| step.pick == Pick::Each).map(|more| at + more));
        match many {
            None => found.push(first(node, steps).unwrap_or_else(|| zero.clone())),
            Some(at) => node.items(&steps[..=at]).iter().for_each(|item| each(item, &steps[at + 1..], zero, found)),
        }
        return;
    }
    match (node.follow(step), &step.pick) {
        (Some(Node::List(items)), Pick::Each) => items.iter().for_each(|item| each(item, &steps[1..], zero, found)),
        (Some(next), Pick::One) => each(next, &steps[1..], zero, found),
        // Somewhere further there is a list, and it is empty.
        _ => {}
    }
}
