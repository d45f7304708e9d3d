//! Any text as rules, and any JSON after a line `---` as their events, entities, detections, lists: no panic, and the limits hold.
//! What comes out can be read again as the input of a composite rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchbell_yaral::{
    eval::{Column, DataTable, Dataset, Event, Limits, ListKind, Program, ReferenceList, Settings},
    parse,
    resolve::EventSource,
};

fuzz_target!(|text: &str| {
    let (rules, records) = text.split_once("\n---\n").unwrap_or((text, ""));
    let records: Vec<serde_json::Value> = records.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let read = |source| -> Vec<Event> {
        let read = |(position, json): (usize, &serde_json::Value)| Event::read(source, json.clone(), position).ok();
        records.iter().enumerate().filter_map(read).collect()
    };
    let mut data = Dataset {
        events: read(EventSource::Udm),
        entities: read(EventSource::Entity),
        detections: read(EventSource::Detection),
        ..Dataset::default()
    };
    let limits = Limits { rows: 10_000, groups: 10_000, steps: 200_000 };
    let settings = Settings { limits, ..Settings::default() };
    for rule in &parse(text).file.rules {
        let _ = Program::compile(rule);
    }
    for rule in &parse(rules).file.rules {
        let Ok(program) = Program::compile(rule) else { continue };
        for name in program.lists() {
            let list = ReferenceList::parse(ListKind::String, "a\n10.0.0.0/8\n");
            let table = DataTable { columns: vec![Column::text("a"), Column::text("b")], rows: vec![vec!["a".to_owned()]] };
            data.lists.insert(name.to_owned(), list);
            data.tables.insert(name.to_owned(), table);
        }
        let Ok(run) = program.run(&data, &settings) else { continue };
        for detection in &run.detections {
            let json = serde_json::to_value(detection).expect("a detection is JSON");
            Event::read(EventSource::Detection, json, 0).expect("a detection is read again");
        }
    }
});
