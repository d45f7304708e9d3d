//! The arguments, and what `--help` says about them.

pub(super) mod findings;
pub(super) mod fronts;
pub(super) mod keys;
pub(super) mod rollout;
pub(super) mod rules;
pub(super) mod sinks;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use self::{
    findings::{FeedbackCommand, FindingsCommand, SuppressCommand},
    fronts::{McpArguments, ServeArguments},
    keys::KeysCommand,
    rules::RulesCommand,
    sinks::{ForwardArguments, OutboxArguments, RenderArguments, SetupArguments, TestArguments, UdmCommand},
};
use super::exit::EXIT_CODES;
use crate::app::{Budget, FormatChoice, Overrides, Severity, Threshold, TimeZone};

/// Learns from raw security logs what is normal, without labels, and says what is not and why.
#[derive(Debug, Parser)]
#[command(
    name = "watchbell",
    version,
    max_term_width = 100,
    after_help = "\
Try `watchbell demo` first: it needs no configuration and no logs."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file [WATCHBELL_CONFIG] [default: watchbell.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// When to use colors; NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// More log lines: once for what is done, twice for details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// No progress, and no log lines but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// How log lines are written to standard error; WATCHBELL_LOG filters them
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
}

/// When to use colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read a directory of logs and write reports, once or again and again
    Batch(BatchArguments),
    /// Show what Watchbell does, on sample logs that are part of the program
    Demo(DemoArguments),
    /// Show how a log is understood: format, fields, and what could not be read
    Inspect(InspectArguments),
    /// Score every event of a log
    Score(ScoreArguments),
    /// Learn from logs what is normal and keep it as a model
    Train(TrainArguments),
    /// Look at models
    #[command(subcommand, arg_required_else_help = true)]
    Model(ModelCommand),
    /// Write the reports of an output directory into one HTML file
    Report(ReportArguments),
    /// List findings, or show one
    #[command(subcommand, arg_required_else_help = true)]
    Findings(FindingsCommand),
    /// Silence findings of a kind for a while, with a reason
    #[command(subcommand, arg_required_else_help = true)]
    Suppress(SuppressCommand),
    /// Say whether a finding was right
    #[command(subcommand, arg_required_else_help = true)]
    Feedback(FeedbackCommand),
    /// Set up where findings go: asks, writes the configuration, makes what must exist there
    Setup(SetupArguments),
    /// Test where findings go, step by step, without sending any
    Test(TestArguments),
    /// Deliver the findings of reports to the sinks, each of them once
    Forward(ForwardArguments),
    /// Look at what waits to be delivered and at what can't be
    #[command(arg_required_else_help = true)]
    Outbox(OutboxArguments),
    /// Print the exact bytes that a sink would send; sends nothing
    Render(RenderArguments),
    /// Check Google SecOps' UDM events
    #[command(subcommand, arg_required_else_help = true)]
    Udm(UdmCommand),
    /// Check, test, run and install detection rules for Google SecOps
    #[command(subcommand, arg_required_else_help = true)]
    Rules(RulesCommand),
    /// Serve the REST API and the page to look at findings
    Serve(ServeArguments),
    /// Serve AI assistants over the Model Context Protocol
    Mcp(McpArguments),
    /// Print the OpenAPI document of the REST API
    Openapi,
    /// Make, list and revoke API keys
    #[command(subcommand, arg_required_else_help = true)]
    Keys(KeysCommand),
    /// Look at the configuration
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigCommand),
    /// Write a completion script for a shell
    Completions(CompletionsArguments),
    /// Write the manual pages
    Man(ManArguments),
}

/// Which logs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct FolderArguments {
    /// Directory with the logs, read with all its folders [LOG_DIR] [default: logs/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    log_dir: Option<PathBuf>,
    /// Only files that match, seen from the log directory: '*.json', 'web/**'; may be repeated
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Not the files that match; may be repeated
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
}

/// How logs are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct ReadArguments {
    /// How to read the logs instead of looking at their content [WATCHBELL_FORMAT] [default: auto]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatChoice>,
    /// For times that name no zone: UTC, Europe/Vienna, +02:00 [WATCHBELL_TIME_ZONE] [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<TimeZone>,
}

