//! The keys that every sink has: they are the engine's, and no sink sees them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::sink::{Severity, ThreatType};

/// What the engine does for a sink.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineOptions {
    /// Whether findings go there.
    pub enabled: bool,
    /// Findings below this severity do not go there: informational, low, medium, high, critical.
    pub min_severity: Severity,
    /// Only findings of these threat types go there. Empty: all.
    pub threats: Vec<ThreatType>,
    /// How many findings go together.
    pub batch: BatchOptions,
    /// How long it waits after a failure.
    pub retry: RetryOptions,
    /// Longest wait for one answer.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_secs: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            min_severity: Severity::Informational,
            threats: Vec::new(),
            batch: BatchOptions::default(),
            retry: RetryOptions::default(),
            timeout_secs: 30,
        }
    }
}

/// How many findings go together; the destination's own limits hold beside it.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchOptions {
    /// Most findings in one request. 0: as many as the destination takes.
    pub items: usize,
    /// Most bytes in one request. 0: as many as the destination takes.
    pub bytes: usize,
    /// How long a finding may wait for others to go with it.
    #[schemars(range(min = 0.0, max = 3600.0))]
    pub wait_secs: f64,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { items: 0, bytes: 0, wait_secs: 0.2 }
    }
}

/// How long it waits after a failure. A finding is never given up.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryOptions {
    /// The first wait; it doubles with each failure.
    #[schemars(range(min = 0.01, max = 3600.0))]
    pub initial_secs: f64,
    /// The longest wait.
    #[schemars(range(min = 0.01, max = 86400.0))]
    pub max_secs: f64,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { initial_secs: 1.0, max_secs: 300.0 }
    }
}

impl EngineOptions {
    /// What serde can't see: the key, and what was expected there.
    pub(super) fn wrong(&self) -> Option<(&'static str, String)> {
        let out = |key, value: f64, low: f64, high: f64| {
            (!(low..=high).contains(&value))
                .then(|| (key, format!("expected a number from {low} to {high}, found {value}")))
        };
        out("timeout_secs", self.timeout_secs as f64, 1.0, 3600.0)
            .or_else(|| out("batch.wait_secs", self.batch.wait_secs, 0.0, 3600.0))
            .or_else(|| out("retry.initial_secs", self.retry.initial_secs, 0.01, 3600.0))
            .or_else(|| out("retry.max_secs", self.retry.max_secs, self.retry.initial_secs, 86400.0))
    }
}
