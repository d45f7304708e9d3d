//! Detection rules in files: what they are, how they are to be run where they are installed, and how they are checked, run and
//! tested here.
//!
//! * [`folder`]: a folder of rules with its deployment.toml.
//! * [`shipped`]: the rules that are part of the program.
//! * [`customize`]: those for the user's names, changed at the places that the parser names.
//! * [`inspect`]: checks of many files.
//! * [`layout`]: the one layout.
//! * [`execute`]: a rule over records; the one place that asks the evaluator.
//! * [`testing`]: cases beside the rules.

pub mod customize;
pub mod execute;
pub mod folder;
pub mod inspect;
pub mod layout;
pub mod shipped;
pub mod testing;
