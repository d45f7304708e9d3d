//! A rule run over records that were read as JSON, and its detections as values that can be shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use watchbell_yaral::{
    eval::{DataTable, Dataset, Detection as Found, Event, ListKind, Program, ReferenceList, Settings, Value},
    resolve::EventSource,
    syntax::tree::{Expr, ExprKind, ListForm, Rule},
};

/// What a rule is to be run over.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Events.
    pub events: Vec<Json>,
    /// The entity graph.
    pub entities: Vec<Json>,
    /// Detections of other rules.
    pub detections: Vec<Json>,
    /// Texts of reference lists by name.
    pub lists: BTreeMap<String, String>,
    /// Data tables by name, as CSV with a line of columns: `name`, or `name:kind` with string, regex, cidr,
    /// number.
    pub tables: BTreeMap<String, String>,
    /// What `timestamp.now()` gives; without it, the time of the last event.
    pub now: Option<Timestamp>,
}

/// The same, read.
#[derive(Debug)]
pub struct Prepared {
    data: Dataset,
    settings: Settings,
}

/// A detection, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// When, RFC 3339.
    pub time: String,
    /// The window in which it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
    /// The risk score.
    pub risk_score: f64,
    /// The match variables.
    #[serde(rename = "match", with = "pairs")]
    pub matches: Vec<(String, Json)>,
    /// The outcome variables.
    #[serde(with = "pairs")]
    pub outcomes: Vec<(String, Json)>,
    /// The records behind it, by variable.
    #[serde(skip)]
    pub references: Vec<Reference>,
    /// The detection as other rules read it: a `Collection` of the data model.
    #[serde(skip)]
    pub collection: Json,
}

/// From when to when, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its first moment.
    pub start: String,
    /// Its end.
    pub end: String,
}

/// A record behind a detection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The variable that it stands for.
    pub variable: String,
    /// What it is.
    pub kind: RecordKind,
    /// Its position among those of its kind.
    pub position: usize,
}

/// What kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// An event.
    Event,
    /// Something of the entity graph.
    Entity,
    /// A detection of another rule.
    Detection,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// The detections.
    pub detections: Vec<Detection>,
    /// What went wrong with single rows.
    pub problems: Vec<String>,
}

impl Prepared {
    /// Reads the records and lists, as the rule needs them.
    ///
    /// # Errors
    /// The first record that does not fit the schema, or table that is none.
    pub fn of(inputs: Inputs, rule: &Rule) -> Result<Self, String> {
        let read = |source, records| Event::read_all(source, records).map_err(|error| error.to_string());
        let lists = inputs.lists.into_iter().map(|(name, text)| {
            let list = ReferenceList::parse(kind_of(rule, &name), &text);
            (name, list)
        });
        let tables = inputs.tables.into_iter().map(|(name, text)| {
            let told = |error| format!("%{}: {error}", name.escape_debug());
            DataTable::from_csv(&text).map_err(told).map(|table| (name.clone(), table))
        });
        let now = inputs.now.or_else(|| inputs.events.iter().filter_map(time_of).max());
        let data = Dataset {
            lists: lists.collect(),
            tables: tables.collect::<Result<_, String>>()?,
            events: read(EventSource::Udm, inputs.events)?,
            entities: read(EventSource::Entity, inputs.entities)?,
            detections: read(EventSource::Detection, inputs.detections)?,
        };
        let settings = Settings { now: now.unwrap_or_default(), ..Settings::default() };
        Ok(Self { data, settings })
    }

    /// Whether there is no record at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.events.is_empty() && self.data.entities.is_empty() && self.data.detections.is_empty()
    }
}

/// What is wrong with a record, and where in it; `None` when it fits the schema.
#[must_use]
pub fn fault(kind: RecordKind, record: &Json) -> Option<String> {
    let source = match kind {
        RecordKind::Event => EventSource::Udm,
        RecordKind::Entity => EventSource::Entity,
        RecordKind::Detection => EventSource::Detection,
    };
    let error = Event::read(source, record.clone(), 0).err()?;
    Some(format!("at `{}`: {}", error.pointer, error.problem))
}

