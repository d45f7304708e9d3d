//! The plan carried out: every text verified before the first write, then rule after rule.
//!
//! What the plan was made from may be old when somebody has agreed to it. So the tenant is read again after the texts were
//! verified, and a rule that is no longer as the plan showed it is left alone.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::{
    plan::{Change, Desired, Plan, plan},
    request::{Pause, Requests, Trouble},
    steps::Step,
};
use crate::sink::{
    ErrorKind, SinkError,
    rules::{CompileDiagnostic, HostedRule, RuleHost},
};

/// What a plan is carried out with.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// What the plan was made from.
    pub desired: Desired<'a>,
    /// The tenant.
    pub host: &'a dyn RuleHost,
    /// Waits between tries.
    pub pause: &'a dyn Pause,
    /// Becomes true when the work is to end; it does so between two requests.
    pub stop: &'a AtomicBool,
}

/// How far the work is.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// So many of so many texts are verified.
    Verified(usize, usize),
    /// Work on a rule ended; so many of so many are done.
    Rule(&'a RuleOutcome, usize, usize),
}

/// A text that the service's compiler refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The rule.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What the compiler says.
    pub diagnostics: Vec<CompileDiagnostic>,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleOutcome {
    /// Its name.
    pub name: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The steps that were done.
    pub done: Vec<Step>,
    /// How it ended.
    #[serde(flatten)]
    pub result: RuleResult,
}

/// How the work on one rule ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum RuleResult {
    /// As planned.
    Done,
    /// Somebody else changed it; it was left alone from there on.
    Changed,
    /// A step failed.
    Failed {
        /// Which.
        step: Step,
        /// Why.
        message: String,
    },
    /// The run ended before.
    NotReached,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// Everything was tried.
    Through,
    /// The compiler refuses a text; nothing was written.
    Refused,
    /// It was asked to end.
    Stopped,
    /// The tenant can't be worked with any more.
    Broken {
        /// What it is about.
        #[serde(serialize_with = "kind_name")]
        kind: ErrorKind,
        /// Why.
        message: String,
    },
}

fn kind_name<S: serde::Serializer>(kind: &ErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// What became of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Applied {
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
    /// What the compiler says of texts; none of them an error unless the run ended for it.
    pub refusals: Vec<Refusal>,
    /// One for each change of the plan.
    pub rules: Vec<RuleOutcome>,
    /// What is left to do, read from the tenant afterwards; `None` when all was done or the tenant could not be read.
    pub left: Option<Plan>,
}

impl Applied {
    /// Whether the tenant is now as planned.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == End::Through && self.rules.iter().all(|rule| rule.result == RuleResult::Done)
    }
}

/// Carries a plan out.
pub async fn apply(plan: &Plan, work: &Work<'_>, tell: &mut dyn FnMut(Told<'_>)) -> Applied {
    let requests = Requests { host: work.host, pause: work.pause, stop: work.stop };
    let mut applied = Applied { end: End::Through, refusals: Vec::new(), rules: Vec::new(), left: None };
    match verified(plan, &requests, tell).await {
        Ok(refusals) => applied.refusals = refusals,
        Err(trouble) => applied.end = end_of(&trouble),
    }
    if applied.refusals.iter().any(|refusal| refusal.diagnostics.iter().any(|said| said.error)) {
        applied.end = End::Refused;
    }
    let now = match applied.end {
        End::Through if !plan.is_empty() => requests.rules().await.unwrap_or_else(|trouble| {
            applied.end = end_of(&trouble);
            Vec::new()
        }),
        _ => Vec::new(),
    };
    for change in &plan.changes {
        let outcome = match applied.end {
            End::Through => one(change, &now, &requests, &mut applied.end).await,
            _ => outcome(change, None, Vec::new(), RuleResult::NotReached),
        };
        applied.rules.push(outcome);
        let done = applied.rules.len();
        if applied.end == End::Through {
            tell(Told::Rule(&applied.rules[done - 1], done, plan.changes.len()));
        }
    }
    applied.left = left(&applied, work).await;
    applied
}

fn end_of(trouble: &Trouble) -> End {
    match trouble {
        Trouble::Broken(SinkError { kind, message, .. }) => End::Broken { kind: *kind, message: message.clone() },
        Trouble::Stopped => End::Stopped,
        // Listing and verifying change nothing, so nobody can have been faster.
        Trouble::Changed => {
            End::Broken { kind: ErrorKind::Config, message: "the tenant is no longer there".to_owned() }
        }
        Trouble::Refused(message) => End::Broken { kind: ErrorKind::Rejected, message: message.clone() },
        Trouble::NotCompiled(_) => End::Refused,
    }
}

/// What the compiler says of all new texts.
async fn verified(
    plan: &Plan,
    requests: &Requests<'_>,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Vec<Refusal>, Trouble> {
    let texts: Vec<(&Change, &String)> =
        plan.changes.iter().filter_map(|change| Some((change, change.text.as_ref()?))).collect();
    let mut refusals = Vec::new();
    for (done, (change, text)) in texts.iter().enumerate() {
        let diagnostics = match requests.verify(text).await {
            Err(Trouble::NotCompiled(diagnostics)) => diagnostics,
            // The whole request is refused, which says something about this one text.
            Err(Trouble::Refused(message)) => vec![CompileDiagnostic { message, error: true, start: None }],
            other => other?,
        };
        if !diagnostics.is_empty() {
            let file = change.file.clone().unwrap_or_default();
            refusals.push(Refusal { name: change.name.clone(), file, diagnostics });
        }
        tell(Told::Verified(done + 1, texts.len()));
    }
    Ok(refusals)
}

