//! What `setup` and `check` did, step by step, for people and programs. A failed step always says what to do about it.

use schemars::JsonSchema;
use serde::Serialize;

/// The steps of one `setup` or `check`, in the order in which they were taken.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Steps(Vec<Step>);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// What was done, for example `token accepted`.
    pub name: String,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was seen, for example `certificate ends 2027-01-31`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It was there already, as wanted.
    Present,
    /// It was made.
    Created,
    /// It was there, otherwise, and is now as wanted.
    Changed,
    /// It was not done.
    Skipped,
    /// It holds, but somebody should look.
    Warning {
        /// What the user can do about it.
        fix: String,
    },
    /// It does not hold.
    Failed {
        /// What the user can do about it.
        fix: String,
    },
}

impl Steps {
    /// A step that holds.
    pub fn done(&mut self, name: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Ok)
    }

    /// Something that was there already, as wanted.
    pub fn present(&mut self, name: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Present)
    }

    /// Something that was made.
    pub fn created(&mut self, name: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Created)
    }

    /// Something that was there and was changed.
    pub fn changed(&mut self, name: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Changed)
    }

    /// A step that was left out, and why.
    pub fn skipped(&mut self, name: impl Into<String>, why: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Skipped).with(why)
    }

    /// A step that holds for now, and what the user should do.
    pub fn warned(&mut self, name: impl Into<String>, fix: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Warning { fix: fix.into() })
    }

    /// A step that failed, and what the user can do about it.
    pub fn failed(&mut self, name: impl Into<String>, fix: impl Into<String>) -> &mut Step {
        self.add(name, Outcome::Failed { fix: fix.into() })
    }

    fn add(&mut self, name: impl Into<String>, outcome: Outcome) -> &mut Step {
        self.0.push(Step { name: name.into(), outcome, detail: None });
        self.0.last_mut().expect("a step was just pushed")
    }

    /// The steps so far.
    #[must_use]
    pub fn all(&self) -> &[Step] {
        &self.0
    }

    /// Whether a step failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.iter().any(|step| matches!(step.outcome, Outcome::Failed { .. }))
    }
}

impl Step {
    /// The step with what was seen.
    pub fn with(&mut self, detail: impl Into<String>) -> &mut Self {
        self.detail = Some(detail.into());
        self
    }
}
