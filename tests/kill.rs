//! A small kill test: a process that accepts and delivers dies again and again, and nothing that it accepted is lost.
//! `cargo run --release --example kill_test` is the large one.

mod child;
mod servers;
mod trial;

use std::process::Command;

use trial::Trial;

/// The process that is killed is this test, started again with orders.
#[test]
fn the_child() {
    if let Some(orders) = child::orders() {
        child::obey(&orders).unwrap();
    }
}

#[test]
fn whatever_was_accepted_before_a_death_arrives_everywhere() {
    let command = || {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["kill::the_child", "--exact", "--nocapture", "--test-threads", "1"]);
        Ok(command)
    };
    let figures = trial::run(Trial { points: 18, findings: 400, seed: 5 }, &command).unwrap();
    assert!(figures.is_clean(), "{figures}");
    assert!(figures.deaths.len() > 3, "{figures}");
}
