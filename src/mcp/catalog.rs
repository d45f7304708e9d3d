//! The tools in one table: what each is, which scope it needs, whether it changes anything, and what it runs.

use std::sync::Arc;

use rmcp::{
    handler::server::tool::{schema_for_input, schema_for_output},
    model::{JsonObject, Tool, ToolAnnotations},
};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{call::Call, failure::Failure, tools};
use crate::app::AccessScope;

/// Which tools are offered: never more than twelve, because assistants choose worse among more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolset {
    /// Those that change nothing; nothing is kept of what is found.
    ReadOnly,
    /// All but the one that silences findings: whoever can write into a log would like an assistant to have it.
    Usual,
    /// All, with `judge_finding` in the place of `get_finding`.
    Judging,
}

/// What a tool does to the world beyond its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// It keeps what it finds among Watchbell's own findings, so that other tools know it; under `--read-only` it is told
    /// and not kept.
    Keeps,
    /// It changes Watchbell's own state, in a way that can be undone.
    Changes,
    /// It speaks to other systems.
    Sends,
}

/// What a tool answers: what it says in a sentence, made of numbers and fixed words only.
pub(super) trait Answer: Serialize + JsonSchema + 'static {
    /// The sentence.
    fn said(&self) -> String;
}

/// What a tool gave: the sentence and the content.
pub(super) type Given = Result<(String, Value), Failure>;

type Run = Box<dyn Fn(&Call<'_>, JsonObject) -> Given + Send + Sync>;

/// One tool.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) scope: AccessScope,
    pub(super) effect: Effect,
    title: &'static str,
    description: &'static str,
    input: Arc<JsonObject>,
    output: Arc<JsonObject>,
    run: Run,
}

/// What stands in the table about a tool.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) scope: AccessScope,
    pub(super) effect: Effect,
}

impl Entry {
    pub(super) fn new<I, O>(about: About, run: fn(&Call<'_>, I) -> Result<O, Failure>) -> Self
    where
        I: DeserializeOwned + JsonSchema + 'static,
        O: Answer,
    {
        let mut input = schema_for_input::<I>().expect("arguments are objects");
        // Some clients want them named even where there are none.
        Arc::make_mut(&mut input).entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
        let run: Run = Box::new(move |call, arguments| {
            let input: I = serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
                Failure::arguments(match error.path().to_string().as_str() {
                    "." => format!("{}: {}", about.name, error.inner()),
                    path => format!("{}: `{path}`: {}", about.name, error.inner()),
                })
            })?;
            let answer = run(call, input)?;
            Ok((answer.said(), serde_json::to_value(&answer).expect("answers have only text keys")))
        });
        let About { name, title, description, scope, effect } = about;
        Self { name, title, description, scope, effect, input, output: schema_for_output::<O>(), run }
    }

    fn belongs_to(&self, toolset: Toolset) -> bool {
        match toolset {
            Toolset::ReadOnly => matches!(self.effect, Effect::None | Effect::Keeps),
            Toolset::Usual => self.name != tools::JUDGE,
            Toolset::Judging => self.name != tools::GET,
        }
    }

    pub(super) fn run(&self, call: &Call<'_>, arguments: JsonObject) -> Given {
        (self.run)(call, arguments)
    }

    /// The tool as clients see it. All four hints are said: silence means the worst.
    pub(super) fn tool(&self, toolset: Toolset) -> Tool {
        let reads = self.effect == Effect::None || toolset == Toolset::ReadOnly;
        // Nothing is taken away by any tool: what a sink has got and what a journal says stays.
        let repeats = self.effect != Effect::Sends || reads;
        let annotations = ToolAnnotations::with_title(self.title)
            .read_only(reads)
            .destructive(false)
            .idempotent(repeats && self.name != tools::JUDGE)
            .open_world(self.effect == Effect::Sends);
        Tool::new(self.name, self.description, Arc::clone(&self.input))
            .with_title(self.title)
            .with_raw_output_schema(Arc::clone(&self.output))
            .with_annotations(annotations)
    }
}

/// The tools of a set.
pub(super) fn catalog(toolset: Toolset) -> Vec<Entry> {
    let mut all = tools::all();
    all.retain(|entry| entry.belongs_to(toolset));
    all
}
