//! `watchbell batch`.

use super::{
    arguments::BatchArguments,
    commands::Setup,
    exit::{CliError, Exit},
    present, signals,
    terminal::Terminal,
};
use crate::app::{self, AppError, BatchError, Nobody, Plan, Repeat, Round, RunEnd, Severity, Watch};

/// Runs the batch.
pub(super) fn run(arguments: &BatchArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let mut plan = setup.plan(arguments.overrides())?;
    if let Some(None) = arguments.run.html {
        plan.batch.html = Some(plan.batch.output_dir.join("report.html"));
    }
    let repeat = if arguments.run.once { Repeat::Once } else { Repeat::Every(plan.batch.interval) };
    let stop = signals::stop_flag()?;
    let watch = Watch { progress: &setup.bar, stop: &stop };
    let mut shown =
        Shown { terminal, json: arguments.run.json, plan: &plan, highest: None, problem: false, broken: None };
    let end = app::run_batch(&plan, repeat, (watch, &Nobody), &mut |round| {
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
    Ok(match end? {
        RunEnd::Cut => signals::exit(),
        RunEnd::Idle => match signals::exit() {
            Exit::Terminated => Exit::Ok,
            exit => exit,
        },
        RunEnd::Done if arguments.run.fail_on.is_some_and(|level| highest >= Some(level)) => Exit::Findings,
        RunEnd::Done if problem => Exit::Input,
        RunEnd::Done => Exit::Ok,
    })
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
