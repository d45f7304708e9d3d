//! How tenant and files stand, rule by rule, and how the service gets on with running them.

use serde::Serialize;

use super::{
    pairing::pair,
    plan::{Desired, change},
};
use crate::sink::rules::{Deployment, ExecutionError, HostedRule};

/// How a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// As the file says.
    InStep,
    /// The text is another one.
    Text,
    /// It is run differently.
    Deployment,
    /// Both.
    TextAndDeployment,
    /// The tenant does not have it.
    OnlyHere,
    /// No file has it.
    OnlyThere,
    /// It is not certain which rule it is.
    Unclear,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleStatus {
    /// Its name.
    pub name: String,
    /// Its id, where the tenant has it.
    pub id: Option<String>,
    /// How it stands.
    pub state: RuleState,
    /// What is not certain, or the name that it still has there.
    pub about: Option<String>,
    /// Whether the text that is there compiles.
    pub compiled: Option<bool>,
    /// How it is run.
    pub deployment: Option<Deployment>,
    /// How often it failed lately.
    pub errors: usize,
    /// The last failure.
    pub last_error: Option<ExecutionError>,
}

/// How everything stands, in the order of the names. Rules that were put away are left out unless a file wants them.
#[must_use]
pub fn status(desired: &Desired<'_>, hosted: &[HostedRule], errors: &[ExecutionError]) -> Vec<RuleStatus> {
    let pairs = pair(desired.rules, hosted);
    let mut all = Vec::new();
    for pair in &pairs.pairs {
        let (mut state, mut about) = (RuleState::InStep, None);
        if let Some(change) = change(pair) {
            state = match (change.creates(), change.text.is_some(), change.fields.is_empty()) {
                (true, ..) => RuleState::OnlyHere,
                (_, true, true) => RuleState::Text,
                (_, true, false) => RuleState::TextAndDeployment,
                (_, false, _) => RuleState::Deployment,
            };
            about = change.renamed_from.map(|name| format!("named {name} there"));
        }
        all.push(told(&pair.local.name, pair.hosted, (state, about), errors));
    }
    let plan = super::plan::plan(&Desired { prune: false, ..*desired }, hosted);
    for rule in pairs.left.iter().filter(|rule| !rule.deployment.archived && plan.only_there.contains(&rule.name)) {
        all.push(told(&rule.name, Some(rule), (RuleState::OnlyThere, None), errors));
    }
    for trouble in pairs.troubles {
        all.push(told(&trouble.name, None, (RuleState::Unclear, Some(trouble.message)), errors));
    }
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

fn told(
    name: &str,
    hosted: Option<&HostedRule>,
    (state, about): (RuleState, Option<String>),
    errors: &[ExecutionError],
) -> RuleStatus {
    let own: Vec<&ExecutionError> =
        errors.iter().filter(|error| hosted.is_some_and(|rule| rule.version.id == error.rule_id)).collect();
    RuleStatus {
        name: name.to_owned(),
        id: hosted.map(|rule| rule.version.id.clone()),
        state,
        about,
        compiled: hosted.map(|rule| rule.compiled),
        deployment: hosted.map(|rule| rule.deployment.clone()),
        errors: own.len(),
        last_error: own.first().map(|error| (*error).clone()),
    }
}