/// What is left to do where not all was done: an update that failed may hold in part.
async fn left(applied: &Applied, work: &Work<'_>) -> Option<Plan> {
    let wrote = applied.rules.iter().any(|rule| rule.result != RuleResult::NotReached);
    let is_shut_out = matches!(applied.end, End::Broken { kind: ErrorKind::Auth, .. });
    if applied.is_complete() || !wrote || is_shut_out {
        return None;
    }
    // One look, also when the run was asked to end: it changes nothing, and is what the report is about.
    work.host.rules().await.ok().map(|now| plan(&work.desired, &now))
}

fn outcome(change: &Change, id: Option<String>, done: Vec<Step>, result: RuleResult) -> RuleOutcome {
    let id = id.or_else(|| change.before.as_ref().map(|rule| rule.version.id.clone()));
    RuleOutcome { name: change.name.clone(), id, done, result }
}

async fn one(change: &Change, now: &[HostedRule], requests: &Requests<'_>, end: &mut End) -> RuleOutcome {
    let Ok(current) = as_planned(change, now) else { return outcome(change, None, Vec::new(), RuleResult::Changed) };
    let mut running = Running { change, requests, current, done: Vec::new() };
    let ended = running.run().await;
    let Running { current, done, .. } = running;
    let id = current.map(|rule| rule.version.id);
    let result = match ended {
        Ok(()) => RuleResult::Done,
        Err((_, Trouble::Changed)) => RuleResult::Changed,
        Err((step, Trouble::Refused(message))) => RuleResult::Failed { step, message },
        Err((step, Trouble::NotCompiled(diagnostics))) => {
            let said = diagnostics.first().map_or("no reason given", |said| said.message.as_str());
            RuleResult::Failed { step, message: format!("the rule does not compile: {said}") }
        }
        Err((step, trouble @ (Trouble::Broken(_) | Trouble::Stopped))) => {
            *end = end_of(&trouble);
            match trouble {
                Trouble::Broken(error) => RuleResult::Failed { step, message: error.message },
                _ if done.is_empty() => RuleResult::NotReached,
                _ => RuleResult::Failed { step, message: "the run was asked to end".to_owned() },
            }
        }
    };
    outcome(change, id, done, result)
}

/// The rule as it is now, if it is as the plan showed it.
fn as_planned(change: &Change, now: &[HostedRule]) -> Result<Option<HostedRule>, ()> {
    let Some(before) = &change.before else {
        return if now.iter().any(|rule| rule.name == change.name) { Err(()) } else { Ok(None) };
    };
    let seen = |rule: &HostedRule| {
        let run = &rule.deployment;
        (rule.text.clone(), run.enabled, run.alerting, run.archived, run.frequency)
    };
    let current = now.iter().find(|rule| rule.version.id == before.version.id).ok_or(())?;
    if seen(current) == seen(before) { Ok(Some(current.clone())) } else { Err(()) }
}

/// Work on one rule.
struct Running<'a> {
    change: &'a Change,
    requests: &'a Requests<'a>,
    /// The rule, as the service last answered.
    current: Option<HostedRule>,
    done: Vec<Step>,
}

impl Running<'_> {
    async fn run(&mut self) -> Result<(), (Step, Trouble)> {
        let mut steps = self.change.steps.clone();
        let mut swapped = false;
        let mut at = 0;
        while at < steps.len() {
            match self.step(steps[at]).await {
                Ok(()) => at += 1,
                Err(Trouble::Refused(_)) if !swapped && swap(&mut steps[at..]) => swapped = true,
                Err(trouble) => return Err((steps[at], trouble)),
            }
        }
        // A frequency told to the old text, for example, is not kept for the new one.
        for step in steps.iter().copied().filter(|step| step.change().is_some()) {
            self.step(step).await.map_err(|trouble| (step, trouble))?;
            if !self.holds(step) {
                let message = "SecOps took it and did not keep it".to_owned();
                return Err((step, Trouble::Refused(message)));
            }
        }
        Ok(())
    }

    fn holds(&self, step: Step) -> bool {
        self.current.as_ref().is_some_and(|rule| step.holds(&rule.deployment, &self.change.facts))
    }

    async fn step(&mut self, step: Step) -> Result<(), Trouble> {
        let text = self.change.text.as_deref().unwrap_or_default();
        match (step, step.change(), &mut self.current) {
            (Step::Create, ..) => self.current = Some(self.requests.create(&self.change.name, text).await?),
            (_, Some(change), Some(rule)) => {
                if step.holds(&rule.deployment, &self.change.facts) {
                    return Ok(());
                }
                rule.deployment = self.requests.deploy(&rule.version.id, &change).await?;
            }
            (_, _, Some(rule)) => *rule = self.requests.revise(&rule.version, text).await?,
            (_, _, None) => return Ok(()),
        }
        self.done.push(step);
        Ok(())
    }
}

/// Lets text and frequency change places when the one that comes first is refused: which of the two the service takes first
/// depends on what the old and the new text can be run as.
fn swap(steps: &mut [Step]) -> bool {
    match steps {
        [first @ Step::Text, second @ Step::Frequency(_), ..]
        | [first @ Step::Frequency(_), second @ Step::Text, ..] => {
            std::mem::swap(first, second);
            true
        }
        _ => false,
    }
}
