//! How a data stream ages: an ILM policy in Elasticsearch, an ISM policy in OpenSearch, the data stream's own lifecycle
//! in Serverless.
//!
//! Each carries what it was made from, so that a later run can tell its own work, of which age, from a user's.

use elasticsearch::ilm::{IlmGetLifecycleParts, IlmPutLifecycleParts};
use serde_json::{Value, json};
use watchbell_sink::{SinkError, Steps, http::Reply};

use crate::{
    bulk::refusal,
    server::{Family, fix_of},
    setup::{MANAGED_BY, Made, Ownership, VERSION, ownership},
    sink::{ElasticsearchSink, Target},
    transport::Request,
};

const STEP: &str = "lifecycle policy";
/// Elastic's own sizes for logs: beyond them a shard gets slow to move.
const LARGEST_SHARD: &str = "50gb";
const OLDEST_WRITE_INDEX: &str = "30d";

/// What the template has to say about ageing.
#[derive(Debug, Default)]
pub(crate) struct Ageing {
    /// The ILM policy to name in the settings.
    pub(crate) policy: Option<String>,
    /// The data stream's own lifecycle.
    pub(crate) lifecycle: Option<Value>,
}

impl ElasticsearchSink {
    /// Makes the policy where the server has such a thing.
    ///
    /// # Errors
    /// The step that failed; its fix is in `steps`.
    pub(crate) async fn keep_policy(&self, family: Family, steps: &mut Steps) -> Result<Ageing, SinkError> {
        if matches!(self.target, Target::Index(_)) {
            steps.skipped(STEP, "a plain index does not roll over; only data streams age");
            return Ok(Ageing::default());
        }
        match family {
            Family::Elasticsearch => self.keep_ilm(steps).await,
            Family::OpenSearch => self.keep_ism(steps).await.map(|()| Ageing::default()),
            Family::Serverless => {
                steps.skipped(STEP, "Serverless has none; the retention goes into the template");
                let lifecycle = match self.retention_days {
                    Some(days) => json!({ "enabled": true, "data_retention": format!("{days}d") }),
                    None => json!({ "enabled": true }),
                };
                Ok(Ageing { lifecycle: Some(lifecycle), policy: None })
            }
        }
    }

    /// <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ilm-put-lifecycle>
    async fn keep_ilm(&self, steps: &mut Steps) -> Result<Ageing, SinkError> {
        let name = &self.template;
        let path = IlmGetLifecycleParts::Policy(name).url();
        let reply = self.cluster.ask(Request::get(path)).await.map_err(|error| failed(steps, error))?;
        let meta = self.meta();
        let made = match reply.status {
            404 if is_about_the_policy(&reply) => Made::New,
            // No handler for the path: the build has no ILM.
            400 | 404 | 405 | 410 => {
                self.left_out(steps, "this server has no index lifecycle management");
                return Ok(Ageing::default());
            }
            _ if reply.is_success() => {
                let answer: Value = reply.json().map_err(|error| failed(steps, error))?;
                match ownership(&answer[name.as_str()]["policy"]["_meta"], &meta) {
                    Ownership::Current => Made::Present,
                    Ownership::Older => Made::Changed,
                    Ownership::Foreign => return Err(foreign(steps, STEP, name)),
                }
            }
            _ => return Err(failed(steps, refusal(&reply))),
        };
        if made != Made::Present {
            let body = json!({ "policy": { "phases": self.phases(), "_meta": meta } });
            let path = IlmPutLifecycleParts::Policy(name).url();
            self.write(Request::put(path, Some(&body)), STEP, steps).await?;
        }
        made.report(steps, STEP, &self.retention(name));
        Ok(Ageing { policy: Some(name.clone()), lifecycle: None })
    }

    fn phases(&self) -> Value {
        let rollover = json!({ "max_primary_shard_size": LARGEST_SHARD, "max_age": OLDEST_WRITE_INDEX });
        let mut phases = json!({ "hot": { "actions": { "rollover": rollover } } });
        if let Some(days) = self.retention_days {
            phases["delete"] = json!({ "min_age": format!("{days}d"), "actions": { "delete": {} } });
        }
        phases
    }

