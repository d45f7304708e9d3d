//! Rules, deployments and compiler messages as the API writes them, read leniently.
//!
//! v1alpha spells some names with underscores, and the service knows more values than its published schema
//! (`LIVE_CUSTOMIZABLE`): both spellings are read, and an unknown value is `None`, not an error.

use jiff::Timestamp;
use serde::Deserialize;
use watchbell_sink::rules::{
    CompileDiagnostic, Deployment, ExecutionError, ExecutionState, HostedRule, RuleVersion, RunFrequency,
};

/// A page of whatever is listed.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    #[serde(
        rename = "rules",
        alias = "ruleDeployments",
        alias = "rule_deployments",
        alias = "ruleExecutionErrors",
        alias = "rule_execution_errors",
        default = "Vec::new"
    )]
    pub(super) items: Vec<T>,
    #[serde(rename = "nextPageToken", alias = "next_page_token")]
    pub(super) next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rule {
    name: String,
    #[serde(alias = "revision_id")]
    revision_id: String,
    #[serde(alias = "display_name")]
    display_name: String,
    text: String,
    etag: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(alias = "compilation_state")]
    compilation_state: Option<String>,
    #[serde(alias = "compilation_diagnostics")]
    compilation_diagnostics: Vec<Diagnostic>,
    #[serde(alias = "allowed_run_frequencies")]
    allowed_run_frequencies: Vec<String>,
    #[serde(alias = "revision_create_time")]
    revision_create_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RuleDeployment {
    name: String,
    enabled: bool,
    alerting: bool,
    archived: bool,
    #[serde(alias = "run_frequency")]
    run_frequency: Option<String>,
    #[serde(alias = "execution_state")]
    execution_state: Option<String>,
}

