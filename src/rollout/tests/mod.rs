//! Plans and their carrying out, against a tenant in memory that can fail at any request.

mod apply;
mod faults;
mod host;
mod plan;
mod pull;
mod status;

use self::host::Tenant;
use super::{Desired, Scope};
use crate::{
    rules::folder::{LocalRule, WantedDeployment},
    sink::rules::RunFrequency,
};

/// The text of a rule; `body` makes it another one.
fn text(name: &str, body: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"{body}\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n  condition:\n    $e\n}}\n"
    )
}

/// The text of a rule over several events in this window.
fn multi(name: &str, window: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"us\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    $e.principal.ip = $ip\n  match:\n    $ip over {window}\n  condition:\n    #e > 5\n}}\n"
    )
}

fn rule(name: &str, text: &str) -> LocalRule {
    LocalRule {
        name: name.to_owned(),
        file: format!("rules/{name}.yaral"),
        text: text.to_owned(),
        deployment: WantedDeployment::default(),
        renamed_from: Vec::new(),
    }
}

/// Runs live, with alerts.
fn loud() -> WantedDeployment {
    WantedDeployment { enabled: Some(true), alerting: Some(true), frequency: Some(RunFrequency::Live), archived: false }
}

fn run(rule: LocalRule, deployment: WantedDeployment) -> LocalRule {
    LocalRule { deployment, ..rule }
}

fn desired(rules: &[LocalRule]) -> Desired<'_> {
    Desired { rules, scope: Scope::All, prune: false, edition: None }
}
