//! YARA-L 2.0, the rule language of Google SecOps: parsed, checked, formatted and run. Pure: no I/O, no async, no clock.
//!
//! Declared in the order in which a rule travels:
//!
//! * [`source`]: places in a text: spans, lines, columns.
//! * [`diagnostic`]: what is wrong with a rule, with a code and a place; as text with the line shown, as JSON, as SARIF.
//! * [`syntax`]: text -> tokens -> the typed tree, every node with its span; errors of the whole file in one run.
//! * [`mod@format`]: the same rule in the one layout, comments kept.
//! * [`types`]: what a value can be.
//! * [`resolve`]: a path such as `$e.principal.ip` -> the fields of the schema that it passes.
//! * [`functions`]: the catalogue: names, signatures, and what each one computes.
//! * [`lists`]: reference lists and data tables, and looking values up in them.
//! * [`mod@check`]: everything that Google's compiler would refuse, and what it accepts although it can't be meant.
//! * [`eval`]: a rule over events -> its detections.

pub mod check;
pub mod diagnostic;
pub mod eval;
pub mod format;
pub mod functions;
pub mod lists;
pub mod resolve;
pub mod source;
pub mod syntax;
pub mod types;

pub use check::{Checked, check};
pub use diagnostic::{Code, Diagnostic, Level};
pub use source::Span;
pub use syntax::parse;

/// The example of the README, so that it stays true.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;
