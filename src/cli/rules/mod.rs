//! The commands about detection rules, each: a call, presentation.

pub(super) mod rollout;
mod rollout_plan;
mod rollout_result;

use super::{
    arguments::rules::RulesCommand,
    commands::Setup,
    exit::{CliError, Exit},
    terminal::Terminal,
};

/// `watchbell rules`.
pub(super) fn run(rules: &RulesCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    match rules {
        RulesCommand::Rollout(command) => rollout::run(command, setup, terminal),
    }
}
