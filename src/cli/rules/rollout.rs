//! The commands that bring rules to a tenant and back, each: a call, presentation, and before anything is written a question.

use std::{
    io::{self, IsTerminal},
    sync::atomic::AtomicBool,
};

use dialoguer::{Confirm, theme::SimpleTheme};
use serde::Serialize;

use super::{rollout_plan as plan_text, rollout_result as result_text};
use crate::{
    app::{
        self, Applied, ErrorKind, Overrides, PullRequest, Rollout, RolloutEnd, RolloutRequest, RolloutTold, RulePlan,
        RuleState, RuleStatus, Watch,
    },
    cli::{
        arguments::rollout::{ApplyArguments, PlanArguments, PullArguments, RolloutCommand, StatusArguments},
        commands::Setup,
        exit::{CliError, Exit},
        progress::Counter,
        signals,
        terminal::Terminal,
    },
};

/// The version of what is printed as JSON; it changes when a key changes its meaning or goes.
const FORMAT: u32 = 1;

/// What is printed as JSON.
#[derive(Serialize)]
struct Json<'a, T: Serialize> {
    format_version: u32,
    sink: &'a str,
    #[serde(flatten)]
    value: T,
}

fn json<T: Serialize>(terminal: &mut Terminal, sink: &str, value: T) -> Result<(), CliError> {
    terminal.json(&Json { format_version: FORMAT, sink, value })
}

/// `watchbell rules plan|apply|status|pull`.
pub(in crate::cli) fn run(
    command: &RolloutCommand,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<Exit, CliError> {
    match command {
        RolloutCommand::Plan(plan) => run_plan(plan, setup, terminal),
        RolloutCommand::Apply(apply) => run_apply(apply, setup, terminal),
        RolloutCommand::Status(status) => run_status(status, setup, terminal),
        RolloutCommand::Pull(pull) => run_pull(pull, setup, terminal),
    }
}

fn open(request: &RolloutRequest, setup: &Setup<'_>) -> Result<Rollout, CliError> {
    Ok(app::open_rollout(&setup.plan(Overrides::default())?, request)?)
}

fn planned(rollout: &Rollout, setup: &Setup<'_>, stop: &AtomicBool) -> Result<RulePlan, CliError> {
    Ok(rollout.plan(Watch { progress: &setup.bar, stop })?)
}

fn run_plan(arguments: &PlanArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let stop = signals::stop_flag()?;
    let rollout = open(&arguments.wanted.request(arguments.quota), setup)?;
    let plan = planned(&rollout, setup, &stop)?;
    if arguments.json {
        json(terminal, &rollout.sink, &plan)?;
    } else {
        terminal.print(&plan_text::plan(&rollout.sink, &plan))?;
    }
    Ok(match (plan.troubles.is_empty(), plan.is_empty()) {
        (false, _) => Exit::Differs,
        (true, false) if arguments.detailed_exitcode => Exit::Changes,
        _ => Exit::Ok,
    })
}

fn run_apply(arguments: &ApplyArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    if !arguments.yes && !somebody_is_there() {
        return Err(CliError::Refused("nobody is there to be asked; say --yes to apply without a question".to_owned()));
    }
    let rollout = open(&arguments.wanted.request(arguments.quota), setup)?;
    let manner = match (arguments.yes, arguments.json) {
        (_, true) => Manner::Json,
        (true, _) => Manner::Tells,
        (false, _) => Manner::Asks,
    };
    carry_out(Order { rollout: &rollout, manner, own: arguments.wanted.names_folder() }, setup, terminal)
}

/// How a plan is shown, and whether it is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Manner {
    /// As text; the user is asked.
    Asks,
    /// As text; nobody is asked.
    Tells,
    /// As JSON; nobody is asked.
    Json,
}

/// A plan that is to be made and carried out.
struct Order<'a> {
    rollout: &'a Rollout,
    manner: Manner,
    /// Whether the rules are the user's own.
    own: bool,
}

/// Plan and result, as JSON.
#[derive(Serialize)]
struct Done<'a> {
    plan: &'a RulePlan,
    applied: Option<&'a Applied>,
}

