//! The page of functions is the catalogue, written out: `UPDATE=1 cargo test -p watchbell-yaral --test functions` renews it.

use std::fs;

use watchbell_yaral::functions::{FUNCTIONS, Function, FunctionKind, Place, metrics::METRIC_FUNCTIONS};

const OPENING: &str = "# Functions

Every function of YARA-L 2.0 that Watchbell knows. A test writes this page from the catalogue: change that, then run
`UPDATE=1 cargo test -p watchbell-yaral --test functions`.

Arguments in brackets may be left out; `..` means that the last one may come again and again.
";

const CHAPTERS: [(FunctionKind, &str, &str); 4] = [
    (FunctionKind::Scalar, "Values", "From values to a value, in `events` and `outcome`."),
    (FunctionKind::Aggregate, "Aggregates", "Over the rows of a detection, in `outcome`."),
    (
        FunctionKind::Metric,
        "Metrics",
        "In `outcome`, with named arguments: `period`, `window`, `metric`, `agg`, perhaps `filter`, and fields. The service computes
them from months of data; here they are checked only. A metric gives numbers about:",
    ),
    (FunctionKind::SearchOnly, "Searches", "Searches have them, rules do not."),
];

fn page() -> String {
    let mut text = OPENING.to_owned();
    for (kind, title, about) in CHAPTERS {
        text.push_str(&format!("\n## {title}\n\n{about}\n\n| function | result | |\n|---|---|---|\n"));
        for function in FUNCTIONS.iter().chain(&METRIC_FUNCTIONS).filter(|function| function.kind == kind) {
            text.push_str(&format!("| `{}` | {} | {} |\n", function.signature(), function.summary, notes(function)));
        }
    }
    text
}

fn notes(function: &Function) -> String {
    let mut notes = Vec::new();
    if function.place == Place::Condition {
        notes.push("only in `condition`".to_owned());
    }
    match function.offline() {
        _ if !function.documented => notes.push("not documented by Google, so not computed here".to_owned()),
        Err(reason) if function.kind == FunctionKind::Aggregate => notes.push(format!("not computed here: {reason}")),
        _ => {}
    }
    notes.join("; ")
}

#[test]
fn is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/FUNCTIONS.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "FUNCTIONS.md is not what the catalogue says; run this test with UPDATE=1");
}
