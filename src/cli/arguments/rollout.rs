//! The arguments of everything that brings rules to a tenant and back.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::super::exit::TENANT_EXIT_CODES;
use crate::app::{Edition, RolloutRequest};

#[derive(Debug, Subcommand)]
pub(crate) enum RolloutCommand {
    /// Show what would change in the tenant so that its rules are as the files say; changes nothing
    Plan(PlanArguments),
    /// Bring rules into the tenant: shows the plan, asks, then does it
    Apply(ApplyArguments),
    /// Show how tenant and files stand, and how the tenant gets on with running the rules
    Status(StatusArguments),
    /// Write the tenant's rules, and how they are run, into a folder
    Pull(PullArguments),
}

/// Which rules, and where.
#[derive(Debug, Args)]
pub(crate) struct WantedArguments {
    /// Folder with rules and deployment.toml [default: the rules that are part of the program]
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    folder: Option<PathBuf>,
    /// Sink whose tenant is meant, where several run rules
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Archive the tenant's rules that no file has; without DIR only those whose names begin with watchbell_
    #[arg(long)]
    prune: bool,
}

impl WantedArguments {
    /// What they say.
    pub(crate) fn request(&self, license: Option<License>) -> RolloutRequest {
        RolloutRequest {
            folder: self.folder.clone(),
            sink: self.sink.clone(),
            prune: self.prune,
            edition: license.map(Into::into),
        }
    }

    /// Whether rules of the user's own are meant.
    pub(crate) fn names_folder(&self) -> bool {
        self.folder.is_some()
    }
}

/// A license of Google SecOps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum License {
    /// 1,000 enabled rules, 75 of them multi-event
    Standard,
    /// 2,000 enabled rules, 200 of them multi-event
    Enterprise,
    /// 3,500 enabled rules, 400 of them multi-event
    EnterprisePlus,
}

impl From<License> for Edition {
    fn from(license: License) -> Self {
        match license {
            License::Standard => Self::Standard,
            License::Enterprise => Self::Enterprise,
            License::EnterprisePlus => Self::EnterprisePlus,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = TENANT_EXIT_CODES)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// License whose limits count [default: warn about each that would be exceeded]
    #[arg(long, value_name = "LICENSE")]
    pub(crate) quota: Option<License>,
    /// End with code 2 when there is something to change
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Print the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = TENANT_EXIT_CODES)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// License whose limits count [default: warn about each that would be exceeded]
    #[arg(long, value_name = "LICENSE")]
    pub(crate) quota: Option<License>,
    /// Ask nothing
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print plan and result as JSON
    #[arg(long, requires = "yes")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = TENANT_EXIT_CODES)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) wanted: WantedArguments,
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = TENANT_EXIT_CODES)]
pub(crate) struct PullArguments {
    /// Folder to write into, made if need be
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Sink whose tenant is meant, where several run rules
    #[arg(long, value_name = "NAME")]
    pub(crate) sink: Option<String>,
    /// Archived rules, too
    #[arg(long)]
    pub(crate) archived: bool,
    /// Overwrite what differs in the folder
    #[arg(long)]
    pub(crate) force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
