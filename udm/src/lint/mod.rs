//! The linter: one event in, everything that is wrong with it out.
//!
//! In the order in which an event is read: `events` finds it in a text, `walk` holds it against the schema (`scalar` and `time`
//! judge single values), `rules` looks at single messages, `nouns` at the whole; `report` gathers what was found.
//!
//! An error means that the server refuses the event, and with it the whole batch; a warning, that it takes the event but not
//! as it was meant. Values are quoted from the input, which may be hostile: [`Diagnostic`]'s text has them escaped and cut.

mod diagnostic;
mod events;
mod nouns;
mod report;
mod rules;
mod scalar;
mod time;
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
