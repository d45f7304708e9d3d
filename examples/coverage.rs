//! How much of real logs is understood: `cargo run --release --example coverage -- DIR_OR_FILE...`.
//!
//! One line per file of JSON lines: its records, how many were parsed, and the share of events that have each field.
//! With `--actions` also the most frequent actions with their classes, and the fields behind each slot.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use watchbell::parse::json::parse_json_lines;
use watchbell::parse::{EventBatch, EventBuilder, FieldTable, NO_TIME, Outcome, ParseOptions};

const BLOCK_BYTES: usize = 4 << 20;
const SHOWN_ACTIONS: usize = 40;

#[derive(Default)]
struct Coverage {
    records: u64,
    events: u64,
    filled: BTreeMap<&'static str, u64>,
    complaints: BTreeMap<String, u64>,
    actions: BTreeMap<String, u64>,
}

fn main() -> anyhow::Result<()> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let with_actions = flags.iter().any(|flag| flag == "--actions");
    println!("| data | records | parsed | time | user | ip | action | class | outcome | resource | complaints |");
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut total = Coverage::default();
    for path in paths {
        for file in files(Path::new(&path))? {
            let coverage = measure(&std::fs::read(&file)?, with_actions);
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            print(&name, &coverage);
            total.add(coverage);
        }
    }
    print("total", &total);
    let mut actions: Vec<_> = total.actions.iter().collect();
    actions.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (action, count) in actions.iter().take(if flags.len() > 1 { usize::MAX } else { SHOWN_ACTIONS }) {
        println!("{count:>8} {action}");
    }
    Ok(())
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json" || extension == "jsonl"));
    files.sort();
    Ok(files)
}

fn measure(bytes: &[u8], with_actions: bool) -> Coverage {
    let mut builder = EventBuilder::new(Arc::new(FieldTable::default()), &ParseOptions::default());
    let mut coverage = Coverage::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let reach = rest.len().min(BLOCK_BYTES);
        let end = match memchr::memrchr(b'\n', &rest[..reach]) {
            Some(at) if reach < rest.len() => at + 1,
            _ => reach,
        };
        let block = rest[..end].to_vec();
        parse_json_lines(&block, 0..block.len(), 0, &mut builder);
        coverage.count(&builder.take(0, 1, block), with_actions);
        rest = &rest[end..];
    }
    if with_actions {
        for field in builder.mapping() {
            println!("{:>12} {:>8} {}", field.slot, field.count, field.path);
        }
    }
    coverage
}

impl Coverage {
    fn count(&mut self, batch: &EventBatch, with_actions: bool) {
        self.records += batch.records;
        self.events += batch.events.len() as u64;
        for complaint in &batch.complaints {
            *self.complaints.entry(format!("{:?}", complaint.reason)).or_default() += 1;
        }
        for event in &batch.events {
            let class = format!("{:?}", event.class);
            let present = [
                ("time", event.time != NO_TIME),
                ("user", event.user.is_present()),
                ("ip", event.source_ip.is_present()),
                ("action", event.action.is_present()),
                ("class", class != "Other"),
                ("outcome", event.outcome != Outcome::Unknown),
                ("resource", event.resource.is_present()),
            ];
            for (name, present) in present {
                *self.filled.entry(name).or_default() += u64::from(present);
            }
            if with_actions {
                *self.actions.entry(format!("{class:<12} {}", batch.text(event.action))).or_default() += 1;
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.events += other.events;
        for (into, from) in [(&mut self.complaints, other.complaints), (&mut self.actions, other.actions)] {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        }
        for (name, count) in other.filled {
            *self.filled.entry(name).or_default() += count;
        }
    }
}

fn print(name: &str, coverage: &Coverage) {
    let share = |count: u64| 100.0 * count as f64 / coverage.events.max(1) as f64;
    let filled = |field| share(coverage.filled.get(field).copied().unwrap_or_default());
    let parsed = 100.0 * coverage.events as f64 / coverage.records.max(1) as f64;
    print!("| {name} | {} | {parsed:.2} %", coverage.records);
    for field in ["time", "user", "ip", "action", "class", "outcome", "resource"] {
        print!(" | {:.0}", filled(field));
    }
    println!(" | {:?} |", coverage.complaints);
}
