//! The linter: one event in, everything that is wrong with it out.
//!
//! An error means that the server refuses the event, and with it the whole batch; a warning, that it takes the event but not
//! as it was meant. Values are quoted from the input, which may be hostile: [`Diagnostic`]'s text has them escaped and cut.

/// What a diagnostic is: place, code, severity, text.
mod diagnostic;
/// Text that holds events, in any of the shapes in which they are stored and sent.
mod events;
/// Which parts of an event its type needs.
mod nouns;
/// All events of a text, checked.
mod report;
/// Lengths, addresses, ports, host names, what only the server sets.
mod rules;
/// One scalar against its type.
mod scalar;
/// Timestamps and durations.
mod time;
/// The event against the schema.
mod walk;

use serde_json::Value;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use events::{Broken, Place, events};
pub use report::{EventReport, Report, lint_text};
pub use rules::is_hostname;

/// Everything that is wrong with one event (the content of `udm`, without a wrapper), in the order of the event.
#[must_use]
pub fn check(event: &Value) -> Vec<Diagnostic> {
    let mut found = walk::against_schema(event);
    found.extend(nouns::missing(event));
    found
}
