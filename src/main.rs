//! The `watchbell` program: parse arguments, run, exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchbell::cli::main(std::env::args_os())
}
