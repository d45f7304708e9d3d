//! Detection rules as users meet them: those that ship, and the commands around rules.

mod commands;
mod shipped;

use std::path::Path;

use crate::place::Place;

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A configuration with a sink named `soc` that sends to Google SecOps, and these options.
fn configure(place: &Place, options: &str) {
    let sink = "[sinks.soc]\ntype = \"chronicle\"\nproject = \"p-example\"\nlocation = \"us\"\n\
        instance = \"11111111-2222-3333-4444-555555555555\"\nauth = \"application_default\"\n";
    place.write("watchbell.toml", &format!("{sink}{options}"));
}
