//! What must be there before the first delivery: policy, index template, data stream. Made where absent, renewed where it
//! is ours and older, never touched where it is a user's.

use elasticsearch::indices::{
    IndicesCreateDataStreamParts, IndicesCreateParts, IndicesGetIndexTemplateParts, IndicesPutIndexTemplateParts,
    IndicesRolloverParts,
};
use serde_json::{Value, json};
use watchbell_schemas::ecs;
use watchbell_sink::{SinkError, Steps};

use crate::{
    bulk::refusal,
    lifecycle::{Ageing, foreign},
    server::{Family, fix_of},
    sink::{ElasticsearchSink, Target},
    transport::Request,
};

/// The mark in `_meta.managed_by`.
pub(crate) const MANAGED_BY: &str = "watchbell";
/// Grows with each change of the template or the policy.
pub(crate) const VERSION: u64 = 1;
/// Above Elasticsearch's own templates (100) and those of Fleet (up to 500), for whoever names the data stream `logs-…`.
const PRIORITY: u64 = 600;
const STEP: &str = "index template";

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Ours, and as we would make it, or by a later version of us.
    Current,
    /// Ours, made by an earlier version or from other options.
    Older,
    /// Somebody else's.
    Foreign,
}

/// Compares the mark that was found with the one we would set.
pub(crate) fn ownership(found: &Value, ours: &Value) -> Ownership {
    if found["managed_by"] != MANAGED_BY {
        return Ownership::Foreign;
    }
    match found["version"].as_u64() {
        Some(version) if version > VERSION => Ownership::Current,
        _ if found == ours => Ownership::Current,
        _ => Ownership::Older,
    }
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    New,
    Present,
    Changed,
}

impl Made {
    pub(crate) fn report(self, steps: &mut Steps, step: &str, detail: &str) {
        match self {
            Self::New => steps.created(step),
            Self::Present => steps.present(step),
            Self::Changed => steps.changed(step),
        }
        .with(detail);
    }
}

impl ElasticsearchSink {
    /// Everything that `setup` does.
    pub(crate) async fn provision(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let family = self.identify(steps).await?;
        let made = if self.manages_template {
            let ageing = self.keep_policy(family, steps).await?;
            self.keep_template(&ageing, family, steps).await?
        } else {
            steps.skipped(STEP, "`template.manage` is false");
            Made::Present
        };
        self.keep_target(made, steps).await
    }

    /// <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-put-index-template>
    async fn keep_template(&self, ageing: &Ageing, family: Family, steps: &mut Steps) -> Result<Made, SinkError> {
        let name = &self.template;
        let reply = match self.cluster.ask(Request::get(IndicesGetIndexTemplateParts::Name(name).url())).await {
            Ok(reply) => reply,
            Err(error) => return Err(failed(steps, STEP, error)),
        };
        let body = self.template_body(ageing, family);
        let made = match reply.status {
            404 => Made::New,
            _ if reply.is_success() => {
                let answer: Value = reply.json().map_err(|error| failed(steps, STEP, error))?;
                match ownership(&answer["index_templates"][0]["index_template"]["_meta"], &body["_meta"]) {
                    Ownership::Current => Made::Present,
                    Ownership::Older => Made::Changed,
                    Ownership::Foreign => return Err(foreign(steps, STEP, name)),
                }
            }
            _ => return Err(failed(steps, STEP, refusal(&reply))),
        };
        if made != Made::Present {
            let path = IndicesPutIndexTemplateParts::Name(name).url();
            self.write(Request::put(path, Some(&body)), STEP, steps).await?;
        }
        made.report(steps, STEP, &format!("{name}, version {VERSION}, ECS {}", ecs::VERSION));
        Ok(made)
    }

    pub(crate) fn template_body(&self, ageing: &Ageing, family: Family) -> Value {
        let mut template = json!({ "settings": {}, "mappings": ecs::mappings() });
        if let Some(policy) = &ageing.policy {
            template["settings"]["index.lifecycle.name"] = json!(policy);
        }
        if let Some(lifecycle) = &ageing.lifecycle {
            template["lifecycle"] = lifecycle.clone();
        }
        let mut meta = self.meta();
        meta["target"] = json!({ self.target.noun(): self.target.name() });
        meta["ecs"] = json!(ecs::VERSION);
        meta["made_for"] = json!(family.to_string());
        meta["policy"] = json!(ageing.policy);
        let mut body = json!({ "index_patterns": [self.target.name()], "priority": PRIORITY });
        if matches!(self.target, Target::DataStream(_)) {
            body["data_stream"] = json!({});
        }
        body["template"] = template;
        body["version"] = json!(VERSION);
        body["_meta"] = meta;
        body
    }

    /// Made here and not by the first document: whoever delivers then needs no right to create anything.
    async fn keep_target(&self, template: Made, steps: &mut Steps) -> Result<(), SinkError> {
        let (step, name) = (self.target.noun(), self.target.name());
        let reply = self.cluster.ask(self.target.question()).await.map_err(|error| failed(steps, step, error))?;
        match reply.status {
            404 => {
                let path = match &self.target {
                    Target::DataStream(name) => IndicesCreateDataStreamParts::Name(name).url(),
                    Target::Index(name) => IndicesCreateParts::Index(name).url(),
                };
                self.write(Request::put(path, None), step, steps).await?;
                steps.created(step).with(name);
            }
            _ if reply.is_success() => {
                steps.present(step).with(name);
                self.renew(template, steps).await?;
            }
            status => {
                if let Some(error) = self.target.absent(status) {
                    steps.failed(step, self.target.fix(status)).with(&error.message);
                    return Err(error);
                }
                return Err(failed(steps, step, refusal(&reply)));
            }
        }
        Ok(())
    }

    /// A template speaks for indices to come; a rollover makes the next one now.
    async fn renew(&self, template: Made, steps: &mut Steps) -> Result<(), SinkError> {
        match (&self.target, template) {
            (_, Made::Present) => Ok(()),
            (Target::DataStream(name), Made::New | Made::Changed) => {
                self.write(Request::post(IndicesRolloverParts::Alias(name).url(), None), "rollover", steps).await?;
                steps.changed("rollover").with("the template applies from now on");
                Ok(())
            }
            (Target::Index(_), Made::New | Made::Changed) => {
                steps.warned("mappings", "reindex, so that the template applies to the index that was there before it");
                Ok(())
            }
        }
    }
}

fn failed(steps: &mut Steps, step: &str, error: SinkError) -> SinkError {
    steps.failed(step, fix_of(&error)).with(&error.message);
    error
}
