//! How good the detector is on labelled data: `cargo run --release --example evaluate -- DATA_DIR [--quick] [--seeds N]`.
//!
//! The labels go to the metrics only. `--quick` runs a small fixed part and fails when a number falls below its floor,
//! which is what continuous integration calls. Exit code 1: a floor or a target is missed; 2: wrong use or no data.

mod alerts;
mod archive;
mod logs;
mod sets;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// What the command line asks for.
struct Options {
    directory: PathBuf,
    quick: bool,
    seeds: u64,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Tables, then logs; whether both reach what they must.
fn run(options: &Options) -> Result<bool> {
    let tables = tables::run(&options.directory, options.quick, options.seeds)?;
    println!();
    Ok(logs::run(&options.directory, options.quick)? & tables)
}

fn options() -> Result<Options> {
    let (mut directory, mut quick, mut seeds) = (None, false, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => quick = true,
            "--seeds" => seeds = Some(words.next().context("--seeds needs a number")?.parse().context("--seeds")?),
            other if other.starts_with('-') || directory.is_some() => bail!("unexpected argument {other}"),
            other => directory = Some(PathBuf::from(other)),
        }
    }
    let directory = directory.context("expected a directory of labelled data: evaluate DATA_DIR [--quick]")?;
    Ok(Options { directory, quick, seeds: seeds.unwrap_or(if quick { 2 } else { 5 }).max(1) })
}
