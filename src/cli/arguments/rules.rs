//! The arguments of everything that is about detection rules.

use clap::Subcommand;

use super::rollout::RolloutCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    #[command(flatten)]
    Rollout(RolloutCommand),
}
