//! A type of sink with its Rust type erased: what the registry holds and the configuration builds from.

use std::{ops::Range, sync::Arc};

use schemars::Schema;
use toml::de::{Error as TomlError, ValueDeserializer};

use crate::{
    error::ConfigError,
    sink::{Context, Sink, SinkConfig},
};

type Build = for<'a> fn(ValueDeserializer<'a>, &Context) -> Result<Arc<dyn Sink>, BuildError>;

/// A type of sink.
#[derive(Clone, Copy)]
pub struct SinkKind {
    /// Its name, for example `splunk_hec`.
    pub name: &'static str,
    /// Its example options, in TOML.
    pub example: &'static str,
    schema: fn() -> Schema,
    build: Build,
}

impl SinkKind {
    /// The kind that these options make.
    #[must_use]
    pub const fn of<C: SinkConfig>() -> Self {
        Self { name: C::TYPE, example: C::EXAMPLE, schema: schema_of::<C>, build: build::<C> }
    }

    /// The JSON schema of the options.
    #[must_use]
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Builds a sink from a TOML table without the engine's keys. Pure.
    ///
    /// # Errors
    /// What is wrong with the options, with its place where TOML knows it.
    pub fn build(&self, options: ValueDeserializer<'_>, context: &Context) -> Result<Arc<dyn Sink>, BuildError> {
        (self.build)(options, context)
    }
}

impl std::fmt::Debug for SinkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SinkKind").field(&self.name).finish()
    }
}

fn schema_of<C: SinkConfig>() -> Schema {
    schemars::schema_for!(C)
}

fn build<C: SinkConfig>(options: ValueDeserializer<'_>, context: &Context) -> Result<Arc<dyn Sink>, BuildError> {
    let config = C::deserialize(options)?;
    Ok(Arc::new(config.build(context)?))
}

/// Why options build no sink.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// They don't read as the sink's options.
    #[error("{message}")]
    Options {
        /// Where, in bytes of the file.
        span: Option<Range<usize>>,
        /// What was expected.
        message: String,
    },
    /// They read, and contradict each other or can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl From<TomlError> for BuildError {
    fn from(error: TomlError) -> Self {
        Self::Options { span: error.span(), message: error.message().to_owned() }
    }
}
