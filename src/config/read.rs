//! File and environment to [`Settings`], with everything that is wrong at once.

use std::{
    ffi::OsString,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    interpolate::interpolate,
    keys::{KEYS, SECTIONS},
    problem::{ConfigError, Problem, Problems, nearest, unknown},
    settings::{Origin, Overrides, Settings},
    sinks::{SinkTable, SinkTables},
    values::{Input, Value},
};
use crate::parse::Slot;

/// Looks a variable up; the process's own environment, or a test's.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What the user has given beside the configuration file.
pub struct Given<'a> {
    /// `--config`; it must exist.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment<'a>,
    /// The command line.
    pub flags: Overrides,
    /// Whether the sinks are built, to find out what is wrong with them. Whoever delivers nothing needs none of their
    /// secrets.
    pub builds_sinks: bool,
}

/// Read when nobody names another, if it exists.
pub const DEFAULT_FILE: &str = "watchbell.toml";

/// The settings, a flag over a variable over the file over the default.
pub fn load(given: Given<'_>) -> Result<Settings, ConfigError> {
    let named = given.file.clone().or_else(|| variable(given.environment, "WATCHBELL_CONFIG").map(PathBuf::from));
    let (path, text) = match named {
        Some(path) => (path.clone(), read_file(&path)?),
        None => match fs::read_to_string(DEFAULT_FILE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (PathBuf::from(DEFAULT_FILE), String::new()),
            _ => (PathBuf::from(DEFAULT_FILE), read_file(Path::new(DEFAULT_FILE))?),
        },
    };
    Reading::whole(&path, text, given)
}

