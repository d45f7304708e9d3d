//! The commands about sinks and the outbox, each: settings, a call, presentation.

mod present;
mod wizard;

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    path::Path,
};

pub(super) use self::{present::table as delivery, wizard::run as run_setup};
use super::{
    arguments::sinks::{ForwardArguments, OutboxArguments, OutboxCommand, RenderArguments, TestArguments, UdmCommand},
    commands::Setup,
    exit::{CliError, Exit},
    progress::Counter,
    signals,
    terminal::Terminal,
};
use crate::app::{self, ErrorKind, ForwardRequest, LaneProgress, NewSink, Overrides, SinkReport, SinkStatus, SinkWork};

/// `watchbell test`.
pub(super) fn run_test(test: &TestArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides::default())?;
    let sinks = app::sink_plans(&plan, &test.sinks)?;
    let work = if test.send { SinkWork::CheckAndSend } else { SinkWork::Check };
    report(&sinks, work, test.json, terminal)
}

/// Works on sinks and shows each as it is done.
fn report(sinks: &[app::SinkPlan], work: SinkWork, json: bool, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let mut shown = Ok(());
    let reports = app::work_on_sinks(sinks, work, &mut |report: &SinkReport| {
        if !json && shown.is_ok() {
            shown = terminal.print(&present::steps(report));
        }
    })?;
    shown?;
    if json {
        terminal.json(&reports)?;
    }
    Ok(worst(reports.iter().filter_map(|report| report.failure.as_ref()).map(|failure| failure.kind)))
}

/// The exit code of the failure that most needs a person.
fn worst(kinds: impl Iterator<Item = ErrorKind>) -> Exit {
    let rank = |kind: &ErrorKind| match kind {
        ErrorKind::Throttled | ErrorKind::Unavailable => 0,
        ErrorKind::Rejected => 1,
        ErrorKind::Config => 2,
        ErrorKind::Auth => 3,
    };
    kinds.max_by_key(rank).map_or(Exit::Ok, Exit::of_kind)
}

/// `watchbell forward`.
pub(super) fn run_forward(
    forward: &ForwardArguments,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides { outbox_dir: forward.outbox.outbox_dir.clone(), ..Overrides::default() })?;
    let request = ForwardRequest {
        paths: forward.paths.clone(),
        sinks: forward.sinks.clone(),
        min_severity: forward.min_severity,
        timeout: Some(forward.timeout),
    };
    let stop = signals::stop_flag()?;
    let counter = Counter::new("delivering", terminal.is_quiet());
    let forwarded = app::forward(&plan, &request, &stop, &mut |progress| follow(&counter, progress))?;
    counter.end();
    for problem in &forwarded.problems {
        tracing::warn!("{problem}");
    }
    if forward.json {
        terminal.json(&forwarded)?
    } else {
        terminal.print(&present::forwarded(&forwarded))?
    }
    if stop.load(std::sync::atomic::Ordering::Relaxed) && !forwarded.complete {
        return Ok(signals::exit());
    }
    Ok(match delivered(forwarded.complete, &forwarded.sinks) {
        Exit::Ok if !forwarded.problems.is_empty() => Exit::Input,
        exit => exit,
    })
}

/// Shows how far the lanes are.
pub(super) fn follow(counter: &Counter, progress: &LaneProgress) {
    let settled: u64 = progress.sinks.iter().map(|sink| sink.delivered + sink.dead).sum();
    let pending: u64 = progress.sinks.iter().map(|sink| sink.pending).sum();
    counter.show(settled, settled + pending);
}

/// The exit code that says whether everything has arrived.
pub(super) fn delivered(complete: bool, sinks: &[SinkStatus]) -> Exit {
    if complete {
        return if sinks.iter().any(|sink| sink.dead > 0) { Exit::Rejected } else { Exit::Ok };
    }
    let held = sinks.iter().filter_map(|sink| sink.held.as_ref());
    worst(
        held.map(|held| if held.kind == "auth" { ErrorKind::Auth } else { ErrorKind::Config })
            .chain([ErrorKind::Unavailable]),
    )
}

