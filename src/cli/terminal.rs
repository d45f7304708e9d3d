//! Where the program writes: results to standard output, everything else to standard error.

use std::{
    error::Error,
    ffi::OsString,
    io::{self, Write},
};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::{arguments::Color, exit::CliError};
use crate::app::with_causes;

/// The two streams.
pub(super) struct Terminal {
    out: AutoStream<io::Stdout>,
    quiet: bool,
}

impl Terminal {
    /// Standard output is not locked: a front that speaks a protocol there writes from other threads.
    pub(super) fn new(quiet: bool) -> Self {
        Self { out: AutoStream::auto(io::stdout()), quiet }
    }

    /// Whether nothing but results and errors is wanted.
    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a result; it ends with a line feed of its own.
    pub(super) fn print(&mut self, text: &str) -> Result<(), CliError> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).map_err(CliError::Output)
    }

    /// Says something about a result on standard error, so that a pipe sees only the result.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            // A closed standard error leaves nobody to tell.
            let _ = AutoStream::auto(io::stderr().lock()).write_all(text.as_bytes());
        }
    }

    /// Prints a value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string(value).expect("results have only text keys");
        text.push('\n');
        self.print(&text)
    }

    /// Says on standard error why the program ends.
    pub(super) fn error(&self, error: &dyn Error) {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let text = format!("{red}error{red:#}: {}\n", clean(&with_causes(error)));
        // A closed standard error leaves nobody to tell.
        let _ = AutoStream::auto(io::stderr().lock()).write_all(text.as_bytes());
    }
}

/// Text of a log, a file's name, made harmless for a terminal: no control characters but line feeds.
pub(super) fn clean(text: &str) -> String {
    let is_harmful = |letter: char| {
        (letter.is_control() && letter != '\n')
            // Direction overrides let a text show as another one.
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_harmful(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Sets how both streams treat colors.
pub(super) fn choose_color(color: Color) {
    match color {
        // Follows NO_COLOR, CLICOLOR_FORCE and whether the stream is a terminal.
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// The same for what clap prints.
pub(super) fn clap_color() -> clap::ColorChoice {
    match ColorChoice::global() {
        ColorChoice::Always | ColorChoice::AlwaysAnsi => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
        ColorChoice::Auto => clap::ColorChoice::Auto,
    }
}

/// `--color` among arguments that are not parsed yet: help and usage errors are to follow it too.
pub(super) fn color_among(arguments: &[OsString]) -> Option<Color> {
    let texts: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let apart = texts.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1]);
    let joined = texts.iter().filter_map(|text| text.strip_prefix("--color="));
    apart.chain(joined).next().and_then(|name| clap::ValueEnum::from_str(name, false).ok())
}
