//! Writes the list of sinks from the lines of the manifest, so that a new sink is its folder and one line there.
//!
//! The manifest is read as text, line by line: a sink's line is `NAME = { package = "..", path = "sinks/NAME", optional = true }`.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = fs::read_to_string(PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))?;
    let names = manifest.lines().filter_map(sink_of);
    let (built, absent): (Vec<&str>, Vec<&str>) = names.partition(|name| is_enabled(name));
    let kinds: String = built.iter().map(|name| format!("    ::{name}::KIND,\n")).collect();
    let text = format!("const KINDS: &[SinkKind] = &[\n{kinds}];\nconst ABSENT: &[&str] = &{absent:?};\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("sinks.rs"), text)?;
    Ok(())
}

/// The sink that a line of the manifest declares.
fn sink_of(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once(" = {")?;
    (rest.contains(&format!("path = \"sinks/{name}\"")) && rest.contains("optional = true")).then_some(name)
}

/// Cargo tells a build script the features by variables.
fn is_enabled(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"))).is_some()
}
