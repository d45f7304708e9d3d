//! `[sinks.NAME]` tables: which sinks there are, and how each is built.
//!
//! Nothing here knows a type of sink. What is an option, a secret or a file is read off the schema that the type gives.

mod build;
mod engine;
mod options;
mod resolve;
mod schema;
mod show;

use std::{ops::Range, sync::Arc};

use toml::de::{DeTable, DeValue};

pub use self::{
    engine::{BatchOptions, EngineOptions, RetryOptions},
    options::{SinkOption, sink_options},
    schema::sink_schema,
};
use super::{
    interpolate::interpolate,
    problem::{ConfigError, Problem, Problems},
    read::Environment,
};
use crate::{
    registry,
    sink::{Memory, Sink, SinkKind},
};
pub(super) use show::show;

/// The tables of a file, as they stand.
#[derive(Debug, Clone, Default)]
pub struct SinkTables {
    /// The file as the user named it.
    pub file: String,
    /// Its text, to show what is wrong in it.
    pub text: Arc<str>,
    /// One for each sink, in the order of the file.
    pub tables: Vec<SinkTable>,
}

/// One table. It is parsed anew whenever it is needed, so that spans stay true and nothing is kept but the text.
#[derive(Debug, Clone)]
pub struct SinkTable {
    /// The name that the user gave the sink.
    pub name: String,
    span: Range<usize>,
    text: Arc<str>,
}

/// A sink that is configured and known to build.
#[derive(Debug, Clone)]
pub struct SinkPlan {
    /// The name that the user gave it.
    pub name: String,
    /// Its type.
    pub kind: SinkKind,
    /// What the engine has to know.
    pub engine: EngineOptions,
    table: SinkTable,
}

/// A sink, and what it was built from.
pub struct Built {
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// Changes when a variable or a file that it was built from changes.
    pub fingerprint: blake3::Hash,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Built").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl SinkTables {
    /// The sinks that are switched on, each of which builds.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, those that are switched off included.
    pub fn plans(&self, environment: Environment<'_>) -> Result<Vec<SinkPlan>, ConfigError> {
        let (mut plans, mut list) = (Vec::new(), Vec::new());
        for table in &self.tables {
            match table.plan(environment) {
                Ok(plan) if plan.engine.enabled => plans.push(plan),
                Ok(_) => {}
                Err(problems) => list.extend(problems),
            }
        }
        if list.is_empty() {
            return Ok(plans);
        }
        list.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        Err(ConfigError::Wrong(Box::new(Problems { file: self.file.clone(), text: self.text.to_string(), list })))
    }
}

/// Longest name of a sink; it becomes part of keys at destinations.
const LONGEST_NAME: usize = 48;

impl SinkTable {
    pub(super) fn new(name: String, span: Range<usize>, text: Arc<str>) -> Self {
        Self { name, span, text }
    }

    /// Where it stands in the file.
    pub(super) fn position(&self) -> usize {
        self.span.start
    }

    /// A text that stands in the table, with its variables put in; `None` when there is none, or a variable is missing.
    #[must_use]
    pub fn text_of(&self, key: &str, environment: Environment<'_>) -> Option<String> {
        let entries = self.entries();
        interpolate(entries.get(key)?.get_ref().as_str()?, environment).ok()
    }

    /// What stands in the table.
    fn entries(&self) -> DeTable<'_> {
        let document = DeTable::parse(&self.text).map(toml::Spanned::into_inner).unwrap_or_default();
        let DeValue::Table(entries) = document
            .get("sinks")
            .and_then(|sinks| sinks.get_ref().get(self.name.as_str()))
            .map_or_else(|| DeValue::Table(DeTable::new()), |table| table.get_ref().clone())
        else {
            return DeTable::new();
        };
        entries
    }

    fn kind(&self) -> Result<SinkKind, Problem> {
        let names: Vec<&str> = registry::kinds().iter().map(|kind| kind.name).collect();
        let entries = self.entries();
        let Some(value) = entries.get("type") else {
            let message = format!("the sink `{}` has no `type`", self.name);
            return Err(Problem::at(self.span.clone(), message)
                .with_help(Some(format!("expected one of {}", names.join(", ")))));
        };
        let Some(name) = value.get_ref().as_str() else {
            return Err(Problem::at(
                value.span(),
                format!("type: expected a text, found {}", value.get_ref().type_str()),
            ));
        };
        registry::kind(name).map_err(|error| match error {
            registry::NoSuchKind::Unknown(_) => super::problem::unknown(value.span(), "type of sink", name, &names),
            registry::NoSuchKind::NotBuilt(_) => Problem::at(value.span(), error.to_string()),
        })
    }

    /// The sink that the table describes; it is built once to see that it can be.
    fn plan(&self, environment: Environment<'_>) -> Result<SinkPlan, Vec<Problem>> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if self.name.is_empty() || self.name.len() > LONGEST_NAME || !self.name.chars().all(is_plain) {
            let message = format!(
                "the name of a sink is 1 to {LONGEST_NAME} letters, digits, `-` and `_`, found `{}`",
                self.name.escape_debug()
            );
            return Err(vec![Problem::at(self.span.clone(), message)]);
        }
        let kind = self.kind().map_err(|problem| vec![problem])?;
        let (engine, mut problems) = build::engine(self, kind, environment);
        let engine = engine.unwrap_or_default();
        let plan = SinkPlan { name: self.name.clone(), kind, engine, table: self.clone() };
        if plan.engine.enabled {
            problems.extend(plan.build(environment, Arc::new(crate::sink::Forgetful)).err().unwrap_or_default());
        }
        if problems.is_empty() { Ok(plan) } else { Err(problems) }
    }
}

impl SinkPlan {
    /// Builds the sink from what variables and files hold now.
    ///
    /// # Errors
    /// What is wrong with its options; a secret's file that can't be read is among them.
    pub fn build(&self, environment: Environment<'_>, memory: Arc<dyn Memory>) -> Result<Built, Vec<Problem>> {
        build::sink(self, environment, memory)
    }
}
