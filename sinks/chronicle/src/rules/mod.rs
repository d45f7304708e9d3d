//! The rules of an instance over the Chronicle API: read, compiled, made, revised, deployed.
//!
//! Google serves the methods under v1, v1beta and v1alpha, not each of them everywhere: a 404 asks the next version, and what
//! answered is remembered for each method. A 404 changes nothing, so that asking again elsewhere is safe.

mod wire;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use watchbell_sink::{
    ErrorKind, SinkError, async_trait,
    http::Method,
    rules::{
        CompileDiagnostic, Deployment, DeploymentChange, ExecutionError, ExecutionState, HostedRule, RuleError,
        RuleHost, RuleVersion,
    },
};

use crate::{answer::Answered, sink::Chronicle};
use wire::{Page, Rule, RuleDeployment, RuleExecutionError, Verified};

/// In the order in which they are asked.
const VERSIONS: [&str; 3] = ["v1", "v1beta", "v1alpha"];
/// The most that the API puts on a page, and what is asked for where such a page is too large to be read.
const PAGE_SIZES: [usize; 2] = [1000, 100];
/// The largest quota is 3,500 enabled rules; those that are put away stay in the listing.
const MOST_ITEMS: usize = 10_000;
/// A page may hold less than was asked for, but not forever.
const MOST_PAGES: usize = 1000;
/// All pages of a listing together; a single answer is bounded by the HTTP client.
const MOST_BYTES: usize = 256 << 20;

/// What is asked of the API, in the order of [`Served`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Rules,
    Deployments,
    Verify,
    Create,
    Revise,
    Deployment,
    Deploy,
    Errors,
}

/// The position in [`VERSIONS`] from which each verb is served here.
#[derive(Debug, Default)]
pub(crate) struct Served([AtomicUsize; 8]);

/// One question.
struct Question {
    verb: Verb,
    /// Below the instance.
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Verb {
    const fn permission(self) -> &'static str {
        match self {
            Self::Rules => "chronicle.rules.list",
            Self::Deployments => "chronicle.ruleDeployments.list",
            Self::Verify => VERIFY_PERMISSION,
            Self::Create => "chronicle.rules.create",
            Self::Revise => "chronicle.rules.update",
            Self::Deployment => "chronicle.ruleDeployments.get",
            Self::Deploy => "chronicle.ruleDeployments.update",
            Self::Errors => "chronicle.ruleExecutionErrors.list",
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Rules | Self::Deployments | Self::Deployment | Self::Errors => Method::GET,
            Self::Verify | Self::Create => Method::POST,
            Self::Revise | Self::Deploy => Method::PATCH,
        }
    }
}

/// What [`RuleHost::verify`] needs.
pub(crate) const VERIFY_PERMISSION: &str = "chronicle.rules.verifyRuleText";

impl Question {
    fn new(verb: Verb, path: impl Into<String>) -> Self {
        Self { verb, path: path.into(), query: Vec::new(), body: None }
    }

