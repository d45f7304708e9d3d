//! House rules that a machine can check: sizes, openings, names, and what only `main` and tests may do.

use super::{
    File, assert_none, assert_one, program_files, rust_files, sources,
    tokens::{starts_with, tokens, tokens_outside_tests},
};

/// Lines at which a file must be split.
const MAX_LINES: usize = 600;
/// Words that say nothing about what is inside.
const EMPTY_WORDS: [&str; 4] = ["manager", "helper", "util", "common"];

fn long_files(files: &[File]) -> Vec<String> {
    let long = files.iter().map(|file| (file, file.text.lines().count())).filter(|&(_, lines)| lines > MAX_LINES);
    long.map(|(file, lines)| format!("{}: {lines} lines, the limit is {MAX_LINES}", file.path)).collect()
}

fn files_without_opening(files: &[File]) -> Vec<String> {
    let silent = files.iter().filter(|file| !file.text.lines().next().is_some_and(|line| line.starts_with("//! ")));
    silent.map(|file| format!("{}: does not open with `//!`", file.path)).collect()
}

fn unwraps(files: &[File]) -> Vec<String> {
    found_outside_tests(files, |_| true, &[".", "unwrap", "("])
}

fn exits(files: &[File]) -> Vec<String> {
    found_outside_tests(files, |path| path != "src/main.rs", &["process", "::", "exit"])
}

fn found_outside_tests(files: &[File], applies: fn(&str) -> bool, forbidden: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in program_files(files).into_iter().filter(|file| applies(&file.path)) {
        let tokens = tokens_outside_tests(&file.text);
        for (position, token) in tokens.iter().enumerate() {
            if starts_with(&tokens[position..], forbidden) {
                violations.push(format!("{}:{}: `{}` outside of tests", file.path, token.line, forbidden.concat()));
            }
        }
    }
    violations
}

/// Functions whose names the trait of a library gives.
const GIVEN_NAMES: [(&str, &str); 2] = [("src/mcp/handler.rs", "get_info"), ("src/mcp/handler.rs", "get_prompt")];

fn empty_names(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        let parts = file.path.trim_end_matches(".rs").split(['/', '_']);
        if parts.clone().any(|part| EMPTY_WORDS.contains(&part.trim_end_matches('s'))) {
            violations.push(format!("{}: the name does not say what is inside", file.path));
        }
        for pair in tokens(&file.text).windows(2) {
            let name = &pair[1].text;
            let is_type = ["struct", "enum", "trait", "type"].contains(&pair[0].text.as_str());
            let is_empty = is_type && EMPTY_WORDS.iter().any(|word| name.to_lowercase().ends_with(word));
            let is_given = GIVEN_NAMES.contains(&(&file.path, name));
            if is_empty || (pair[0].text == "fn" && name.starts_with("get_") && !is_given) {
                violations.push(format!("{}:{}: `{name}` is no name of this house", file.path, pair[1].line));
            }
        }
    }
    violations
}

#[test]
fn files_stay_short() {
    assert_none(long_files(&rust_files()));
    assert_one(&long_files(&[File::new("src/a.rs", &"\n".repeat(601))]), "src/a.rs: 601 lines");
    assert_none(long_files(&[File::new("src/a.rs", &"\n".repeat(600))]));
}

#[test]
fn files_open_with_what_they_are() {
    assert_none(files_without_opening(&rust_files()));
    assert_one(&files_without_opening(&[File::new("src/a.rs", "use b;\n//! Late.")]), "src/a.rs");
    assert_one(&files_without_opening(&[File::new("src/a.rs", "")]), "src/a.rs");
}

#[test]
fn nothing_is_unwrapped_outside_of_tests() {
    assert_none(unwraps(&sources()));
    let bad = "fn a() { b.unwrap() }\n#[cfg(test)] mod tests { fn c() { d.unwrap() } }";
    assert_one(&unwraps(&[File::new("src/a.rs", bad)]), "src/a.rs:1");
    assert_none(unwraps(&[File::new("sinks/a/tests/conformance.rs", bad), File::new("src/b.rs", "// c.unwrap()")]));
    let parent = File::new("src/report/mod.rs", "#[cfg(test)] mod fixture;");
    assert_none(unwraps(&[parent.clone(), File::new("src/report/fixture.rs", bad)]));
    assert_one(&unwraps(&[parent, File::new("src/report/fixtures.rs", bad)]), "src/report/fixtures.rs:1");
}

#[test]
fn only_main_ends_the_process() {
    assert_none(exits(&sources()));
    let bad = "fn a() { std::process::exit(1) }";
    assert_one(&exits(&[File::new("src/main.rs", bad), File::new("src/cli/mod.rs", bad)]), "src/cli/mod.rs:1");
}

#[test]
fn names_say_what_is_inside() {
    assert_none(empty_names(&rust_files()));
    assert_one(&empty_names(&[File::new("src/utils.rs", "")]), "src/utils.rs");
    assert_one(&empty_names(&[File::new("src/parse/time_helper.rs", "")]), "time_helper");
    assert_one(&empty_names(&[File::new("src/a.rs", "\nstruct SinkManager;")]), "src/a.rs:2: `SinkManager`");
    assert_one(&empty_names(&[File::new("src/a.rs", "fn get_user() {}")]), "`get_user`");
    assert_none(empty_names(&[File::new("src/parse/utility_bill.rs", "fn budget() {} use a::getter;")]));
}
