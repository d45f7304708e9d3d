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

/// The name of all scopes together, also of those that a later version brings.
const ADMIN: &str = "admin";

/// What a caller may do. Written as a list of names; all of them are `admin`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Scopes(BTreeSet<Scope>);

impl TryFrom<Vec<String>> for Scopes {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        names.iter().try_fold(Self::default(), |all, name| Ok(all.with(&name.parse()?)))
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Self {
        if scopes == Scopes::all() {
            return vec![ADMIN.to_owned()];
        }
        scopes.iter().map(|scope| scope.name().to_owned()).collect()
    }
}

impl FromStr for Scopes {
    type Err = String;

    /// One name: a scope's, or `admin`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == ADMIN { Ok(Self::all()) } else { text.parse().map(|scope| Self([scope].into())) }
    }
}

impl Scopes {
    /// Everything; its name in keys and tokens is `admin`.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.into())
    }

    /// These and those.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        self.0.extend(&others.0);
        self
    }

    /// Those among these names that are known; issuers of tokens have others beside them.
    pub(super) fn known<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        names.filter_map(|name| name.parse::<Self>().ok()).fold(Self::default(), |all, some| all.with(&some))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_scopes_are_written_as_admin() {
        assert_eq!(serde_json::to_string(&Scopes::all()).unwrap(), r#"["admin"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(r#"["admin"]"#).unwrap(), Scopes::all());
        let two: Scopes = [Scope::FindingsRead, Scope::LogsWrite].into_iter().collect();
        assert_eq!(serde_json::to_string(&two).unwrap(), r#"["findings:read","logs:write"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(r#"["logs:write","findings:read"]"#).unwrap(), two);
        let error = serde_json::from_str::<Scopes>(r#"["findings"]"#).unwrap_err().to_string();
        assert!(error.contains("expected `admin` or one of: findings:read"), "{error}");
    }

    #[test]
    fn what_an_issuer_calls_else_allows_nothing() {
        let scopes = Scopes::known("openid findings:read Admin logs:write:all".split(' '));
        assert_eq!(scopes, [Scope::FindingsRead].into_iter().collect());
    }
}
