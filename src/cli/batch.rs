//! `watchbell batch`.

use std::{sync::atomic::AtomicBool, time::Duration};

use super::{
    arguments::BatchArguments,
    commands::Setup,
    exit::{CliError, Exit},
    present,
    progress::Counter,
    signals, sinks,
    terminal::Terminal,
};
use crate::app::{self, AppError, BatchError, Bells, Handover, Nobody, Plan, Repeat, Round, RunEnd, Severity, Watch};

/// Runs the batch.
pub(super) fn run(arguments: &BatchArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let mut plan = setup.plan(arguments.overrides())?;
    if let Some(None) = arguments.run.html {
        plan.batch.html = Some(plan.batch.output_dir.join("report.html"));
    }
    let bells = arguments.run.forward.then(|| start_bells(&plan)).transpose()?;
    let handover: &dyn Handover = match &bells {
        Some(bells) => bells,
        None => &Nobody,
    };
    let repeat = if arguments.run.once { Repeat::Once } else { Repeat::Every(plan.batch.interval) };
    let stop = signals::stop_flag()?;
    let watch = Watch { progress: &setup.bar, stop: &stop };
    let mut shown =
        Shown { terminal, json: arguments.run.json, plan: &plan, highest: None, problem: false, broken: None };
    let end = app::run_batch(&plan, repeat, (watch, handover), &mut |round| {
        if shown.broken.is_none()
            && let Err(error) = shown.round(round)
        {
            // Nobody reads the results any more, but the reports are still wanted: the job goes on.
            shown.broken = Some(error);
        }
    });
    if let Some(error) = shown.broken {
        return Err(error);
    }
    let (highest, problem) = (shown.highest, shown.problem);
    let end = end?;
    let waits = matches!(end, RunEnd::Done).then(|| Duration::from_secs(arguments.run.forward_timeout));
    let delivery = bells
        .map(|bells| ring(bells, Wait { waits, stop: &stop, json: arguments.run.json }, terminal))
        .transpose()?
        .unwrap_or(Exit::Ok);
    Ok(match end {
        RunEnd::Cut => signals::exit(),
        RunEnd::Idle => match signals::exit() {
            Exit::Terminated => Exit::Ok,
            exit => exit,
        },
        RunEnd::Done if arguments.run.fail_on.is_some_and(|level| highest >= Some(level)) => Exit::Findings,
        RunEnd::Done if problem => Exit::Input,
        RunEnd::Done => delivery,
    })
}

/// The outbox and its lanes, which work beside the batch.
fn start_bells(plan: &Plan) -> Result<Bells, CliError> {
    Ok(Bells::start(&plan.outbox, &app::sink_plans(plan, &[])?)?)
}

/// How the end of delivery is waited for.
struct Wait<'a> {
    /// How long at most; `None`: not at all.
    waits: Option<Duration>,
    stop: &'a AtomicBool,
    /// Whether the table of sinks is left out.
    json: bool,
}

/// Waits until everything has arrived, if it is waited for, and ends the lanes.
fn ring(bells: Bells, wait: Wait<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let Wait { waits, stop, json } = wait;
    let counter = Counter::new("delivering", terminal.is_quiet());
    let settled =
        bells.settle(waits.or(Some(Duration::ZERO)), stop, &mut |progress| sinks::follow(&counter, progress))?;
    counter.end();
    let statuses = bells.stop()?;
    if waits.is_some() && !json {
        terminal.print(&sinks::delivery(&statuses))?;
    }
    Ok(sinks::delivered(settled.complete, &statuses))
}

/// What was shown so far.
struct Shown<'a> {
    terminal: &'a mut Terminal,
    json: bool,
    plan: &'a Plan,
    highest: Option<Severity>,
    problem: bool,
    broken: Option<CliError>,
}

impl Shown<'_> {
    fn round(&mut self, round: Result<&Round, &BatchError>) -> Result<(), CliError> {
        let round = match round {
            Ok(round) => round,
            Err(error) => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    next_secs = self.plan.batch.interval.as_secs(),
                    "the round failed; the job goes on"
                );
                self.problem = true;
                return Ok(());
            }
        };
        for warning in &round.warnings {
            tracing::warn!("{warning}");
        }
        self.highest = self.highest.max(round.highest);
        self.problem |= round.summary.files_failed > 0;
        if round.summary_file.is_some() {
            self.html()?;
        }
        if self.json { self.terminal.json(&round.summary) } else { self.terminal.print(&present::round(round)) }
    }

    fn html(&mut self) -> Result<(), CliError> {
        let Some(file) = &self.plan.batch.html else { return Ok(()) };
        match app::report(&self.plan.batch.output_dir, file) {
            Ok(_) => Ok(()),
            Err(error) => {
                let error: &AppError = &error;
                tracing::error!(error = error as &dyn std::error::Error, "the HTML report is not written");
                self.problem = true;
                Ok(())
            }
        }
    }
}
