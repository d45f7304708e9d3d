//! Invariant 4: every folder in `sinks/` but the contract and the schemas is a complete sink.

use super::{File, assert_none, assert_one, files_below};

/// Folders that are no sinks.
const NO_SINKS: [&str; 2] = ["sdk", "schemas"];

fn incomplete_sinks(files: &[File]) -> Vec<String> {
    let mut names: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("sinks/")?.split_once('/'))
        .map(|(name, _)| name)
        .collect();
    names.dedup();
    names.retain(|name| !NO_SINKS.contains(name));
    names.iter().flat_map(|name| lacks_of(name, files)).collect()
}

fn lacks_of(name: &str, files: &[File]) -> Vec<String> {
    let folder = format!("sinks/{name}/");
    let own = || files.iter().filter(|file| file.path.starts_with(&folder));
    let has = |path: &str| own().any(|file| file.path[folder.len()..] == *path && !file.text.trim().is_empty());
    let has_example =
        own().any(|file| file.path[folder.len()..].starts_with("src/") && file.text.contains("const EXAMPLE"));
    let manifest = files.iter().find(|file| file.path == "Cargo.toml");
    let is_registered = manifest.is_some_and(|file| file.text.contains(&format!("path = \"sinks/{name}\"")));
    let needs = [
        (has("README.md"), "README.md"),
        (has("tests/conformance.rs"), "tests/conformance.rs"),
        (has_example, "an example (`const EXAMPLE`)"),
        (is_registered, "its line in the root Cargo.toml"),
    ];
    needs.iter().filter(|(is_there, _)| !is_there).map(|(_, what)| format!("sinks/{name} lacks {what}")).collect()
}

#[test]
fn every_sink_is_complete() {
    assert_none(incomplete_sinks(&files_below(&["Cargo.toml", "sinks"])));
}

#[test]
fn whatever_a_sink_lacks_is_found() {
    let complete = [
        File::new("Cargo.toml", "watchbell-bell = { path = \"sinks/bell\" }"),
        File::new("sinks/bell/README.md", "The bell."),
        File::new("sinks/bell/src/lib.rs", "impl SinkConfig for Config { const EXAMPLE: &str = \"\"; }"),
        File::new("sinks/bell/tests/conformance.rs", "watchbell_sink::conformance!();"),
        File::new("sinks/sdk/src/lib.rs", ""),
    ];
    assert_none(incomplete_sinks(&complete));
    for (position, lack) in
        ["root Cargo.toml", "README.md", "an example", "tests/conformance.rs"].into_iter().enumerate()
    {
        let mut files = complete.to_vec();
        files.remove(position);
        assert_one(&incomplete_sinks(&files), lack);
    }
}