    /// About one rule, whose id has to be one.
    fn of(verb: Verb, id: &str, below: &str) -> Result<Self, RuleError> {
        if !wire::is_id(id) {
            let message = format!("expected the id of a rule, like ru_ and a UUID, found `{}`", id.escape_debug());
            return Err(SinkError::new(ErrorKind::Rejected, message).into());
        }
        Ok(Self::new(verb, format!("/rules/{id}{below}")))
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    fn saying(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The rule that it is about.
    fn rule_id(&self) -> Option<&str> {
        let id = self.path.strip_prefix("/rules/")?.split('/').next()?;
        (id != "-").then_some(id)
    }
}

impl Chronicle {
    /// Asks the versions in turn until one serves this.
    async fn ask(&self, question: Question) -> Result<Answered, RuleError> {
        let served = &self.served.0[question.verb as usize];
        let body = question.body.as_ref().map(|body| body.to_string().into_bytes());
        let first = served.load(Ordering::Relaxed);
        let mut missing: Option<Answered> = None;
        for (position, version) in VERSIONS.iter().enumerate().skip(first) {
            let mut url = self.url(version, &question.path);
            if !question.query.is_empty() {
                url.query_pairs_mut().extend_pairs(&question.query);
            }
            let answered = self.exchange(question.verb.method(), url, body.clone()).await?;
            if matches!(answered.reply.status, 404 | 501) {
                // The first that is in the API's own words speaks of the rule; a later one perhaps of the version.
                if missing.as_ref().is_none_or(|missing| missing.status().is_none()) {
                    missing = Some(answered);
                }
                continue;
            }
            // Any other answer proves that this version is served here.
            served.store(position, Ordering::Relaxed);
            return match answered.reply.is_success() {
                true => Ok(answered),
                false => Err(self.refused(&question, &answered)),
            };
        }
        Err(match (missing, question.rule_id()) {
            (Some(answered), Some(_)) => self.refusal(&answered, question.verb.permission()).into(),
            _ => self.not_found().into(),
        })
    }

    fn refused(&self, question: &Question, answered: &Answered) -> RuleError {
        let status = answered.status().unwrap_or_default();
        let is_of_text = matches!(question.verb, Verb::Create | Verb::Revise | Verb::Verify);
        match (answered.reply.status, question.rule_id()) {
            (412, Some(id)) => RuleError::Changed { id: id.to_owned() },
            (409, Some(id)) if ["", "ABORTED"].contains(&status.status.as_str()) => {
                RuleError::Changed { id: id.to_owned() }
            }
            (400, _) if is_of_text && status.status == "INVALID_ARGUMENT" => {
                let start = wire::place_in(&status.message);
                let message = answered.shown(&status.message);
                RuleError::NotCompiled(vec![CompileDiagnostic { message, error: true, start }])
            }
            _ => self.refusal(answered, question.verb.permission()).into(),
        }
    }

    /// All pages of a listing, and whether that is all there is.
    async fn listed<T: DeserializeOwned>(&self, question: impl Fn() -> Question) -> Result<(Vec<T>, bool), RuleError> {
        let [large, small] = PAGE_SIZES;
        match self.pages(&question, large).await {
            // An answer that came and could not be read may have been too large.
            Err(RuleError::Failed(error)) if error.status == Some(200) => self.pages(&question, small).await,
            listed => listed,
        }
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        question: impl Fn() -> Question,
        size: usize,
    ) -> Result<(Vec<T>, bool), RuleError> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            let mut asked = question().with("pageSize", size);
            if !token.is_empty() {
                asked = asked.with("pageToken", &token);
            }
            let answered = self.ask(asked).await?;
            bytes += answered.reply.body.len();
            let page: Page<T> = answered.json()?;
            items.extend(page.items);
            let next = page.next.unwrap_or_default();
            if next.is_empty() && items.len() <= MOST_ITEMS {
                return Ok((items, true));
            }
            if items.len() >= MOST_ITEMS || bytes > MOST_BYTES || next == token {
                break;
            }
            token = next;
        }
        items.truncate(MOST_ITEMS);
        Ok((items, false))
    }

    /// All pages of a listing, or an error.
    async fn whole<T: DeserializeOwned>(&self, question: impl Fn() -> Question) -> Result<Vec<T>, RuleError> {
        let (items, whole) = self.listed(question).await?;
        if whole {
            return Ok(items);
        }
        let message = format!(
            "{} lists no end of rules: expected at most {MOST_ITEMS} of them, in {MOST_PAGES} pages and {} MiB",
            self.parts.target.host,
            MOST_BYTES >> 20
        );
        Err(SinkError::new(ErrorKind::Config, message).into())
    }

    async fn deployment(&self, id: &str) -> Result<Deployment, RuleError> {
        let answered = self.ask(Question::of(Verb::Deployment, id, "/deployment")?).await?;
        Ok(answered.json::<RuleDeployment>()?.read())
    }

    fn hosted(&self, rule: Rule, deployment: Deployment) -> Result<HostedRule, RuleError> {
        rule.hosted(deployment).ok_or_else(|| {
            let message = format!("{} answers with a rule whose name is none", self.parts.target.host);
            SinkError::new(ErrorKind::Unavailable, message).into()
        })
    }
}

#[async_trait]
impl RuleHost for Chronicle {
    async fn rules(&self) -> Result<Vec<HostedRule>, RuleError> {
        let rules: Vec<Rule> = self.whole(|| Question::new(Verb::Rules, "/rules").with("view", "FULL")).await?;
        // Asked for after the rules, so that a rule without one is a rule that was deleted in between.
        let deployments: Vec<RuleDeployment> =
            self.whole(|| Question::new(Verb::Deployments, "/rules/-/deployments")).await?;
        let of_rules: HashMap<&str, &RuleDeployment> =
            deployments.iter().filter_map(|deployment| Some((deployment.rule_id()?, deployment))).collect();
        let mut hosted = Vec::with_capacity(rules.len());
        let mut positions = HashMap::new();
        for rule in rules {
            let deployment = rule.id().and_then(|id| of_rules.get(id)).map(|deployment| deployment.read());
            let rule = self.hosted(rule, deployment.unwrap_or(UNDEPLOYED))?;
            // A rule that moved while the pages were read comes twice; the later one is the newer.
            match positions.get(&rule.version.id) {
                Some(&position) => hosted[position] = rule,
                None => {
                    positions.insert(rule.version.id.clone(), hosted.len());
                    hosted.push(rule);
                }
            }
        }
        Ok(hosted)
    }

