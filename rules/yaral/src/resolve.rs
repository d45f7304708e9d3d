//! Follows the path of a field through the schema: `$e.principal.ip[0]`, `$e.additional.fields["k"]`, `$g.graph.entity.hostname`,
//! `$d.detection.detection.outcomes["k"]`.
//!
//! The first segment says where a variable reads from: `udm` (may be left out), `graph` for entities, `detection` for the
//! detections of other rules. In JSON a struct has no `fields`, so that word is swallowed.

use watchbell_udm::schema::{Field as SchemaField, FieldType, Many, Message, Schema};

use crate::{
    source::Span,
    syntax::tree::{Field, Index, IndexKind},
    types::Type,
};

/// Where an event variable reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventSource {
    /// Events.
    Udm,
    /// The entity graph.
    Entity,
    /// Detections of other rules.
    Detection,
}

impl EventSource {
    /// What the path of a field says of its variable's source.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        match field.segments.first().map(|first| first.name.text.as_str()) {
            Some("graph") => Self::Entity,
            Some("detection") => Self::Detection,
            _ => Self::Udm,
        }
    }

    /// The message in which paths of this source begin.
    ///
    /// # Panics
    /// Never: a test of the schema reads each of these messages.
    #[must_use]
    pub fn root(self) -> &'static Message {
        let schema = Schema::published();
        match self {
            Self::Udm => schema.udm(),
            Self::Entity => schema.entity(),
            Self::Detection => schema.message("Collection").expect("the table of facts has the message Collection"),
        }
    }
}

/// A path that the schema has.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldPath {
    /// Where its variable reads from.
    pub source: EventSource,
    /// The fields on the way, at least one.
    pub steps: Vec<Step>,
    /// What one value is.
    pub kind: Type,
}

impl FieldPath {
    /// Whether the path stands for several values: it passes a list without picking an item. Lists before a key do not
    /// count: of several, the first that has the key is read.
    #[must_use]
    pub fn repeated(&self) -> bool {
        self.steps
            .iter()
            .rev()
            .take_while(|step| !matches!(step.pick, Pick::Key(_)))
            .any(|step| step.pick == Pick::Each)
    }

    /// Whether a key is read on the way.
    #[must_use]
    pub fn by_key(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.pick, Pick::Key(_)))
    }

    /// Whether an item is picked by number on the way.
    #[must_use]
    pub fn indexed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.pick, Pick::Item(_)))
    }

    /// The path in its one spelling, without the source: `principal.ip`.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step.field.name);
            match &step.pick {
                Pick::One | Pick::Each => {}
                Pick::Item(number) => text.push_str(&format!("[{number}]")),
                Pick::Key(key) => text.push_str(&format!("[{key:?}]")),
            }
        }
        text
    }
}

/// What a point in time is made of; the schema's own table has it as one value.
static TIMESTAMP_PARTS: [SchemaField; 2] =
    [part_of_timestamp("seconds", FieldType::Int64), part_of_timestamp("nanos", FieldType::Int32)];

const fn part_of_timestamp(name: &'static str, kind: FieldType) -> SchemaField {
    SchemaField { name, json_name: name, kind, many: Many::One, oneof: None, deprecated: None }
}

/// One field on the way.
#[derive(Debug, Clone)]
pub struct Step {
    /// The field of the schema.
    pub field: &'static SchemaField,
    /// What is taken of it.
    pub pick: Pick,
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.field, other.field) && self.pick == other.pick
    }
}

/// What is taken of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pick {
    /// Its one value.
    One,
    /// Each item of its list.
    Each,
    /// One item of its list, from 0; the zero value when there are fewer.
    Item(u64),
    /// The value under a key: of a struct, a map, or a list of labels, of which the first with this key counts.
    Key(String),
}

/// A path that the schema does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The part that is wrong.
    pub span: Span,
    /// What is wrong about it.
    pub kind: PathErrorKind,
}

/// Fields that the service computes and the published schema leaves out.
const COMPUTED: [&str; 1] = ["parsed_user_agent"];

impl PathError {
    /// Whether the path has a field that the service computes: it may be asked there, and is never set here.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        matches!(&self.kind, PathErrorKind::NoSuchField { name, .. } if COMPUTED.contains(&name.as_str()))
    }
}

