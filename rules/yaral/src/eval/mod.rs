//! A rule over events -> its detections.
//!
//! The four stages of the documentation: copies of events, one for each choice of their lists' items; the rows of copies that
//! satisfy `events`; groups by match variables and window, with their outcome; the groups that satisfy `condition`.
//! In the order of the data: `event` reads records, `compile` makes a `program` of a rule, `unnest` copies and filters,
//! `join` makes rows, `group` and `window` gather them, `scope` evaluates expressions at each of these places, `detect` writes
//! down what is left.

mod calls;
mod code;
mod compare;
mod compile;
mod detect;
mod event;
mod graph;
mod group;
mod input;
mod join;
mod lists;
mod program;
mod run;
mod scope;
mod unnest;
mod value;
mod window;

pub use detect::{Detection, Matched};
pub use event::{Event, EventError};
pub use input::{Dataset, EvalError, Limits, Settings};
pub use lists::{Column, DataTable, ListKind, ReferenceList};
pub use program::{CompileError, Program};
pub use run::Run;
pub use value::{Key, Value, fold};
