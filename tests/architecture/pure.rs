//! Invariant 2: `features`, `score` and `classify` are functions of what comes in.

use super::{
    File, assert_none, assert_one, files_below, program_files,
    tokens::{starts_with, tokens_outside_tests},
};

/// The floors that must be pure, and the crates.
const PURE: [&str; 6] =
    ["src/features", "src/score", "src/classify", "sinks/schemas/src", "udm/src", "rules/yaral/src"];

/// What they must not name, and what that would bring in.
const FORBIDDEN: [(&[&str], &str); 16] = [
    (&["async"], "async"),
    (&["std", "::", "fs"], "files"),
    (&["File", "::"], "files"),
    (&["std", "::", "net"], "sockets"),
    (&["std", "::", "env"], "the environment"),
    (&["std", "::", "process"], "processes"),
    (&["tokio"], "async"),
    (&["reqwest"], "sockets"),
    (&["SystemTime"], "a clock"),
    (&["Instant"], "a clock"),
    (&["Timestamp", "::", "now"], "a clock"),
    (&["Zoned", "::", "now"], "a clock"),
    (&["RandomState"], "randomness without a seed"),
    (&["rand"], "randomness without a seed"),
    (&["fastrand"], "randomness without a seed"),
    (&["getrandom"], "randomness without a seed"),
];

fn impurities(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in program_files(files).into_iter().filter(|file| file.is_rust()) {
        let tokens = tokens_outside_tests(&file.text);
        for (position, token) in tokens.iter().enumerate() {
            for (forbidden, what) in FORBIDDEN {
                if starts_with(&tokens[position..], forbidden) {
                    violations.push(format!("{}:{}: `{}` brings in {what}", file.path, token.line, forbidden.concat()));
                }
            }
        }
    }
    violations
}

#[test]
fn the_middle_is_pure() {
    assert_none(impurities(&files_below(&PURE)));
}

#[test]
fn every_impurity_is_found() {
    for (forbidden, what) in FORBIDDEN {
        let text = format!("//! Words.\nfn f() {{ {} }}", forbidden.join(" "));
        let found = impurities(&[File::new("src/score/mod.rs", &text)]);
        assert_one(&found, &format!("src/score/mod.rs:2: `{}` brings in {what}", forbidden.concat()));
    }
    let in_tests = File::new("src/score/mod.rs", "//! Files, async.\n#[cfg(test)] mod tests { use std::fs; }");
    assert_none(impurities(&[in_tests]));
}
