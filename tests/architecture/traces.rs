//! The repository holds no trace of the machine that it was written on, and takes its dependencies from crates.io.

use std::process::Command;

use super::{File, assert_none, assert_one, files_below, read, root};

/// Where Cargo.lock may say that a package comes from.
const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The files that git knows; where there is no git, all that a package has.
fn tracked_files() -> Vec<File> {
    let listing = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output();
    match listing {
        Ok(output) if output.status.success() && !output.stdout.is_empty() => {
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            names.split_terminator('\0').filter_map(|name| read(&root().join(name))).collect()
        }
        _ => files_below(&[
            "src",
            "sinks",
            "udm",
            "tests",
            "examples",
            "docs",
            ".ci",
            "README.md",
            "Cargo.toml",
            "Cargo.lock",
        ]),
    }
}

/// Texts that only a developer's own machine would bring: `home` is the developer's, `root` the clone's.
fn traces(files: &[File], home: Option<&str>, root: &str) -> Vec<String> {
    let mut needles = vec![
        root.to_owned(),
        concat!("/.cargo/", "registry").to_owned(),
        concat!("/.rustup/", "toolchains").to_owned(),
    ];
    if let Some(home) = home.filter(|home| home.len() > 1) {
        needles.extend([".cargo", ".cache", ".config", ".ssh", ".local"].map(|folder| format!("{home}/{folder}")));
    }
    let mut violations = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if let Some(needle) = needles.iter().find(|needle| line.contains(needle.as_str())) {
                violations.push(format!("{}:{}: names `{needle}`", file.path, number + 1));
            }
        }
    }
    violations
}

fn foreign_packages(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("Cargo.lock")) {
        for (number, line) in file.text.lines().enumerate() {
            if line.starts_with("source = ") && line != format!("source = \"{INDEX}\"") {
                violations.push(format!("{}:{}: {line}", file.path, number + 1));
            }
        }
    }
    for file in files.iter().filter(|file| file.path.ends_with(".cargo/config.toml")) {
        if file.text.contains("replace-with") || file.text.contains("registry") {
            violations.push(format!("{}: puts another registry in the place of crates.io", file.path));
        }
    }
    violations
}

#[test]
fn nothing_names_the_machine() {
    let home = std::env::var("HOME").ok();
    assert_none(traces(&tracked_files(), home.as_deref(), env!("CARGO_MANIFEST_DIR")));
}

#[test]
fn every_package_comes_from_crates_io() {
    let files = tracked_files();
    assert!(files.iter().any(|file| file.path == "Cargo.lock"), "Cargo.lock is tracked");
    assert_none(foreign_packages(&files));
}

#[test]
fn a_trace_of_a_machine_is_found() {
    let check = |text: &str| traces(&[File::new("docs/a.md", text)], Some("/home/ada"), "/home/ada/src/watchbell");
    assert_one(&check("fine\nsee /home/ada/src/watchbell/docs"), "docs/a.md:2");
    assert_one(&check("/home/ada/.cargo/bin/x"), "/home/ada/.cargo");
    assert_one(&check(concat!("/elsewhere/.cargo/", "registry/src")), "docs/a.md:1");
    assert_none(check("PWD=/home/lind ; COMMAND=/usr/bin/tail"));
}

#[test]
fn a_package_from_elsewhere_is_found() {
    let lock = format!("source = \"{INDEX}\"\nsource = \"registry+https://mirror.example/index\"");
    assert_one(&foreign_packages(&[File::new("Cargo.lock", &lock)]), "Cargo.lock:2");
    let config = File::new(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"mirror\"");
    assert_one(&foreign_packages(&[config]), ".cargo/config.toml");
}
