//! What is wrong with a rule: a code, a place, what was expected.
//!
//! Messages follow Google's compiler where its wording is known, so that a search for one finds the other.

mod code;
pub mod json;
pub mod render;
pub mod sarif;

pub use code::Code;

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The rule runs, and hardly means what it says.
    Warning,
    /// Google's compiler refuses it.
    Error,
}

/// A file with what is wrong with it, to be shown.
#[derive(Debug, Clone, Copy)]
pub struct FileReport<'a> {
    /// The name under which the file is shown.
    pub name: &'a str,
    /// Its text, as it was parsed.
    pub text: &'a str,
    /// What is wrong.
    pub diagnostics: &'a [Diagnostic],
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of mistake.
    pub code: Code,
    /// How bad.
    pub level: Level,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the marked place.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<(Span, String)>,
}

impl Level {
    /// `error` or `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Diagnostic {
    /// A mistake at a place, as bad as its code usually is.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, level: code.level(), message: message.into(), span, label: None, help: None, related: Vec::new() }
    }

    /// With words under the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push((span, message.into()));
        self
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}