fn carry_out(order: Order<'_>, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let Order { rollout, manner, own } = order;
    let as_json = manner == Manner::Json;
    let stop = signals::stop_flag()?;
    let plan = planned(rollout, setup, &stop)?;
    let after = if plan.troubles.is_empty() { Exit::Ok } else { Exit::Differs };
    if !as_json {
        terminal.print(&plan_text::plan(&rollout.sink, &plan))?;
    }
    if plan.is_empty() {
        if as_json {
            json(terminal, &rollout.sink, Done { plan: &plan, applied: None })?;
        }
        return Ok(after);
    }
    if manner == Manner::Asks && !agrees(&plan_text::question(&rollout.sink, &plan, own))? {
        terminal.print("nothing was changed\n")?;
        return Ok(Exit::Ok);
    }
    let counter = Counter::new("verifying", terminal.is_quiet());
    let mut shown = Ok(());
    let applied = rollout.apply(&plan, &stop, &mut |told: RolloutTold<'_>| match told {
        RolloutTold::Verified(done, of) => {
            counter.show(done as u64, of as u64);
            if done == of {
                counter.end();
            }
        }
        RolloutTold::Rule(outcome, done, of) if !as_json && shown.is_ok() => {
            shown = terminal.print(&result_text::outcome(outcome, done, of));
        }
        RolloutTold::Rule(..) => {}
    });
    counter.end();
    shown?;
    if as_json {
        json(terminal, &rollout.sink, Done { plan: &plan, applied: Some(&applied) })?;
    } else {
        terminal.print(&result_text::applied(&rollout.sink, &applied))?;
    }
    Ok(match &applied.end {
        RolloutEnd::Refused => Exit::Rejected,
        RolloutEnd::Stopped => signals::exit(),
        RolloutEnd::Broken { kind, .. } => Exit::of_kind(*kind),
        RolloutEnd::Through if applied.is_complete() => after,
        RolloutEnd::Through => Exit::Differs,
    })
}

fn run_status(arguments: &StatusArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let stop = signals::stop_flag()?;
    let request = arguments.wanted.request(None);
    let rollout = open(&request, setup)?;
    let rules = rollout.status(Watch { progress: &setup.bar, stop: &stop })?;
    // A rule that nobody wants away may stay.
    let differs = |rule: &RuleStatus| match rule.state {
        RuleState::InStep => false,
        RuleState::OnlyThere => request.prune,
        _ => true,
    };
    let in_step = !rules.iter().any(differs);
    if arguments.json {
        json(terminal, &rollout.sink, serde_json::json!({ "in_step": in_step, "rules": rules }))?;
    } else {
        terminal.print(&result_text::status(&rules))?;
    }
    Ok(if in_step { Exit::Ok } else { Exit::Differs })
}

fn run_pull(arguments: &PullArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let stop = signals::stop_flag()?;
    let request = PullRequest {
        out: arguments.out.clone(),
        sink: arguments.sink.clone(),
        archived: arguments.archived,
        force: arguments.force,
    };
    let plan = setup.plan(Overrides::default())?;
    let pulled = app::pull_rules(&plan, &request, Watch { progress: &setup.bar, stop: &stop })?;
    if arguments.json {
        terminal.json(&result_text::pulled_json(&pulled))?;
    } else {
        terminal.print(&result_text::pulled(&pulled))?;
    }
    Ok(if pulled.kept.is_empty() && pulled.troubles.is_empty() { Exit::Ok } else { Exit::Differs })
}

fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn agrees(question: &str) -> Result<bool, CliError> {
    let asked = Confirm::with_theme(&SimpleTheme).with_prompt(question).default(false).interact();
    asked.map_err(|error| CliError::Refused(format!("there was no answer: {error}")))
}

/// Installs the rules that come with the program in the tenant of this sink, at the end of setting it up.
pub(in crate::cli) fn install(
    sink: &str,
    manner: Manner,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<Exit, CliError> {
    if manner == Manner::Asks && !agrees("Install Watchbell's rules now?")? {
        terminal.print(&format!("`watchbell rules apply --sink {sink}` does it later\n"))?;
        return Ok(Exit::Ok);
    }
    let request = RolloutRequest { sink: Some(sink.to_owned()), ..RolloutRequest::default() };
    let rollout = open(&request, setup)?;
    carry_out(Order { rollout: &rollout, manner, own: false }, setup, terminal)
}

/// What a kind of error is about, in words.
pub(super) const fn about(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Throttled => "it is asked too often, and stayed so",
        ErrorKind::Unavailable => "it can't be reached, and stayed so",
        ErrorKind::Rejected => "it refused to be read",
        ErrorKind::Auth => "it does not take the credentials",
        ErrorKind::Config => "it is not what the configuration says",
    }
}
