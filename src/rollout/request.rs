//! One request, asked again where that is safe, and never so often that a run hangs.
//!
//! A connection that dies after the service acted looks like one that died before. So a rule is never created a second time
//! without looking first, and a revision that comes back as somebody else's edit may be our own.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;

use super::text;
use crate::sink::{
    ErrorKind, SinkError,
    rules::{
        CompileDiagnostic, Deployment, DeploymentChange, ExecutionError, HostedRule, RuleError, RuleHost, RuleVersion,
    },
};

/// How often one thing is asked for.
const MOST_TRIES: u32 = 6;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait, also where the service asks for a longer one: its quotas are counted by the minute.
const LONGEST_WAIT: Duration = Duration::from_secs(90);

/// Waits. A trait, so that tests do not.
#[async_trait]
pub trait Pause: Send + Sync {
    /// Waits this long, or until the work is to end.
    async fn pause(&self, wait: Duration, stop: &AtomicBool);
}

/// Why a request gave nothing.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// The work is to end.
    Stopped,
    /// Nothing can be done any more: credentials, address, or the service for too long.
    Broken(SinkError),
    /// The service does not take this one.
    Refused(String),
    /// The service does not take this text.
    NotCompiled(Vec<CompileDiagnostic>),
    /// Somebody else changed the rule.
    Changed,
}

/// Requests to one tenant.
#[derive(Clone, Copy)]
pub struct Requests<'a> {
    /// The tenant.
    pub host: &'a dyn RuleHost,
    /// Waits between tries.
    pub pause: &'a dyn Pause,
    /// Becomes true when the work is to end.
    pub stop: &'a AtomicBool,
}

impl Requests<'_> {
    /// Every rule.
    ///
    /// # Errors
    /// As all requests.
    pub async fn rules(&self) -> Result<Vec<HostedRule>, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.rules().await {
                Ok(rules) => return Ok(rules),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// What went wrong while rules ran.
    ///
    /// # Errors
    /// As all requests.
    pub async fn execution_errors(&self) -> Result<Vec<ExecutionError>, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.execution_errors().await {
                Ok(errors) => return Ok(errors),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// What the compiler says of a text.
    ///
    /// # Errors
    /// As all requests.
    pub async fn verify(&self, text: &str) -> Result<Vec<CompileDiagnostic>, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.verify(text).await {
                Ok(diagnostics) => return Ok(diagnostics),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// A new rule. There must be none of this name.
    ///
    /// # Errors
    /// As all requests; `Changed` when there is one all of a sudden, with another text.
    pub async fn create(&self, name: &str, text: &str) -> Result<HostedRule, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.create(text).await {
                Ok(rule) => return Ok(rule),
                Err(error) => tries.again(error).await?,
            }
            if tries.may_have_acted {
                let made = self.rules().await?.into_iter().find(|rule| rule.name == name && !rule.deployment.archived);
                match made {
                    Some(rule) if text::is_same(&rule.text, text) => return Ok(rule),
                    Some(_) => return Err(Trouble::Changed),
                    None => {}
                }
            }
        }
    }

    /// A new text for a rule.
    ///
    /// # Errors
    /// As all requests.
    pub async fn revise(&self, version: &RuleVersion, text: &str) -> Result<HostedRule, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.revise(version, text).await {
                Ok(rule) => return Ok(rule),
                // The text may be taken and the answer still an error: what comes after it is asked for, too.
                Err(RuleError::Changed { .. }) if tries.count > 0 => {
                    let now = self.rules().await?.into_iter().find(|rule| rule.version.id == version.id);
                    return now.filter(|rule| text::is_same(&rule.text, text)).ok_or(Trouble::Changed);
                }
                Err(error) => tries.again(gone(error)).await?,
            }
        }
    }

    /// Another deployment for a rule.
    ///
    /// # Errors
    /// As all requests.
    pub async fn deploy(&self, id: &str, change: &DeploymentChange) -> Result<Deployment, Trouble> {
        let mut tries = Tries::new(self)?;
        loop {
            match self.host.deploy(id, change).await {
                Ok(deployment) => return Ok(deployment),
                Err(error) => tries.again(gone(error)).await?,
            }
        }
    }
}

/// A rule that was there a moment ago and is not any more was removed by somebody.
fn gone(error: RuleError) -> RuleError {
    match error {
        RuleError::Failed(failed) if failed.status == Some(404) => RuleError::Changed { id: String::new() },
        error => error,
    }
}

/// The tries of one request.
struct Tries<'a> {
    requests: &'a Requests<'a>,
    count: u32,
    /// Whether the service may have done what it gave no answer to.
    may_have_acted: bool,
}

impl<'a> Tries<'a> {
    fn new(requests: &'a Requests<'a>) -> Result<Self, Trouble> {
        let tries = Self { requests, count: 0, may_have_acted: false };
        tries.may_go_on().map(|()| tries)
    }

    fn may_go_on(&self) -> Result<(), Trouble> {
        if self.requests.stop.load(Ordering::Relaxed) { Err(Trouble::Stopped) } else { Ok(()) }
    }

    /// Waits, if it is worth to try again.
    async fn again(&mut self, error: RuleError) -> Result<(), Trouble> {
        let failed = match error {
            RuleError::Changed { .. } => return Err(Trouble::Changed),
            RuleError::NotCompiled(diagnostics) => return Err(Trouble::NotCompiled(diagnostics)),
            RuleError::Failed(failed) => failed,
        };
        self.count += 1;
        match failed.kind {
            ErrorKind::Rejected => return Err(Trouble::Refused(failed.message)),
            ErrorKind::Auth | ErrorKind::Config => return Err(Trouble::Broken(failed)),
            ErrorKind::Throttled | ErrorKind::Unavailable if self.count == MOST_TRIES => {
                return Err(Trouble::Broken(failed));
            }
            ErrorKind::Unavailable => self.may_have_acted = true,
            ErrorKind::Throttled => {}
        }
        let grown = FIRST_WAIT * 2_u32.pow(self.count - 1);
        let wait = failed.retry_after.unwrap_or(grown).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.requests.pause.pause(wait, self.requests.stop).await;
        self.may_go_on()
    }
}
