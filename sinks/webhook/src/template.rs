//! A body made by the user's own template. It is tried out when it is loaded, on a full finding and on a bare one, so that
//! a mistake stops the start and not the first delivery.
//!
//! In a JSON body every `{{ .. }}` writes a whole JSON value, its quotes included: no text from a log can leave its place.

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context, value::Serde};
use serde::de::IgnoredAny;
use watchbell_sink::{
    Attack, ConfigError, Entity, EntityKind, ErrorKind, Evidence, Finding, Observable, Reason, Severity, SinkError,
    Tactic, ThreatType, http::shown,
};

const NAME: &str = "template";

/// A template that rendered what it should.
pub(crate) struct Template {
    environment: Environment<'static>,
    json: bool,
}

impl Template {
    /// Reads the template and tries it out.
    pub(crate) fn new(source: String, content_type: &str) -> Result<Self, ConfigError> {
        let escape = escape(content_type);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // So that errors know which part of the template they are about.
        environment.set_debug(true);
        let json = matches!(escape, AutoEscape::Json);
        environment.set_auto_escape_callback(move |_| escape.clone());
        environment.add_filter("json", as_json);
        environment
            .add_template_owned(NAME, source)
            .map_err(|error| ConfigError::new(NAME, format!("can't be read: {}", told(&error))))?;
        let template = Self { environment, json };
        let (full, bare) = (full(), bare());
        for (finding, which) in [(full, "a finding"), (bare, "a finding without times, attacks and evidence")] {
            template.render(&finding).map_err(|message| ConfigError::new(NAME, format!("for {which} {message}")))?;
        }
        Ok(template)
    }

    /// The body for this finding.
    pub(crate) fn body(&self, finding: &Finding) -> Result<Vec<u8>, SinkError> {
        self.render(finding)
            .map_err(|message| SinkError::new(ErrorKind::Rejected, format!("for this finding the template {message}")))
    }

    fn render(&self, finding: &Finding) -> Result<Vec<u8>, String> {
        let template = self.environment.get_template(NAME).map_err(|error| told(&error))?;
        let rendered = template
            .render(context! { finding => Value::from(Serde(finding)) })
            .map_err(|error| format!("does not render: {}", told(&error)))?;
        if rendered.trim().is_empty() {
            return Err("renders to nothing".to_owned());
        }
        if self.json
            && let Err(error) = serde_json::from_str::<IgnoredAny>(&rendered)
        {
            return Err(format!(
                "makes no JSON ({error}); each {{{{ .. }}}} writes its own quotes: say {{\"text\": {{{{ finding.title }}}}}}, \
                 and join texts inside: {{{{ finding.title ~ \" \" ~ finding.summary }}}}"
            ));
        }
        Ok(rendered.into_bytes())
    }
}

/// What a text must not break out of, by the body's type.
fn escape(content_type: &str) -> AutoEscape {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.rsplit(['/', '+']).next() {
        Some("json") => AutoEscape::Json,
        Some("html" | "xml") => AutoEscape::Html,
        _ => AutoEscape::None,
    }
}

/// The filter `json`: a value as JSON, for bodies of another type.
fn as_json(value: &Value) -> Result<Value, Error> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::new(minijinja::ErrorKind::BadSerialization, "the value can't be said in JSON").with_source(error)
    })?;
    Ok(Value::from_safe_string(text))
}

fn told(error: &Error) -> String {
    let line = error.line().map(|line| format!("line {line}: ")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    let part = error.range().and_then(|range| error.template_source()?.get(range));
    let part = part.map(|part| format!(": `{part}`")).unwrap_or_default();
    shown(&format!("{line}{}{detail}{part}", error.kind()))
}

/// What breaks a body whose author forgot that a log is not to be trusted.
const HOSTILE: &str = "a\"b'c\\d\n<e>&{{ f }}";

fn bare() -> Finding {
    Finding {
        id: "0".repeat(32),
        threat_type: ThreatType::AnomalousAccess,
        severity: Severity::Low,
        score: 0.5,
        confidence: 0.5,
        risk_score: 20,
        title: format!("Anomalous access of {HOSTILE}"),
        summary: HOSTILE.to_owned(),
        entity: Entity { kind: EntityKind::User, value: HOSTILE.to_owned() },
        first_seen: None,
        last_seen: None,
        event_count: 1,
        chain: Vec::new(),
        attacks: Vec::new(),
        observables: Vec::new(),
        reasons: Vec::new(),
        evidence: Vec::new(),
    }
}

fn full() -> Finding {
    let time = Some(jiff::Timestamp::UNIX_EPOCH);
    let text = || HOSTILE.to_owned();
    let tactic = Tactic { id: "TA0006".to_owned(), name: "Credential Access".to_owned() };
    Finding {
        first_seen: time,
        last_seen: time,
        chain: vec![ThreatType::AnomalousAccess],
        attacks: vec![Attack {
            technique_id: "T1110".to_owned(),
            technique_name: "Brute Force".to_owned(),
            tactics: vec![tactic],
            version: "19".to_owned(),
        }],
        observables: vec![Observable { kind: EntityKind::Ip, value: text(), count: 1 }],
        reasons: vec![Reason {
            feature: "failed_logins".to_owned(),
            text: text(),
            observed: text(),
            typical: text(),
            share: 1.0,
        }],
        evidence: vec![Evidence { file: text(), line: 1, time, score: 0.5, raw: text() }],
        ..bare()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str, content_type: &str) -> String {
        Template::new(source.to_owned(), content_type).err().unwrap().to_string()
    }

    #[test]
    fn a_json_template_writes_whole_values() {
        let source =
            r#"{"text": {{ finding.title ~ "!" }}, "ips": {{ finding.observables }}, "n": {{ finding.risk_score }}}"#;
        let template = Template::new(source.to_owned(), "application/vnd.x+json; charset=utf-8").unwrap();
        let body: serde_json::Value = serde_json::from_slice(&template.body(&full()).unwrap()).unwrap();
        assert_eq!(body["text"], format!("Anomalous access of {HOSTILE}!"));
        assert_eq!(body["ips"][0]["value"], HOSTILE);
        assert_eq!(body["n"], 20);
    }

    #[test]
    fn the_filter_json_writes_values_into_other_types() {
        let template = Template::new("x {{ finding.title | json }} y".to_owned(), "text/plain").unwrap();
        let text = String::from_utf8(template.body(&bare()).unwrap()).unwrap();
        assert_eq!(text, format!("x {} y", serde_json::to_string(&bare().title).unwrap()));
    }

    #[test]
    fn markup_is_escaped_in_markup() {
        let template = Template::new("<p>{{ finding.summary }}</p>".to_owned(), "text/html").unwrap();
        let text = String::from_utf8(template.body(&bare()).unwrap()).unwrap();
        assert!(!text.contains("<e>") && text.contains("&lt;e&gt;"), "{text}");
    }

    #[test]
    fn mistakes_are_told_when_the_template_is_loaded() {
        let json = "application/json";
        assert!(refused("{\n{{ finding.titel }}}", json).contains("line 2: undefined value: `finding.titel`"));
        assert!(refused("{{ finding.title", json).starts_with("template: can't be read: line 1: syntax error"));
        assert!(refused(r#"{"text": "{{ finding.title }}"}"#, json).contains("writes its own quotes"));
        assert!(refused("{% if false %}x{% endif %}", "text/plain").contains("renders to nothing"));
        let error = refused("{{ finding.attacks[0].technique_id }}", json);
        assert!(error.contains("for a finding without times, attacks and evidence"), "{error}");
    }
}