    async fn verify(&self, text: &str) -> Result<Vec<CompileDiagnostic>, RuleError> {
        let question = Question::new(Verb::Verify, ":verifyRuleText").saying(json!({ "ruleText": text }));
        let answered = match self.ask(question).await {
            Err(RuleError::NotCompiled(diagnostics)) => return Ok(diagnostics),
            answered => answered?,
        };
        let verified: Verified = answered.json()?;
        let mut diagnostics: Vec<_> =
            verified.compilation_diagnostics.into_iter().map(wire::Diagnostic::read).collect();
        for diagnostic in &mut diagnostics {
            diagnostic.message = answered.shown(&diagnostic.message);
            // Where both are said, the verdict counts.
            diagnostic.error &= !verified.success;
        }
        if !verified.success && !diagnostics.iter().any(|diagnostic| diagnostic.error) {
            let message = "the compiler refuses it and does not say why".to_owned();
            diagnostics.push(CompileDiagnostic { message, error: true, start: None });
        }
        Ok(diagnostics)
    }

    async fn create(&self, text: &str) -> Result<HostedRule, RuleError> {
        let answered = self.ask(Question::new(Verb::Create, "/rules").saying(json!({ "text": text }))).await?;
        self.hosted(answered.json()?, UNDEPLOYED)
    }

    async fn revise(&self, rule: &RuleVersion, text: &str) -> Result<HostedRule, RuleError> {
        let body = match &rule.etag {
            Some(etag) => json!({ "text": text, "etag": etag }),
            None => json!({ "text": text }),
        };
        let question = Question::of(Verb::Revise, &rule.id, "")?.with("update_mask", "text").saying(body);
        let revised: Rule = self.ask(question).await?.json()?;
        // The answer does not say how the rule is run, and a new text may change that.
        let deployment = self.deployment(&rule.id).await.map_err(after_writing)?;
        self.hosted(revised, deployment)
    }

    async fn deploy(&self, id: &str, change: &DeploymentChange) -> Result<Deployment, RuleError> {
        let mut body = serde_json::Map::new();
        let mut mask = Vec::new();
        let mut put = |field: &'static str, name: &str, value: Option<Value>| {
            if let Some(value) = value {
                mask.push(field);
                body.insert(name.to_owned(), value);
            }
        };
        put("run_frequency", "runFrequency", change.frequency.map(|frequency| wire::spelled(frequency).into()));
        put("enabled", "enabled", change.enabled.map(Value::from));
        put("alerting", "alerting", change.alerting.map(Value::from));
        put("archived", "archived", change.archived.map(Value::from));
        if mask.is_empty() {
            // An empty mask would mean every field.
            return self.deployment(id).await;
        }
        let question = Question::of(Verb::Deploy, id, "/deployment")?.with("update_mask", mask.join(","));
        let answered = self.ask(question.saying(Value::Object(body))).await?;
        Ok(answered.json::<RuleDeployment>()?.read())
    }

    async fn execution_errors(&self) -> Result<Vec<ExecutionError>, RuleError> {
        let question = || Question::new(Verb::Errors, "/ruleExecutionErrors");
        let (errors, _) = self.listed::<RuleExecutionError>(question).await?;
        let mut errors: Vec<_> = errors.into_iter().filter_map(RuleExecutionError::read).collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.time));
        Ok(errors)
    }
}

/// An error after something was written. Whoever is throttled may take it that nothing was.
fn after_writing(error: RuleError) -> RuleError {
    match error {
        RuleError::Failed(error) if error.kind == ErrorKind::Throttled => {
            RuleError::Failed(SinkError { kind: ErrorKind::Unavailable, ..error })
        }
        error => error,
    }
}

/// How a rule is run that nobody deployed.
const UNDEPLOYED: Deployment =
    Deployment { enabled: false, alerting: false, archived: false, frequency: None, state: ExecutionState::Default };
