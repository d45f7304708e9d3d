//! `watchbell setup`: asks for what a sink takes, writes it down, makes what must exist at the destination.
//!
//! What is asked comes from the sink's own schema and example, so a sink of tomorrow has its guide too.

use std::path::{Path, PathBuf};

use dialoguer::{Confirm, Input, Password, Select, theme::SimpleTheme};

use super::{described, report, somebody_is_there};
use crate::{
    app::{self, AppError, NewSink, Overrides, SinkOption, SinkWork, WrittenSink},
    cli::{
        arguments::sinks::SetupArguments,
        commands::Setup,
        exit::{CliError, Exit},
        rules::rollout::{self, Manner},
        terminal::{Terminal, clean},
    },
};

/// Runs the guide, or does what the arguments say.
pub(in crate::cli) fn run(
    arguments: &SetupArguments,
    setup: &Setup<'_>,
    terminal: &mut Terminal,
) -> Result<Exit, CliError> {
    let file = setup.config_file();
    let is_described = !arguments.options.is_empty() || arguments.kind.is_some();
    let asks = !arguments.yes && !is_described && somebody_is_there();
    let new = match (&arguments.sink, is_described || asks) {
        (Some(name), true) if !asks => Some(described(name, arguments.kind.as_ref(), &arguments.options)),
        (None, true) if !asks => return Err(CliError::Refused("say the name of the sink to set up".to_owned())),
        (name, true) => Some(ask(&file, name.as_deref(), terminal)?),
        // Everything is configured: only what the destinations need is made.
        (_, false) => None,
    };
    let mut new = new;
    if let Some(new) = &mut new {
        let written = if asks { write_until_right(&file, new, terminal)? } else { app::write_sink(&file, new)? };
        if !arguments.json {
            for secret in &written.secrets {
                terminal.print(&format!("written: {} (only you can read it)\n", clean(&secret.to_string_lossy())))?;
            }
            terminal.print(&format!("{}: {}\n\n", written.outcome, clean(&file.to_string_lossy())))?;
        }
    }
    let names: Vec<String> = new.map(|new| new.name).or_else(|| arguments.sink.clone()).into_iter().collect();
    let sinks = app::sink_plans(&setup.plan(Overrides::default())?, &names)?;
    if asks {
        let exit = report(&sinks, SinkWork::Check, false, terminal)?;
        let goes_on = if exit == Exit::Ok {
            "Make what must exist at the destination?"
        } else {
            "It does not answer as it should. Go on all the same?"
        };
        if !Confirm::with_theme(&SimpleTheme)
            .with_prompt(goes_on)
            .default(exit == Exit::Ok)
            .interact()
            .map_err(no_answer)?
        {
            return Ok(exit);
        }
    }
    let exit = report(&sinks, SinkWork::Setup, arguments.json, terminal)?;
    if exit != Exit::Ok || !(asks || arguments.install_rules) {
        return Ok(exit);
    }
    let manner = match (asks, arguments.json) {
        (true, _) => Manner::Asks,
        (_, true) => Manner::Json,
        _ => Manner::Tells,
    };
    for sink in app::rule_sinks(&sinks) {
        let installed = rollout::install(&sink, manner, setup, terminal)?;
        if installed != Exit::Ok {
            return Ok(installed);
        }
    }
    Ok(exit)
}

/// Writes the sink; what is wrong with an answer is told, and the answer asked for again.
fn write_until_right(file: &Path, new: &mut NewSink, terminal: &mut Terminal) -> Result<WrittenSink, CliError> {
    loop {
        let error = match app::write_sink(file, new) {
            Err(AppError::Config(error)) => error,
            written => return Ok(written?),
        };
        terminal.print(&format!("\n{}\n", clean(&error.to_string())))?;
        let options = new.kind.as_deref().map_or(Ok(Vec::new()), app::options_of)?;
        let told = error.messages();
        let named = |key: &str| {
            told.iter().any(|said| said.starts_with(&format!("{key}: ")) || said.starts_with(&format!("`{key}` ")))
        };
        let again: Vec<&SinkOption> = options.iter().filter(|option| named(&option.key)).collect();
        if again.is_empty() {
            return Err(AppError::Config(error).into());
        }
        for option in again {
            new.options.retain(|(key, _)| *key != option.key);
            new.options.extend(ask_option(option, terminal)?);
        }
    }
}

fn no_answer(error: dialoguer::Error) -> CliError {
    CliError::Refused(format!("there was no answer: {error}"))
}

/// Asks for a sink.
fn ask(file: &Path, name: Option<&str>, terminal: &mut Terminal) -> Result<NewSink, CliError> {
    let theme = SimpleTheme;
    let known = name.and_then(|name| app::type_in_file(file, name));
    let kind = match known {
        Some(kind) => kind,
        None => {
            let types = app::sink_types();
            let chosen =
                Select::with_theme(&theme).with_prompt("Where do findings go?").items(&types).default(0).interact();
            types[chosen.map_err(no_answer)?].to_owned()
        }
    };
    let name = match name {
        Some(name) => name.to_owned(),
        None => Input::with_theme(&theme)
            .with_prompt("A name for it")
            .default(kind.clone())
            .interact_text()
            .map_err(no_answer)?,
    };
    let mut options = Vec::new();
    let (asked, more): (Vec<SinkOption>, Vec<SinkOption>) =
        app::options_of(&kind)?.into_iter().partition(|option| option.is_required || option.example.is_some());
    for option in &asked {
        options.extend(ask_option(option, terminal)?);
    }
    let prompt = format!("There are {} more options with defaults. Look at them?", more.len());
    if !more.is_empty()
        && Confirm::with_theme(&theme).with_prompt(prompt).default(false).interact().map_err(no_answer)?
    {
        for option in &more {
            options.extend(ask_option(option, terminal)?);
        }
    }
    Ok(NewSink { name, kind: Some(kind), options })
}

/// Asks for one option; nothing when it is left out.
fn ask_option(option: &SinkOption, terminal: &mut Terminal) -> Result<Option<(String, String)>, CliError> {
    let theme = SimpleTheme;
    terminal.print(&format!("\n{}: {}\n", option.key, clean(&option.meaning.replace('\n', " "))))?;
    if let Some(example) = &option.example {
        terminal.print(&format!("  for example {}\n", clean(example)))?;
    }
    let answer = if option.is_secret {
        terminal.print("  It goes into a file that only you can read; write ${NAME} for an environment variable.\n")?;
        Password::with_theme(&theme).with_prompt(&option.key).allow_empty_password(!option.is_required).interact()
    } else {
        Input::<String>::with_theme(&theme).with_prompt(&option.key).allow_empty(!option.is_required).interact_text()
    };
    let answer = answer.map_err(no_answer)?;
    Ok((!answer.is_empty()).then(|| (option.key.clone(), answer)))
}

impl Setup<'_> {
    /// The configuration file that is read and written.
    fn config_file(&self) -> PathBuf {
        let named = self
            .config()
            .or_else(|| std::env::var_os("WATCHBELL_CONFIG").filter(|name| !name.is_empty()).map(PathBuf::from));
        named.unwrap_or_else(|| PathBuf::from(app::DEFAULT_FILE))
    }
}
