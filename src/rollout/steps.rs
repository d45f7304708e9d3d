//! What is done for one rule, in the order that the service takes.
//!
//! A step says what is to hold afterwards. One that holds already is skipped, so a run that was cut off is simply done again.

use std::fmt;

use serde::Serialize;

use super::{facts::Facts, frequency};
use crate::{
    rules::folder::WantedDeployment,
    sink::rules::{Deployment, DeploymentChange, RunFrequency},
};

/// One request's worth of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The rule exists.
    Create,
    /// It is fetched back.
    Unarchive,
    /// Its detections are no alerts.
    AlertingOff,
    /// It does not run.
    Disable,
    /// It runs this often.
    Frequency(RunFrequency),
    /// It has the new text.
    Text,
    /// It runs.
    Enable,
    /// Its detections are alerts.
    AlertingOn,
    /// It is put away.
    Archive,
}

impl Step {
    /// What it asks of the deployment; `None` for what is about the text.
    #[must_use]
    pub fn change(self) -> Option<DeploymentChange> {
        let nothing = DeploymentChange::default();
        Some(match self {
            Self::Create | Self::Text => return None,
            Self::Unarchive => DeploymentChange { archived: Some(false), ..nothing },
            Self::Archive => DeploymentChange { archived: Some(true), ..nothing },
            Self::AlertingOff => DeploymentChange { alerting: Some(false), ..nothing },
            Self::AlertingOn => DeploymentChange { alerting: Some(true), ..nothing },
            Self::Disable => DeploymentChange { enabled: Some(false), ..nothing },
            Self::Enable => DeploymentChange { enabled: Some(true), ..nothing },
            Self::Frequency(frequency) => DeploymentChange { frequency: Some(frequency), ..nothing },
        })
    }

    /// Whether a deployment is as this step wants it.
    #[must_use]
    pub fn holds(self, deployment: &Deployment, facts: &Facts) -> bool {
        match self {
            Self::Create | Self::Text => false,
            Self::Unarchive => !deployment.archived,
            Self::Archive => deployment.archived,
            Self::AlertingOff => !deployment.alerting,
            Self::AlertingOn => deployment.alerting,
            Self::Disable => !deployment.enabled,
            Self::Enable => deployment.enabled,
            Self::Frequency(told) => frequency::holds(told, deployment.frequency, facts),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => f.write_str("create"),
            Self::Unarchive => f.write_str("unarchive"),
            Self::AlertingOff => f.write_str("alerting off"),
            Self::Disable => f.write_str("disable"),
            Self::Frequency(frequency) => write!(f, "run {frequency}"),
            Self::Text => f.write_str("new text"),
            Self::Enable => f.write_str("enable"),
            Self::AlertingOn => f.write_str("alerting on"),
            Self::Archive => f.write_str("archive"),
        }
    }
}

/// A field of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// `enabled`, `alerting`, `archived`.
    Flag(bool),
    /// `run_frequency`.
    Frequency(RunFrequency),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Frequency(frequency) => frequency.fmt(f),
        }
    }
}

/// A field that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Its name, as in `deployment.toml`.
    pub field: &'static str,
    /// What it is; `None` when it is not known or there is no rule yet.
    pub before: Option<FieldValue>,
    /// What it becomes.
    pub after: FieldValue,
}

/// The fields in which a deployment is not as wanted. Of a rule that is put away only that counts.
#[must_use]
pub fn fields(wanted: &WantedDeployment, now: Option<&Deployment>, facts: &Facts) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let mut flag = |field, before: Option<bool>, after: bool| {
        // A new rule is neither enabled, alerting nor archived.
        if before.unwrap_or(false) != after {
            changes.push(FieldChange { field, before: before.map(FieldValue::Flag), after: FieldValue::Flag(after) });
        }
    };
    flag("archived", now.map(|now| now.archived), wanted.archived);
    if wanted.archived {
        if now.is_some_and(|now| !now.archived) {
            flag("enabled", now.map(|now| now.enabled), false);
            flag("alerting", now.map(|now| now.alerting), false);
        }
        return changes;
    }
    if let Some(enabled) = wanted.enabled {
        flag("enabled", now.map(|now| now.enabled), enabled);
    }
    if let Some(alerting) = wanted.alerting {
        flag("alerting", now.map(|now| now.alerting), alerting);
    }
    let kept = now.and_then(|now| now.frequency);
    if let Some(frequency) = wanted.frequency.filter(|told| !frequency::holds(*told, kept, facts)) {
        let before = kept.map(FieldValue::Frequency);
        changes.push(FieldChange { field: "run_frequency", before, after: FieldValue::Frequency(frequency) });
    }
    changes
}

/// A rule between two states.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// Whether there is such a rule.
    pub exists: bool,
    /// Whether it gets another text.
    pub new_text: bool,
    /// The fields that change.
    pub fields: &'a [FieldChange],
    /// What the old text says, where there is one.
    pub before: Facts,
    /// What the new text says.
    pub after: Facts,
}

/// The steps of a transition, in order.
///
/// What makes a rule quiet comes first, what makes it loud last; a rule runs only with its new text and frequency. Nothing of a
/// rule that is put away can be changed, and none that runs can be put away.
#[must_use]
pub fn steps(transition: &Transition<'_>) -> Vec<Step> {
    let value = |name| transition.fields.iter().find(|change| change.field == name).map(|change| change.after);
    let is = |name, flag| value(name) == Some(FieldValue::Flag(flag));
    let mut steps = Vec::new();
    let mut add = |step, is_needed: bool| {
        if is_needed {
            steps.push(step);
        }
    };
    add(Step::Create, !transition.exists);
    add(Step::Unarchive, is("archived", false));
    add(Step::AlertingOff, is("alerting", false));
    add(Step::Disable, is("enabled", false));
    let new_text = transition.exists && transition.new_text;
    match transition.fields.iter().find(|change| change.field == "run_frequency") {
        Some(FieldChange { before, after: FieldValue::Frequency(frequency), .. }) => {
            let first = new_text && is_frequency_first(transition, *before, *frequency);
            add(Step::Frequency(*frequency), first);
            add(Step::Text, new_text);
            add(Step::Frequency(*frequency), !first);
        }
        _ => add(Step::Text, new_text),
    }
    add(Step::Enable, is("enabled", true));
    add(Step::AlertingOn, is("alerting", true));
    add(Step::Archive, is("archived", true));
    steps
}

/// A new text is refused when it can't be run as often as the rule is run now. So whatever makes the rule run less often
/// comes before the text, and what makes it run more often after it.
fn is_frequency_first(transition: &Transition<'_>, now: Option<FieldValue>, wanted: RunFrequency) -> bool {
    match (transition.before.multi_event, transition.after.multi_event) {
        (Some(false), Some(true)) => true,
        (Some(true), Some(false)) => false,
        _ => match now {
            Some(FieldValue::Frequency(now)) => frequency::rank(wanted) > frequency::rank(now),
            _ => false,
        },
    }
}
