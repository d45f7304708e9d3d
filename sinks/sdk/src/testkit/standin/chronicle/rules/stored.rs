//! A rule as the stand-in keeps it, how often it may run, and how the API writes it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::compiler::Compiled;
use crate::testkit::standin::chronicle::Refusal;

/// Multi-event rules with a smaller window may run every ten minutes.
const HOUR: u64 = 3600;
/// Multi-event rules with a larger window run once a day.
const TWO_DAYS: u64 = 2 * 86_400;

/// A rule of the stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRule {
    /// `ru_` and a UUID.
    pub id: String,
    /// The text as it is kept: with a line end after what was sent.
    pub text: String,
    /// What the compiler made of it.
    pub compiled: Compiled,
    /// `v_`, ten digits, `_`, nine digits.
    pub revision: String,
    /// Another one after every edit.
    pub etag: String,
    /// When the text was last changed.
    pub revised: Timestamp,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether its detections are alerts.
    pub alerting: bool,
    /// Whether it was put away.
    pub archived: bool,
    /// As the API spells it, for example `HOURLY_CUSTOMIZABLE`.
    pub frequency: String,
    /// As the API spells it: `DEFAULT`, `LIMITED` or `PAUSED`.
    pub state: String,
}

impl StoredRule {
    /// The rule as the API writes it. The short view has no text.
    pub(super) fn json(&self, parent: &str, full: bool) -> Value {
        let mut rule = Map::new();
        let mut put = |name: &str, value: Value| rule.insert(name.to_owned(), value);
        put("name", format!("{parent}/rules/{}", self.id).into());
        put("revisionId", self.revision.as_str().into());
        put("displayName", self.compiled.name.as_str().into());
        put("revisionCreateTime", self.revised.to_string().into());
        put("compilationState", if self.compiled.succeeded() { "SUCCEEDED" } else { "FAILED" }.into());
        put("type", if self.compiled.multi_event { "MULTI_EVENT" } else { "SINGLE_EVENT" }.into());
        put("allowedRunFrequencies", allowed(&self.compiled).into());
        put("etag", self.etag.as_str().into());
        if full {
            put("text", self.text.as_str().into());
            put("compilationDiagnostics", diagnostics(&self.compiled));
        }
        Value::Object(rule)
    }

    /// The deployment as the API writes it: what is false is left out, as everywhere in proto3.
    pub(super) fn deployment(&self, parent: &str) -> Value {
        let mut deployment = Map::new();
        deployment.insert("name".to_owned(), format!("{parent}/rules/{}/deployment", self.id).into());
        for (name, holds) in [("enabled", self.enabled), ("alerting", self.alerting), ("archived", self.archived)] {
            if holds {
                deployment.insert(name.to_owned(), true.into());
            }
        }
        deployment.insert("runFrequency".to_owned(), self.frequency.as_str().into());
        deployment.insert("executionState".to_owned(), self.state.as_str().into());
        Value::Object(deployment)
    }
}

/// What the compiler says, as the API writes it.
pub(super) fn diagnostics(compiled: &Compiled) -> Value {
    let written = compiled.diagnostics.iter().map(|diagnostic| {
        let severity = if diagnostic.error { "ERROR" } else { "WARNING" };
        let mut written = json!({ "message": diagnostic.message, "severity": severity });
        if let Some((line, column)) = diagnostic.start {
            written["position"] =
                json!({ "startLine": line, "startColumn": column, "endLine": line, "endColumn": column });
        }
        written
    });
    written.collect()
}

/// The frequencies that a rule may be run at, without the suffixes that the server adds.
pub(super) fn allowed(compiled: &Compiled) -> &'static [&'static str] {
    match (compiled.multi_event, compiled.window_seconds.unwrap_or(0)) {
        (false, _) => &["LIVE"],
        (true, window) if window < HOUR => &["LIVE", "HOURLY", "DAILY"],
        (true, window) if window <= TWO_DAYS => &["HOURLY", "DAILY"],
        (true, _) => &["DAILY"],
    }
}

/// What the server makes of a frequency that was asked for.
pub(super) fn coerced(asked: &str, compiled: &Compiled) -> Result<&'static str, Refusal> {
    let plain = asked.strip_suffix("_CUSTOMIZABLE").unwrap_or(asked);
    if !["LIVE", "HOURLY", "DAILY"].contains(&plain) {
        return Err((
            400,
            "INVALID_ARGUMENT",
            format!("Invalid value at 'rule_deployment.run_frequency', \"{asked}\""),
        ));
    }
    if !compiled.multi_event {
        return Ok("LIVE");
    }
    let allowed = allowed(compiled);
    if !allowed.contains(&plain) {
        let allowed = allowed.join(", ");
        let message = format!("run frequency {plain} is not allowed for this multi-event rule, allowed: {allowed}");
        return Err((400, "INVALID_ARGUMENT", message));
    }
    Ok(match plain {
        "LIVE" => "LIVE_CUSTOMIZABLE",
        "DAILY" if !allowed.contains(&"HOURLY") => "DAILY",
        _ => "HOURLY_CUSTOMIZABLE",
    })
}

/// How often a rule runs that nobody said it of.
pub(super) fn usual(compiled: &Compiled) -> &'static str {
    match allowed(compiled) {
        ["LIVE"] => "LIVE",
        ["DAILY"] => "DAILY",
        _ => "HOURLY_CUSTOMIZABLE",
    }
}
