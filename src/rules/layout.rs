//! Files of rules in the one layout.

use watchbell_yaral::Diagnostic;

/// What became of laying out a text.
#[derive(Debug)]
pub enum LaidOut {
    /// It is as it should be.
    Same,
    /// It should be this.
    Changed(String),
    /// It can't be parsed, and is left alone.
    Broken(Option<Diagnostic>),
}

/// Lays out a text. One that does not parse is never touched.
#[must_use]
pub fn lay_out(text: &str) -> LaidOut {
    match watchbell_yaral::format::format(text) {
        Ok(new) if new == text => LaidOut::Same,
        Ok(new) => LaidOut::Changed(new),
        Err(diagnostics) => LaidOut::Broken(diagnostics.into_iter().find(Diagnostic::is_error)),
    }
}
