//! The arguments of the commands that start the other fronts.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::sinks::OutboxPlace;
use crate::{
    app::{Listen, Overrides},
    mcp::Toolset,
};

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Address and port to listen on [WATCHBELL_LISTEN] [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<Listen>,
    /// Where there is no key and no token: let everybody do everything, from wherever they ask
    #[arg(long)]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) at: StayingPlaces,
}

#[derive(Debug, Args)]
pub(crate) struct McpArguments {
    /// Listen on this address, with the path /mcp, instead of speaking over standard input and output
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<Listen>,
    /// Offer only the tools that change nothing, and keep nothing of what is found
    #[arg(long)]
    read_only: bool,
    /// Also let the assistant suppress findings and give feedback: judge_finding, in the place of get_finding
    #[arg(long, conflicts_with = "read_only")]
    judge: bool,
    /// The only directory from which logs are read [default: the directory with the logs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,
    /// With --http: let everybody do everything, from wherever they ask
    #[arg(long, requires = "http")]
    pub(crate) insecure: bool,
    #[command(flatten)]
    pub(crate) at: StayingPlaces,
}

impl McpArguments {
    pub(crate) fn toolset(&self) -> Toolset {
        match (self.read_only, self.judge) {
            (true, _) => Toolset::ReadOnly,
            (false, false) => Toolset::Usual,
            (false, true) => Toolset::Judging,
        }
    }
}

/// Where a front that stays finds logs, reports and models.
#[derive(Debug, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct StayingPlaces {
    /// Directory with the logs [LOG_DIR] [default: logs/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    log_dir: Option<PathBuf>,
    /// Directory with the reports [OUTPUT_DIR] [default: batch_outputs/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    output_dir: Option<PathBuf>,
    /// Directory with trained models [MODEL_DIR] [default: models/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model_dir: Option<PathBuf>,
    /// File of the API keys [WATCHBELL_KEYS_FILE] [default: api_keys.json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    keys_file: Option<PathBuf>,
    #[command(flatten)]
    outbox: OutboxPlace,
}

impl StayingPlaces {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            log_dir: self.log_dir.clone(),
            output_dir: self.output_dir.clone(),
            model_dir: self.model_dir.clone(),
            outbox_dir: self.outbox.outbox_dir.clone(),
            keys_file: self.keys_file.clone(),
            ..Overrides::default()
        }
    }
}
