//! The table of keys: name, documentation, variables, and how a value gets in and out of [`Settings`].

use super::{
    settings::{Origin, Setting, Settings},
    values::{Input, Value},
};

/// One key of the configuration file.
#[derive(Debug)]
pub struct Key {
    /// The table it stands in.
    pub section: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it means, one line for each line of the example file.
    pub doc: &'static str,
    /// Example for a key without default; empty for the others.
    pub example: &'static str,
    /// Environment variables that set it; the first that is set counts.
    pub variables: &'static [&'static str],
    /// Reads a value into the settings.
    pub set: fn(&mut Settings, &Input<'_>, Origin) -> Result<(), String>,
    /// The value as TOML, and where it comes from.
    pub show: fn(&Settings) -> (Option<String>, Origin),
}

/// Names of the tables, in the order of the example file.
pub const SECTIONS: [&str; 7] = ["input", "fields", "detect", "batch", "outbox", "serve", "sinks"];

/// What each table is about.
#[must_use]
pub fn section_doc(section: &str) -> &'static str {
    match section {
        "input" => "What is read.",
        "fields" => "What your logs call the fields of an event, beside the names that are known anyway.",
        "detect" => "What counts as an anomaly.",
        "batch" => "The batch job.",
        "outbox" => "Where findings wait until every sink has them.",
        "serve" => "The REST API and the page of `watchbell serve`.",
        _ => "",
    }
}

macro_rules! keys {
    ($([$section:ident] $name:ident { $doc:literal $(, example $example:literal)? $(, env $($variable:literal)+)? })*) => {
        /// Every key, by table.
        pub const KEYS: &[Key] = &[$(Key {
            section: stringify!($section),
            name: stringify!($name),
            doc: $doc,
            example: concat!("" $(, $example)?),
            variables: &[$($($variable),+)?],
            set: |settings, input, origin| settings.$name.read(input, origin),
            show: |settings| shown(&settings.$name),
        }),*];
    };
}

keys! {
    [input] log_dir { "Directory with the logs; read with all its folders.", env "WATCHBELL_LOG_DIR" "LOG_DIR" }
    [input] include { "Only files that match one of these globs, as seen from log_dir: [\"*.json\", \"web/**\"]. Empty: all." }
    [input] exclude { "Not the files that match one of these globs." }
    [input] format { "How to read the files; `auto` looks at their content.", env "WATCHBELL_FORMAT" }
    [input] time_zone { "For times that name no zone: UTC, an IANA name, or an offset like +02:00.", env "WATCHBELL_TIME_ZONE" }
    [detect] threshold { "Events with this anomaly score or more are anomalies: above 0, at most 1.", env "WATCHBELL_THRESHOLD" }
    [detect] budget_per_day { "The other knob: how many findings a day you can look at; the strongest are kept.", example "20", env "WATCHBELL_BUDGET" }
    [detect] threads { "Threads to work with; 0 means one for each core. The results are the same for any number.", env "WATCHBELL_THREADS" }
    [detect] seed { "Seed of everything random: same seed and same input, same result.", env "WATCHBELL_SEED" }
    [detect] attack_version { "ATT&CK version that techniques are named after: 18 or 19.", env "WATCHBELL_ATTACK_VERSION" }
    [detect] gap_secs { "Anomalies of one kind about one entity belong together until there is none for this long.", env "WATCHBELL_GAP_SECS" }
    [detect] max_anomalies { "At most this many anomalies are listed in one report; all of them are counted.", env "WATCHBELL_MAX_ANOMALIES" }
    [batch] output_dir { "Directory for the reports; it is made when it does not exist.", env "WATCHBELL_OUTPUT_DIR" "OUTPUT_DIR" }
    [batch] model_dir { "Directory with a trained model. Without one, the batch learns from the logs that it reads.", example "\"models/\"", env "WATCHBELL_MODEL_DIR" "MODEL_DIR" }
    [batch] interval_secs { "Seconds from the beginning of one round to the beginning of the next.", env "WATCHBELL_BATCH_INTERVAL" "BATCH_INTERVAL" }
    [batch] html { "After each round, write everything in output_dir into this one HTML file.", example "\"batch_outputs/report.html\"", env "WATCHBELL_HTML" }
    [batch] low_disk_warn { "Warn when output_dir has less free space than this, or less than 5 % of its disk.", env "WATCHBELL_LOW_DISK_WARN" }
    [batch] low_disk_refuse { "Begin no round when output_dir has less free space than this.", env "WATCHBELL_LOW_DISK_REFUSE" }
    [outbox] outbox_dir { "Directory of the outbox, made if need be. One process at a time delivers from it.", env "WATCHBELL_OUTBOX_DIR" }
    [outbox] max_bytes { "Accept no findings when it is larger than this: nothing that was accepted is ever dropped." }
    [serve] listen { "Address and port to listen on. Beyond loopback somebody must be able to log in: a key or a token.", env "WATCHBELL_LISTEN" }
    [serve] keys_file { "File of the API keys that `watchbell keys create` writes; only hashes stand in it.", env "WATCHBELL_KEYS_FILE" }
    [serve] audit_log { "File that every call is written down in, one JSON line each: who did what, and what came of it.", example "\"audit.jsonl\"", env "WATCHBELL_AUDIT_LOG" }
    [serve] tls_cert { "File with the server's certificate chain as PEM; it is read anew when it changes.", example "\"tls/server.crt\"" }
    [serve] tls_key { "File with the certificate's key as PEM.", example "\"tls/server.key\"" }
    [serve] jwt_jwks { "Keys that tokens are signed with: a JWKS file, or its https address.", example "\"https://login.example/keys\"" }
    [serve] jwt_issuer { "The issuer that tokens must name.", example "\"https://login.example/\"" }
    [serve] jwt_audience { "The audience that tokens must name.", example "\"watchbell\"" }
    [serve] jwt_algorithms { "The only algorithms that tokens may be signed with." }
    [serve] allowed_hosts { "Names under which browsers may ask for it, beside the address it listens on and localhost; `name:port` where a proxy changes the port." }
    [serve] trusted_proxies { "Networks of proxies whose X-Forwarded-For is believed: [\"10.0.0.0/8\"]." }
    [serve] rate_per_minute { "Requests a minute that each key may make, and each address without one." }
    [serve] max_body_bytes { "Largest request body, also after unpacking." }
    [serve] timeout_secs { "Seconds that a request may take." }
}

fn shown<T: Value>(setting: &Setting<T>) -> (Option<String>, Origin) {
    (setting.value.toml(), setting.origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_variables_are_unique() {
        let mut names: Vec<_> = KEYS.iter().map(|key| (key.section, key.name)).collect();
        let mut variables: Vec<_> = KEYS.iter().flat_map(|key| key.variables).collect();
        let counts = (names.len(), variables.len());
        names.sort_unstable();
        names.dedup();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!((names.len(), variables.len()), counts);
    }
}
