//! Any text as a file of rules: the checker does not panic, every place lies in the text, and a rule without an error compiles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchbell_yaral::{
    check,
    eval::{CompileError, Program},
    parse,
};

fuzz_target!(|text: &str| {
    let parsed = parse(text);
    let checked = check(&parsed.file);
    assert_eq!(checked.facts.len(), parsed.file.rules.len());
    for diagnostic in &checked.diagnostics {
        assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end as usize <= text.len());
    }
    let faults = parsed.diagnostics.iter().chain(&checked.diagnostics);
    if faults.into_iter().any(|diagnostic| diagnostic.is_error()) {
        return;
    }
    for rule in &parsed.file.rules {
        if let Err(CompileError::Unsound { problem, .. }) = Program::compile(rule) {
            panic!("checked without an error, and can't be run: {problem}");
        }
    }
});
