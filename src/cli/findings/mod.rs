//! The commands about findings and what people decide about them, each: settings, a call, presentation.

mod present;

use super::{
    arguments::findings::{
        AddArguments, FeedbackCommand, FindingPaths, FindingsCommand, ListArguments, SayArguments, SuppressCommand,
        SuppressedChoice,
    },
    arguments::sinks::OutboxPlace,
    commands::Setup,
    exit::CliError,
    terminal::Terminal,
};
use crate::app::{self, FindingQuery, Overrides, Plan, Severity, SuppressRequest, Suppressed, Truth, Which};

/// `watchbell findings`.
pub(super) fn run(command: &FindingsCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    match command {
        FindingsCommand::List(list) => {
            let page = app::list_findings(&plan(&list.at, setup)?, &list.at.paths, &query(list))?;
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
            let effect = app::suppress(&plan(&add.at, setup)?, &add.at.paths, &request(add), add.dry_run)?;
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

fn query(list: &ListArguments) -> FindingQuery {
    FindingQuery {
        threats: list.threat_type.clone(),
        min_severity: list.min_severity,
        entity: list.entity.clone(),
        since: list.since,
        until: list.until,
        suppressed: match list.suppressed {
            SuppressedChoice::Hide => Suppressed::Hidden,
            SuppressedChoice::Show => Suppressed::Shown,
            SuppressedChoice::Only => Suppressed::Only,
        },
        order: list.order.into(),
        limit: list.limit.into(),
        after: list.after.clone(),
    }
}

fn request(add: &AddArguments) -> SuppressRequest {
    let which = match (&add.from_finding, add.threat_type) {
        (None, Some(threat_type)) => {
            Which::Of { threat_type, entity: add.entity.clone(), max_severity: add.up_to.unwrap_or(Severity::Medium) }
        }
        (finding, _) => Which::Like { finding: finding.clone().unwrap_or_default(), max_severity: add.up_to },
    };
    SuppressRequest { which, reason: add.reason.clone(), lasts: add.expires, by: add.who.name.clone() }
}