/// Whether a text would do as the configuration file of this name.
///
/// # Errors
/// Everything that is wrong with it, its sinks included.
pub fn check(file: &Path, text: String, environment: Environment<'_>) -> Result<(), ConfigError> {
    let given = Given { file: None, environment, flags: Overrides::default(), builds_sinks: true };
    Reading::whole(file, text, given).map(|_| ())
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

fn variable(environment: Environment<'_>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

struct Reading<'a> {
    text: Arc<str>,
    environment: Environment<'a>,
    settings: Settings,
    problems: Vec<Problem>,
}

impl<'a> Reading<'a> {
    fn whole(path: &Path, text: String, given: Given<'a>) -> Result<Settings, ConfigError> {
        let text: Arc<str> = text.into();
        let file = path.to_string_lossy().into_owned();
        let mut reading = Self {
            text: Arc::clone(&text),
            environment: given.environment,
            settings: Settings::default(),
            problems: Vec::new(),
        };
        reading.settings.sinks = SinkTables { file: file.clone(), text: Arc::clone(&text), tables: Vec::new() };
        reading.file(&text);
        reading.variables();
        reading.settings.apply(given.flags);
        if given.builds_sinks
            && let Err(ConfigError::Wrong(wrong)) = reading.settings.sinks.plans(given.environment)
        {
            reading.problems.extend(wrong.list);
        }
        reading.problems.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        if reading.problems.is_empty() {
            return Ok(reading.settings);
        }
        Err(ConfigError::Wrong(Box::new(Problems { file, text: text.to_string(), list: reading.problems })))
    }

    fn file(&mut self, text: &str) {
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What was recovered from broken syntax would only give more, misleading, complaints.
            self.problems.extend(errors.iter().map(|error| Problem {
                span: error.span(),
                message: error.message().to_owned(),
                help: None,
                hides_value: false,
            }));
            return;
        }
        for (name, value) in document.get_ref() {
            let section: &str = name.get_ref();
            match value.get_ref() {
                _ if !SECTIONS.contains(&section) => self.unknown_section(name.span(), section),
                DeValue::Table(table) if section == "fields" => self.fields(table),
                DeValue::Table(table) if section == "sinks" => self.sinks(table),
                DeValue::Table(table) => self.section(section, table),
                other => self.problems.push(Problem::at(
                    value.span(),
                    format!("expected a table `[{section}]`, found {}", other.type_str()),
                )),
            }
        }
    }

    /// A key outside of its table is the likeliest mistake of all, so the table is named.
    fn unknown_section(&mut self, span: Range<usize>, name: &str) {
        let problem = match KEYS.iter().find(|key| key.name == name) {
            Some(key) => Problem::at(span, format!("`{name}` stands outside of its table"))
                .with_help(Some(format!("put it under `[{}]`", key.section))),
            None => {
                let all: Vec<&str> = SECTIONS.into_iter().chain(KEYS.iter().map(|key| key.name)).collect();
                let near = nearest(name, &all).and_then(|near| KEYS.iter().find(|key| key.name == near));
                match near {
                    Some(key) => Problem::at(span, format!("unknown table `{}`", name.escape_debug()))
                        .with_help(Some(format!("did you mean `{}` under `[{}]`?", key.name, key.section))),
                    None => unknown(span, "table", name, &SECTIONS),
                }
            }
        };
        self.problems.push(problem);
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let keys = || KEYS.iter().filter(|key| key.section == section);
            let Some(key) = keys().find(|key| key.name == name.get_ref().as_ref()) else {
                self.unknown_key(name, section, &keys().map(|key| key.name).collect::<Vec<_>>());
                continue;
            };
            if let Some(input) = self.input(value)
                && let Err(message) = (key.set)(&mut self.settings, &input, Origin::File)
            {
                self.problems.push(Problem::at(value.span(), format!("{}: {message}", key.name)));
            }
        }
    }

    fn unknown_key(&mut self, name: &Spanned<std::borrow::Cow<'_, str>>, section: &str, known: &[&str]) {
        let given = name.get_ref();
        let elsewhere = KEYS.iter().find(|key| key.name == given.as_ref() && key.section != section);
        let problem = match elsewhere {
            Some(key) => Problem::at(name.span(), format!("`{given}` does not belong under `[{section}]`"))
                .with_help(Some(format!("put it under `[{}]`", key.section))),
            None => unknown(name.span(), &format!("key in `[{section}]`:"), given, known),
        };
        self.problems.push(problem);
    }

    fn fields(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            let field: &str = name.get_ref();
            let Ok(slot) = field.parse::<Slot>() else {
                self.problems.push(unknown(name.span(), "field of an event", field, &Slot::ALL.map(Slot::name)));
                continue;
            };
            let Some(input) = self.input(value) else { continue };
            match Vec::<String>::read(&input) {
                Ok(names) if names.iter().all(|name| !name.is_empty()) => {
                    self.settings.fields.push((slot, names));
                }
                Ok(_) => self
                    .problems
                    .push(Problem::at(value.span(), format!("{field}: expected names, found an empty text"))),
                Err(message) => self.problems.push(Problem::at(value.span(), format!("{field}: {message}"))),
            }
        }
    }

    fn sinks(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            if value.get_ref().is_table() {
                let table = SinkTable::new(name.get_ref().to_string(), name.span(), Arc::clone(&self.text));
                self.settings.sinks.tables.push(table);
            } else {
                let message = format!("expected a table `[sinks.NAME]`, found {}", value.get_ref().type_str());
                self.problems.push(Problem::at(name.span(), message));
            }
        }
        self.settings.sinks.tables.sort_by_key(SinkTable::position);
    }

    /// A value with its variables put in; `None` when that went wrong and was noted.
    fn input(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Input<'static>> {
        match value.get_ref() {
            DeValue::String(text) => self.text(text, value.span()).map(Input::Text),
            DeValue::Integer(number) if number.radix() == 10 => Some(Input::Number(number.as_str().to_owned())),
            DeValue::Integer(number) => {
                let decimal = i64::from_str_radix(number.as_str(), number.radix());
                Some(Input::Number(decimal.map_or_else(|_| number.as_str().to_owned(), |value| value.to_string())))
            }
            DeValue::Float(number) => Some(Input::Number(number.as_str().to_owned())),
            DeValue::Array(items) => {
                let mut texts = Vec::new();
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => texts.push(self.text(text, item.span())?),
                        other => {
                            let message = format!("expected a text, found {}", other.type_str());
                            self.problems.push(Problem::at(item.span(), message));
                            return None;
                        }
                    }
                }
                Some(Input::Texts(texts))
            }
            other => Some(Input::Other(other.type_str())),
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>) -> Option<String> {
        interpolate(text, self.environment).map_err(|message| self.problems.push(Problem::at(span, message))).ok()
    }

    fn variables(&mut self) {
        for key in KEYS {
            let first = key.variables.iter().find_map(|name| Some((*name, variable(self.environment, name)?)));
            if let Some((name, value)) = first
                && let Err(message) = (key.set)(&mut self.settings, &Input::Variable(&value), Origin::Variable(name))
            {
                self.problems.push(Problem::elsewhere(format!("the environment variable {name}: {message}")));
            }
        }
    }
}
