//! The settings: each value with where it comes from.

use std::{fmt, path::PathBuf};

use super::{
    keys::KEYS,
    read::Environment,
    sinks::{self, SinkTables},
    values::{
        Budget, Bytes, FormatChoice, HostName, Input, JwksPlace, Listen, Network, SigningAlgorithm, Threshold,
        TimeZone, Value, quoted,
    },
};
use crate::classify::attack::AttackVersion;
use crate::parse::Slot;

/// Where a value comes from; a later one beats an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Built in.
    Default,
    /// The configuration file.
    File,
    /// This environment variable.
    Variable(&'static str),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("configuration file"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T: Value> Setting<T> {
    /// A value that nobody has chosen.
    const fn default(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }

    /// Takes a value over; the error says what was expected.
    pub(super) fn read(&mut self, input: &Input<'_>, origin: Origin) -> Result<(), String> {
        *self = Self { value: T::read(input)?, origin };
        Ok(())
    }

    fn override_with(&mut self, flag: Option<T>) {
        if let Some(value) = flag {
            *self = Self { value, origin: Origin::Flag };
        }
    }
}

/// All settings. [`super::keys::KEYS`] has their names and their documentation.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is documented once, in the table of keys")]
pub struct Settings {
    pub log_dir: Setting<PathBuf>,
    pub include: Setting<Vec<String>>,
    pub exclude: Setting<Vec<String>>,
    pub format: Setting<FormatChoice>,
    pub time_zone: Setting<TimeZone>,
    pub threshold: Setting<Threshold>,
    pub budget_per_day: Setting<Option<Budget>>,
    pub threads: Setting<u64>,
    pub seed: Setting<u64>,
    pub attack_version: Setting<AttackVersion>,
    pub gap_secs: Setting<u64>,
    pub max_anomalies: Setting<u64>,
    pub output_dir: Setting<PathBuf>,
    pub model_dir: Setting<Option<PathBuf>>,
    pub interval_secs: Setting<u64>,
    pub html: Setting<Option<PathBuf>>,
    pub low_disk_warn: Setting<Bytes>,
    pub low_disk_refuse: Setting<Bytes>,
    pub outbox_dir: Setting<PathBuf>,
    pub max_bytes: Setting<Bytes>,
    pub listen: Setting<Listen>,
    pub keys_file: Setting<PathBuf>,
    pub audit_log: Setting<Option<PathBuf>>,
    pub tls_cert: Setting<Option<PathBuf>>,
    pub tls_key: Setting<Option<PathBuf>>,
    pub jwt_jwks: Setting<Option<JwksPlace>>,
    pub jwt_issuer: Setting<Option<String>>,
    pub jwt_audience: Setting<Option<String>>,
    pub jwt_algorithms: Setting<Vec<SigningAlgorithm>>,
    pub allowed_hosts: Setting<Vec<HostName>>,
    pub trusted_proxies: Setting<Vec<Network>>,
    pub rate_per_minute: Setting<u64>,
    pub max_body_bytes: Setting<Bytes>,
    pub timeout_secs: Setting<u64>,
    /// `[fields]`: for each field of an event the names that the user's logs have for it, in the file's order.
    pub fields: Vec<(Slot, Vec<String>)>,
    /// `[sinks.NAME]` tables, as they stand.
    pub sinks: SinkTables,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_dir: Setting::default("logs/".into()),
            include: Setting::default(Vec::new()),
            exclude: Setting::default(Vec::new()),
            format: Setting::default(FormatChoice(None)),
            time_zone: Setting::default(TimeZone::utc()),
            threshold: Setting::default(Threshold::DEFAULT),
            budget_per_day: Setting::default(None),
            threads: Setting::default(0),
            seed: Setting::default(0),
            attack_version: Setting::default(AttackVersion::V19),
            gap_secs: Setting::default(3600),
            max_anomalies: Setting::default(10_000),
            output_dir: Setting::default("batch_outputs/".into()),
            model_dir: Setting::default(None),
            interval_secs: Setting::default(3600),
            html: Setting::default(None),
            low_disk_warn: Setting::default(Bytes(1 << 30)),
            low_disk_refuse: Setting::default(Bytes(100 << 20)),
            outbox_dir: Setting::default("outbox/".into()),
            max_bytes: Setting::default(Bytes(1 << 30)),
            listen: Setting::default(Listen::LOOPBACK),
            keys_file: Setting::default("api_keys.json".into()),
            audit_log: Setting::default(None),
            tls_cert: Setting::default(None),
            tls_key: Setting::default(None),
            jwt_jwks: Setting::default(None),
            jwt_issuer: Setting::default(None),
            jwt_audience: Setting::default(None),
            jwt_algorithms: Setting::default(vec![
                SigningAlgorithm::Rs256,
                SigningAlgorithm::Es256,
                SigningAlgorithm::EdDsa,
            ]),
            allowed_hosts: Setting::default(Vec::new()),
            trusted_proxies: Setting::default(Vec::new()),
            rate_per_minute: Setting::default(6_000),
            max_body_bytes: Setting::default(Bytes(64 << 20)),
            timeout_secs: Setting::default(60),
            fields: Vec::new(),
            sinks: SinkTables::default(),
        }
    }
}

