//! [`Settings`] made ready to run: globs compiled, numbers resolved, contradictions refused.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ipnet::IpNet;

use super::{
    problem::{ConfigError, Problem, Problems},
    settings::{Origin, Setting, Settings},
    sinks::SinkTables,
    values::{Budget, HostName, JwksPlace, SigningAlgorithm, Threshold, TimeZone},
};
use crate::classify::attack::AttackVersion;
use crate::parse::{Format, Slot};

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to read.
    pub input: InputPlan,
    /// What counts.
    pub detect: DetectPlan,
    /// The batch job.
    pub batch: BatchPlan,
    /// Where findings wait.
    pub outbox: OutboxPlan,
    /// The REST API and its page.
    pub serve: ServePlan,
    /// Where they go.
    pub sinks: SinkTables,
}

/// What to read.
#[derive(Debug, Clone)]
pub struct InputPlan {
    /// The directory with the logs.
    pub log_dir: PathBuf,
    /// Globs of files to take; empty means all.
    pub include: Vec<String>,
    /// Globs of files to leave out.
    pub exclude: Vec<String>,
    /// The format; `None` looks at the content.
    pub format: Option<Format>,
    /// For times that name no zone.
    pub time_zone: TimeZone,
    /// The user's names of an event's fields.
    pub fields: BTreeMap<Slot, Vec<String>>,
}

/// What counts as an anomaly.
#[derive(Debug, Clone)]
pub struct DetectPlan {
    /// The cut.
    pub threshold: Threshold,
    /// Findings a day.
    pub budget: Option<Budget>,
    /// Threads to work with.
    pub threads: NonZeroUsize,
    /// Seed of everything random.
    pub seed: u64,
    /// ATT&CK version.
    pub attack_version: AttackVersion,
    /// Longest silence within one finding.
    pub gap: Duration,
    /// Most anomalies listed in one report.
    pub max_anomalies: usize,
}

/// The batch job.
#[derive(Debug, Clone)]
pub struct BatchPlan {
    /// Where reports go.
    pub output_dir: PathBuf,
    /// Where a trained model is.
    pub model_dir: Option<PathBuf>,
    /// From the beginning of one round to that of the next.
    pub interval: Duration,
    /// The one HTML file.
    pub html: Option<PathBuf>,
    /// When the disk is too full.
    pub low_disk: LowDisk,
}

/// Where findings wait until every sink has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxPlan {
    /// Its directory.
    pub folder: PathBuf,
    /// Most bytes.
    pub max_bytes: u64,
}

/// The REST API and its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServePlan {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The file of API keys.
    pub keys_file: PathBuf,
    /// The file in which every call is written down.
    pub audit_log: Option<PathBuf>,
    /// Certificate chain and key, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Tokens that are taken beside keys.
    pub tokens: Option<TokenPlan>,
    /// Names under which browsers may ask for it.
    pub allowed_hosts: Vec<HostName>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a minute for each key or address.
    pub rate_per_minute: NonZeroU32,
    /// Largest body, in bytes, also after unpacking.
    pub max_body_bytes: usize,
    /// Longest time for one request.
    pub timeout: Duration,
}

/// Tokens that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPlan {
    /// Where the keys are that they are signed with.
    pub jwks: JwksPlace,
    /// The issuer that they must name.
    pub issuer: String,
    /// The audience that they must name.
    pub audience: String,
    /// The only algorithms that they may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
}

/// When the disk is too full, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowDisk {
    /// Warn below this.
    pub warn: u64,
    /// Begin no round below this.
    pub refuse: u64,
}

