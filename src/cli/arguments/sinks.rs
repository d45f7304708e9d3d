//! The arguments of everything that is about sinks and the outbox.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand, ValueHint};

use super::super::exit::SINK_EXIT_CODES;
use crate::app::{Letters, Severity};

#[derive(Debug, Args)]
#[command(after_help = "\
Without a terminal, or with --set, nothing is asked:
  watchbell setup soc --type splunk_hec --set endpoint=https://splunk.example:8088 \\
      --set token='${SPLUNK_HEC_TOKEN}' --yes
A secret that is given as it is goes into a file of its own, secrets/NAME.OPTION beside the configuration, that only you
can read; `${NAME}` stands for an environment variable and is written as it is.")]
pub(crate) struct SetupArguments {
    /// Name of the sink: one that is configured, or a new one
    #[arg(value_name = "SINK")]
    pub(crate) sink: Option<String>,
    /// Type of a new sink
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Set an option of the sink; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) options: Vec<(String, String)>,
    /// Ask nothing: write, and make what must exist at the destination
    #[arg(long)]
    pub(crate) yes: bool,
    /// With --yes: also install Watchbell's rules where the destination runs rules of its own
    #[arg(long, requires = "yes")]
    pub(crate) install_rules: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key.is_empty() { Err("expected a key before `=`".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}

#[derive(Debug, Args)]
#[command(after_help = SINK_EXIT_CODES)]
pub(crate) struct TestArguments {
    /// Sinks to test [default: all]
    #[arg(value_name = "SINK")]
    pub(crate) sinks: Vec<String>,
    /// Also send one finding, marked as a test
    #[arg(long)]
    pub(crate) send: bool,
    /// Print the steps as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = SINK_EXIT_CODES)]
pub(crate) struct ForwardArguments {
    /// Reports, directories with reports, files with findings, or - for standard input
    #[arg(value_name = "REPORT|DIR", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only to this sink; may be repeated [default: all]
    #[arg(long = "sink", value_name = "NAME")]
    pub(crate) sinks: Vec<String>,
    /// Nothing below this severity: informational, low, medium, high, critical
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_severity: Option<Severity>,
    /// Seconds to wait until everything has arrived; what has not stays in the outbox
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) outbox: OutboxPlace,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches('s').parse::<f64>().ok().filter(|number| (0.0..=31_536_000.0).contains(number));
    number.map(Duration::from_secs_f64).ok_or_else(|| "expected seconds, like 60".to_owned())
}

/// Where the outbox is.
#[derive(Debug, Args)]
pub(crate) struct OutboxPlace {
    /// Directory of the outbox [WATCHBELL_OUTBOX_DIR] [default: outbox/]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) outbox_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// Sink that would send
    #[arg(long, value_name = "NAME")]
    pub(crate) sink: String,
    /// Reports, directories with reports, files with findings, or - for standard input
    #[arg(value_name = "FINDINGS", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct OutboxArguments {
    #[command(flatten)]
    pub(crate) place: OutboxPlace,
    #[command(subcommand)]
    pub(crate) command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Show how many findings were accepted for each sink, and what became of them
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the dead letters: findings that a destination will never take, and why
    Dead {
        #[command(flatten)]
        which: LettersArguments,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one finding and where it stands at each sink
    Show {
        /// Id of the finding
        #[arg(value_name = "ID")]
        id: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Give dead letters another try; they go out with the next delivery
    Replay {
        #[command(flatten)]
        which: LettersArguments,
        /// All of them
        #[arg(long, conflicts_with_all = ["sink", "finding", "kind"])]
        all: bool,
    },
    /// Throw dead letters away; they stay counted
    Purge {
        #[command(flatten)]
        which: LettersArguments,
        /// All of them
        #[arg(long, conflicts_with_all = ["sink", "finding", "kind"])]
        all: bool,
        /// Really
        #[arg(long)]
        yes: bool,
    },
    /// Write every finding that is kept, with where it stands, as JSON lines
    Export {
        /// File to write, or - for standard output
        #[arg(long, value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
        out: PathBuf,
    },
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct LettersArguments {
    /// Only those to this sink
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Only those of this finding
    #[arg(long, value_name = "ID")]
    finding: Option<String>,
    /// Only those of this kind: rejected, damaged
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// At most so many, the oldest first
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl LettersArguments {
    /// Which ones they name.
    pub(crate) fn letters(&self) -> Letters {
        Letters { sink: self.sink.clone(), finding: self.finding.clone(), kind: self.kind.clone(), limit: self.limit }
    }

    /// Whether any were named: all of them is not said by accident.
    pub(crate) fn names_some(&self) -> bool {
        self.sink.is_some() || self.finding.is_some() || self.kind.is_some() || self.limit.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum UdmCommand {
    /// Check UDM events offline against the published schema, the nouns that each event type needs, and all limits
    Check {
        /// Files with one event, a list, JSON lines or a request each, or - for standard input
        #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
        /// Print one JSON object a file
        #[arg(long)]
        json: bool,
    },
}
