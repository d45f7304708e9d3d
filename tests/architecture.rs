//! The invariants of ARCHITECTURE.md and the house rules that a machine can check.
//!
//! A checker takes files and gives violations, so each has two tests: on this repository it must find nothing, and on a
//! bad sample it must find what is bad.

mod floors;
mod house;
mod pure;
mod sinks;
mod tokens;
mod traces;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file of the repository, or of a sample.
#[derive(Debug, Clone)]
struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is compiled for tests only.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches")
    }
}

/// The files without those that are compiled for tests only.
fn program_files(files: &[File]) -> Vec<&File> {
    let mut test_paths = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let stem = file.path.trim_end_matches(".rs");
        let folder = ["/mod", "/lib", "/main"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
        test_paths.extend(tokens::test_modules(&file.text).into_iter().map(|name| format!("{folder}/{name}")));
    }
    let is_test_module = |file: &File| {
        let inside = |path: &String| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '/']));
        test_paths.iter().any(inside)
    };
    files.iter().filter(|file| !file.is_test() && !is_test_module(file)).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text files below these folders, in the order of their paths; a folder that does not exist has none.
fn files_below(folders: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    for folder in folders {
        for entry in walkdir::WalkDir::new(root().join(folder)).sort_by_file_name().into_iter().flatten() {
            if entry.file_type().is_file() && !entry.path().components().any(|part| part.as_os_str() == "target") {
                files.extend(read(entry.path()));
            }
        }
    }
    files
}

fn read(path: &Path) -> Option<File> {
    let text = fs::read_to_string(path).ok()?;
    let relative = path.strip_prefix(root()).expect("only files of the repository are read");
    Some(File { path: relative.to_string_lossy().replace('\\', "/"), text })
}

/// The Rust files that make up the programs: the root package and the sinks.
fn sources() -> Vec<File> {
    files_below(&["src", "sinks", "udm"]).into_iter().filter(File::is_rust).collect()
}

/// All Rust files.
fn rust_files() -> Vec<File> {
    files_below(&["src", "sinks", "udm", "tests", "examples", "benches", "fuzz"])
        .into_iter()
        .filter(File::is_rust)
        .collect()
}

#[track_caller]
fn assert_none(violations: Vec<String>) {
    assert!(violations.is_empty(), "{} violation(s):\n{}", violations.len(), violations.join("\n"));
}

/// Asserts that a checker finds exactly one thing in a bad sample, and that it says this.
#[track_caller]
fn assert_one(violations: &[String], expected: &str) {
    let [violation] = violations else { panic!("expected one violation, found {violations:#?}") };
    assert!(violation.contains(expected), "expected `{expected}` in `{violation}`");
}
