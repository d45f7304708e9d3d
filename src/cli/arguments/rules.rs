//! The arguments of everything that is about detection rules.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use jiff::Timestamp;

use super::rollout::RolloutCommand;
use crate::app::{LogSource, Severity};

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check rules offline: grammar, fields, types, and everything else that Google's compiler refuses
    Check(CheckArguments),
    /// Bring rules into the one layout
    Fmt(FmtArguments),
    /// Run a rule over files of events and show its detections
    Run(RunRuleArguments),
    /// Run the tests of rules
    Test(TestRulesArguments),
    /// List the rules about Watchbell's own findings that are part of the program
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the rules that are part of the program, with their tests, into a folder
    Export(ExportArguments),
    #[command(flatten)]
    Rollout(RolloutCommand),
}

const CHECK_EXIT_CODES: &str = "\
Exit codes:
  0  nothing is wrong
  1  errors; with --strict also warnings
  2  the command line is wrong
  4  something can't be read or written";

const TEST_EXIT_CODES: &str = "\
Exit codes:
  0  every case is as expected
  1  one is not
  2  the command line is wrong
  4  something can't be read or written, or there is no test";

#[derive(Debug, Args)]
#[command(after_help = CHECK_EXIT_CODES)]
pub(crate) struct CheckArguments {
    /// Rules, folders with rules, or - for standard input
    #[arg(value_name = "FILE|DIR", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object: every rule and everything that is wrong
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Print SARIF, for code hosts that show it at the line
    #[arg(long)]
    pub(crate) sarif: bool,
    /// Warnings count as errors
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  all rules have the layout now; with --check: they had it
  1  with --check: some have not; otherwise: some can't be parsed and were left alone
  2  the command line is wrong
  4  something can't be read or written")]
pub(crate) struct FmtArguments {
    /// Rules, folders with rules, or - for standard input, whose text goes to standard output
    #[arg(value_name = "FILE|DIR", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only say which would change
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Files of records hold JSON: one record, a list, one a line, each bare or within `udm`, or whole requests.

For example, on the findings of a batch:
  watchbell render --sink soc batch_outputs > events.jsonl
  watchbell rules run rules/watchbell_brute_force.yaral --events events.jsonl")]
pub(crate) struct RunRuleArguments {
    /// Rule to run
    #[arg(value_name = "RULE", value_hint = ValueHint::FilePath)]
    pub(crate) rule: PathBuf,
    /// Files with UDM events, or - for standard input; may be repeated
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) events: Vec<PathBuf>,
    /// Files with entities of the entity graph; may be repeated
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) entities: Vec<PathBuf>,
    /// Files with detections of other rules, for composite rules; may be repeated
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) detections: Vec<PathBuf>,
    /// A reference list; may be repeated
    #[arg(long = "list", value_name = "NAME=FILE", value_parser = name_and_file)]
    pub(crate) lists: Vec<(String, PathBuf)>,
    /// A data table as CSV with a line of columns (name, or name:regex, name:cidr, name:number); may be repeated
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = name_and_file)]
    pub(crate) tables: Vec<(String, PathBuf)>,
    /// What timestamp.now() gives [default: the time of the last event]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// Print the detections as JSON
    #[arg(long, conflicts_with = "collections")]
    pub(crate) json: bool,
    /// Print the detections one a line as composite rules read them, for --detections
    #[arg(long)]
    pub(crate) collections: bool,
}

#[derive(Debug, Args)]
#[command(after_help = TEST_EXIT_CODES)]
pub(crate) struct TestRulesArguments {
    /// Folders of rules; their tests lie in folders `tests`
    #[arg(value_name = "DIR", default_value = "rules", value_hint = ValueHint::DirPath)]
    pub(crate) folders: Vec<PathBuf>,
    /// Also write the results as JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Names of product and vendor come from the configured chronicle sink where there is one.")]
pub(crate) struct ExportArguments {
    /// Folder to write into, made if need be
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// metadata.product_name of the events
    #[arg(long, value_name = "NAME")]
    pub(crate) product_name: Option<String>,
    /// metadata.vendor_name of the events
    #[arg(long, value_name = "NAME")]
    pub(crate) vendor_name: Option<String>,
    /// Only events of this log type, or with this ingestion label
    #[arg(long, value_name = "TYPE|KEY=VALUE")]
    pub(crate) log_source: Option<LogSource>,
    /// Only findings of this severity or above: informational, low, medium, high, critical
    #[arg(long, value_name = "LEVEL")]
    pub(crate) severity: Option<Severity>,
    /// Sink whose names count, where several send different ones
    #[arg(long, value_name = "SINK")]
    pub(crate) sink: Option<String>,
    /// Write over files that are different
    #[arg(long)]
    pub(crate) force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

fn name_and_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("expected NAME=FILE".to_owned()),
    }
}