fn time_of(event: &Json) -> Option<Timestamp> {
    let event = event.get("udm").unwrap_or(event);
    event.pointer("/metadata/event_timestamp")?.as_str()?.parse().ok()
}

/// What the lines of a list are, by how the rule asks for it.
fn kind_of(rule: &Rule, list: &str) -> ListKind {
    let mut form = ListForm::Plain;
    let statements = rule.events.iter().flat_map(|section| &section.body);
    let outcomes = rule.outcome.iter().flat_map(|section| &section.body).map(|outcome| &outcome.value);
    for expr in statements.chain(outcomes) {
        each_lookup(expr, &mut |name, asked| {
            if name == list {
                form = asked;
            }
        });
    }
    match form {
        ListForm::Plain => ListKind::String,
        ListForm::Regex => ListKind::Regex,
        ListForm::Cidr => ListKind::Cidr,
    }
}

/// The parser bounds the depth.
fn each_lookup(expr: &Expr, found: &mut impl FnMut(&str, ListForm)) {
    match &expr.kind {
        ExprKind::In(lookup) => found(&lookup.list.name.text, lookup.form),
        ExprKind::Not(inner) | ExprKind::Group(inner) => each_lookup(inner, found),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|part| each_lookup(part, found)),
        ExprKind::Call(call) => call.arguments.iter().for_each(|argument| each_lookup(&argument.value, found)),
        ExprKind::If(branches) => {
            each_lookup(&branches.condition, found);
            each_lookup(&branches.then, found);
            branches.otherwise.iter().for_each(|otherwise| each_lookup(otherwise, found));
        }
        ExprKind::Arithmetic(_, left, right) => [left, right].into_iter().for_each(|side| each_lookup(side, found)),
        _ => {}
    }
}

/// Runs a rule.
///
/// # Errors
/// When it can't be run here, or needs more than a run may.
pub fn run(rule: &Rule, inputs: &Prepared) -> Result<Ran, String> {
    let program = Program::compile(rule).map_err(|error| error.to_string())?;
    let ran = program.run(&inputs.data, &inputs.settings).map_err(|error| error.to_string())?;
    let windowed = rule.matching.is_some();
    let detections = ran.detections.iter().map(|found| shown(found, windowed)).collect();
    Ok(Ran { detections, problems: ran.notes })
}

fn shown(found: &Found, windowed: bool) -> Detection {
    let pairs = |values: &[(String, Value)]| values.iter().map(|(name, value)| (name.clone(), json(value))).collect();
    let references = found.variables.iter().flat_map(|variable| {
        let kind = match variable.source {
            EventSource::Udm => RecordKind::Event,
            EventSource::Entity => RecordKind::Entity,
            EventSource::Detection => RecordKind::Detection,
        };
        variable.records.iter().map(move |&position| Reference { variable: variable.name.clone(), kind, position })
    });
    let window = windowed.then(|| Span { start: found.start.to_string(), end: found.end.to_string() });
    Detection {
        time: found.detection_time().to_string(),
        window,
        risk_score: found.risk_score,
        matches: pairs(&found.keys),
        outcomes: pairs(&found.outcomes),
        references: references.collect(),
        collection: found.collection(),
    }
}

/// A value as JSON has it; enums and times are texts.
fn json(value: &Value) -> Json {
    match value {
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        // JSON has no infinity; the text says it.
        Value::Float(number) => {
            serde_json::Number::from_f64(*number).map_or_else(|| Json::from(number.to_string()), Json::Number)
        }
        Value::List(items) => items.iter().map(json).collect(),
        other => Json::from(other.text()),
    }
}

mod pairs {
    //! Pairs as an object, in their order.

    use serde::{Serializer, ser::SerializeMap};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(pairs: &[(String, Value)], serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(pairs.len()))?;
        pairs.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}
