//! The check, step by step: the way there, who answers, who we are to it, what we may, and whether all is there.
//!
//! It writes nothing. What the credentials may not ask for is skipped and said, not failed: a key that may only create
//! documents is the right one.

use elasticsearch::{
    indices::IndicesGetIndexTemplateParts,
    ingest::IngestGetPipelineParts,
    security::{SecurityAuthenticateParts, SecurityHasPrivilegesParts},
};
use serde_json::{Value, json};
use watchbell_sink::{ErrorKind, Outcome, SinkError, Steps, reach};

use crate::{
    bulk::refusal,
    server::{Family, fix_of},
    setup::{MANAGED_BY, VERSION},
    sink::{ElasticsearchSink, missing_pipeline},
    transport::Request,
};

/// The least that a `create` in a bulk request needs; `create`, `index` and `write` hold it.
const PRIVILEGE: &str = "create_doc";

impl ElasticsearchSink {
    /// Everything that `check` does.
    pub(crate) async fn look(&self, steps: &mut Steps) -> Result<(), SinkError> {
        self.reach_nodes(steps).await?;
        let family = self.identify(steps).await?;
        self.look_at_credentials(family, steps).await?;
        self.look_at_privileges(family, steps).await?;
        self.look_at_target(steps).await?;
        self.look_at_pipeline(steps).await?;
        if self.manages_template {
            self.look_at_template(steps).await?;
        }
        Ok(())
    }

    /// Every node is tried; one that answers is enough to go on, and the others are warned of.
    async fn reach_nodes(&self, steps: &mut Steps) -> Result<(), SinkError> {
        if self.proxied {
            steps.skipped("connection", "it is the proxy that connects");
            return Ok(());
        }
        let mut tried = Vec::new();
        for node in &self.nodes {
            let target = reach::Target::of_url(node, &self.tls, self.timeout)
                .map_err(|error| SinkError::new(ErrorKind::Config, error.to_string()))?;
            let mut seen = Steps::default();
            let reached = target.reach(&mut seen).await;
            tried.push((reached, seen));
        }
        let one_answers = tried.iter().any(|(reached, _)| reached.is_ok());
        for (_, seen) in &tried {
            take_over(seen, one_answers, steps);
        }
        match tried.into_iter().next() {
            Some((Err(error), _)) if !one_answers => Err(error),
            _ => Ok(()),
        }
    }

    async fn look_at_credentials(&self, family: Family, steps: &mut Steps) -> Result<(), SinkError> {
        const STEP: &str = "credentials";
        if !self.has_credentials {
            steps.skipped(STEP, "none are given");
            return Ok(());
        }
        let path = match family {
            Family::OpenSearch => "/_plugins/_security/authinfo".into(),
            Family::Elasticsearch | Family::Serverless => SecurityAuthenticateParts::None.url(),
        };
        let reply = self.cluster.ask(Request::get(path)).await.map_err(|error| failed(steps, STEP, error))?;
        match reply.status {
            200..=299 => {
                let answer: Value = reply.json().map_err(|error| failed(steps, STEP, error))?;
                let name = [&answer["api_key"]["name"], &answer["username"], &answer["user_name"]];
                let name = name.into_iter().find_map(Value::as_str).unwrap_or("somebody without a name");
                steps.done(STEP).with(format!("taken as {}", reply.shown(name)));
            }
            401 | 403 => return Err(failed(steps, STEP, refusal(&reply))),
            // No handler: the server asks nobody who they are.
            400 | 404 | 405 | 500 => {
                steps.skipped(STEP, "the server has security switched off");
            }
            _ => return Err(failed(steps, STEP, refusal(&reply))),
        }
        if self.nodes.iter().any(|node| node.scheme() == "http") {
            steps.warned("encryption", "use `https://`: on this connection anybody can read the credentials");
        }
        Ok(())
    }