    /// <https://docs.opensearch.org/latest/im-plugin/ism/api/>
    async fn keep_ism(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let name = &self.template;
        let path = format!("/_plugins/_ism/policies/{name}");
        let reply = self.cluster.ask(Request::get(path.as_str())).await.map_err(|error| failed(steps, error))?;
        // A policy has no room for a mark of ours but its description.
        let mark = self.meta().to_string();
        let (made, path) = match reply.status {
            404 if is_about_the_policy(&reply) => (Made::New, path),
            400 | 404 | 405 => {
                self.left_out(steps, "this server has no index state management plugin");
                return Ok(());
            }
            _ if reply.is_success() => {
                let answer: Value = reply.json().map_err(|error| failed(steps, error))?;
                let description = answer["policy"]["description"].as_str().unwrap_or_default();
                match ownership(&serde_json::from_str(description).unwrap_or_default(), &self.meta()) {
                    Ownership::Current => (Made::Present, path),
                    Ownership::Older => {
                        let (number, term) = (&answer["_seq_no"], &answer["_primary_term"]);
                        (Made::Changed, format!("{path}?if_seq_no={number}&if_primary_term={term}"))
                    }
                    Ownership::Foreign => return Err(foreign(steps, STEP, name)),
                }
            }
            _ => return Err(failed(steps, refusal(&reply))),
        };
        if made != Made::Present {
            let body = self.states(&mark);
            self.write(Request::put(path, Some(&body)), STEP, steps).await?;
        }
        made.report(steps, STEP, &self.retention(name));
        Ok(())
    }

    fn states(&self, mark: &str) -> Value {
        let rollover = json!({ "min_primary_shard_size": LARGEST_SHARD, "min_index_age": OLDEST_WRITE_INDEX });
        let mut hot = json!({ "name": "hot", "actions": [{ "rollover": rollover }], "transitions": [] });
        let mut states = Vec::new();
        if let Some(days) = self.retention_days {
            hot["transitions"] =
                json!([{ "state_name": "delete", "conditions": { "min_rollover_age": format!("{days}d") } }]);
            states.push(json!({ "name": "delete", "actions": [{ "delete": {} }], "transitions": [] }));
        }
        states.insert(0, hot);
        let template = json!({ "index_patterns": [self.target.name()], "priority": 600 });
        json!({ "policy": {
            "description": mark, "default_state": "hot", "states": states, "ism_template": [template],
        } })
    }

    /// What our policy and template are recognized by, and what they were made from.
    pub(crate) fn meta(&self) -> Value {
        json!({ "managed_by": MANAGED_BY, "version": VERSION, "retention_days": self.retention_days })
    }

    /// Without a policy nothing is deleted: whoever asked for that must hear it.
    fn left_out(&self, steps: &mut Steps, why: &str) {
        match self.retention_days {
            None => steps.skipped(STEP, why),
            Some(_) => steps.warned(STEP, "delete old findings by other means, or remove `retention_days`").with(why),
        };
    }

    fn retention(&self, name: &str) -> String {
        match self.retention_days {
            Some(days) => format!("{name}, deletes after {days} days"),
            None => format!("{name}, deletes nothing"),
        }
    }

    /// Sends what changes something, and fails the step when it is not taken.
    pub(crate) async fn write(&self, request: Request, step: &str, steps: &mut Steps) -> Result<(), SinkError> {
        let error = match self.cluster.ask(request).await {
            Ok(reply) if reply.is_success() => return Ok(()),
            Ok(reply) => refusal(&reply),
            Err(error) => error,
        };
        steps.failed(step, fix_of(&error)).with(&error.message);
        Err(error)
    }
}

fn failed(steps: &mut Steps, error: SinkError) -> SinkError {
    steps.failed(STEP, fix_of(&error)).with(&error.message);
    error
}

/// A policy that is not there and an API that is not there are both 404. Only the first has an error with a type (`ILM`)
/// or says so of the policy (`ISM`); a path without a handler is answered with a plain text.
fn is_about_the_policy(reply: &Reply) -> bool {
    reply.json::<Value>().is_ok_and(|answer| answer["error"].is_object())
}

pub(crate) fn foreign(steps: &mut Steps, step: &str, name: &str) -> SinkError {
    let message = format!("the {step} `{name}` is not of Watchbell's making; it is left as it is");
    let fix = "give another `template.name`, or keep your own with `template.manage = false`";
    steps.failed(step, fix).with(&message);
    SinkError::new(watchbell_sink::ErrorKind::Config, message)
}
