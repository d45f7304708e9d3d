//! Writes the list of sinks from the lines of the manifest, so that a new sink is its folder and one line there, and the list
//! of rules that ship from their folder, so that a new rule is its file.
//!
//! The manifest is read as text, line by line: a sink's line is `NAME = { package = "..", path = "sinks/NAME", optional = true }`.

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=rules");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let names = manifest.lines().filter_map(sink_of);
    let (built, absent): (Vec<&str>, Vec<&str>) = names.partition(|name| is_enabled(name));
    let kinds: String = built.iter().map(|name| format!("    ::{name}::KIND,\n")).collect();
    let text = format!("const KINDS: &[SinkKind] = &[\n{kinds}];\nconst ABSENT: &[&str] = &{absent:?};\n");
    fs::write(out.join("sinks.rs"), text)?;
    fs::write(out.join("rules.rs"), rules(&root)?)?;
    Ok(())
}

/// The files of the folder `rules` that ship, with their texts.
fn rules(root: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for folder in ["rules", "rules/tests"] {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ships = ["yaral", "toml", "jsonl"].iter().any(|ending| name.ends_with(&format!(".{ending}")));
            if ships && entry.file_type()?.is_file() {
                names.push(format!("{folder}/{name}"));
            }
        }
    }
    names.sort();
    let files = names.iter().map(|name| {
        let path = name.trim_start_matches("rules/");
        format!(
            "    ShippedFile {{ path: {path:?}, text: include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})) }},\n",
            format!("/{name}")
        )
    });
    Ok(format!("const FILES: &[ShippedFile] = &[\n{}];\n", files.collect::<String>()))
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