/// What is wrong about a part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathErrorKind {
    /// The message has no such field.
    NoSuchField {
        /// The name that was written.
        name: String,
        /// The path up to it, with the source: `udm.principal`.
        before: String,
        /// The message in which it was looked for.
        message: &'static str,
    },
    /// The value before it has no fields.
    NoFields {
        /// The name that was written.
        name: String,
    },
    /// Only `udm`, `graph` or `detection` stands there.
    NoPath,
    /// A number in brackets after a field that holds no list.
    NotAList,
    /// A key in brackets after a field that has no keys.
    NoKeys,
    /// A number in brackets on the way to a key.
    NumberBeforeKey,
    /// Some lists of the path are indexed and others are not.
    PartlyIndexed,
}

/// Follows a field through the schema.
///
/// # Errors
/// The first part that is wrong.
pub fn resolve(field: &Field) -> Result<FieldPath, PathError> {
    let source = EventSource::of(field);
    let schema = Schema::published();
    let named =
        field.segments.first().is_some_and(|first| matches!(first.name.text.as_str(), "udm" | "graph" | "detection"));
    let mut owner = Some(source.root());
    let mut steps: Vec<Step> = Vec::with_capacity(field.segments.len());
    let mut kind = Type::Any;
    for segment in field.segments.iter().skip(usize::from(named)) {
        let name = segment.name.text.as_str();
        let fail = |span, kind| Err(PathError { span, kind });
        if let Some(last) = steps.last_mut()
            && last.field.kind == FieldType::Struct
            && name == "fields"
            && owner.is_none()
        {
            match &segment.index {
                None | Some(Index { kind: IndexKind::Error, .. }) => {}
                Some(Index { kind: IndexKind::Key(key), .. }) => {
                    last.pick = Pick::Key(key.clone());
                    kind = Type::String;
                }
                Some(index) => return fail(index.span, PathErrorKind::NumberBeforeKey),
            }
            continue;
        }
        if kind == Type::Timestamp
            && let Some(part) = TIMESTAMP_PARTS.iter().find(|part| part.name == name)
        {
            kind = Type::Int;
            steps.push(Step { field: part, pick: Pick::One });
            continue;
        }
        let Some(message) = owner else {
            return fail(segment.name.span, PathErrorKind::NoFields { name: name.to_owned() });
        };
        // Rules spell fields as the definition does; the JSON spelling is none of the language's.
        let Some(found) = message.field(name).filter(|found| found.name == name) else {
            let before = before(source, &steps);
            let kind = PathErrorKind::NoSuchField { name: name.to_owned(), before, message: message.name };
            return fail(segment.name.span, kind);
        };
        kind = Type::of_field(found.kind);
        let pick = match &segment.index {
            None if found.many == Many::List => Pick::Each,
            None => Pick::One,
            Some(Index { kind: IndexKind::Number(number), .. }) if found.many == Many::List => Pick::Item(*number),
            Some(Index { kind: IndexKind::Number(_), span }) => return fail(*span, PathErrorKind::NotAList),
            Some(Index { kind: IndexKind::Key(key), span }) => {
                if found.many == Many::Map {
                    Pick::Key(key.clone())
                } else if is_label(schema, found.kind) || found.kind == FieldType::Struct {
                    kind = Type::String;
                    Pick::Key(key.clone())
                } else {
                    return fail(*span, PathErrorKind::NoKeys);
                }
            }
            Some(Index { kind: IndexKind::Error, .. }) => Pick::One,
        };
        owner = match (kind, &pick) {
            (Type::Message(id), _) => Some(schema.message_of(id)),
            _ => None,
        };
        steps.push(Step { field: found, pick });
    }
    let span = field.segments.last().map_or(field.variable.span, |last| last.name.span);
    if steps.is_empty() {
        return Err(PathError { span, kind: PathErrorKind::NoPath });
    }
    let path = FieldPath { source, steps, kind };
    let key = path.steps.iter().rposition(|step| matches!(step.pick, Pick::Key(_)));
    // After a key a number may follow: `variables["ports"].int64_seq.int64_vals[0]`.
    if key.is_some_and(|key| path.steps[..key].iter().any(|step| matches!(step.pick, Pick::Item(_)))) {
        return Err(PathError { span, kind: PathErrorKind::NumberBeforeKey });
    }
    if path.indexed() && path.repeated() {
        return Err(PathError { span, kind: PathErrorKind::PartlyIndexed });
    }
    Ok(path)
}

