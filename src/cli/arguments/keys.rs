//! The arguments of the commands about API keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::app::{Overrides, Scopes};

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and show it, this once
    Create(CreateKeyArguments),
    /// List the keys: what they are for and what they allow, not the keys themselves
    List {
        #[command(flatten)]
        at: KeysPlace,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// End a key at once, also for servers that run
    Revoke {
        /// Id of the key, as `watchbell keys list` shows it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        at: KeysPlace,
        /// Print the key's card as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Scopes:
  findings:read, findings:write   look at findings; suppress them, give feedback
  logs:write                      have logs analyzed
  models:read, models:write       look at models; train and choose them
  sinks:read, sinks:write         look at sinks and outbox; check, forward, replay
  metrics:read                    the metrics
  admin                           all of them

For example:
  watchbell keys create --name prometheus --scope metrics:read
  watchbell keys create --name soc --scope findings:read --scope findings:write --expires 90d")]
pub(crate) struct CreateKeyArguments {
    /// What the key is for
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What the key allows; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    pub(crate) scopes: Vec<Scopes>,
    /// When it ends: so long from now, like 90d, a date or a time [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,
    #[command(flatten)]
    pub(crate) at: KeysPlace,
    /// Print key and card as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the keys are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct KeysPlace {
    /// File of the API keys [WATCHBELL_KEYS_FILE] [default: api_keys.json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keys_file: Option<PathBuf>,
}

impl KeysPlace {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides { keys_file: self.keys_file.clone(), ..Overrides::default() }
    }
}
