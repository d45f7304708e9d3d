//! Detections: what a rule found, in the form of the data model's `Collection`, so that composite rules can read it again.

use std::{collections::HashMap, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::{
    event::{Nanos, SECOND},
    group::Found,
    program::{Program, Source},
    scope::Run,
    value::Value,
};
use crate::resolve::EventSource;

/// A detection shows at most so many records of each variable.
const SAMPLES: usize = 10;

/// What a rule found.
#[derive(Debug, Clone)]
pub struct Detection {
    /// `de_` and a hash of rule, match variables, window, and without a window of the records: the same data gives the same id.
    /// Equal ones are told apart by their position among each other.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// When the window begins; without one, when the first event happened.
    pub start: jiff::Timestamp,
    /// When the window ends; without one, when the last event happened.
    pub end: jiff::Timestamp,
    /// The match variables.
    pub keys: Vec<(String, Value)>,
    /// The outcome variables.
    pub outcomes: Vec<(String, Value)>,
    /// `$risk_score`, or 40 for a rule that alerts and 15 for one that does not.
    pub risk_score: f64,
    /// Whether the rule alerts.
    pub alerting: bool,
    /// What each event variable stands for.
    pub variables: Vec<Matched>,
    meta: Vec<(String, String)>,
}

/// The records behind a variable.
#[derive(Debug, Clone)]
pub struct Matched {
    /// The variable, without its sign.
    pub name: String,
    /// Where it reads from.
    pub source: EventSource,
    /// All records, as places in the list of the data set, ascending. Of an entity that `setup` changed or added the place
    /// may be past the end.
    pub records: Vec<usize>,
    /// At most ten of the records.
    pub samples: Vec<Arc<Json>>,
}

impl Detection {
    /// When it was detected: at the end of its window, or when the event happened.
    #[must_use]
    pub const fn detection_time(&self) -> jiff::Timestamp {
        self.end
    }

    /// The value of a match or outcome variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.keys.iter().chain(&self.outcomes).find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The records behind an event variable.
    #[must_use]
    pub fn matched(&self, name: &str) -> Option<&Matched> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// It as a `Collection` in canonical JSON.
    #[must_use]
    pub fn collection(&self) -> Json {
        let there = self.variables.iter().filter(|variable| !variable.records.is_empty());
        let elements = there.map(|variable| {
            let reference = |sample: &Arc<Json>| match variable.source {
                EventSource::Udm => json!({"event": **sample}),
                EventSource::Entity => json!({"entity": **sample}),
                // The model has no place for a detection below a detection but its id.
                EventSource::Detection => json!({"id": {"stringId": sample.get("id").cloned().unwrap_or_default()}}),
            };
            json!({
                "label": variable.name,
                "references": variable.samples.iter().map(reference).collect::<Vec<_>>(),
                "referencesSampled": variable.records.len() > variable.samples.len(),
            })
        });
        json!({
            "id": self.id,
            "type": "RULE_DETECTION",
            "detectionTime": self.detection_time().to_string(),
            "timeWindow": {"startTime": self.start.to_string(), "endTime": self.end.to_string()},
            "collectionElements": elements.collect::<Vec<_>>(),
            "detection": [self.result()],
        })
    }

    fn result(&self) -> Json {
        let pairs = |values: &[(String, Value)]| -> Json {
            values.iter().map(|(key, value)| json!({"key": key, "value": plain(value)})).collect()
        };
        let labels: Json = self.meta.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        let typed = |kind| move |(name, value): &(String, Value)| (name.clone(), variable(kind, value));
        let variables: Map<String, Json> =
            self.keys.iter().map(typed("MATCH")).chain(self.outcomes.iter().map(typed("OUTCOME"))).collect();
        let mut result = json!({
            "ruleName": self.rule,
            "ruleLabels": labels,
            "alertState": if self.alerting { "ALERTING" } else { "NOT_ALERTING" },
            "riskScore": self.risk_score,
            "detectionFields": pairs(&self.keys),
            "outcomes": pairs(&self.outcomes),
            "variables": variables,
        });
        let meta = |key: &str| self.meta.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        if let Some(description) = meta("description") {
            result["description"] = json!(description);
        }
        if let Some(name) = self.value("name_override") {
            result["displayName"] = json!(name.text());
        }
        result
    }
}

impl Serialize for Detection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.collection().serialize(serializer)
    }
}

/// A value as the text of an outcome: lists joined by commas.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.text().into_owned(),
    }
}

/// A value as a typed variable of the data model.
fn variable(kind: &str, value: &Value) -> Json {
    let (field, typed) = match value {
        Value::Bool(truth) => ("boolVal", json!(truth)),
        Value::Int(number) => ("int64Val", json!(number.to_string())),
        Value::Uint(number) => ("uint64Val", json!(number.to_string())),
        Value::Float(number) => ("doubleVal", float(*number)),
        Value::Timestamp(..) => ("timestampTime", json!(value.text())),
        Value::List(items) => match items.first() {
            Some(Value::Int(_) | Value::Uint(_)) => (
                "int64Seq",
                json!({"int64Vals": items.iter().map(|item| item.text().into_owned()).collect::<Vec<_>>()}),
            ),
            Some(Value::Float(_)) => {
                let numbers = items.iter().filter_map(Value::number).map(float);
                ("doubleSeq", json!({"doubleVals": numbers.collect::<Vec<_>>()}))
            }
            Some(Value::Bool(_)) => ("boolSeq", json!({"boolVals": &**items})),
            _ => ("stringSeq", json!({"stringVals": items.iter().map(plain).collect::<Vec<_>>()})),
        },
        Value::String(_) | Value::Bytes(_) | Value::Enum(..) => ("stringVal", json!(plain(value))),
    };
    json!({"type": kind, "value": plain(value), field: typed})
}