    async fn look_at_privileges(&self, family: Family, steps: &mut Steps) -> Result<(), SinkError> {
        const STEP: &str = "privileges";
        if !self.has_credentials {
            steps.skipped(STEP, "no credentials are given");
            return Ok(());
        }
        if family == Family::OpenSearch {
            steps.skipped(STEP, "OpenSearch can't be asked; a test finding (`--send`) shows it");
            return Ok(());
        }
        let body = json!({ "index": [{ "names": [self.target.name()], "privileges": [PRIVILEGE] }] });
        let request = Request::post(SecurityHasPrivilegesParts::None.url(), Some(&body));
        let reply = self.cluster.ask(request).await.map_err(|error| failed(steps, STEP, error))?;
        if matches!(reply.status, 400 | 404 | 405 | 500) {
            steps.skipped(STEP, "the server has security switched off");
            return Ok(());
        }
        if !reply.is_success() {
            return Err(failed(steps, STEP, refusal(&reply)));
        }
        let answer: Value = reply.json().map_err(|error| failed(steps, STEP, error))?;
        let name = self.target.name();
        if answer["has_all_requested"] == true {
            steps.done(STEP).with(format!("`{PRIVILEGE}` on {name}"));
            return Ok(());
        }
        let message = format!("the credentials lack `{PRIVILEGE}` on {name}");
        steps.failed(STEP, format!("give the key or the user's role `{PRIVILEGE}` on `{name}`")).with(&message);
        Err(SinkError::new(ErrorKind::Auth, message))
    }

    async fn look_at_target(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let (step, name) = (self.target.noun(), self.target.name());
        let reply = self.cluster.ask(self.target.question()).await.map_err(|error| failed(steps, step, error))?;
        match reply.status {
            200..=299 => steps.done(step).with(name),
            403 => steps.skipped(step, "the credentials may not look (`view_index_metadata`)"),
            status => {
                if let Some(error) = self.target.absent(status) {
                    steps.failed(step, self.target.fix(status)).with(&error.message);
                    return Err(error);
                }
                return Err(failed(steps, step, refusal(&reply)));
            }
        };
        Ok(())
    }

    async fn look_at_pipeline(&self, steps: &mut Steps) -> Result<(), SinkError> {
        const STEP: &str = "ingest pipeline";
        let Some(pipeline) = &self.pipeline else { return Ok(()) };
        let request = Request::get(IngestGetPipelineParts::Id(pipeline).url());
        let reply = self.cluster.ask(request).await.map_err(|error| failed(steps, STEP, error))?;
        match reply.status {
            200..=299 => steps.done(STEP).with(pipeline),
            403 => steps.skipped(STEP, "the credentials may not look (`read_pipeline`)"),
            404 => {
                let error = missing_pipeline(pipeline);
                steps.failed(STEP, "make it, or remove the option `pipeline`").with(&error.message);
                return Err(error);
            }
            _ => return Err(failed(steps, STEP, refusal(&reply))),
        };
        Ok(())
    }

    async fn look_at_template(&self, steps: &mut Steps) -> Result<(), SinkError> {
        const STEP: &str = "index template";
        let request = Request::get(IndicesGetIndexTemplateParts::Name(&self.template).url());
        let reply = self.cluster.ask(request).await.map_err(|error| failed(steps, STEP, error))?;
        match reply.status {
            403 => {
                steps.skipped(STEP, "the credentials may not look (`manage_index_templates`)");
            }
            404 => {
                steps.warned(STEP, "run `watchbell --setup`; without it fields may get types that searches can't use");
            }
            200..=299 => {
                let answer: Value = reply.json().map_err(|error| failed(steps, STEP, error))?;
                let meta = &answer["index_templates"][0]["index_template"]["_meta"];
                match (meta["managed_by"] == MANAGED_BY, meta["version"].as_u64()) {
                    (true, Some(VERSION..)) => steps.done(STEP).with(&self.template),
                    (true, _) => steps.warned(STEP, "run `watchbell --setup`: the template is of an earlier version"),
                    (false, _) => {
                        let fix = "set `template.manage = false` if it is meant to be yours";
                        steps.warned(STEP, fix).with("somebody else made it")
                    }
                };
            }
            _ => return Err(failed(steps, STEP, refusal(&reply))),
        }
        Ok(())
    }
}

fn failed(steps: &mut Steps, step: &str, error: SinkError) -> SinkError {
    steps.failed(step, fix_of(&error)).with(&error.message);
    error
}

/// The steps as they went; where it does not matter so much, failures as warnings.
fn take_over(seen: &Steps, lenient: bool, steps: &mut Steps) {
    for step in seen.all() {
        let taken = match &step.outcome {
            Outcome::Failed { fix } if lenient => steps.warned(&step.name, fix),
            Outcome::Failed { fix } => steps.failed(&step.name, fix),
            Outcome::Warning { fix } => steps.warned(&step.name, fix),
            Outcome::Skipped => steps.skipped(&step.name, ""),
            Outcome::Ok | Outcome::Present | Outcome::Created | Outcome::Changed => steps.done(&step.name),
        };
        taken.detail.clone_from(&step.detail);
    }
}
