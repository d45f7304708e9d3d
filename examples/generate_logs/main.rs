//! Writes the sample logs: `cargo run --release --example generate_logs -- [DIR]` fills `DIR/logs`, by default
//! `examples/logs`.
//!
//! The logs are a function of fixed seeds and fixed dates, so every run writes the same records; `tests/samples.rs`
//! holds the files that ship to that. `DIR/planted.json`, which says what an analyst should find, lies outside of `logs`
//! lest it be read as one.

mod samples;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("examples"), PathBuf::from);
    let logs = directory.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("could not create {}", logs.display()))?;
    let mut planted = Vec::new();
    for sample in samples::all() {
        write(&logs.join(sample.name), &sample.packed()?)?;
        planted.extend(sample.planted());
    }
    write(&directory.join("planted.json"), samples::planted_json(&planted).as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    println!("{:>9} bytes  {}", bytes.len(), path.display());
    Ok(())
}