/// What `verifyRuleText` says; `success` is left out when it is false.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Verified {
    pub(super) success: bool,
    #[serde(alias = "compilation_diagnostics")]
    pub(super) compilation_diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Diagnostic {
    message: String,
    severity: Option<String>,
    position: Option<Position>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Position {
    #[serde(alias = "start_line")]
    start_line: u32,
    #[serde(alias = "start_column")]
    start_column: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RuleExecutionError {
    rule: String,
    error: Words,
    #[serde(alias = "create_time")]
    create_time: Option<String>,
    #[serde(alias = "time_range")]
    time_range: Range,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Range {
    #[serde(alias = "end_time")]
    end_time: Option<String>,
}

impl Rule {
    /// The rule with its deployment; `None` when it has no name that an address can be made of.
    pub(super) fn hosted(self, deployment: Deployment) -> Option<HostedRule> {
        let id = self.id()?.to_owned();
        let diagnostics: Vec<_> = self.compilation_diagnostics.into_iter().map(Diagnostic::read).collect();
        let compiled = match self.compilation_state.as_deref() {
            Some("SUCCEEDED") => true,
            Some("FAILED") => false,
            other => {
                tracing::debug!(?other, rule = id, "unknown compilation state");
                !diagnostics.iter().any(|diagnostic| diagnostic.error)
            }
        };
        let mut frequencies: Vec<_> = self.allowed_run_frequencies.iter().filter_map(|name| frequency(name)).collect();
        let mut seen = Vec::new();
        frequencies.retain(|frequency| {
            !seen.contains(frequency) && {
                seen.push(*frequency);
                true
            }
        });
        Some(HostedRule {
            version: RuleVersion { id, revision: self.revision_id, etag: self.etag.filter(|etag| !etag.is_empty()) },
            name: self.display_name,
            text: self.text,
            multi_event: self.kind.as_deref().and_then(multi_event),
            compiled,
            diagnostics,
            frequencies,
            revised: self.revision_create_time.and_then(|time| time.parse().ok()),
            deployment,
        })
    }

    /// The rule's id, out of `.../rules/ru_...`.
    pub(super) fn id(&self) -> Option<&str> {
        id_in(&self.name)
    }
}

impl RuleDeployment {
    /// The id of the rule that it belongs to, out of `.../rules/ru_.../deployment`.
    pub(super) fn rule_id(&self) -> Option<&str> {
        self.name.strip_suffix("/deployment").and_then(id_in)
    }

    pub(super) fn read(&self) -> Deployment {
        Deployment {
            enabled: self.enabled,
            alerting: self.alerting,
            archived: self.archived,
            frequency: self.run_frequency.as_deref().and_then(frequency),
            state: self.execution_state.as_deref().map_or(ExecutionState::Default, state),
        }
    }
}

impl Diagnostic {
    /// A severity that is missing or unknown counts as an error: a warning too many is cheaper than a rule too few.
    pub(super) fn read(self) -> CompileDiagnostic {
        let error = !matches!(self.severity.as_deref(), Some("WARNING"));
        let known = |position: &Position| position.start_line > 0;
        let start = self.position.filter(known).map(|at| (at.start_line, at.start_column.max(1)));
        CompileDiagnostic { message: self.message, error, start }
    }
}

impl RuleExecutionError {
    /// `None` for the errors of rules that Google writes and runs.
    pub(super) fn read(self) -> Option<ExecutionError> {
        let rule_id = id_in(&self.rule)?.to_owned();
        let time = self.create_time.or(self.time_range.end_time);
        let time: Option<Timestamp> = time.and_then(|time| time.parse().ok());
        Some(ExecutionError { rule_id, message: self.error.message, time })
    }
}

/// The id in a resource name, without a revision; `None` unless it may stand in an address as it is.
fn id_in(name: &str) -> Option<&str> {
    let (_, id) = name.rsplit_once("/rules/")?;
    let id = id.split_once('@').map_or(id, |(id, _)| id);
    is_id(id).then_some(id)
}

/// Whether this may stand in an address as it is.
pub(super) fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn multi_event(name: &str) -> Option<bool> {
    match name {
        "SINGLE_EVENT" => Some(false),
        "MULTI_EVENT" => Some(true),
        _ => unknown("type of rule", name),
    }
}

/// A frequency; the suffix says that its schedule can be adjusted, not that it runs otherwise.
fn frequency(name: &str) -> Option<RunFrequency> {
    match name.strip_suffix("_CUSTOMIZABLE").unwrap_or(name) {
        "LIVE" => Some(RunFrequency::Live),
        "HOURLY" => Some(RunFrequency::Hourly),
        "DAILY" => Some(RunFrequency::Daily),
        _ => unknown("run frequency", name),
    }
}

fn state(name: &str) -> ExecutionState {
    match name {
        "DEFAULT" => ExecutionState::Default,
        "LIMITED" => ExecutionState::Limited,
        "PAUSED" => ExecutionState::Paused,
        _ => unknown("execution state", name).unwrap_or(ExecutionState::Default),
    }
}

fn unknown<T>(what: &str, name: &str) -> Option<T> {
    tracing::debug!(what, name, "a value that this version does not know");
    None
}

/// How a frequency is written.
pub(super) const fn spelled(frequency: RunFrequency) -> &'static str {
    match frequency {
        RunFrequency::Live => "LIVE",
        RunFrequency::Hourly => "HOURLY",
        RunFrequency::Daily => "DAILY",
    }
}

/// The place that a compiler message in words names: `... line: 14 column: 5-33`.
pub(super) fn place_in(message: &str) -> Option<(u32, u32)> {
    let after = |text: &str, word: &str| -> Option<u32> {
        let (_, rest) = text.rsplit_once(word)?;
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|&number| number > 0)
    };
    let (before, _) = message.rsplit_once("column:").unwrap_or((message, ""));
    Some((after(before, "line:")?, after(message, "column:").unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_and_values_of_tomorrow_are_read() {
        let json = r#"{"rule_deployments":[{"name":"p/rules/ru_1/deployment","enabled":true,"run_frequency":"HOURLY_CUSTOMIZABLE",
            "execution_state":"HIBERNATING","schedule":{}}],"next_page_token":"t"}"#;
        let page: Page<RuleDeployment> = serde_json::from_str(json).unwrap();
        assert_eq!((page.items[0].rule_id(), page.next.as_deref()), (Some("ru_1"), Some("t")));
        let deployment = page.items[0].read();
        assert_eq!((deployment.frequency, deployment.state), (Some(RunFrequency::Hourly), ExecutionState::Default));

        let json = r#"{"name":"p/rules/ru_1@v_1_2","displayName":"r","type":"STREAM","compilationState":"SOON",
            "allowedRunFrequencies":["LIVE","LIVE_CUSTOMIZABLE","WEEKLY"],"revisionCreateTime":"yesterday"}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        let rule = rule.hosted(deployment).unwrap();
        assert_eq!((rule.version.id.as_str(), rule.version.etag), ("ru_1", None));
        assert_eq!((rule.multi_event, rule.compiled, rule.revised), (None, true, None));
        assert_eq!(rule.frequencies, [RunFrequency::Live]);
    }

    #[test]
    fn a_name_that_would_lead_elsewhere_is_no_id() {
        for name in ["", "ru_1", "p/rules/", "p/rules/../x", "p/rules/a?b", "p/rules/a/b", "p/rules/é"] {
            assert_eq!(id_in(name), None, "{name}");
        }
    }

    #[test]
    fn places_are_found_in_words() {
        let real = "parsing: accessing field \"line: 9\": does not exist, line: 14 column: 5-33";
        assert_eq!(place_in(real), Some((14, 5)));
        assert_eq!(place_in("line: 3"), Some((3, 1)));
        for none in ["", "no place", "line: x column: 5", "column: 4", "line: 99999999999 column: 1", "line: 0"] {
            assert_eq!(place_in(none), None, "{none}");
        }
    }
}
