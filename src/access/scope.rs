//! Scopes: what a key or a token allows.

use std::{collections::BTreeSet, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Look at findings, suppressions and feedback.
    #[serde(rename = "findings:read")]
    FindingsRead,
    /// Suppress findings, and say whether they were right.
    #[serde(rename = "findings:write")]
    FindingsWrite,
    /// Have logs analyzed.
    #[serde(rename = "logs:write")]
    LogsWrite,
    /// Look at models.
    #[serde(rename = "models:read")]
    ModelsRead,
    /// Train and choose models.
    #[serde(rename = "models:write")]
    ModelsWrite,
    /// Look at sinks, outbox and dead letters.
    #[serde(rename = "sinks:read")]
    SinksRead,
    /// Check sinks, forward findings, replay dead letters.
    #[serde(rename = "sinks:write")]
    SinksWrite,
    /// Look at the metrics.
    #[serde(rename = "metrics:read")]
    MetricsRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FindingsRead,
        Self::FindingsWrite,
        Self::LogsWrite,
        Self::ModelsRead,
        Self::ModelsWrite,
        Self::SinksRead,
        Self::SinksWrite,
        Self::MetricsRead,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FindingsRead => "findings:read",
            Self::FindingsWrite => "findings:write",
            Self::LogsWrite => "logs:write",
            Self::ModelsRead => "models:read",
            Self::ModelsWrite => "models:write",
            Self::SinksRead => "sinks:read",
            Self::SinksWrite => "sinks:write",
            Self::MetricsRead => "metrics:read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|scope| scope.name()).collect();
            format!("expected `admin` or one of: {}; found `{text}`", known.join(", "))
        })
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Everything; its name in keys and tokens is `admin`.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.into())
    }

    /// Whether this is among them.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}
