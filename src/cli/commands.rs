//! The commands, each: settings, a call, presentation.

use std::{
    ffi::OsString,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use super::{
    arguments::{Arguments, Command, ConfigCommand, InspectArguments, ModelCommand, ScoreArguments, TrainArguments},
    batch,
    exit::{CliError, Exit},
    findings, fronts, keys, present,
    progress::Bar,
    rules, signals, sinks,
    terminal::Terminal,
};
use crate::app::{self, AppError, Given, Overrides, Plan, Settings, Watch};

/// What every command starts from.
pub(super) struct Setup<'a> {
    arguments: &'a Arguments,
    /// The progress bar.
    pub(super) bar: Bar,
}

impl Setup<'_> {
    /// `--config`.
    pub(super) fn config(&self) -> Option<PathBuf> {
        self.arguments.global.config.clone()
    }

    fn settings(&self, flags: Overrides) -> Result<Settings, CliError> {
        self.load(flags, false)
    }

    fn load(&self, flags: Overrides, builds_sinks: bool) -> Result<Settings, CliError> {
        let file = self.arguments.global.config.clone();
        let given = Given { file, environment: &variable, flags, builds_sinks };
        Ok(app::load(given).map_err(AppError::Config)?)
    }

    /// The plan that file, environment and these flags make.
    pub(super) fn plan(&self, flags: Overrides) -> Result<Plan, CliError> {
        Ok(self.plan_and_text(flags)?.0)
    }

    /// The same, and the settings as text without secrets.
    pub(super) fn plan_and_text(&self, flags: Overrides) -> Result<(Plan, String), CliError> {
        let settings = self.settings(flags)?;
        let text = app::show(&settings, &variable);
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok((Plan::new(settings, cores).map_err(AppError::Config)?, text))
    }
}

/// A variable of the process's environment.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let setup = Setup { arguments, bar: Bar::new(terminal.is_quiet()) };
    match &arguments.command {
        Command::Batch(batch) => return batch::run(batch, &setup, terminal),
        Command::Demo(demo) => {
            let stop = signals::stop_flag()?;
            let reported = app::demo(&demo.out, Watch { progress: &setup.bar, stop: &stop })?;
            if demo.json {
                terminal.json(&reported)?;
            } else {
                terminal.print(&present::demonstration(&reported.reports))?;
                written(terminal, reported.html.as_deref())?;
            }
        }
        Command::Inspect(inspect) => run_inspect(inspect, &setup, terminal)?,
        Command::Score(score) => run_score(score, &setup, terminal)?,
        Command::Train(train) => run_train(train, &setup, terminal)?,
        Command::Model(ModelCommand::Show { file, json }) => {
            let card = app::show_model(file)?;
            if *json { terminal.json(&card)? } else { terminal.print(&present::model(&card))? }
        }
        Command::Report(report) => {
            let reported = app::report(&report.output_dir, &report.html)?;
            written(terminal, reported.html.as_deref())?;
        }
        Command::Findings(command) => findings::run(command, &setup, terminal)?,
        Command::Suppress(command) => findings::run_suppress(command, &setup, terminal)?,
        Command::Feedback(command) => findings::run_feedback(command, &setup, terminal)?,
        Command::Setup(arguments) => return sinks::run_setup(arguments, &setup, terminal),
        Command::Test(test) => return sinks::run_test(test, &setup, terminal),
        Command::Forward(forward) => return sinks::run_forward(forward, &setup, terminal),
        Command::Outbox(outbox) => return sinks::run_outbox(outbox, &setup, terminal),
        Command::Render(render) => return sinks::run_render(render, &setup),
        Command::Rules(rules) => return rules::run(rules, &setup, terminal),
        Command::Udm(udm) => return sinks::run_udm(udm, terminal),
        Command::Serve(serve) => return fronts::serve(serve, &setup, terminal),
        Command::Mcp(mcp) => return fronts::mcp(mcp, &setup, terminal),
        Command::Openapi => terminal.print(&crate::api::openapi())?,
        Command::Keys(command) => keys::run(command, &setup, terminal)?,
        Command::Config(config) => run_config(config, &setup, terminal)?,
        Command::Completions(completions) => {
            let mut script = Vec::new();
            clap_complete::generate(completions.shell, &mut super::command(), "watchbell", &mut script);
            terminal.print(&String::from_utf8_lossy(&script))?;
        }
        Command::Man(man) => run_man(man.out.as_deref(), terminal)?,
    }
    Ok(Exit::Ok)
}

fn run_inspect(inspect: &InspectArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    let mut flags = Overrides::default();
    inspect.read.put_into(&mut flags);
    let stop = signals::stop_flag()?;
    let inspection = app::inspect(&inspect.file, &setup.plan(flags)?, Watch { progress: &setup.bar, stop: &stop })?;
    if inspect.json { terminal.json(&inspection) } else { terminal.print(&present::inspection(&inspection)) }
}

fn run_score(score: &ScoreArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    let mut flags = Overrides { model_dir: score.model_dir.clone(), ..Overrides::default() };
    score.read.put_into(&mut flags);
    score.detect.put_into(&mut flags);
    let stop = signals::stop_flag()?;
    let watch = Watch { progress: &setup.bar, stop: &stop };
    let scored = app::score(&score.file, &score.out, &setup.plan(flags)?, watch)?;
    if scored.complaints > 0 {
        tracing::warn!(records = scored.complaints, "some records were not understood; `watchbell inspect` shows them");
    }
    // With the scores themselves on standard output there is no room for anything else there.
    if score.out.as_os_str() != "-" {
        terminal.print(&format!("{} events scored, {} anomalies\n", scored.events, scored.anomalies))?;
    }
    Ok(())
}

fn run_train(train: &TrainArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    let mut flags = Overrides { model_dir: train.model_dir.clone(), ..Overrides::default() };
    train.folder.put_into(&mut flags);
    train.read.put_into(&mut flags);
    train.detect.put_into(&mut flags);
    let stop = signals::stop_flag()?;
    let cards = app::train(&setup.plan(flags)?, Watch { progress: &setup.bar, stop: &stop })?;
    if train.json {
        return terminal.json(&cards);
    }
    cards.iter().try_for_each(|card| terminal.print(&present::model(card)))
}

fn run_config(config: &ConfigCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    match config {
        ConfigCommand::Schema => {
            let mut text = serde_json::to_string_pretty(&app::schema()).expect("a schema has only text keys");
            text.push('\n');
            terminal.print(&text)
        }
        ConfigCommand::Example => terminal.print(&app::example()),
        ConfigCommand::Check => {
            let settings = setup.load(Overrides::default(), true)?;
            let plan = Plan::new(settings, NonZeroUsize::MIN).map_err(AppError::Config)?;
            app::check_access(&plan)?;
            terminal.print("the configuration is right\n")
        }
        ConfigCommand::Show => terminal.print(&app::show(&setup.settings(Overrides::default())?, &variable)),
    }
}

fn run_man(out: Option<&Path>, terminal: &mut Terminal) -> Result<(), CliError> {
    // Pages about `help` would say nothing.
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(CliError::Output)?;
        return terminal.print(&String::from_utf8_lossy(&page));
    };
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(command, folder)
    };
    write().map_err(|source| CliError::File { file: folder.display().to_string(), source })
}

fn written(terminal: &mut Terminal, file: Option<&Path>) -> Result<(), CliError> {
    file.map_or(Ok(()), |file| {
        terminal.print(&format!("report: {}\n", super::terminal::clean(&file.to_string_lossy())))
    })
}
