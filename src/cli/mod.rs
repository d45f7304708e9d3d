//! The command line: arguments in, a call of [`crate::app`], presentation out.
//!
//! Results go to standard output, everything else to standard error; so a pipe only ever sees results.

mod arguments;
mod batch;
mod commands;
mod exit;
mod findings;
mod fronts;
mod keys;
mod logging;
mod present;
mod progress;
mod rules;
mod signals;
mod sinks;
mod terminal;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Color};
use exit::{CliError, Exit};
use terminal::Terminal;

use crate::app::AppError;

/// Runs the program with these arguments.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.map(as_command).collect();
    terminal::choose_color(terminal::color_among(&arguments).unwrap_or(Color::Auto));
    let parsed = command()
        .color(terminal::clap_color())
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let exit = match parsed {
        Ok(arguments) => run(&arguments),
        Err(error) => {
            // A closed standard error leaves nobody to tell.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Ok }
        }
    };
    exit.into()
}

/// `--setup` and `--test` are what scripts of old call these commands.
fn as_command(argument: OsString) -> OsString {
    match argument.to_str() {
        Some("--setup") => "setup".into(),
        Some("--test") => "test".into(),
        _ => argument,
    }
}

/// The command line as clap sees it.
fn command() -> clap::Command {
    Arguments::command()
}

fn run(arguments: &Arguments) -> Exit {
    terminal::choose_color(arguments.global.color);
    let mut terminal = Terminal::new(arguments.global.quiet);
    match logging::start(&arguments.global).and_then(|()| commands::run(arguments, &mut terminal)) {
        Ok(exit) => exit,
        // Whoever closed the pipe has seen enough.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(CliError::App(AppError::Write { path, source }))
            if path.as_os_str() == "-" && source.kind() == std::io::ErrorKind::BrokenPipe =>
        {
            Exit::Ok
        }
        Err(error) => {
            terminal.error(&error);
            error.exit()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_arguments_contradict_nothing() {
        super::command().debug_assert();
    }
}