/// What the command line says: it beats everything else.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field is documented once, in the table of keys")]
pub struct Overrides {
    pub log_dir: Option<PathBuf>,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub format: Option<FormatChoice>,
    pub time_zone: Option<TimeZone>,
    pub threshold: Option<Threshold>,
    pub budget_per_day: Option<Budget>,
    pub threads: Option<u64>,
    pub seed: Option<u64>,
    pub output_dir: Option<PathBuf>,
    pub model_dir: Option<PathBuf>,
    pub interval_secs: Option<u64>,
    pub html: Option<PathBuf>,
    pub outbox_dir: Option<PathBuf>,
    pub listen: Option<Listen>,
    pub keys_file: Option<PathBuf>,
}

impl Settings {
    /// Puts what the command line says over what is there.
    pub(super) fn apply(&mut self, flags: Overrides) {
        let listed = |texts: Vec<String>| (!texts.is_empty()).then_some(texts);
        self.log_dir.override_with(flags.log_dir);
        self.include.override_with(listed(flags.include));
        self.exclude.override_with(listed(flags.exclude));
        self.format.override_with(flags.format);
        self.time_zone.override_with(flags.time_zone);
        self.threshold.override_with(flags.threshold);
        self.budget_per_day.override_with(flags.budget_per_day.map(Some));
        self.threads.override_with(flags.threads);
        self.seed.override_with(flags.seed);
        self.output_dir.override_with(flags.output_dir);
        self.model_dir.override_with(flags.model_dir.map(Some));
        self.interval_secs.override_with(flags.interval_secs);
        self.html.override_with(flags.html.map(Some));
        self.outbox_dir.override_with(flags.outbox_dir);
        self.listen.override_with(flags.listen);
        self.keys_file.override_with(flags.keys_file);
    }
}

/// The settings as TOML, each with where it comes from.
#[must_use]
pub fn show(settings: &Settings, environment: Environment<'_>) -> String {
    let mut out = String::new();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            section = key.section;
            out.push_str(&format!("{gap}[{section}]\n"));
        }
        let (value, origin) = (key.show)(settings);
        match value {
            Some(value) => out.push_str(&format!("{} = {value}  # {origin}\n", key.name)),
            None => out.push_str(&format!("# {} is not set\n", key.name)),
        }
    }
    if !settings.fields.is_empty() {
        out.push_str("\n[fields]\n");
        for (field, names) in &settings.fields {
            let names = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            out.push_str(&format!("{field} = [{names}]  # {}\n", Origin::File));
        }
    }
    out.push_str(&sinks::show(&settings.sinks, environment));
    out
}