/// JSON has no numbers without a value; the mapping of the data model writes them as text.
fn float(number: f64) -> Json {
    if number.is_finite() {
        json!(number)
    } else if number.is_nan() {
        json!("NaN")
    } else {
        json!(if number > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

/// Makes the detections of a rule, in the order of time; those that suppression drops are counted.
pub(super) fn detections(run: &Run<'_>, found: Vec<Found>) -> (Vec<Detection>, usize) {
    let mut detections: Vec<_> = found.into_iter().map(|one| detection(run, one)).collect();
    // Of one time they stay in the order of window and match variables.
    detections.sort_by_key(|one| one.end);
    tell_apart(&mut detections);
    let before = detections.len();
    suppress(run.program, &mut detections);
    let dropped = before - detections.len();
    (detections, dropped)
}

fn detection(run: &Run<'_>, found: Found) -> Detection {
    let program = run.program;
    let named = |names: Vec<&str>, values: Vec<Value>| names.into_iter().map(str::to_owned).zip(values).collect();
    let mut variables = Vec::new();
    for (at, variable) in program.variables.iter().enumerate() {
        let Source::Records(source) = variable.source else { continue };
        let own = found.records.iter().filter(|(variable, _)| *variable as usize == at);
        let records: Vec<_> = own.map(|(_, record)| *record as usize).collect();
        let samples = records.iter().take(SAMPLES).filter_map(|&record| run.records[at].get(record));
        variables.push(Matched {
            name: variable.name.clone(),
            source,
            samples: samples.map(|event| Arc::clone(event.json())).collect(),
            records,
        });
    }
    let id = id(run, &found);
    let keys = program.keys.iter().map(|&key| program.placeholders[key].name.as_str()).collect();
    let outcomes: Vec<(String, Value)> =
        named(program.outcomes.iter().map(|outcome| outcome.name.as_str()).collect(), found.outcomes);
    let risk_score = outcomes.iter().find(|(name, _)| name == "risk_score").and_then(|(_, value)| value.number());
    Detection {
        id,
        rule: program.name.clone(),
        start: timestamp(found.stretch.start),
        end: timestamp(found.stretch.end),
        keys: named(keys, found.keys),
        outcomes,
        risk_score: risk_score.unwrap_or(if run.settings.alerting { 40.0 } else { 15.0 }),
        alerting: run.settings.alerting,
        variables,
        meta: program.meta.clone(),
    }
}

/// Windows may reach beyond the times that can be written; they are cut there.
fn timestamp(time: Nanos) -> jiff::Timestamp {
    let least = jiff::Timestamp::MIN;
    let cut = time.clamp(least.as_nanosecond(), jiff::Timestamp::MAX.as_nanosecond());
    jiff::Timestamp::from_nanosecond(cut).unwrap_or(least)
}

/// Gives the second and further ones of equal detections (one event that stands in the data twice) ids of their own, by their
/// position among equals: they are equal, so the order of the data does not matter.
fn tell_apart(detections: &mut [Detection]) {
    let mut seen: HashMap<String, u64> = HashMap::new();
    for detection in detections {
        let earlier = seen.entry(detection.id.clone()).or_default();
        if *earlier > 0 {
            let mut hash = Sha256::new();
            add_to(&mut hash, &detection.id);
            add_to(&mut hash, &earlier.to_string());
            detection.id = id_of(hash);
        }
        *earlier += 1;
    }
}

fn add_to(hash: &mut Sha256, text: &str) {
    // The length keeps two texts from reading as one.
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

fn id_of(hash: Sha256) -> String {
    let digest = hash.finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("de_{hex}")
}

fn id(run: &Run<'_>, found: &Found) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| add_to(&mut hash, text);
    add(&run.program.name);
    found.keys.iter().for_each(|key| add(&key.text()));
    add(&found.stretch.start.to_string());
    add(&found.stretch.end.to_string());
    if run.program.window.is_none() {
        for (variable, record) in &found.records {
            let event = run.records[*variable as usize].get(*record as usize);
            // The content, so that the order of the data does not matter.
            add(&event.map(|event| event.json().to_string()).unwrap_or_default());
        }
    }
    id_of(hash)
}

/// Drops detections that follow one with the same key within the window, which begins with the first.
fn suppress(program: &Program, detections: &mut Vec<Detection>) {
    if program.suppression == 0 {
        return;
    }
    let window = Nanos::from(program.suppression) * SECOND;
    let mut until: HashMap<Vec<String>, Nanos> = HashMap::new();
    detections.retain(|detection| {
        let key: Vec<String> = if program.window.is_some() {
            detection.keys.iter().map(|(_, value)| plain(value)).collect()
        } else {
            detection.value("suppression_key").map(plain).into_iter().collect()
        };
        let time = detection.end.as_nanosecond();
        let suppressed = until.get(&key).is_some_and(|&until| time < until);
        if !suppressed {
            until.insert(key, time + window);
        }
        !suppressed
    });
}
