//! A destination that runs detection rules of its own, and takes them over its API.
//!
//! Each call is one request or one paged listing; it never retries and keeps nothing. What is to be changed in which order is
//! decided by whoever holds the plan.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::SinkError;

/// Where rules are installed.
#[async_trait]
pub trait RuleHost: Send + Sync {
    /// Every rule there, archived ones too, each with its text and its deployment.
    ///
    /// # Errors
    /// The listing could not be read to its end.
    async fn rules(&self) -> Result<Vec<HostedRule>, RuleError>;

    /// Compiles a text without keeping it. Without an error among what is said, it compiles.
    ///
    /// # Errors
    /// Nothing could be learned.
    async fn verify(&self, text: &str) -> Result<Vec<CompileDiagnostic>, RuleError>;

    /// Adds a rule, neither enabled nor alerting.
    ///
    /// # Errors
    /// [`RuleError::NotCompiled`] when the text is refused.
    async fn create(&self, text: &str) -> Result<HostedRule, RuleError>;

    /// Gives a rule a new text, if it is still the one that was read.
    ///
    /// # Errors
    /// [`RuleError::Changed`] when somebody else was faster, [`RuleError::NotCompiled`] when the text is refused. After
    /// [`RuleError::Failed`] the new text may be there, unless the kind is [`crate::ErrorKind::Throttled`] or
    /// [`crate::ErrorKind::Rejected`]: the answer was lost, or how the rule is run could not be read.
    async fn revise(&self, rule: &RuleVersion, text: &str) -> Result<HostedRule, RuleError>;

    /// Changes how a rule is run. Some of the change may hold even when this fails.
    ///
    /// # Errors
    /// What the server refused.
    async fn deploy(&self, id: &str, change: &DeploymentChange) -> Result<Deployment, RuleError>;

    /// What went wrong while rules ran, the newest first.
    ///
    /// # Errors
    /// The listing could not be read.
    async fn execution_errors(&self) -> Result<Vec<ExecutionError>, RuleError>;
}

/// A rule as the destination has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostedRule {
    /// Which rule, and which state of it.
    pub version: RuleVersion,
    /// The name that its text declares.
    pub name: String,
    /// The text, as stored.
    pub text: String,
    /// Whether it counts as a rule over several events, where the destination says so.
    pub multi_event: Option<bool>,
    /// Whether the stored text compiles.
    pub compiled: bool,
    /// What the compiler says of it.
    pub diagnostics: Vec<CompileDiagnostic>,
    /// The frequencies that it may be run at; empty when unknown.
    pub frequencies: Vec<RunFrequency>,
    /// When the text was last changed.
    pub revised: Option<Timestamp>,
    /// How it is run.
    pub deployment: Deployment,
}

/// One state of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleVersion {
    /// The rule's id, for example `ru_` and a UUID.
    pub id: String,
    /// The revision of its text.
    pub revision: String,
    /// What the server compares to notice an edit in between; `None` where it gave none.
    pub etag: Option<String>,
}

/// How a rule is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Whether it runs.
    pub enabled: bool,
    /// Whether its detections are alerts.
    pub alerting: bool,
    /// Whether it was put away. Then nothing else can be changed.
    pub archived: bool,
    /// How often it runs.
    pub frequency: Option<RunFrequency>,
    /// Whether the service runs it as often as it should.
    pub state: ExecutionState,
}

/// What to change; `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DeploymentChange {
    /// Run it or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Alert or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerting: Option<bool>,
    /// Put it away or fetch it back: alone, and only a rule that is not enabled can be put away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<RunFrequency>,
}

/// How often a rule runs. Google writes some with the suffix `_CUSTOMIZABLE`; they run as often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunFrequency {
    /// On every event.
    Live,
    /// Every hour.
    Hourly,
    /// Every day.
    Daily,
}

impl fmt::Display for RunFrequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        })
    }
}

/// Whether the service runs a rule as often as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// As it should.
    Default,
    /// Less often: it costs too much.
    Limited,
    /// Not at all.
    Paused,
}

/// One thing that the destination's compiler says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompileDiagnostic {
    /// The compiler's words.
    pub message: String,
    /// Whether it is an error; otherwise a warning.
    pub error: bool,
    /// Line and column, from 1, where it says them.
    pub start: Option<(u32, u32)>,
}

/// Something that went wrong while a rule ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecutionError {
    /// The rule's id.
    pub rule_id: String,
    /// What went wrong.
    pub message: String,
    /// When.
    pub time: Option<Timestamp>,
}

/// Why a rule could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Somebody else changed it since it was read.
    #[error("rule {id} was changed by somebody else since it was read")]
    Changed {
        /// The rule.
        id: String,
    },
    /// The text is refused.
    #[error("the rule does not compile: {}", first(.0))]
    NotCompiled(Vec<CompileDiagnostic>),
    /// The request failed.
    #[error(transparent)]
    Failed(#[from] SinkError),
}

fn first(diagnostics: &[CompileDiagnostic]) -> &str {
    diagnostics.first().map_or("no reason given", |diagnostic| diagnostic.message.as_str())
}
