//! The command line: arguments in, a call of [`crate::app`], presentation out.

use std::{ffi::OsString, process::ExitCode};

/// Runs the program with these arguments.
pub fn main(_arguments: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::SUCCESS
}
