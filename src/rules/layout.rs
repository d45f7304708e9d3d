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
    Broken(Diagnostic),
}

/// Lays out a text. One that does not parse is never touched.
#[must_use]
pub fn lay_out(text: &str) -> LaidOut {
    let parsed = watchbell_yaral::parse(text);
    if let Some(error) = parsed.diagnostics.into_iter().find(Diagnostic::is_error) {
        return LaidOut::Broken(error);
    }
    let new = text.to_owned();
    if new == text { LaidOut::Same } else { LaidOut::Changed(new) }
}
