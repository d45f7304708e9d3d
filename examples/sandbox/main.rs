//! Six destinations on this machine, to try the whole way without any SIEM: `cargo run --example sandbox`.
//!
//! It starts the test kit's stand-ins on loopback, writes a configuration that points at them, and shows what arrives, one
//! line each. What arrives is shown escaped, because a log may hold what an attacker wrote.

mod configuration;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Parser;
use watchbell_sink::testkit::standin::{
    Arrival, Record, Standin, anywhere, chronicle, elasticsearch, slack, splunk_hec, syslog, webhook,
};

use configuration::Credentials;

/// How many arrivals wait to be shown.
const WAITING: usize = 10_000;
/// As much of an arrival as is shown.
const WIDTH: usize = 160;

/// Stand-ins of Chronicle, Splunk, Elasticsearch, Slack, a webhook and syslog on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for the configuration, made if need be
    #[arg(long, value_name = "DIR", default_value = "target/sandbox")]
    dir: PathBuf,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
    /// End as soon as something has arrived at each stand-in
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let sandbox = Sandbox::start(&arguments.dir).await?;
    println!("{}", sandbox.greeting());
    tokio::select! {
        () = sandbox.show(&arguments) => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    println!("{}", sandbox.farewell());
    Ok(())
}

/// The stand-ins, and where their configuration lies.
struct Sandbox {
    standins: Vec<Standin>,
    record: Record,
    configuration: PathBuf,
}

impl Sandbox {
    async fn start(dir: &Path) -> io::Result<Self> {
        let record = Record::new(WAITING);
        let credentials = Credentials::new()?;
        let standins = vec![
            chronicle::start(&credentials.tenant, anywhere(), record.clone()).await?,
            elasticsearch::start(credentials.elasticsearch(), anywhere(), record.clone()).await?,
            slack::start(credentials.workspace(), anywhere(), record.clone()).await?,
            splunk_hec::start(credentials.splunk(), anywhere(), record.clone()).await?,
            syslog::start(anywhere(), record.clone()).await?,
            webhook::start(&credentials.webhook_secret, anywhere(), record.clone()).await?,
        ];
        fs::create_dir_all(dir)?;
        let configuration = credentials.write(&dir.canonicalize()?, &standins)?;
        Ok(Self { standins, record, configuration })
    }

    fn greeting(&self) -> String {
        let mut text = String::from("Stand-ins are listening:\n\n");
        for standin in &self.standins {
            text += &format!("  {:<14} {}\n", standin.name(), standin.address());
        }
        let file = self.configuration.display();
        text + &format!(
            "\nThe configuration that points at them, with throwaway credentials: {file}\nIn another terminal:\n\n  \
             watchbell --config {file} --setup --yes\n  watchbell --config {file} --test\n  \
             watchbell --config {file} batch --once --forward --log-dir examples/logs\n\nCtrl-C ends. What arrives:\n"
        )
    }

    /// Shows what arrives until the arguments say that it is enough.
    async fn show(&self, arguments: &Arguments) {
        let start = Instant::now();
        let mut next = 0;
        let mut heard = BTreeSet::new();
        loop {
            for arrival in self.record.since(next) {
                println!("{}", line(&arrival));
                heard.insert(arrival.at);
                next = arrival.number + 1;
            }
            let late = arguments.seconds.is_some_and(|seconds| start.elapsed().as_secs_f64() >= seconds);
            if late || (arguments.once && heard.len() == self.standins.len()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn farewell(&self) -> String {
        let mut text = format!("\n{} arrived:", self.record.total());
        for standin in &self.standins {
            let times = self.record.times(standin.name());
            text += &format!("\n  {:<14} {} ({} findings)", standin.name(), times.values().sum::<u64>(), times.len());
        }
        text
    }
}

/// An arrival on one line, without anything that a terminal would obey.
fn line(arrival: &Arrival) -> String {
    let mut text: String = arrival.text.chars().take(WIDTH).flat_map(harmless).take(WIDTH).collect();
    if arrival.text.chars().nth(WIDTH).is_some() {
        text.push('…');
    }
    let id: String = arrival.id.chars().take(8).flat_map(harmless).collect();
    format!("{:<14} {id:<8}  {text}", arrival.at)
}

/// Escapes what is invisible or moves the cursor; quotes stay as they are.
fn harmless(letter: char) -> impl Iterator<Item = char> {
    let plain = matches!(letter, '"' | '\'' | '\\').then_some(letter);
    plain.into_iter().chain(letter.escape_debug().filter(move |_| plain.is_none()))
}