impl Plan {
    /// Makes settings ready to run. `cores` is the number of threads that `threads = 0` stands for.
    pub fn new(settings: Settings, cores: NonZeroUsize) -> Result<Self, ConfigError> {
        let problems = contradictions(&settings);
        if !problems.is_empty() {
            let wrong = Problems { file: String::new(), text: String::new(), list: problems };
            return Err(ConfigError::Wrong(Box::new(wrong)));
        }
        let threads = usize::try_from(settings.threads.value).ok().and_then(NonZeroUsize::new).unwrap_or(cores);
        Ok(Self {
            input: InputPlan {
                log_dir: settings.log_dir.value,
                include: settings.include.value,
                exclude: settings.exclude.value,
                format: settings.format.value.0,
                time_zone: settings.time_zone.value,
                fields: settings.fields.into_iter().collect(),
            },
            detect: DetectPlan {
                threshold: settings.threshold.value,
                budget: settings.budget_per_day.value,
                threads,
                seed: settings.seed.value,
                attack_version: settings.attack_version.value,
                gap: Duration::from_secs(settings.gap_secs.value),
                max_anomalies: usize::try_from(settings.max_anomalies.value).unwrap_or(usize::MAX),
            },
            batch: BatchPlan {
                output_dir: settings.output_dir.value,
                model_dir: settings.model_dir.value,
                interval: Duration::from_secs(settings.interval_secs.value),
                html: settings.html.value,
                low_disk: LowDisk { warn: settings.low_disk_warn.value.0, refuse: settings.low_disk_refuse.value.0 },
            },
            outbox: OutboxPlan { folder: settings.outbox_dir.value, max_bytes: settings.max_bytes.value.0 },
            serve: ServePlan {
                listen: settings.listen.value.0,
                keys_file: settings.keys_file.value,
                audit_log: settings.audit_log.value,
                tls: settings.tls_cert.value.zip(settings.tls_key.value),
                tokens: tokens(
                    (settings.jwt_jwks.value, settings.jwt_issuer.value, settings.jwt_audience.value),
                    settings.jwt_algorithms.value,
                ),
                allowed_hosts: settings.allowed_hosts.value,
                trusted_proxies: settings.trusted_proxies.value.into_iter().map(|network| network.0).collect(),
                rate_per_minute: number(settings.rate_per_minute.value),
                max_body_bytes: usize::try_from(settings.max_body_bytes.value.0).unwrap_or(usize::MAX),
                timeout: Duration::from_secs(settings.timeout_secs.value),
            },
            sinks: settings.sinks,
        })
    }
}

/// What is not 0 was checked before.
fn number(value: u64) -> NonZeroU32 {
    u32::try_from(value).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX)
}

fn tokens(
    (jwks, issuer, audience): (Option<JwksPlace>, Option<String>, Option<String>),
    algorithms: Vec<SigningAlgorithm>,
) -> Option<TokenPlan> {
    Some(TokenPlan { jwks: jwks?, issuer: issuer?, audience: audience?, algorithms })
}

/// Most threads that can be asked for: more only wait for each other.
const MOST_THREADS: u64 = 1024;

fn contradictions(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |key: &str, origin: Origin, message: String| {
        problems.push(Problem::elsewhere(format!("{key} ({origin}): {message}")));
    };
    for (key, globs) in [("include", &settings.include), ("exclude", &settings.exclude)] {
        if let Err(error) = glob_set(globs) {
            wrong(key, globs.origin, error.to_string());
        }
    }
    let threads = &settings.threads;
    if threads.value > MOST_THREADS {
        wrong("threads", threads.origin, format!("expected at most {MOST_THREADS}, found {}", threads.value));
    }
    if settings.interval_secs.value == 0 {
        wrong("interval_secs", settings.interval_secs.origin, "expected 1 or more, found 0".to_owned());
    }
    for (key, setting) in [("rate_per_minute", &settings.rate_per_minute), ("timeout_secs", &settings.timeout_secs)] {
        if setting.value == 0 {
            wrong(key, setting.origin, "expected 1 or more, found 0".to_owned());
        }
    }
    let together = |wrong: &mut dyn FnMut(&str, Origin, String), keys: &[(&str, bool, Origin)]| {
        if let Some((set, _, origin)) = keys.iter().find(|key| key.1) {
            for (missing, ..) in keys.iter().filter(|key| !key.1) {
                wrong(set, *origin, format!("needs `{missing}` beside it"));
            }
        }
    };
    let (cert, key) = (&settings.tls_cert, &settings.tls_key);
    together(
        &mut wrong,
        &[("tls_cert", cert.value.is_some(), cert.origin), ("tls_key", key.value.is_some(), key.origin)],
    );
    let (jwks, issuer, audience) = (&settings.jwt_jwks, &settings.jwt_issuer, &settings.jwt_audience);
    together(
        &mut wrong,
        &[
            ("jwt_jwks", jwks.value.is_some(), jwks.origin),
            ("jwt_issuer", issuer.value.is_some(), issuer.origin),
            ("jwt_audience", audience.value.is_some(), audience.origin),
        ],
    );
    for (key, setting) in [("jwt_issuer", issuer), ("jwt_audience", audience)] {
        if setting.value.as_deref() == Some("") {
            wrong(key, setting.origin, "expected a text, found an empty one".to_owned());
        }
    }
    let algorithms = &settings.jwt_algorithms;
    if algorithms.value.is_empty() {
        wrong("jwt_algorithms", algorithms.origin, "expected at least one algorithm, like `RS256`".to_owned());
    }
    let rate = &settings.rate_per_minute;
    if rate.value > u64::from(u32::MAX) {
        wrong("rate_per_minute", rate.origin, format!("expected at most {}, found {}", u32::MAX, rate.value));
    }
    problems
}

fn glob_set(globs: &Setting<Vec<String>>) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in &globs.value {
        set.add(GlobBuilder::new(glob).literal_separator(true).build()?);
    }
    set.build()
}
