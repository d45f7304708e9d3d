//! How the examples are written: rules from their sections, events from their minute and a few fields.

use serde_json::{Value as Json, json};
use watchbell_yaral::{
    check,
    eval::{CompileError, Dataset, Detection, Event, Program, Run, Settings, Value},
    parse,
    resolve::EventSource,
};

/// A rule of its sections; each text begins with the name of its section, what is missing is left out.
pub(crate) fn rule(sections: &str) -> String {
    format!("rule t {{\nmeta:\n{sections}\n}}")
}

/// A rule ready to run, or why it is none.
pub(crate) fn compile(text: &str) -> Result<Program, CompileError> {
    let parsed = parse(text);
    assert!(parsed.diagnostics.iter().all(|one| !one.is_error()), "{text}\n{:?}", parsed.diagnostics);
    // What is run here is also what the checker takes: the two must not tell different things.
    let refused: Vec<_> = check(&parsed.file).diagnostics.into_iter().filter(|one| one.is_error()).collect();
    assert!(refused.is_empty(), "{text}\n{refused:?}");
    Program::compile(&parsed.file.rules[0])
}

/// Runs the sections of a rule over data.
pub(crate) fn run_with(sections: &str, data: &Dataset, settings: &Settings) -> Run {
    let program = compile(&rule(sections)).unwrap_or_else(|error| panic!("{sections}\n{error}"));
    program.run(data, settings).unwrap_or_else(|error| panic!("{sections}\n{error}"))
}

/// The detections over events.
pub(crate) fn run(sections: &str, events: &[Json]) -> Vec<Detection> {
    run_with(sections, &events_of(events), &Settings::default()).detections
}

/// How many detections there are.
pub(crate) fn count(sections: &str, events: &[Json]) -> usize {
    run(sections, events).len()
}

/// Data of events alone.
pub(crate) fn events_of(events: &[Json]) -> Dataset {
    Dataset { events: Event::read_all(EventSource::Udm, events.to_vec()).unwrap(), ..Dataset::default() }
}

/// An event some seconds after the start of 2024, with these fields.
pub(crate) fn second(seconds: i64, mut fields: Json) -> Json {
    let time = jiff::Timestamp::from_second(1_704_067_200 + seconds).unwrap().to_string();
    if !fields["metadata"].is_object() {
        fields["metadata"] = json!({});
    }
    fields["metadata"]["event_timestamp"] = json!(time);
    if fields["metadata"]["id"].is_null() {
        fields["metadata"]["id"] = json!("AAAA");
    }
    fields
}

/// An event some minutes after the start of 2024.
pub(crate) fn minute(minutes: i64, fields: Json) -> Json {
    second(minutes * 60, fields)
}

/// The text of a match or outcome variable.
pub(crate) fn text(detection: &Detection, name: &str) -> String {
    detection.value(name).unwrap_or_else(|| panic!("no ${name}")).text().into_owned()
}

/// A number.
pub(crate) fn number(detection: &Detection, name: &str) -> f64 {
    detection.value(name).and_then(Value::number).unwrap_or_else(|| panic!("no number ${name}"))
}

/// The sorted texts of a list.
pub(crate) fn list(detection: &Detection, name: &str) -> Vec<String> {
    let Some(Value::List(items)) = detection.value(name) else { panic!("no list ${name}") };
    let mut texts: Vec<_> = items.iter().map(|item| item.text().into_owned()).collect();
    texts.sort();
    texts
}

/// The texts of a variable in all detections, sorted.
pub(crate) fn texts(detections: &[Detection], name: &str) -> Vec<String> {
    let mut texts: Vec<_> = detections.iter().map(|detection| text(detection, name)).collect();
    texts.sort();
    texts
}