/// What counts as an anomaly.
#[derive(Debug, Args)]
#[command(next_help_heading = "Detection")]
pub(super) struct DetectArguments {
    /// Events with this anomaly score or more are anomalies [WATCHBELL_THRESHOLD] [default: 0.7]
    #[arg(long, value_name = "SCORE")]
    threshold: Option<Threshold>,
    /// The other knob: how many findings a day you can look at, like 20/day [WATCHBELL_BUDGET]
    #[arg(long, value_name = "N/day")]
    budget: Option<Budget>,
    /// Threads to work with; results are the same for any number [WATCHBELL_THREADS] [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=1024))]
    threads: Option<u64>,
    /// Seed of everything random [WATCHBELL_SEED] [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = BATCH_MORE)]
pub(super) struct BatchArguments {
    #[command(flatten)]
    pub(super) folder: FolderArguments,
    #[command(flatten)]
    pub(super) read: ReadArguments,
    #[command(flatten)]
    pub(super) detect: DetectArguments,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

const BATCH_MORE: &str = "\
Files in the output directory:
  {name}_{timestamp}.json          what was found in one log; logs of one name: -2, -3 ... follow
  batch_summary_{timestamp}.json   what became of each log in one round
  processed_files.txt              the logs that were read; without its line, a log is read again
  .watchbell/                      how far each log was read; leave it alone

A log that grew is read from where it ended; one that was changed, anew; one that was rotated
(renamed, copied or compressed) keeps its place. The process may be killed at any moment: nothing is
lost and nothing is reported twice.

Exit codes:
  0    all well
  1    findings at or over --fail-on
  2    the command line is wrong
  3    the configuration is wrong
  4    a log, the model or the output directory can't be read or written
  5..8 with --once and --forward: not all was delivered, see `watchbell forward --help`
  130  interrupted (SIGINT)
  143  ended (SIGTERM) before the work was done; between two rounds the code is 0

When there are findings at or over --fail-on and problems too, the code is 1.";

#[derive(Debug, Args)]
#[command(next_help_heading = "Batch")]
pub(super) struct RunArguments {
    /// Directory for the reports, made if need be [OUTPUT_DIR] [default: batch_outputs/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output_dir: Option<PathBuf>,
    /// Directory with a trained model; without one the batch learns from the logs it reads [MODEL_DIR]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model_dir: Option<PathBuf>,
    /// Seconds from the beginning of one round to that of the next [BATCH_INTERVAL] [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    interval: Option<u64>,
    /// Run one round and end, instead of going on until stopped
    #[arg(long)]
    pub(super) once: bool,
    /// Write an HTML report after each round [default file: report.html in the output directory]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_hint = ValueHint::FilePath)]
    pub(super) html: Option<Option<PathBuf>>,
    /// End with code 1 when there is a finding of this severity or above: informational, low, medium, high, critical
    #[arg(long, value_name = "LEVEL", requires = "once")]
    pub(super) fail_on: Option<Severity>,
    /// Deliver the findings to the configured sinks
    #[arg(long)]
    pub(super) forward: bool,
    /// With --once and --forward: seconds to wait until everything has arrived
    #[arg(long, value_name = "SECONDS", default_value = "300", requires = "forward")]
    pub(super) forward_timeout: u64,
    /// Print the summary of each round as one line of JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl BatchArguments {
    /// What is given here goes before everything else.
    pub(super) fn overrides(&self) -> Overrides {
        let run = &self.run;
        let mut overrides = Overrides {
            output_dir: run.output_dir.clone(),
            model_dir: run.model_dir.clone(),
            interval_secs: run.interval,
            html: run.html.clone().flatten(),
            ..Overrides::default()
        };
        self.folder.put_into(&mut overrides);
        self.read.put_into(&mut overrides);
        self.detect.put_into(&mut overrides);
        overrides
    }
}

impl FolderArguments {
    /// Adds what is given here.
    pub(super) fn put_into(&self, overrides: &mut Overrides) {
        overrides.log_dir.clone_from(&self.log_dir);
        overrides.include.clone_from(&self.include);
        overrides.exclude.clone_from(&self.exclude);
    }
}

impl ReadArguments {
    /// Adds what is given here.
    pub(super) fn put_into(&self, overrides: &mut Overrides) {
        overrides.format = self.format;
        overrides.time_zone.clone_from(&self.time_zone);
    }
}

impl DetectArguments {
    /// Adds what is given here.
    pub(super) fn put_into(&self, overrides: &mut Overrides) {
        overrides.threshold = self.threshold;
        overrides.budget_per_day = self.budget;
        overrides.threads = self.threads;
        overrides.seed = self.seed;
    }
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Directory for the HTML report
    #[arg(long, value_name = "DIR", default_value = "watchbell-demo", value_hint = ValueHint::DirPath)]
    pub(super) out: PathBuf,
    /// Print the reports as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Log to look at, or - for standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) read: ReadArguments,
    /// Print it as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
One line is written for each event, in the order of the log:
  {\"id\":0,\"anomaly_score\":0.12,\"threat_type\":\"none\",\"severity\":\"informational\"}")]
pub(super) struct ScoreArguments {
    /// Log to score, or - for standard input
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// File for the scores, or - for standard output
    #[arg(long, value_name = "OUT.jsonl", value_hint = ValueHint::FilePath)]
    pub(super) out: PathBuf,
    /// Directory with a trained model; without one it learns from the log itself [MODEL_DIR]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) model_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(super) read: ReadArguments,
    #[command(flatten)]
    pub(super) detect: DetectArguments,
}

#[derive(Debug, Args)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    pub(super) folder: FolderArguments,
    #[command(flatten)]
    pub(super) read: ReadArguments,
    #[command(flatten)]
    pub(super) detect: DetectArguments,
    /// Directory for the model, made if need be [MODEL_DIR] [default: models/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) model_dir: Option<PathBuf>,
    /// Print what the model is as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelCommand {
    /// Show what a model is and what it learned from
    Show {
        /// Model file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Output directory of a batch
    #[arg(value_name = "OUT", value_hint = ValueHint::DirPath)]
    pub(super) output_dir: PathBuf,
    /// HTML file to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) html: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say whether the configuration is right, and everything that is wrong with it
    Check,
    /// Print an example with every key, its meaning and its default
    Example,
    /// Print the settings in force, each with where it comes from
    Show,
    /// Print the JSON schema of the configuration, for editors
    Schema,
}

#[derive(Debug, Args)]
#[command(after_help = "\
For example:
  watchbell completions bash > /etc/bash_completion.d/watchbell
  watchbell completions fish > ~/.config/fish/completions/watchbell.fish")]
pub(super) struct CompletionsArguments {
    /// Shell to write for
    pub(super) shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Directory for one page for each command [default: the main page to standard output]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
}
