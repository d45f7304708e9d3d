//! What clients can read without a tool: recent findings, one finding, models, the threats and the configuration.

use rmcp::{
    ErrorData,
    model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
};
use serde::Serialize;

use super::{
    arguments::{Nothing, OneFinding, Page},
    call::Call,
    failure::Failure,
    tools,
    untrusted::{LINE, LogText},
};
use crate::app::{AccessScope, Order, plain, threat_reference};

const RECENT: &str = "watchbell://findings/recent";
const ONE: &str = "watchbell://finding/";
const MODELS: &str = "watchbell://models";
const MITRE: &str = "watchbell://reference/mitre";
const CONFIG: &str = "watchbell://config/redacted";
const JSON: &str = "application/json";

/// The resources that are always there.
pub(super) fn list() -> Vec<Resource> {
    let json = |uri: &str, name: &str, title: &str, description: &str| {
        Resource::new(uri, name).with_title(title).with_description(description).with_mime_type(JSON)
    };
    vec![
        json(
            RECENT,
            "recent_findings",
            "Recent findings",
            "The findings last seen, newest first, as list_findings gives them.",
        ),
        json(MODELS, "models", "Models", "The trained models, as list_models gives them."),
        json(
            MITRE,
            "mitre_reference",
            "Threats and ATT&CK techniques",
            "Each kind of threat that Watchbell names, what it means and its MITRE ATT&CK techniques.",
        ),
        json(
            CONFIG,
            "redacted_config",
            "Configuration",
            "The configuration in force with its origins, without secrets.",
        )
        .with_mime_type("application/toml"),
    ]
}

/// The resources that need a name.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let one = ResourceTemplate::new(format!("{ONE}{{id}}"), "finding")
        .with_title("One finding")
        .with_description("A finding by its id, with reasons and evidence, as explain_finding gives it.")
        .with_mime_type(JSON);
    vec![one]
}

/// A resource that is asked for.
pub(super) enum Asked {
    Recent,
    Finding(String),
    Models,
    Mitre,
    Config,
}

impl Asked {
    pub(super) fn of(uri: &str) -> Result<Self, ErrorData> {
        match uri {
            RECENT => Ok(Self::Recent),
            MODELS => Ok(Self::Models),
            MITRE => Ok(Self::Mitre),
            CONFIG => Ok(Self::Config),
            uri => match uri.strip_prefix(ONE).filter(|id| !id.is_empty()) {
                Some(id) => Ok(Self::Finding(id.to_owned())),
                None => {
                    Err(ErrorData::resource_not_found(format!("there is no resource `{}`", plain(uri, LINE)), None))
                }
            },
        }
    }

    /// What a caller needs to read it.
    pub(super) fn scope(&self) -> AccessScope {
        match self {
            Self::Recent | Self::Finding(_) | Self::Mitre => AccessScope::FindingsRead,
            Self::Models => AccessScope::ModelsRead,
            // It tells which destinations there are.
            Self::Config => AccessScope::SinksRead,
        }
    }

    /// Its name in the log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Recent => RECENT,
            Self::Finding(_) => ONE,
            Self::Models => MODELS,
            Self::Mitre => MITRE,
            Self::Config => CONFIG,
        }
    }

    pub(super) fn read(self, call: &Call<'_>) -> Result<String, Failure> {
        match self {
            Self::Recent => {
                let page = Page { order: Some(Order::Newest), ..Page::default() };
                Ok(json(&tools::findings::list(call, page)?))
            }
            Self::Finding(id) => Ok(json(&tools::finding::explain(call, OneFinding { id })?)),
            Self::Models => Ok(json(&tools::models::list(call, Nothing {})?)),
            Self::Mitre => Ok(json(&threat_reference(call.office.desk.plan().detect.attack_version))),
            Self::Config => Ok(call.office.configuration.to_string()),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("answers have only text keys")
}

/// What the client gets.
pub(super) fn told(uri: &str, read: Result<String, Failure>) -> Result<ReadResourceResult, ErrorData> {
    let mime = if uri == CONFIG { "application/toml" } else { JSON };
    match read {
        Ok(text) => Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type(mime)])),
        Err(Failure::Arguments(message)) => Err(ErrorData::invalid_params(plain(&message, LINE), None)),
        Err(Failure::Failed { code, fix, detail }) => {
            let data = serde_json::json!({ "error": code, "fix": fix, "untrusted": { "detail": LogText::paragraph(&detail) } });
            Err(match code {
                "no_such_finding" => ErrorData::resource_not_found("there is no such finding", Some(data)),
                "refused" => ErrorData::invalid_params("the id is none; see data", Some(data)),
                _ => ErrorData::internal_error("the resource can't be read; see data", Some(data)),
            })
        }
    }
}
