//! Any text as a file of rules: no panic, places lie in the text, and what parses is formatted to the same tokens and comments, once
//! and for all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchbell_yaral::{
    diagnostic::{FileReport, json, render, sarif},
    format::format,
    parse,
    syntax::lexer::lex,
};

fuzz_target!(|text: &str| {
    let parsed = parse(text);
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end as usize <= text.len());
    }
    let report = FileReport { name: "a.yaral", text, diagnostics: &parsed.diagnostics };
    let shown = render::pretty(report, render::Style::Plain) + &render::short(report);
    assert!(!shown.chars().any(|character| character.is_control() && character != '\n'));
    assert_eq!(json::entries(report).len(), parsed.diagnostics.len());
    assert!(sarif::document(&[report]).is_object());
    if let Ok(once) = format(text) {
        assert_eq!(content(text), content(&once));
        assert_eq!(format(&once).as_ref(), Ok(&once));
    }
});

/// The tokens, and the comments without the blanks at their ends.
fn content(text: &str) -> (Vec<&str>, Vec<String>) {
    let lexed = lex(text);
    let comment = |text: &str| text.replace('\r', "").trim_end().to_owned();
    (lexed.tokens.iter().map(|token| token.span.of(text)).collect(), lexed.comments.iter().map(|span| comment(span.of(text))).collect())
}
