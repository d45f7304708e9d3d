//! The commands about findings and what people decide about them, each: settings, a call, presentation.

mod present;

use super::{
    arguments::findings::{
        AddArguments, FeedbackCommand, FindingPaths, FindingsCommand, ListArguments, SayArguments, SuppressCommand,
    },
    arguments::sinks::OutboxPlace,
    commands::Setup,
    exit::CliError,
    terminal::Terminal,
};
use crate::app::{self, AppError, FindingQuery, Overrides, Plan, SuppressRequest, Truth, Which};

/// `watchbell findings`.
pub(super) fn run(command: &FindingsCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    match command {
        FindingsCommand::List(list) => {
            let plan = plan(&list.at, setup)?;
            let page = app::list_findings(&plan, &list.at.paths, &query(list, &plan)?)?;
            if list.json { terminal.json(&page) } else { terminal.print(&present::page(&page)) }
        }
        FindingsCommand::Show { id, at, json } => {
            let finding = app::find_finding(&plan(at, setup)?, &at.paths, id)?;
            if *json { terminal.json(&finding) } else { terminal.print(&present::finding(&finding)) }
        }
    }
}

/// `watchbell suppress`.
pub(super) fn run_suppress(
    command: &SuppressCommand,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<(), CliError> {
    match command {
        SuppressCommand::Add(add) => {
            let plan = plan(&add.at, setup)?;
            let effect = app::suppress(&plan, &add.at.paths, &request(add, &plan)?, add.dry_run)?;
            if add.json { terminal.json(&effect) } else { terminal.print(&present::effect(&effect)) }
        }
        SuppressCommand::List { outbox, all, json } => {
            let suppressions = app::suppressions(&plan_of(outbox, setup)?, *all)?;
            if *json { terminal.json(&suppressions) } else { terminal.print(&present::suppressions(&suppressions)) }
        }
        SuppressCommand::Lift { id, reason, outbox, who } => {
            app::lift(&plan_of(outbox, setup)?, id, reason, &who.name)?;
            terminal.print(&format!("{id} is lifted; its findings ring again\n"))
        }
    }
}

/// `watchbell feedback`.
pub(super) fn run_feedback(
    command: &FeedbackCommand,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<(), CliError> {
    match command {
        FeedbackCommand::Tp(said) => say(said, Truth::TruePositive, setup, terminal),
        FeedbackCommand::Fp(said) => say(said, Truth::FalsePositive, setup, terminal),
        FeedbackCommand::List { outbox, json } => {
            let report = app::feedback(&plan_of(outbox, setup)?)?;
            if *json { terminal.json(&report) } else { terminal.print(&present::feedback(&report)) }
        }
    }
}

fn say(said: &SayArguments, truth: Truth, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    let about = (said.id.as_str(), truth, said.note.as_deref());
    let feedback = app::give_feedback(&plan(&said.at, setup)?, &said.at.paths, about, &said.who.name)?;
    terminal.print(&present::said(&feedback))
}

fn plan(at: &FindingPaths, setup: &Setup<'_>) -> Result<Plan, CliError> {
    let (output_dir, outbox_dir) = (at.output_dir.clone(), at.outbox.outbox_dir.clone());
    setup.plan(Overrides { output_dir, outbox_dir, ..Overrides::default() })
}

fn plan_of(outbox: &OutboxPlace, setup: &Setup<'_>) -> Result<Plan, CliError> {
    setup.plan(Overrides { outbox_dir: outbox.outbox_dir.clone(), ..Overrides::default() })
}

fn query(list: &ListArguments, plan: &Plan) -> Result<FindingQuery, AppError> {
    let now = app::now(plan);
    let time = |flag: &str, text: Option<&str>| {
        text.map(|text| app::past(text, &now).map_err(|error| no_time(flag, &error))).transpose()
    };
    Ok(FindingQuery {
        threats: list.threat_type.clone(),
        min_severity: list.min_severity,
        entity: list.entity.clone(),
        since: time("--since", list.since.as_deref())?,
        until: time("--until", list.until.as_deref())?,
        suppressed: list.suppressed,
        order: list.order,
        limit: list.limit.into(),
        after: list.after.clone(),
    })
}

fn request(add: &AddArguments, plan: &Plan) -> Result<SuppressRequest, AppError> {
    let which = match (&add.from_finding, add.threat_type) {
        (None, Some(threat_type)) => Which::Of { threat_type, entity: add.entity.clone(), max_severity: add.up_to },
        (finding, _) => Which::Like { finding: finding.clone().unwrap_or_default(), max_severity: add.up_to },
    };
    let expires = app::future(&add.expires, &app::now(plan)).map_err(|error| no_time("--expires", &error))?;
    Ok(SuppressRequest { which, reason: add.reason.clone(), expires, by: add.who.name.clone() })
}

/// Times are read when the configuration is, which knows the time zone, and so later than other arguments.
pub(super) fn no_time(flag: &str, error: &str) -> AppError {
    AppError::Request(format!("{flag}: {error}"))
}
