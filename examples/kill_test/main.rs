//! The kill test: a process accepts findings and delivers them to three destinations over HTTP, and dies at random
//! moments and at named places; every finding that it said to have accepted must arrive everywhere, as it was.
//!
//! `cargo run --release --example kill_test -- [--points 300] [--findings 20000] [--seed 1]`; fails on a loss.

#[path = "../../tests/kill/child.rs"]
mod child;
#[path = "../../tests/kill/servers.rs"]
mod servers;
#[path = "../../tests/kill/trial.rs"]
mod trial;

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use trial::Trial;

fn main() -> Result<()> {
    if let Some(orders) = child::orders() {
        return child::obey(&orders);
    }
    let figures = trial::run(trial_of(std::env::args().skip(1))?, &|| Ok(Command::new(std::env::current_exe()?)))?;
    print!("{figures}");
    ensure!(figures.is_clean(), "findings were lost or altered");
    println!("nothing was lost");
    Ok(())
}

fn trial_of(mut arguments: impl Iterator<Item = String>) -> Result<Trial> {
    let mut trial = Trial { points: 300, findings: 20_000, seed: 1 };
    while let Some(name) = arguments.next() {
        let value: u64 = arguments.next().with_context(|| format!("{name} needs a number"))?.parse()?;
        match name.as_str() {
            "--points" => trial.points = value as usize,
            "--findings" => trial.findings = value as usize,
            "--seed" => trial.seed = value,
            _ => bail!("unknown option {name}: expected --points, --findings or --seed"),
        }
    }
    Ok(trial)
}