/// The path up to a field that is not there, with its source.
fn before(source: EventSource, steps: &[Step]) -> String {
    let mut text = match source {
        EventSource::Udm => "udm",
        EventSource::Entity => "graph",
        EventSource::Detection => "detection",
    }
    .to_owned();
    for step in steps {
        text.push('.');
        text.push_str(step.field.name);
    }
    text
}

/// A pair of key and value, as `metadata.ingestion_labels` lists them.
fn is_label(schema: &Schema, kind: FieldType) -> bool {
    matches!(kind, FieldType::Message(id) if {
        let message = schema.message_of(id);
        message.field("key").is_some() && message.field("value").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::tree::{Name, Segment};

    /// `principal.ip[0]` as a field, places left out.
    fn field(path: &str) -> Field {
        let name = |text: &str| Name { text: text.to_owned(), span: Span::default() };
        let segments = path.split('.').map(|part| {
            let (text, index) = part.split_once('[').map_or((part, None), |(text, rest)| (text, Some(rest)));
            let index = index.map(|rest| rest.trim_end_matches(']')).map(|inside| Index {
                kind: match inside.parse() {
                    Ok(number) => IndexKind::Number(number),
                    Err(_) => IndexKind::Key(inside.trim_matches('"').to_owned()),
                },
                span: Span::default(),
            });
            Segment { name: name(text), index }
        });
        Field { variable: name("e"), segments: segments.collect() }
    }

    fn kind(path: &str) -> (Type, bool) {
        let found = resolve(&field(path)).unwrap();
        (found.kind, found.repeated())
    }

    fn error(path: &str) -> PathErrorKind {
        resolve(&field(path)).unwrap_err().kind
    }

    #[test]
    fn each_source_has_its_paths() {
        assert_eq!(kind("principal.ip"), (Type::String, true));
        assert_eq!(kind("udm.principal.ip[0]"), (Type::String, false));
        assert_eq!(kind("graph.entity.hostname"), (Type::String, false));
        assert_eq!(kind("graph.metadata.interval.end_time.seconds").0, Type::Int);
        assert_eq!(kind("detection.detection.risk_score"), (Type::Float, true));
        assert_eq!(kind("detection.detection.outcomes[\"x\"]"), (Type::String, false));
        assert_eq!(kind("detection.detection.variables[\"x\"].int64_val"), (Type::Int, false));
        assert_eq!(kind("detection.detection.variables[\"x\"].int64_seq.int64_vals"), (Type::Int, true));
        assert_eq!(kind("detection.detection.variables[\"x\"].int64_seq.int64_vals[0]"), (Type::Int, false));
        assert_eq!(kind("detection.collection_elements.references.event.principal.ip"), (Type::String, true));
        assert_eq!(kind("metadata.event_timestamp.seconds"), (Type::Int, false));
    }

    #[test]
    fn keys_read_structs_and_labels_as_text() {
        assert_eq!(kind("additional.fields[\"pod\"]"), (Type::String, false));
        assert_eq!(kind("udm.additional.fields[\"pod\"]"), (Type::String, false));
        assert_eq!(kind("metadata.ingestion_labels[\"k\"]"), (Type::String, false));
        assert_eq!(error("principal.hostname[\"k\"]"), PathErrorKind::NoKeys);
    }

    #[test]
    fn indexes_are_all_or_none_and_of_lists_only() {
        assert_eq!(kind("intermediary[0].ip[0]"), (Type::String, false));
        assert_eq!(error("intermediary.ip[0]"), PathErrorKind::PartlyIndexed);
        assert_eq!(error("principal.hostname[0]"), PathErrorKind::NotAList);
        assert_eq!(error("additional.fields[0]"), PathErrorKind::NumberBeforeKey);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_was_meant() {
        let PathErrorKind::NoSuchField { name, before, message } = error("principal.user.useridd") else { panic!() };
        assert_eq!((name.as_str(), before.as_str(), message), ("useridd", "udm.principal.user", "User"));
        assert_eq!(error("principal.hostname.x"), PathErrorKind::NoFields { name: "x".to_owned() });
        assert_eq!(error("udm"), PathErrorKind::NoPath);
        assert!(matches!(error("metadata.eventType"), PathErrorKind::NoSuchField { .. }));
    }
}
