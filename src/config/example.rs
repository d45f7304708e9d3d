//! `config.example.toml`, written from the table of keys.

use super::{
    keys::{KEYS, SECTIONS, section_doc},
    settings::Settings,
};
use crate::{parse::Slot, registry};

const HEADER: &str = "\
# Watchbell's configuration: every key with its default. A line that is commented out is not set by default.
#
# Save it as watchbell.toml in the directory where you start watchbell, or name it with --config FILE or the variable
# WATCHBELL_CONFIG. A flag beats a variable, a variable beats this file, this file beats the default. Relative paths
# start at the current directory. ${NAME} and ${NAME:-default} stand for environment variables, in texts only;
# $$ is a dollar sign.
";

const SINKS: &str = "
# Where findings go: a table for each destination, under a name of your choice. `watchbell setup` asks for what it takes.
#
# Beside its own options each has these: enabled = true, min_severity = \"informational\", threats = [] (all),
# batch = { items = 0, bytes = 0, wait_secs = 0.2 } (0: as the destination takes them),
# retry = { initial_secs = 1.0, max_secs = 300.0 }, timeout_secs = 30. An option that holds a secret or a certificate may
# come from a file: token_file = \"PATH\" instead of token.
";

/// The example file.
#[must_use]
pub fn example() -> String {
    let settings = Settings::default();
    let mut out = HEADER.to_owned();
    for section in SECTIONS.into_iter().filter(|section| *section != "sinks") {
        out.push_str(&format!("\n# {}\n[{section}]\n", section_doc(section)));
        if section == "fields" {
            out.push_str(&format!("# Fields: {}.\n", Slot::ALL.map(Slot::name).join(", ")));
            out.push_str("# user = [\"actor.name\", \"payload.account\"]\n");
        }
        for key in KEYS.iter().filter(|key| key.section == section) {
            out.push_str(&format!("# {}{}\n", key.doc, variables(key.variables)));
            match (key.show)(&settings).0.as_deref() {
                Some(value) => out.push_str(&format!("{} = {value}\n", key.name)),
                None => out.push_str(&format!("# {} = {}\n", key.name, key.example)),
            }
        }
    }
    out.push_str(SINKS);
    for kind in registry::kinds() {
        out.push_str(&format!("\n# [sinks.my_{}]\n# type = \"{}\"\n", kind.name, kind.name));
        for line in kind.example.trim().lines() {
            out.push_str(format!("# {line}").trim_end());
            out.push('\n');
        }
    }
    out
}

fn variables(names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!(" [{}]", names.join(", ")) }
}