/// `watchbell render`.
pub(super) fn run_render(render: &RenderArguments, setup: &Setup<'_>) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides::default())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let rendered = app::render(&plan, &render.sink, &render.paths, &mut out)?;
    out.flush().map_err(CliError::Output)?;
    Ok(if rendered.rejected > 0 { Exit::Rejected } else { Exit::Ok })
}

/// `watchbell outbox`.
pub(super) fn run_outbox(
    outbox: &OutboxArguments,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides { outbox_dir: outbox.place.outbox_dir.clone(), ..Overrides::default() })?;
    let plan = &plan.outbox;
    match &outbox.command {
        OutboxCommand::Status { json } => {
            let status = app::outbox_status(plan)?;
            if *json { terminal.json(&status)? } else { terminal.print(&present::status(&status))? }
        }
        OutboxCommand::Dead { which, json } => {
            let letters = app::dead_letters(plan, &which.letters())?;
            if *json {
                letters.iter().try_for_each(|letter| terminal.json(letter))?;
            } else {
                terminal.print(&present::letters(&letters))?;
            }
        }
        OutboxCommand::Show { id, json } => match app::show_finding(plan, id)? {
            Some(shown) if *json => terminal.json(&shown)?,
            Some(shown) => terminal.print(&present::shown(&shown))?,
            None => {
                return Err(CliError::Refused(format!("the outbox does not know the finding `{}`", id.escape_debug())));
            }
        },
        OutboxCommand::Replay { which, all } => {
            needs_choice(*all || which.names_some())?;
            let count = app::replay(plan, &which.letters())?;
            terminal.print(&format!(
                "{count} to be delivered again; `watchbell forward` or `batch --forward` sends them\n"
            ))?;
        }
        OutboxCommand::Purge { which, all, yes } => {
            needs_choice(*all || which.names_some())?;
            if !yes {
                let count = app::dead_letters(plan, &which.letters())?.len();
                return Err(CliError::Refused(format!("this throws {count} dead letters away; say --yes to do it")));
            }
            let count = app::purge(plan, &which.letters())?;
            terminal.print(&format!("{count} thrown away\n"))?;
        }
        OutboxCommand::Export { out } => export(plan, out)?,
    }
    Ok(Exit::Ok)
}

fn needs_choice(is_made: bool) -> Result<(), CliError> {
    let message = "say which dead letters: --sink, --finding, --kind or --all";
    if is_made { Ok(()) } else { Err(CliError::Refused(message.to_owned())) }
}

fn export(plan: &app::OutboxPlan, out: &Path) -> Result<(), CliError> {
    if out.as_os_str() == "-" {
        let mut stdout = BufWriter::new(io::stdout().lock());
        app::export(plan, &mut stdout)?;
        return stdout.flush().map_err(CliError::Output);
    }
    let failed = |source| CliError::File { file: out.display().to_string(), source };
    let mut file = BufWriter::new(File::create(out).map_err(failed)?);
    app::export(plan, &mut file)?;
    file.flush().map_err(failed)
}

/// `watchbell udm`.
pub(super) fn run_udm(udm: &UdmCommand, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let UdmCommand::Check { files, json } = udm;
    let reports = app::check_udm(files)?;
    for report in &reports {
        if *json { terminal.json(report)? } else { terminal.print(&present::udm(report))? }
    }
    Ok(if reports.iter().all(|report| report.found.is_clean()) { Exit::Ok } else { Exit::Findings })
}

/// Whether somebody is there to be asked.
fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A sink as arguments describe it.
fn described(name: &str, kind: Option<&String>, options: &[(String, String)]) -> NewSink {
    NewSink { name: name.to_owned(), kind: kind.cloned(), options: options.to_vec() }
}
